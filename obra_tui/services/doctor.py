"""The doctor: checks of the machine, each with the command that helps; and the versions stored with a session.

Blocking. What is missing becomes a line, never an exception.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from obra_tui.core.doctor import DoctorLine, DoctorStatus
from obra_tui.core.errors import ObraError
from obra_tui.services.project import project_root
from obra_tui.system.git import MINIMUM_GIT, git_version

if TYPE_CHECKING:
    from obra_tui.agents.probe import Probe
    from obra_tui.config.load import Settings

_PACKAGES = ("obra-tui", "claude-agent-sdk", "textual", "sqlalchemy", "httpx")


def versions() -> tuple[tuple[str, str], ...]:
    found = [(name, _package(name)) for name in _PACKAGES]
    return (*found, *{"python": platform.python_version(), "git": git_version()}.items())


def _package(name: str) -> str:
    """Return the version by the head of what the package says of itself: to read all of it takes ten times as long."""
    try:
        said = distribution(name).read_text("METADATA") or ""
    except PackageNotFoundError:
        return "unknown"
    head = said.partition("\n\n")[0].splitlines()
    return next((line.removeprefix("Version: ") for line in head if line.startswith("Version: ")), "unknown")


class MachineDoctor:
    """Yields one line after the other; what needs no network comes first."""

    def __init__(self, project: Path) -> None:
        self._project = project

    def run(self) -> Iterator[DoctorLine]:
        yield _git()
        yield from _root()
        yield self._project_line()
        settings, line = self._settings()
        yield line
        if settings is None:
            return
        yield from self._environment(settings)
        folder = _data_folder(settings)
        yield folder
        with tempfile.TemporaryDirectory(prefix="obra-doctor-") as spare:
            if folder.status is DoctorStatus.MISSING:
                # What only passes through the folder can be told all the same.
                settings = replace(settings, data_dir=Path(spare))
            yield _sqlite(settings)
            yield _sandbox(settings)
            yield _confinement(settings)
            yield from _claude(settings)
            yield _judge(settings)

    def _project_line(self) -> DoctorLine:
        try:
            root = project_root(self._project)
        except ObraError as error:
            return _line("project", DoctorStatus.MISSING, error.what, detail=error.fix)
        return _line("project", DoctorStatus.OK, f"git repository {root}")

    def _settings(self) -> tuple[Settings | None, DoctorLine]:
        from obra_tui.config.load import load, user_file

        try:
            root: Path | None = project_root(self._project)
        except ObraError:
            root = None
        try:
            settings = load(root)
        except ObraError as error:
            return None, _line("settings", DoctorStatus.MISSING, f"{error.where}: {error.what}", detail=error.fix)
        where = user_file() if user_file().exists() else "defaults and environment"
        return settings, _line("settings", DoctorStatus.OK, f"read without complaint ({where})")

    def _environment(self, settings: Settings) -> Iterator[DoctorLine]:
        from obra_tui.services.environment import environment_lines
        from obra_tui.services.project import project_root

        try:
            root = project_root(self._project)
        except ObraError:
            return
        yield from environment_lines(root, settings)

    def write(self) -> tuple[str, ...]:
        """Put the proposed set-up into the project's settings; returns what was done."""
        from obra_tui.config.load import load
        from obra_tui.services.environment import write_proposal
        from obra_tui.services.project import project_root

        root = project_root(self._project)
        return write_proposal(root, load(root))


def _line(
    name: str, status: DoctorStatus, fact: str, *, fix: str = "", detail: str = "", needed: bool = True
) -> DoctorLine:
    return DoctorLine(name=name, status=status, fact=fact, fix=fix, detail=detail, needed=needed)


def _git() -> DoctorLine:
    version = git_version()
    if not version:
        return _line("git", DoctorStatus.MISSING, "git is not installed", fix="apt install git")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < MINIMUM_GIT:
        return _line("git", DoctorStatus.MISSING, f"git {version} is too old: 2.38 or newer is needed")
    return _line("git", DoctorStatus.OK, f"git {version}")


def _root() -> Iterator[DoctorLine]:
    if os.geteuid() == 0:
        fact = "Obra runs as root: what Claude is allowed to do, it does as root"
        detail = "Use an account of your own. Permissions are asked all the same; none is skipped."
        yield _line("user", DoctorStatus.WARN, fact, detail=detail, needed=False)


