"""Scenarios on disk: a starting repository, a plan, a script for Claude and what should come of it.

It exists so that `obra demo`, `obra validate` and the tests run the same data. It must not know the servers.
"""

from __future__ import annotations

import shlex
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

from obra_tui.core.errors import ConfigError
from obra_tui.core.model import CheckSpec, Stage
from obra_tui.rehearsal.faults import Fault
from obra_tui.rehearsal.script import Script, ScriptError, parse_fault, parse_scripts
from obra_tui.system.git import GitCall, GitStopped, run_blocking

SCENARIOS = Path(__file__).parent / "scenarios"
PLANS = ("plan.md", "plan.toml")
_KNOWN = {
    "title", "description", "scripts", "checks", "expect", "claude_faults", "judge_faults", "hidden",
    "probes", "answers", "sessions", "scripted",
}  # fmt: skip
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache", ".ruff_cache", ".mypy_cache")
_COMMIT_TIME = "2026-01-05T09:00:00+00:00"


class ScenarioError(ConfigError):
    """A scenario is missing or cannot be understood."""


class ScenarioCheck(Struct, frozen=True, kw_only=True):
    """A command that looks at the work. `{python}` stands for the interpreter that runs Obra."""

    name: str
    run: str
    stage: Stage
    junit: bool = False

    def spec(self, python: str) -> CheckSpec:
        """The check for this machine."""
        command = self.run.replace("{python}", shlex.quote(python))
        return CheckSpec(name=self.name, run=command, stage=self.stage, junit=self.junit, origin="configured")


class ScenarioProbe(Struct, frozen=True, kw_only=True):
    """A command that looks at accepted work afterwards; whoever did the work never sees it.

    It runs in a checkout of the accepted branch, with the scenario's folder `probes` beside the files as `.probes`.
    """

    name: str
    run: str

    def spec(self, python: str) -> CheckSpec:
        """The probe for this machine."""
        command = self.run.replace("{python}", shlex.quote(python))
        return CheckSpec(name=self.name, run=command, timeout_s=120.0, origin="configured")


class Scenario(Struct, frozen=True, kw_only=True):
    """One rehearsal, read from a folder with `scenario.toml`, a plan, `repo/` and files that scripts write (`work/`).

    `expect` says what a right run ends in when a person approves what passes and sends back what does not:
    `accepted` (how many tasks), `attempts` (of each task, in the order of the plan), `first_failure` (a test that
    the first feedback must name), `finding_kinds` (what the judge must see in the first attempt), `commands` (what
    Claude runs), `asks` (those of them that no usual list allows), `empty` (the work is no change at all),
    `touches_tests` (a protected path changes), `average_age` (the figure of the report). What `obra validate` asks
    besides is read by `obra_tui.validation.expectations`.
    """

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
    probes: tuple[ScenarioProbe, ...] = ()
    answers: tuple[str, ...] = ()
    """What the person says to the gates that open, one after the other: notes of requests for changes."""
    sessions: Literal["milestone", "standalone"] = "milestone"
    """One session for all tasks, or one of its own for each."""
    scripted: bool = False
    """Makes sense only with the scripted Claude: a real one cannot be told to lie."""


def list_scenarios(*, hidden: bool = False) -> tuple[Scenario, ...]:
    """The packaged scenarios by name; those made only for tests when `hidden` is true."""
    found = (load_scenario(p.parent) for p in sorted(SCENARIOS.glob("*/scenario.toml")))
    return tuple(s for s in found if hidden or not s.hidden)


def load_scenario(name_or_folder: str | Path) -> Scenario:
    """Read one scenario, by the name of a packaged one or from a folder."""
    folder = Path(name_or_folder)
    if not (folder / "scenario.toml").is_file():
        folder = SCENARIOS / str(name_or_folder)
    file = folder / "scenario.toml"
    try:
        return _scenario(folder, tomllib.loads(file.read_text("utf-8")))
    except FileNotFoundError as error:
        if file.is_file():
            raise ScenarioError(f"The file {error.filename} is missing.", where=str(file)) from error
        names = ", ".join(p.parent.name for p in sorted(SCENARIOS.glob("*/scenario.toml")))
        raise ScenarioError(f"There is no scenario {str(name_or_folder)!r}.", fix=f"There are: {names}.") from None
    except (tomllib.TOMLDecodeError, ScriptError, OSError) as error:
        raise ScenarioError(f"The scenario cannot be read: {error}", where=str(file)) from error


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
        probes=tuple(_probe(p) for p in table.get("probes", [])),
        answers=tuple(str(note) for note in table.get("answers", [])),
        sessions=_sessions(table.get("sessions", "milestone")),
        scripted=bool(table.get("scripted", False)),
    )


def _sessions(word: object) -> Literal["milestone", "standalone"]:
    match word:
        case "milestone" | "standalone":
            return word
        case _:
            raise ScriptError(f'sessions = {word!r} is neither "milestone" nor "standalone"')


def _probe(table: Mapping[str, Any]) -> ScenarioProbe:
    try:
        return ScenarioProbe(**table)
    except TypeError as error:
        raise ScriptError(f"{dict(table)!r} is no probe: {error}") from error


def _check(table: Mapping[str, Any]) -> ScenarioCheck:
    try:
        return ScenarioCheck(**{**table, "stage": Stage(table["stage"])})
    except (KeyError, TypeError, ValueError) as error:
        raise ScriptError(f"{dict(table)!r} is no check: {error}") from error


def materialise(scenario: Scenario, folder: Path) -> Path:
    """Make the scenario's starting repository in `folder` (new or empty): a real git repository with one commit."""
    if folder.exists() and any(folder.iterdir()):
        raise ScenarioError("The folder for the rehearsal is not empty.", where=str(folder), fix="Name a new one.")
    shutil.copytree(scenario.repo, folder, dirs_exist_ok=True, ignore=_LEFT_OUT)
    _git(folder, "init", "-q", "--template=", "-b", "main")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "--no-verify", "-m", f"Start of the {scenario.name} rehearsal")
    return folder


def _git(folder: Path, *words: str) -> None:
    """Run git as the rehearsal's own author: no configuration, no hooks and no template of the person's."""
    who = {"NAME": "Obra Rehearsal", "EMAIL": "rehearsal@obra.invalid", "DATE": _COMMIT_TIME}
    env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    call = GitCall(arguments=words, options=("-C", str(folder.absolute())), environment=env)
    try:
        done = run_blocking(call)
    except FileNotFoundError:
        raise ScenarioError("git is not on the PATH.", fix="Install git.") from None
    except GitStopped:
        raise ScenarioError(f"git {words[0]} did not end in time.", where=str(folder)) from None
    if done.code:
        raise ScenarioError(f"git {words[0]} failed: {done.message}", where=str(folder))
