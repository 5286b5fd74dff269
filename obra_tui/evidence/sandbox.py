"""Keeps commands that others wrote away from the machine, and proves that it does.

Three levels, best first: bubblewrap, plain namespaces, nothing. A level counts only
after it was tried: a write outside and a connection to loopback must fail. The
level in force and the reason are always told, never lowered silently.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.model import SandboxLevel
from obra_tui.evidence.copies import disk_faults, make_private, remove_tree
from obra_tui.evidence.layers import PROGRAMS, Layers
from obra_tui.evidence.running import Launch, run
from obra_tui.system.limits import MB, UNLIMITED, Limits, held
from obra_tui.system.process_env import ATTEMPT_MARK
from obra_tui.system.toolchain import SECRETS_AMONG_TOOLS, homes, inside_folders, lies_in, tool_folders

_MOST_IN_MEMORY_MB = 512
"""How much may lie in each of the folders that exist in memory only."""
_ORDER = (SandboxLevel.NONE, SandboxLevel.UNSHARE, SandboxLevel.BWRAP)
_PROBE_S = 20.0

_PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "RUSTUP_HOME", "JAVA_HOME", "NVM_DIR", "PYENV_ROOT", "GOROOT")
_FOR_NETWORK = (
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    *("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "GOPROXY", "NPM_CONFIG_REGISTRY"),
)

_CANARY = """
import os, socket, sys
port, outside, inside = int(sys.argv[1]), sys.argv[2], sys.argv[3]
open(inside, "w").close()
try:
    open(outside, "w").close()
except OSError:
    pass
seen = 1 if os.access("/usr", os.W_OK) else 0
try:
    socket.create_connection(("127.0.0.1", port), 2).close()
    seen |= 2
except OSError:
    pass
