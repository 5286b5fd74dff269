"""Scenarios on disk: a starting repository, a plan, a script for Claude and what should come of it.

It exists so that `obra demo`, `obra validate` and the tests run the same data. It must not know the servers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from obra_tui.rehearsal.faults import Fault
from obra_tui.rehearsal.script import Script, ScriptError, parse_fault, parse_scripts

SCENARIOS = Path(__file__).parent / "scenarios"
PLANS = ("plan.md", "plan.toml")
_KNOWN = {"title", "description", "scripts", "checks", "expect", "claude_faults", "judge_faults", "hidden"}
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache", ".ruff_cache", ".mypy_cache")
_COMMIT_TIME = "2026-01-05T09:00:00+00:00"


class ScenarioError(ValueError):
    """A scenario is missing or cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioCheck:
    """A command that looks at the work. `{python}` stands for the interpreter that runs Obra."""

    name: str
    kind: str
    command: tuple[str, ...]

    def argv(self, python: str) -> tuple[str, ...]:
        """The command for this machine."""
        return tuple(python if word == "{python}" else word for word in self.command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One rehearsal. `expect` says what a right run ends in; the keys are described in `scenarios/README.md`."""

    name: str
    title: str
    description: str
    folder: Path
    plan: Path
    repo: Path
    scripts: tuple[Script, ...]
    checks: tuple[ScenarioCheck, ...]
    expect: Mapping[str, Any]
    claude_faults: tuple[Fault, ...] = ()
    judge_faults: tuple[Fault, ...] = ()
    hidden: bool = False


def list_scenarios(*, hidden: bool = False) -> tuple[Scenario, ...]:
    """The packaged scenarios by name; those made only for tests when `hidden` is true."""
    found = (load_scenario(p.parent) for p in sorted(SCENARIOS.glob("*/scenario.toml")))
    return tuple(s for s in found if hidden or not s.hidden)


def load_scenario(name_or_folder: str | Path) -> Scenario:
    """Read one scenario, by the name of a packaged one or from a folder."""
    folder = Path(name_or_folder)
    if not (folder / "scenario.toml").is_file():
        folder = SCENARIOS / str(name_or_folder)
    try:
        table = tomllib.loads((folder / "scenario.toml").read_text("utf-8"))
    except FileNotFoundError:
        names = ", ".join(p.parent.name for p in sorted(SCENARIOS.glob("*/scenario.toml")))
        raise ScenarioError(f"there is no scenario {str(name_or_folder)!r}; there are: {names}") from None
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{folder / 'scenario.toml'}: {error}") from error
    try:
        return _scenario(folder, table)
    except (ScriptError, OSError) as error:
        raise ScenarioError(f"{folder / 'scenario.toml'}: {error}") from error


def _scenario(folder: Path, table: Mapping[str, Any]) -> Scenario:
    if unknown := sorted(set(table) - _KNOWN):
        raise ScriptError(f"unknown key {', '.join(unknown)}")
    plan = next((folder / p for p in PLANS if (folder / p).is_file()), None)
    if plan is None or not (folder / "repo").is_dir():
        raise ScriptError("a scenario needs plan.md or plan.toml, and a folder repo")
    return Scenario(
        name=folder.name,
        title=str(table.get("title", folder.name)),
        description=str(table.get("description", "")).strip(),
        folder=folder,
        plan=plan,
        repo=folder / "repo",
        scripts=parse_scripts(table.get("scripts", []), folder),
        checks=tuple(_check(c) for c in table.get("checks", [])),
        expect=MappingProxyType(dict(table.get("expect", {}))),
        claude_faults=tuple(parse_fault(f) for f in table.get("claude_faults", [])),
        judge_faults=tuple(parse_fault(f) for f in table.get("judge_faults", [])),
        hidden=bool(table.get("hidden", False)),
    )


def _check(table: Mapping[str, Any]) -> ScenarioCheck:
    try:
        return ScenarioCheck(name=table["name"], kind=table["kind"], command=tuple(table["command"]))
    except KeyError as error:
        raise ScriptError(f"a check needs {error}") from error


def materialise(scenario: Scenario, folder: Path) -> Path:
    """Make the scenario's starting repository in `folder` (new or empty): a real git repository with one commit."""
    if folder.exists() and any(folder.iterdir()):
        raise ScenarioError(f"{folder} is not empty; name a new folder")
    shutil.copytree(scenario.repo, folder, dirs_exist_ok=True, ignore=_LEFT_OUT)
    _git(folder, "init", "-q", "--template=", "-b", "main")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "--no-verify", "-m", f"Start of the {scenario.name} rehearsal")
    return folder


def _git(folder: Path, *args: str) -> None:
    """Run git as the rehearsal's own author: no configuration, no hooks and no template of the person's."""
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "gc.auto=0")
    who = {"NAME": "Obra Rehearsal", "EMAIL": "rehearsal@obra.invalid", "DATE": _COMMIT_TIME}
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C"}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    env |= {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    try:
        subprocess.run(["git", *quiet, *args], cwd=folder, env=env, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise ScenarioError("git is not installed or not on the PATH; install git") from None
    except subprocess.CalledProcessError as error:
        raise ScenarioError(f"git {args[0]} failed in {folder}: {error.stderr.strip()}") from error
