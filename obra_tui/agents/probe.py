"""What is there of Claude Code and what is missing, for the doctor: no network, no credential file is read.

The login state is asked of the program itself (`claude auth status` answers without the network).
"""

import importlib.metadata
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.agents.claude_code import program_of
from obra_tui.agents.config import ClaudeConfig
from obra_tui.agents.confinement import launcher
from obra_tui.agents.environment import child_environment, login_from, socket_room
from obra_tui.core.errors import ImplementerError
from obra_tui.core.ids import AttemptId

_PATIENCE_S = 20.0


class Probe(Struct, frozen=True, kw_only=True):
    """What was found. `problems` and their fixes are whole sentences."""

    program: str = ""
    bundled: bool = True
    version: str = ""
    sdk_version: str = ""
    logged_in: bool | None = None
    """`None`: could not be found out."""
    login: str = "not checked"
    """How: `settings`, the name of a variable, or what the program says (`api_key`, `claude.ai`, …)."""
    dies_with_us: bool = False
    """Whether the program is told when Obra dies; if not, what is left is swept at the next start."""
    problems: tuple[tuple[str, str], ...] = ()
    """(what is wrong, how to mend it)."""


def probe(config: ClaudeConfig, parent: Mapping[str, str] | None = None) -> Probe:
    """Look at the program and its login; takes about half a second, so not in the screen's loop."""
    environment = os.environ if parent is None else parent
    try:
        program = program_of(config)
    except ImplementerError as error:
        return Probe(sdk_version=_sdk_version(), problems=((f"{error.where}: {error.what}".lstrip(": "), error.fix),))
    version = _run(program, ("--version",), config, environment).split(" ")[0].strip()
    logged_in, login = _login(program, config, environment)
    found = Probe(
        program=str(program),
        bundled=config.cli_path is None,
        version=version,
        sdk_version=_sdk_version(),
        logged_in=logged_in,
        login=login,
        dies_with_us=bool(launcher()),
    )
    return _with_problems(found, config)


def _sdk_version() -> str:
    try:
        return importlib.metadata.version("claude-agent-sdk")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _login(program: Path, config: ClaudeConfig, parent: Mapping[str, str]) -> tuple[bool | None, str]:
    if known := login_from(config, parent):
        return True, known
    try:
        status = json.loads(_run(program, ("auth", "status", "--json"), config, parent) or "null")
    except ValueError:
        return None, "not checked"
    if not isinstance(status, dict) or not isinstance(status.get("loggedIn"), bool):
        return None, "not checked"
    return status["loggedIn"], str(status.get("authMethod") or "")


def _run(program: Path, words: tuple[str, ...], config: ClaudeConfig, parent: Mapping[str, str]) -> str:
    """Return what the program prints; empty when it cannot be run or takes too long."""
    config.tmp_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = child_environment(
        config, parent, attempt=AttemptId("probe"), owner="", cwd=str(config.tmp_dir), sdk_version=_sdk_version()
    )
    try:
        done = subprocess.run(
            (str(program), *words),
            cwd=config.tmp_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _with_problems(found: Probe, config: ClaudeConfig) -> Probe:
    problems: list[tuple[str, str]] = []
    if not found.version:
        fix = "Reinstall claude-agent-sdk or correct claude.cli_path."
        problems.append((f"{found.program} does not say its version.", fix))
    if found.logged_in is False:
        fix = f"Run `{found.program}` and type /login, or set claude.api_key."
        problems.append(("Claude Code is not logged in.", fix))
    if not socket_room(config.tmp_dir):
        fix = "Choose a data directory with a shorter path."
        problems.append((f"The path {config.tmp_dir} is too long for sockets.", fix))
    return replace(found, problems=tuple(problems))
