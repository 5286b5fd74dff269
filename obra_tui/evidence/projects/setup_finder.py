"""Finds how a project is set up, whatever it is written in. Proposes commands; nobody runs them unasked."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from obra_tui.evidence.projects.proposing import Proposal
from obra_tui.evidence.projects.python_setup import Has, python_setup
from obra_tui.evidence.projects.reading import Project, texts
from obra_tui.evidence.projects.versions import version_notes
from obra_tui.evidence.projects.witnesses import witnesses
from obra_tui.evidence.sandbox import search_path

_DEVCONTAINER = (".devcontainer/devcontainer.json", ".devcontainer.json")
_OF_MAVEN = "mvn -q -B -Dmaven.test.failure.ignore=true test clean"
"""Which plugin runs the tests is only known, and loaded, when they run. What was compiled goes: it is of one tree."""
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.S)


def is_installed(program: str) -> bool:
    return shutil.which(program, path=search_path(())) is not None


def propose(root: Path, has: Has = is_installed) -> Proposal | None:
    """Return the set-up of the project at `root`, all its languages together; None if it needs none."""
    project = Project(root)
    parts = [part for part in _parts(project, has) if part is not None]
    if not parts and (part := _devcontainer(project)):
        parts = [part]
    if not parts:
        return None
    return Proposal(
        setup=tuple(dict.fromkeys(command for part in parts for command in part.setup)),
        because=", ".join(dict.fromkeys(part.because for part in parts)),
        missing=tuple(dict.fromkeys(name for part in parts for name in part.missing)),
        notes=(*(note for part in parts for note in part.notes), *version_notes(project, has)),
    )


def _parts(project: Project, has: Has) -> Iterator[Proposal | None]:
    found = witnesses(project)
    if project.has("mise.toml", ".mise.toml", ".tool-versions") and has("mise"):
        yield Proposal(setup=("mise install",), because="mise.toml" if project.has("mise.toml") else ".tool-versions")
    yield python_setup(project, has, found)
    yield _node(project, has)
    yield _rest(project, has)


def _node(project: Project, has: Has) -> Proposal | None:
    if not project.has("package.json") or not _needs_packages(project):
        return None
    tool, command, source = _node_tool(project)
    if has(tool):
        return Proposal(setup=(command,), because=source)
    pinned = str(project.package.get("packageManager", "")).partition("+")[0]
    if tool in ("pnpm", "yarn") and has("npx"):
        wanted = pinned if pinned.startswith(f"{tool}@") else tool
        return Proposal(setup=(f"npx --yes {wanted} {command.partition(' ')[2]}",), because=source)
    return Proposal(setup=(command,), because=source, missing=(tool,))


def _needs_packages(project: Project) -> bool:
    names = ("dependencies", "devDependencies", "optionalDependencies", "workspaces")
    return any(project.package.get(name) for name in names) or project.has("pnpm-workspace.yaml")


def _node_tool(project: Project) -> tuple[str, str, str]:
    """Return the package tool, its command and the file that names it."""
    if project.has("pnpm-lock.yaml"):
        return "pnpm", "pnpm install --frozen-lockfile", "pnpm-lock.yaml"
    if project.has("yarn.lock"):
        strict = "--immutable" if project.has(".yarnrc.yml") else "--frozen-lockfile"
        return "yarn", f"yarn install {strict}", "yarn.lock"
    for name in ("bun.lock", "bun.lockb"):
        if project.has(name):
            return "bun", "bun install --frozen-lockfile", name
    for name in ("package-lock.json", "npm-shrinkwrap.json"):
        if project.has(name):
            return "npm", "npm ci --no-audit --no-fund", name
    manager = str(project.package.get("packageManager", "")).partition("@")[0]
    if manager in ("pnpm", "yarn", "bun"):
        return manager, f"{manager} install", "package.json"
    return "npm", "npm install --no-audit --no-fund --no-package-lock", "package.json"


def _rest(project: Project, has: Has) -> Proposal | None:
    """Return what loads the packages of compiled languages, so that checks find them without a network."""
    commands: list[str] = []
    sources: list[str] = []
    missing: list[str] = []
    for manifest, program, command in (
        ("Cargo.toml", "cargo", "cargo fetch" + (" --locked" if project.has("Cargo.lock") else "")),
        ("go.mod", "go", "go mod download"),
        ("pom.xml", "mvn", _OF_MAVEN),
        ("Gemfile", "bundle", "bundle install --path vendor/bundle"),
        ("composer.json", "composer", "composer install --no-interaction"),
    ):
        if project.has(manifest):
            commands.append(command)
            sources.append(manifest)
            missing += [] if has(program) else [program]
    if not commands:
        return None
    return Proposal(setup=tuple(commands), because=", ".join(sources), missing=tuple(missing))


def _devcontainer(project: Project) -> Proposal | None:
    """Return the commands that a development container runs when it is made, for want of anything better."""
    for name in _DEVCONTAINER:
        text = _COMMENT.sub(lambda found: found[1] or "", project.text(name))
        try:
            settings = json.loads(re.sub(r",(\s*[}\]])", r"\1", text) or "{}")
        except (ValueError, RecursionError):
            continue
        found = [settings.get(key) for key in ("onCreateCommand", "updateContentCommand", "postCreateCommand")]
        commands = tuple(one if isinstance(one, str) else " ".join(texts(one)) for one in found if one)
        if any(commands):
            return Proposal(setup=tuple(filter(None, commands)), because=name)
    return None