sys.exit(seen)
"""

_BIND_AND_RUN = """
while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 126; shift 2; done
shift; cd "$OBRA_CWD" && exec "$@"
"""


class Mount(Struct, frozen=True, kw_only=True):
    """A file or folder that the command sees at `target`."""

    source: Path
    target: Path
    writable: bool = False


class Job(Struct, frozen=True, kw_only=True):
    """A command and what it may see. `scratch` is a folder of its own on the host: HOME and temporary files."""

    argv: tuple[str, ...]
    cwd: Path
    scratch: Path
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    path_first: tuple[Path, ...] = ()
    hide: tuple[Path, ...] = ()
    """More folders that the command must not see, beside homes and the data directory."""
    network: bool = False
    label: str = "run"
    layers: Layers | None = None
    """What the command sees at one place, with a throw-away layer on top; made by `Layers.make`."""

    def all_mounts(self) -> tuple[Mount, ...]:
        """Return the layers as one more mount, before the others: those may lie in it."""
        if self.layers is None or self.layers.tree == self.layers.target:
            return self.mounts
        return (Mount(source=self.layers.tree, target=self.layers.target, writable=True), *self.mounts)


_MAY_NOT = (
    "It is installed and may make no namespaces: in a container start that one with "
    "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined`; on the machine itself allow them with "
    "`sysctl kernel.unprivileged_userns_clone=1` or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
)


class Sandbox:
    """One per process; `probe()` is done once and remembered."""

    def __init__(
        self,
        *,
        data_dir: Path,
        lowest: SandboxLevel = SandboxLevel.NONE,
        readable: Iterable[Path] = (),
        pass_on: Iterable[str] = (),
        limits: Limits = UNLIMITED,
    ) -> None:
        self._data_dir = data_dir.resolve()
        self._lowest = lowest
        self._readable = tuple(map(str, readable))
        self._pass_on = tuple(pass_on)
        self._limits = limits
        self._proven: tuple[SandboxLevel, str] | None = None
        self._overlays: bool | None = None
        self._trying = asyncio.Lock()

    async def probe(self) -> tuple[SandboxLevel, str]:
        """Return the best level that was seen to work, and a sentence why it is not better."""
        async with self._trying:
            if self._proven is None:
                self._proven = await self._best()
            return self._proven

    async def overlays(self) -> bool:
        """Tell whether folders can be laid over one another here, as was seen when it was tried."""
        async with self._trying:
            if self._overlays is None:
                self._overlays = await self._try_overlay()
            return self._overlays

    async def _try_overlay(self) -> bool:
        if any(shutil.which(program) is None for program in PROGRAMS):
            return False
        with disk_faults(self._data_dir):
            make_private(self._data_dir)
            folder = Path(tempfile.mkdtemp(prefix="probe-", dir=self._data_dir))
        try:
            return await _overlay_holds(folder)
        except OSError:
            return False
        finally:
            await asyncio.to_thread(remove_tree, folder)

    async def refusal(self) -> str:
        """Return why nothing may run: the level in force is lower than the settings allow. Empty = may run."""
        level, reason = await self.probe()
        if _ORDER.index(level) >= _ORDER.index(self._lowest):
            return ""
        return f"The settings ask for the sandbox level '{self._lowest}', but only '{level}' works here. {reason}"

    async def _best(self) -> tuple[SandboxLevel, str]:
        reasons: list[str] = []
        for level in (SandboxLevel.BWRAP, SandboxLevel.UNSHARE):
            problem = await self._try(level)
            if not problem:
                return level, " ".join(reasons) or "Tried: no network, nothing outside can be written."
            reasons.append(problem)
        return SandboxLevel.NONE, f"Checks run with your rights. {' '.join(reasons)}"

    async def _try(self, level: SandboxLevel) -> str:
        """Let a canary loose; return what is wrong with the level, or an empty string."""
        program = level.value
        if shutil.which(program) is None:
            hint = " (Debian: apt install bubblewrap)" if level is SandboxLevel.BWRAP else ""
            return f"{program} is not installed{hint}."
        with disk_faults(self._data_dir):
            make_private(self._data_dir)
            folder = Path(tempfile.mkdtemp(prefix="probe-", dir=self._data_dir))
        try:
            return await self._judge_canary(level, folder)
        finally:
            await asyncio.to_thread(remove_tree, folder)

    async def _judge_canary(self, level: SandboxLevel, folder: Path) -> str:
        inside, outside = folder / "inside", folder / "outside"
        inside.mkdir()
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
            arguments = (str(server.getsockname()[1]), str(outside), str(inside / "wrote"))
            job = Job(
                argv=(sys.executable, "-I", "-c", _CANARY, *arguments),
                cwd=inside,
                scratch=scratch_in(folder),
                mounts=(Mount(source=inside, target=inside, writable=True),),
            )
            try:
                ended = await run(self.launch(level, job), timeout_s=_PROBE_S, printed=lambda _: None)
            except OSError as error:
                return f"{level} could not be started: {error}."
        if ended.exit_code is None or not (inside / "wrote").exists():
            remedy = f" {_MAY_NOT}" if level is SandboxLevel.BWRAP else ""
            return f"{level} does not work here: {ended.output.strip()[:200] or 'no answer'}.{remedy}"
        got_out = ended.exit_code != 0 or outside.exists()
        if level is SandboxLevel.UNSHARE:
            got_out = bool(ended.exit_code & 2)
        return f"{level} does not hold: the canary got out." if got_out else ""

    def launch(self, level: SandboxLevel, job: Job) -> Launch:
        """Return the complete program for a job at a level."""
        mark = f"{job.label}/{uuid.uuid4().hex[:12]}"
        environment = self._environment(level, job, mark)
        before = held(self._limits)
        started = Launch(
            argv=(*before, *job.argv),
            environment=environment,
            cwd=Path("/"),
            mark=mark,
            limits=self._limits,
            writes_to=(job.scratch, *((job.layers.folder,) if job.layers else ())),
        )
        match level:
            case SandboxLevel.BWRAP:
                inner = (*self._bwrap(job), *job.argv)
                argv = job.layers.mounted(inner) if job.layers else inner
                at = len(before) + len(argv) - len(inner) + 1
                return replace(started, argv=(*before, *argv), tells_inner=True, options_at=at)
            case SandboxLevel.UNSHARE:
                return replace(started, argv=(*before, *_unshare(job), *job.argv))
            case SandboxLevel.NONE:
                return replace(started, cwd=job.cwd)

    def _environment(self, level: SandboxLevel, job: Job, mark: str) -> dict[str, str]:
        names = (*_PASSED_ON, *self._pass_on, *(_FOR_NETWORK if job.network else ()))
        passed = {name: os.environ[name] for name in names if name in os.environ}
        own_tmp = level is SandboxLevel.BWRAP
        own = {
            "PATH": search_path(job.path_first),
            "HOME": "/tmp/home" if own_tmp else str(job.scratch / "tmp" / "home"),
            "TMPDIR": "/tmp" if own_tmp else str(job.scratch / "tmp"),
            "TERM": "dumb",
            "CI": "1",
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "GIT_CEILING_DIRECTORIES": str(job.cwd.parent),
            "OBRA_CWD": str(job.cwd),
            ATTEMPT_MARK: mark,
        }
        return {"LANG": "C.UTF-8", **_tool_homes(), **passed, **own, **job.environment}

    def _bwrap(self, job: Job) -> tuple[str, ...]:
        hidden = self._hidden(job)
        argv = ["bwrap", "--unshare-all", *(("--share-net",) if job.network else ()), "--die-with-parent"]
        argv += ["--new-session", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        sized = ["--size", str(_MOST_IN_MEMORY_MB * MB)] if self._limits.memory_mb and _knows_size() else []
        for folder in (*hidden, "/dev/shm"):
            argv += [*sized, "--tmpfs", folder]
        argv += ["--bind", str(job.scratch / "tmp"), "/tmp"]
        for path in self._needed(hidden, job.network):
            argv += ["--ro-bind", path, path]
        for secret in (home / name for home in homes() for name in SECRETS_AMONG_TOOLS):
            if secret.exists():
                argv += ["--ro-bind", os.devnull, str(secret)]
        mounts = (*job.all_mounts(), Mount(source=job.scratch, target=job.scratch, writable=True))
        for mount in mounts:
            argv += ["--bind" if mount.writable else "--ro-bind", str(mount.source), str(mount.target)]
        return (*argv, "--chdir", str(job.cwd), "--")

    def _hidden(self, job: Job) -> tuple[str, ...]:
        """Return the folders that are replaced by empty ones, outer ones first."""
        wanted = map(str, (*homes(), "/var/tmp", "/run", self._data_dir, *job.hide))
        real = {os.path.realpath(path) for path in wanted if os.path.isdir(path)} - {"/"}  # noqa: PTH112
        return tuple(sorted(path for path in real if not lies_in(path, "/tmp")))

    def _needed(self, hidden: tuple[str, ...], network: bool) -> tuple[str, ...]:
        """Return what programs need of the hidden folders: interpreters and tools, never whole homes."""
        wanted = (*self._readable, *tool_folders(search_path(()), homes()))
        if network:
            wanted += (str(Path("/etc/resolv.conf").resolve().parent),)
        return tuple(path for path in inside_folders(wanted, (*hidden, "/tmp")) if os.path.exists(path))  # noqa: PTH110


@cache
def _knows_size() -> bool:
    """Tell whether this bubblewrap can limit a folder in memory, as from 0.8 on."""
    try:
        asked = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "--size" in asked.stdout + asked.stderr


async def _overlay_holds(folder: Path) -> bool:
    """Let a command write into layers; only the throw-away one may have changed afterwards."""
    below, mark = folder / "below", folder / "below" / "mark"
    below.mkdir()
    mark.write_text("below")
    layers = Layers(lower=(below,), target=folder / "tree", folder=folder, overlaid=True)
    layers.make()
    command = 'echo above > "$1/tree/mark" && mkdir "$1/tree/new" && rm -r "$1/tree/new" && cat "$1/tree/mark"'
    argv = layers.mounted(("sh", "-c", command, "sh", str(folder)))
    launch = Launch(argv=argv, environment={"PATH": search_path(())}, cwd=Path("/"), mark=f"probe/{uuid.uuid4().hex}")
    ended = await run(launch, timeout_s=_PROBE_S, printed=lambda _: None)
    return ended.exit_code == 0 and ended.output.strip() == "above" and mark.read_text() == "below"


def scratch_in(folder: Path) -> Path:
    """Make and return a scratch folder for one job."""
    scratch = tempfile.mkdtemp(prefix="scratch-", dir=folder)
    for inner in ("tmp", "tmp/home"):
        os.mkdir(f"{scratch}/{inner}")  # noqa: PTH102  # as it is: a tenth of what a path takes
    return Path(scratch)


def search_path(first: Iterable[Path]) -> str:
    """Return PATH: the project's own tools, the person's, and last those that came with Obra."""
    theirs = [part for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if part.startswith("/")]
    ours = str(Path(sys.executable).parent)
    return os.pathsep.join(dict.fromkeys([*(str(path) for path in first), *theirs, ours]))


def _tool_homes() -> dict[str, str]:
    """Tell tools that keep themselves in the home folder where that is, because HOME is another one."""
    folders = {"RUSTUP_HOME": ".rustup", "CARGO_HOME": ".cargo", "PYENV_ROOT": ".pyenv"}
    return {
        name: str(home / folder) for home in homes() for name, folder in folders.items() if (home / folder).is_dir()
    }


def _unshare(job: Job) -> tuple[str, ...]:
    network = () if job.network else ("--net",)
    moved = [mount for mount in job.all_mounts() if mount.source != mount.target]
    pairs = [part for mount in moved for part in (str(mount.source), str(mount.target))]
    namespaces = ("--user", "--map-root-user", *network, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    binding = ("sh", "-c", _BIND_AND_RUN, "sh", *pairs, "--")
    return ("unshare", *namespaces, "--", *(job.layers.mounted(binding, have_rights=True) if job.layers else binding))
