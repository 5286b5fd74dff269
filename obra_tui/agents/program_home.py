"""What a confined Claude Code program gets for its home, its own folder and its temporary files.

Everything that it may write lies in one folder for each copy, so that nothing of it is left in the person's home: a
hook or a server that it configures is never met by the person's own Claude Code. Of the person's it gets the login
(writable, because a refreshed login must last; none where the settings name another address), their settings
(read-only) and the transcripts of this copy.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from obra_tui.agents.config import ClaudeConfig
from obra_tui.agents.confinement import Visible, object_stores
from obra_tui.agents.environment import CERTIFICATES, login_files
from obra_tui.system.toolchain import lies_in

LOGIN = ".credentials.json"
SETTINGS = (
    *("settings.json", "CLAUDE.md", "agents", "commands", "skills", "plugins", "output-styles", "rules"),
    "keybindings.json",
)
KEPT_OF_STATE = (
    *("oauthAccount", "customApiKeyResponses", "hasCompletedOnboarding", "userID", "firstStartTime", "theme"),
    *("primaryApiKey", "hasAvailableSubscription", "subscriptionNoticeCount", "bypassPermissionsModeAccepted"),
)
"""What the program needs of `.claude.json`. The rest names other projects, their history and their servers."""
_MOST_OF_SLUG = 200
_COPY_NOTE = "copy"


class ProgramHome(Struct, frozen=True, kw_only=True):
    """Folders as the program sees them, and the folder on this machine that stands behind them."""

    home: str
    config: str
    state: Path
    """On this machine: `home`, `config` and `tmp` of the program."""
    is_moved: bool
    """CLAUDE_CONFIG_DIR is set: `.claude.json` lies in it, and not in the home."""

    @property
    def plans(self) -> Path:
        """The folder on this machine that holds the program's plans."""
        return self.state / "config" / "plans"

    def clear_tmp(self) -> None:
        shutil.rmtree(self.state / "tmp", ignore_errors=True)


def program_home(config: ClaudeConfig, parent: Mapping[str, str], cwd: str) -> ProgramHome:
    """Return where the program's folders are for one copy."""
    home = str(config.home or parent.get("HOME", "") or "/tmp")
    moved = str(config.config_dir or parent.get("CLAUDE_CONFIG_DIR", ""))
    short = hashlib.sha256(cwd.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return ProgramHome(
        home=os.path.realpath(home),
        config=os.path.realpath(moved or f"{home}/.claude"),
        state=Path(os.path.realpath(config.tmp_dir)) / f"c-{short}",
        is_moved=bool(moved),
    )


def visible_to(config: ClaudeConfig, parent: Mapping[str, str], cwd: str, *, program: Path, proxy: str = "") -> Visible:
    """Make the folders of one copy and return what its program may see. Raises `OSError`."""
    of = program_home(config, parent, cwd)
    Path(of.home).mkdir(parents=True, exist_ok=True)  # as the program itself would make it
    real_cwd = os.path.realpath(cwd)
    _make(of, real_cwd, ("hasCompletedOnboarding",) if config.base_url else KEPT_OF_STATE)
    transcripts = Path(of.config, "projects", slug(real_cwd))
    transcripts.mkdir(parents=True, exist_ok=True, mode=0o700)
    tmp = str(of.state / "tmp")
    repositories = config.data_dir / "repos" if config.data_dir else config.tmp_dir
    certificates = (parent[name] for name in CERTIFICATES if parent.get(name))
    return Visible(
        cwd=real_cwd,
        writable=(
            (str(of.state / "home"), of.home),
            (str(of.state / "config"), of.config),
            (str(transcripts), str(transcripts)),
            (tmp, os.path.realpath(config.tmp_dir)),
            *(() if config.base_url else _present(Path(of.config), (LOGIN,))),
        ),
        readable=(
            *_present(Path(of.config), SETTINGS),
            *((path, path) for path in object_stores(Path(real_cwd), repositories)),
            *((path, path) for path in login_files(config, parent) if Path(path).exists()),
        ),
        hidden=tuple(os.path.realpath(path) for path in (config.data_dir, config.project) if path),
        tmp=tmp,
        tools=(str(program), os.path.realpath(program), *certificates),
        search=parent.get("PATH", os.defpath),
        proxy=proxy,
    )


def _make(of: ProgramHome, cwd: str, kept: tuple[str, ...]) -> None:
    of.clear_tmp()
    for name in ("home", "config", "config/plans", "tmp"):
        (of.state / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    (of.state / _COPY_NOTE).write_text(cwd, "utf-8", "surrogateescape")
    theirs = Path(of.config, ".claude.json") if of.is_moved else Path(of.home, ".claude.json")
    ours = of.state / ("config" if of.is_moved else "home") / ".claude.json"
    _remove(ours)
    made = os.open(ours, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(made, "w", encoding="utf-8") as file:
        json.dump(_state_of_person(theirs, kept), file)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_links(of: ProgramHome, targets: Iterable[str]) -> None:
    """Remove links that an earlier run put where something is going to be shown: they would lead out of the sandbox."""
    for target in targets:
        for seen, state in ((of.config, of.state / "config"), (of.home, of.state / "home")):
            if lies_in(target, seen):
                _remove_links_on(state, Path(target).relative_to(seen))
                break


def _remove_links_on(folder: Path, way: Path) -> None:
    for part in way.parts:
        folder = folder / part
        if folder.is_symlink():
            folder.unlink()


def _state_of_person(file: Path, kept: tuple[str, ...]) -> dict[str, object]:
    """Return what is passed on of the person's `.claude.json`; one that cannot be read is as good as none."""
    try:
        known = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return {name: known[name] for name in kept if name in known} if isinstance(known, dict) else {}


def _present(folder: Path, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield what there is of the person's: a link is shown as what it leads to."""
    for name in names:
        if (folder / name).exists():
            yield os.path.realpath(folder / name), str(folder / name)


def slug(cwd: str) -> str:
    """Return the name of the folder in which Claude Code keeps the transcripts of a working directory."""
    plain = "".join(character if character.isascii() and character.isalnum() else "-" for character in cwd)
    return plain if len(plain) <= _MOST_OF_SLUG else f"{plain[:_MOST_OF_SLUG]}-{_hash(cwd)}"


def _hash(text: str) -> str:
    """Do as Claude Code does: a 32-bit hash of the UTF-16 units, in base 36."""
    value = 0
    encoded = text.encode("utf-16-le", "surrogatepass")
    for low, high in zip(encoded[::2], encoded[1::2], strict=True):
        value = (value * 31 + low + 256 * high) & 0xFFFFFFFF
    number, digits = abs(value - (1 << 32) if value >> 31 else value), ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits or "0"


def remove_states_of_lost_copies(tmp_dir: Path) -> None:
    """Remove the folders of copies that are not there any more."""
    for folder in tmp_dir.glob("c-*"):
        with suppress(OSError):
            if not Path((folder / _COPY_NOTE).read_text("utf-8", "surrogateescape")).is_dir():
                shutil.rmtree(folder, ignore_errors=True)
