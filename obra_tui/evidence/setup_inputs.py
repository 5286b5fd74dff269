"""What an environment is made from: the files that decide it, and the programs that make it.

Commands that only install what manifests and lock files name give the same for as long as those are the same. Of any
other command nothing is known, so what it makes belongs to one tree alone.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from obra_tui.evidence.protect import Rule

_MANIFESTS = (
    *("pyproject.toml", "setup.py", "setup.cfg", "*requirements*.txt", "*requirements*.in", "*constraints*.txt"),
    *("*.lock", "Pipfile", "hatch.toml", "environment.yml", "environment.yaml", "package.json", "package-lock.json"),
    *(
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "pnpm-workspace.yaml",
        ".pnpmfile.cjs",
        ".npmrc",
        ".yarnrc",
        ".yarnrc.yml",
    ),
    *("bun.lockb", "bunfig.toml", "Cargo.toml", "rust-toolchain", "rust-toolchain.toml", "go.mod", "go.sum", "go.work"),
    *("pom.xml", "*.gradle", "*.gradle.kts", "gradle.properties", "gradlew", "mvnw", "libs.versions.toml", "Gemfile"),
    *("composer.json", "mix.exs", ".python-version", ".nvmrc", ".node-version", ".tool-versions", "mise.toml"),
    *(".mise.toml", "tox.ini", "noxfile.py", "devcontainer.json", "binding.gyp"),
)
_BUILT = (
    *("*.c", "*.h", "*.cc", "*.cpp", "*.cxx", "*.hpp", "*.pyx", "*.pxd", "*.pxi", "*.rs", "*.f90"),
    *("CMakeLists.txt", "meson.build", "meson.options", "MANIFEST.in"),
)
"""Sources that an install may compile."""
_FOLDERS = (".cargo/", ".yarn/", ".mvn/", "gradle/", "patches/", "requirements/")
_INSTALLS = re.compile(
    r"(?:"
    r"uv (?:sync|venv|pip (?:install|sync))|(?:\S*bin/)?(?:pip3?|python[\d.]* -m (?:pip|venv)) ?|python[\d.]* -m venv|"
    r"poetry install|pdm (?:sync|install)|npm (?:ci|i|install)|pnpm (?:i|install)|yarn(?: install)?|bun (?:i|install)|"
    r"uvx (?:poetry|pdm|pipenv) install|pipenv install|npx --yes (?:pnpm|yarn)\S* install|"
    r"mvn (?:-\S+ )*test clean|corepack enable|cargo fetch|go mod download|bundle install|composer install"
    r")(?:\s|$)"
)
_MORE_THAN_A_COMMAND = re.compile(r"[;|<>`$(){}*?]|(?<!&)&(?!&)")
_QUOTED = re.compile(r"'[^']*'")
_PROGRAMS = (
    *("python3", "python", "uv", "poetry", "pdm", "node", "npm", "pnpm", "yarn", "bun"),
    *("cargo", "rustc", "go", "java", "mvn", "gradle", "ruby", "php"),
)
CHANGED = "what the environment is made from"


def only_installs(commands: Iterable[str]) -> bool:
    """Tell whether the commands do nothing but install what the project's manifests name."""
    parts = [part.strip() for command in commands for part in command.split("&&")]
    return all(_INSTALLS.match(part) and not _MORE_THAN_A_COMMAND.search(_QUOTED.sub("", part)) for part in parts)


def decides_environment(path: str) -> bool:
    """Tell whether a file of the project, by its path, decides what an install makes."""
    name = path.rpartition("/")[2]
    if any(fnmatchcase(name, pattern) for pattern in (*_MANIFESTS, *_BUILT)):
        return True
    return any(path.startswith(folder) or f"/{folder}" in path for folder in _FOLDERS)


def setup_rules(commands: Sequence[str]) -> tuple[Rule, ...]:
    """Return what needs a person before the set-up may run on it: manifests, and scripts that the commands name."""
    if not commands:
        return ()
    named = {word.removeprefix("./") for command in commands for word in re.split(r"[\s;&|]+", command)}
    scripts = sorted(word for word in named if "/" in word or "." in word if not word.startswith(("-", "/")))
    patterns = (*_MANIFESTS, *(f"{folder}*" for folder in _FOLDERS))
    return (
        *(Rule(pattern=pattern, reason=CHANGED) for name in patterns for pattern in (name, f"*/{name}")),
        *(Rule(pattern=re.sub(r"([*?\[])", r"[\1]", script), reason=CHANGED) for script in scripts),
    )


def programs(search: str) -> tuple[str, ...]:
    """Return which interpreters and package tools are there, so that another version makes another environment."""
    found = []
    for name in _PROGRAMS:
        path = shutil.which(name, path=search)
        if path is None:
            continue
        seen = Path(path).stat()
        found.append(f"{name} {os.path.realpath(path)} {seen.st_size} {seen.st_mtime_ns}")
    return tuple(found)


def key_of(*parts: Iterable[str]) -> str:
    """Return a name for what these parts make: as long as the name of a task, so that paths are equally long."""
    told = "\0\0".join("\0".join(part) for part in parts)
    return f"e{hashlib.sha256(told.encode('utf-8', 'surrogateescape')).hexdigest()[:14]}"
