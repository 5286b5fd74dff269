"""At start-up: kill what an Obra that died left running, and clear its sockets away.

A process belongs to a dead Obra when its environment names an owner in this data directory that does not run any
more. Nothing else is ever touched, however much it looks like Claude Code.
"""

import os
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from obra_tui.agents.environment import OWNER_MARK
from obra_tui.agents.program_home import remove_states_of_lost_copies
from obra_tui.system.process_env import ATTEMPT_MARK
from obra_tui.system.process_sweep import alive, identity, kill, marked


class Swept(Struct, frozen=True, kw_only=True):
    killed: tuple[int, ...] = ()
    attempts: tuple[str, ...] = ()
    """Attempts that the killed processes belonged to."""
    sockets: int = 0


def owner_mark(tmp_dir: Path) -> str:
    """Return the value that marks processes of this Obra: who it is, and whose data it works on."""
    return f"{identity(os.getpid())}@{tmp_dir.resolve()}"


def sweep_leftovers(tmp_dir: Path) -> Swept:
    """Kill processes of dead owners of `tmp_dir` and remove their sockets. To be called by the owner of the data."""
    left = [(process, env) for process, env in marked(OWNER_MARK) if _orphaned(env[OWNER_MARK], tmp_dir)]
    killed = kill((process for process, _ in left), wait_s=2.0)
    attempts = {env.get(ATTEMPT_MARK, "") for process, env in left if process.pid in killed}
    remove_states_of_lost_copies(tmp_dir)
    return Swept(killed=tuple(killed), attempts=tuple(sorted(attempts)), sockets=_clear_sockets(tmp_dir))


def _orphaned(mark: str, tmp_dir: Path) -> bool:
    owner, _, folder = mark.partition("@")
    return folder == str(tmp_dir.resolve()) and not alive(owner)


def _clear_sockets(tmp_dir: Path) -> int:
    """Remove sockets that are named after a process which is gone."""
    dead = [path for path in tmp_dir.glob("cc-socks/*.sock") if path.stem.isdigit() and not identity(int(path.stem))]
    for path in dead:
        with suppress(FileNotFoundError):
            path.unlink()
    return len(dead)
