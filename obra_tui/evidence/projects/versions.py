"""Which versions of interpreters and compilers a project asks for, and which of them are not here."""

import re
import subprocess
from collections.abc import Callable, Iterator

from obra_tui.evidence.projects.reading import Project, table

Has = Callable[[str], bool]
_PINS = (
    (".python-version", "python3"),
    (".nvmrc", "node"),
    (".node-version", "node"),
    (".ruby-version", "ruby"),
    (".java-version", "java"),
    (".go-version", "go"),
)
_NAMES = {"python": "python3", "nodejs": "node", "node": "node", "golang": "go", "go": "go", "ruby": "ruby"} | {
    name: name for name in ("java", "rust", "terraform", "elixir", "deno", "bun", "php")
}
_PROGRAMS = {"rust": "rustc"}
_DIGITS = {"node": 1, "java": 1, "bun": 1, "deno": 1}
_ASK = {"go": ("go", "version"), "java": ("java", "-version")}


def version_notes(project: Project, has: Has) -> tuple[str, ...]:
    """Say for each pinned version, in a sentence without its end, what is here instead."""
    told = (_note(source, name, wanted, has) for source, name, wanted in _wanted(project))
    return tuple(dict.fromkeys(filter(None, told)))


def _wanted(project: Project) -> Iterator[tuple[str, str, str]]:
    """Yield the file, the program and the version."""
    for source, name in _PINS:
        if pinned := project.text(source).strip().splitlines()[:1]:
            yield source, name, re.sub(r"^(?:v|ruby-|cpython-|go|python-)", "", pinned[0].strip())
    for line in project.text(".tool-versions").splitlines():
        words = line.split("#")[0].split()
        if len(words) > 1 and words[0] in _NAMES:
            yield ".tool-versions", _NAMES[words[0]], re.sub(r"^[a-z]+-", "", words[1])
    for source in ("mise.toml", ".mise.toml"):
        for name, value in table(project.toml(source), "tools").items():
            version = value.get("version") if isinstance(value, dict) else value
            if name in _NAMES and isinstance(version, str):
                yield source, _NAMES[name], version
    yield from _of_manifests(project)


def _of_manifests(project: Project) -> Iterator[tuple[str, str, str]]:
    if found := re.search(r"(?m)^go (\d+\.\d+)", project.text("go.mod")):
        yield "go.mod", "go", f">={found[1]}"
    for source in ("rust-toolchain.toml", "rust-toolchain"):
        channel = str(table(project.toml(source), "toolchain").get("channel", "")) or project.text(source).strip()
        if re.fullmatch(r"\d[\d.]*", channel):
            yield source, "rust", channel
    if found := re.match(r">=\s*v?(\d+)", str(table(project.package, "engines").get("node", ""))):
        yield "package.json", "node", f">={found[1]}"


def _note(source: str, name: str, wanted: str, has: Has) -> str:
    at_least, version = wanted.startswith(">="), wanted.removeprefix(">=").strip()
    if not re.match(r"\d", version) or (name == "python3" and has("uv")):
        return ""  # `lts/*`, `system`, `latest`: any; uv fetches the Python that is asked for
    here = version_here(name)
    if not here:
        return f"{source} asks for {name} {version}; it is not here"
    asked = version.split(".")[: _DIGITS.get(name, 2)]
    if at_least:
        return "" if _numbers(here) >= _numbers(version) else f"{source} asks for {name} {version}; here is {here}"
    if here.split(".")[: len(asked)] != asked:
        return f"{source} asks for {version}; {name} here is {here}"
    return ""


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def version_here(name: str) -> str:
    """Return the version of a program, asked away from any project; empty when it is not there."""
    command = _ASK.get(name, (_PROGRAMS.get(name, name), "--version"))
    try:
        asked = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(?:\.\d+)+|\d+", f"{asked.stdout} {asked.stderr}")
    return found[0] if found and asked.returncode == 0 else ""