def _data_folder(settings: Settings) -> DoctorLine:
    folder = settings.data_dir
    parent = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    if not (parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
        return _line(
            "data-folder",
            DoctorStatus.MISSING,
            f"{folder} cannot be written",
            detail="Set OBRA_DATA_DIR to a folder of yours.",
        )
    free = shutil.disk_usage(parent).free // 2**30
    status = DoctorStatus.OK if free >= 1 else DoctorStatus.WARN
    return _line("data-folder", status, f"{folder} ({free} GB free)")


def _sqlite(settings: Settings) -> DoctorLine:
    if settings.database.url:
        return _line("database", DoctorStatus.UNKNOWN, "a database server is configured; it is asked at start")
    from obra_tui.store.sqlite import sqlite_health

    health = sqlite_health()
    status = DoctorStatus.WARN if health.affected else DoctorStatus.OK
    fix = "pip install 'obra-tui[sqlite]'" if health.affected else ""
    return _line("sqlite", status, f"SQLite {health.version}", fix=fix, detail=health.note, needed=False)


def _sandbox(settings: Settings) -> DoctorLine:
    from obra_tui.core.model import SandboxLevel
    from obra_tui.evidence.sandbox import Sandbox

    level, why = asyncio.run(Sandbox(data_dir=settings.data_dir).probe())
    if level is SandboxLevel.BWRAP:
        return _line("sandbox", DoctorStatus.OK, "checks run in bubblewrap: no network, nothing outside can be written")
    required = settings.sandbox.level == "required"
    return _line(
        "sandbox",
        DoctorStatus.MISSING if required else DoctorStatus.WARN,
        f"checks run at level '{level}': {why}",
        fix="apt install bubblewrap",
        needed=required,
    )


def _confinement(settings: Settings) -> DoctorLine:
    from obra_tui.agents.confinement import level
    from obra_tui.core.model import Confinement

    wanted, network = settings.claude.sandbox, settings.claude.network
    if wanted == "off":
        fact = "claude.sandbox is off: Claude Code runs with your rights"
        return _line("confinement", DoctorStatus.WARN, fact, needed=False)
    found = level(settings.data_dir / "tmp")
    if found.confinement is Confinement.BWRAP:
        reach = "the API and package registries only" if network == "api" else "the network"
        fact = f"Claude Code runs in bubblewrap: nothing outside its copy can be written; it reaches {reach}"
        return _line("confinement", DoctorStatus.OK, fact)
    required = wanted == "required"
    how = "Claude Code is not started" if required else "Claude Code runs with your rights"
    return _line(
        "confinement",
        DoctorStatus.MISSING if required else DoctorStatus.WARN,
        f"{how}: {found.problem}",
        fix=found.fix,
        needed=required,
    )


def _claude(settings: Settings) -> Iterator[DoctorLine]:
    from obra_tui.agents.probe import probe
    from obra_tui.services.models import claude_config

    found = probe(claude_config(settings))
    if not found.version:
        what, fix = found.problems[0] if found.problems else ("Claude Code does not answer.", "")
        yield _line("claude", DoctorStatus.MISSING, what, detail=fix)
        return
    origin = "came with Obra" if found.bundled else found.program
    yield _line("claude", DoctorStatus.OK, f"Claude Code {found.version} ({origin}), SDK {found.sdk_version}")
    yield _claude_login(found)
    if not found.dies_with_us:
        yield _line(
            "setpriv",
            DoctorStatus.WARN,
            "without setpriv a Claude Code that outlives a killed Obra is ended at the next start only",
            fix="apt install util-linux",
            needed=False,
        )


def _claude_login(found: Probe) -> DoctorLine:
    if found.logged_in:
        return _line("claude-login", DoctorStatus.OK, f"Claude Code has a login ({found.login})")
    if found.logged_in is None:
        return _line("claude-login", DoctorStatus.UNKNOWN, "whether Claude Code is logged in could not be found out")
    return _line(
        "claude-login",
        DoctorStatus.MISSING,
        "Claude Code is NOT LOGGED IN",
        fix="export ANTHROPIC_API_KEY=…",
        detail=f"Or run {found.program} and type /login. Until then `obra demo` shows everything without a login.",
    )


def _judge(settings: Settings) -> DoctorLine:
    from obra_tui.judge import probe
    from obra_tui.services.models import judge_config

    health = asyncio.run(probe(judge_config(settings)))
    if health.ready:
        return _line("judge", DoctorStatus.OK, f"{health.model} at {health.url}")
    status = DoctorStatus.LOADING if health.state == "loading" else DoctorStatus.MISSING
    return _line(
        "judge",
        status,
        health.what,
        fix=command_in(health.fix),
        detail=f"{health.fix} Without a judge nothing passes on its own: every gate asks you.",
        needed=False,
    )


def command_in(advice: str) -> str:
    """Return the command that a sentence of advice names in backticks, so that it can be copied; empty without one."""
    found = re.search(r"`(ollama [^`]+)`", advice)
    return found.group(1) if found else ""
