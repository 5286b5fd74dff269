"""Confines the Claude Code program and everything it starts: the words that go before its command line.

Bubblewrap gives it a PID and a mount namespace of its own. When the program ends, or Obra does, the kernel ends all
that is left in there, whatever it did to its parents or its environment. What it may see: the system, read-only; tools;
its copy; its login and its own state for this copy. Homes, the data directory, the project's repository, other copies
and temporary files of others are not there. Whether that works on this machine is tried before it counts.

Knows nothing of the SDK, of conversations or of permission rules.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from obra_tui.core.model import Confinement
from obra_tui.system.toolchain import SECRETS_AMONG_TOOLS, homes, inside_folders, lies_in, tool_folders

PROXY_SOCKET = "/run/obra-api.sock"
"""Where the program's side of the proxy finds ours when its network is closed."""
FORWARDER = Path(__file__).with_name("forwarder.py")

_TRAMPOLINE = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 2); os.execv(sys.argv[1], sys.argv[1:])"
"""PR_SET_PDEATHSIG to SIGINT, which the program answers by ending its commands and itself."""
_NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
_RIGHTS = ("--die-with-parent", "--cap-drop", "ALL")
_SYSTEM = ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
_ALWAYS_HIDDEN = ("/home", "/root", "/run", "/var/tmp", "/mnt", "/media")
_PROBE_S = 20.0
_CANARY = 'touch "$1" 2>/dev/null; touch /usr/.obra 2>/dev/null; readlink /proc/self/ns/pid'


class Visible(Struct, frozen=True, kw_only=True):
    """What a confined program sees besides the system and its tools."""

    cwd: str
    writable: tuple[tuple[str, str], ...] = ()
    """(what is there, where the program sees it), outer folders first."""
    readable: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = ()
    """Folders that must not be there, beside homes and temporary folders."""
    tmp: str
    """The folder that stands for `/tmp`."""
    tools: tuple[str, ...] = ()
    """Folders and files that the program needs, wherever they are."""
    search: str = ""
    """The program's PATH."""
    proxy: str = ""
    """Socket of our proxy; empty = the machine's network."""


class ConfinementLevel(Struct, frozen=True, kw_only=True):
    """How far confinement works here, and a sentence why it is not better."""

    confinement: Confinement
    problem: str = ""
    fix: str = ""
    """A command that helps, if one does."""


def confined(visible: Visible, ports: Iterable[int] = ()) -> tuple[str, ...]:
    """Return the words that start a program confined; `ports` are those of loopback servers that it may reach."""
    hidden = _hidden(visible)
    words: list[str] = ["bwrap", *_NAMESPACES, *(("--unshare-net",) if visible.proxy else ()), *_RIGHTS, *_SYSTEM]
    for folder in hidden:
        words += ("--tmpfs", folder)
    words += ("--bind", visible.tmp, "/tmp")
    for source, target in visible.writable:
        words += ("--bind", source, target)
    for path in _tools(visible, hidden):
        words += ("--ro-bind", path, path)
    for secret in _secrets():
        words += ("--ro-bind", os.devnull, secret)
    for source, target in visible.readable:
        words += ("--ro-bind", source, target)
    words += ("--bind", visible.cwd, visible.cwd)
    if visible.proxy:
        words += ("--ro-bind", visible.proxy, PROXY_SOCKET)
        through = (sys.executable, "-I", "-S", str(FORWARDER), PROXY_SOCKET, ",".join(map(str, ports)))
        return (*words, "--chdir", visible.cwd, "--", *through)
    return (*words, "--chdir", visible.cwd, "--")


def targets(visible: Visible) -> tuple[str, ...]:
    """Return every path at which something is shown to the program."""
    mounted = (*visible.writable, *visible.readable)
    return (*(target for _, target in mounted), *_tools(visible, _hidden(visible)), *_secrets())


def _hidden(visible: Visible) -> tuple[str, ...]:
    wanted = (*_ALWAYS_HIDDEN, *map(str, homes()), *visible.hidden)
    real = {os.path.realpath(path) for path in wanted if os.path.isdir(path)} - {"/"}  # noqa: PTH112
    return tuple(sorted(path for path in real if not lies_in(path, "/tmp")))


def _tools(visible: Visible, hidden: tuple[str, ...]) -> tuple[str, ...]:
    """Return what must be shown of the hidden folders, but nothing that would show one of them whole."""
    name_servers = str(Path("/etc/resolv.conf").resolve().parent)
    known = _without_caches(tool_folders(visible.search, homes()))
    # A link on the search path leads to where the program is.
    wanted = tuple(os.path.realpath(path) for path in (*known, *visible.tools, name_servers))
    too_much = {*hidden, "/", "/tmp", "/run"}
    inner = inside_folders(wanted, (*hidden, "/tmp"))
    return tuple(
        path
        for path in inner
        if os.path.exists(path) and not any(lies_in(folder, path) for folder in too_much | {visible.cwd})  # noqa: PTH110
    )


def _without_caches(folders: Iterable[str]) -> tuple[str, ...]:
    """Return tool folders; of those that are download caches, too, only the programs: it makes a cache of its own."""
    caches = {str(home / name) for home in homes() for name in (".cargo", "go")}
    return tuple(f"{folder}/bin" if folder in caches else folder for folder in folders)


def _secrets() -> Iterator[str]:
    for home in homes():
        for name in SECRETS_AMONG_TOOLS:
            if (home / name).exists():
                yield os.path.realpath(home / name)


# --- does it work here ---


@functools.cache
def level(tmp_dir: Path) -> ConfinementLevel:
    """Try confinement once and return what was seen: a program that looks around and tries to write outside."""
    if sys.platform != "linux":
        return ConfinementLevel(confinement=Confinement.NONE, problem="Claude Code is confined on Linux only.")
    if shutil.which("bwrap") is None:
        problem = "bubblewrap is not installed: install the package bubblewrap (Debian: apt install bubblewrap)."
        return ConfinementLevel(confinement=Confinement.NONE, problem=problem, fix="apt install bubblewrap")
    return _tried(tmp_dir)


def _tried(tmp_dir: Path) -> ConfinementLevel:
    inside, outside = tmp_dir / "probe", tmp_dir / "probe-outside"
    inside.mkdir(parents=True, exist_ok=True, mode=0o700)
    canary = ("sh", "-c", _CANARY, "sh", str(outside))
    visible = Visible(cwd=os.path.realpath(inside), tmp=os.path.realpath(inside), search=os.defpath)
    try:
        done = subprocess.run(
            (*confined(visible), *canary), capture_output=True, text=True, timeout=_PROBE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return ConfinementLevel(confinement=Confinement.NONE, problem=f"bubblewrap could not be started: {error}.")
    finally:
        shutil.rmtree(inside, ignore_errors=True)
    escaped = outside.exists()
    outside.unlink(missing_ok=True)
    if done.returncode != 0:
        return ConfinementLevel(confinement=Confinement.NONE, problem=_refusal(done.stderr))
    if escaped or done.stdout.strip() == os.readlink("/proc/self/ns/pid"):  # noqa: PTH115
        return ConfinementLevel(
            confinement=Confinement.NONE, problem="bubblewrap does not hold here: the canary got out."
        )
    return ConfinementLevel(confinement=Confinement.BWRAP)


def _refusal(said: str) -> str:
    quoted = " ".join(said.split())[:200] or "it gave no reason"
    if "amespace" in said or "not permitted" in said or "denied" in said:
        return (
            f"bubblewrap is installed but may not make namespaces here ({quoted}): on Ubuntu run "
            "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, in a container start it with "
            "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined`."
        )
    return f"bubblewrap does not work here: {quoted}."


# --- without it ---


@functools.cache
def launcher() -> tuple[str, ...]:
    """Return the words that make an unconfined program get SIGINT when Obra dies; none where there is no such signal.

    The signal is tied to the thread that started the program; that is the engine's, which lives as long as its runs.
    Elsewhere, and for what ignores the signal, there is the sweep at the next start.
    """
    if sys.platform != "linux":
        return ()
    setpriv = shutil.which("setpriv")
    ways: list[tuple[str, ...]] = [(setpriv, "--pdeathsig", "INT", "--")] if setpriv else []
    ways.append((sys.executable, "-I", "-S", "-c", _TRAMPOLINE))
    return next((words for words in ways if _works(words)), ())


def _works(words: tuple[str, ...]) -> bool:
    """Whether a program can be started this way; old and small versions of setpriv do not know the option."""
    try:
        done = subprocess.run((*words, shutil.which("true") or "true"), capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def object_stores(cwd: Path, trusted: Path) -> tuple[str, ...]:
    """Return the folders that the copy's git reads objects from: below `trusted`, and what those name in their turn.

    The copy's own file may have been written by Claude, so that it can only lead to what Obra keeps.
    """
    found: list[str] = []
    waiting = [path for path in _alternates(cwd / ".git" / "objects") if lies_in(path, os.path.realpath(trusted))]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.append(path)
            waiting += _alternates(Path(path))
    return tuple(path for path in found if Path(path).name == "objects" and Path(path).is_dir())


def _alternates(objects: Path) -> list[str]:
    try:
        lines = (objects / "info" / "alternates").read_text("utf-8", "replace").splitlines()[:16]
    except OSError:
        return []
    return [os.path.realpath(objects / line) for line in lines if line.strip() and not line.startswith("#")]
