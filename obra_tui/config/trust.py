"""The project's file: which one it is, and what it may set with and without the person's trust.

A file is trusted by its path and its exact content: any change asks again.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from obra_tui.config.schema import Settings, leaves
from obra_tui.config.sources import Layer, settings_of
from obra_tui.core.errors import ConfigError
from obra_tui.core.model import Policy

_BOOK = "trusted"
"""Name of the list of trusted files in the data directory."""

_PERSONAL = frozenset(
    {"data_dir", "claude.api_key", "judge.api_key", "database.url", "keys", "notify.channels", "notify.titles"}
)
_ALWAYS_HARMLESS = frozenset(
    {
        "claude.model",
        "claude.max_retries",
        "judge.model",
        "judge.dialect",
        "judge.num_ctx",
        "judge.max_output_tokens",
        "gate.max_attempts",
        "workspace.keep_copies",
    }
)

_OBRA_TABLE = re.compile(r"^[ \t]*(\[[ \t]*(claude|judge|gate)[ \t]*[.\]]|\[\[[ \t]*checks[ \t]*\]\])", re.MULTILINE)


def project_file(project: Path) -> Path | None:
    """Return the file that holds the project's settings for Obra, if there is one."""
    own = project / ".obra" / "config.toml"
    if own.exists():
        return own
    shared = project / "config.toml"
    return shared if shared.is_file() and _speaks_of_obra(shared) else None


def _speaks_of_obra(file: Path) -> bool:
    try:
        return speaks_of_obra(file.read_bytes())
    except OSError:
        return False


def speaks_of_obra(content: bytes) -> bool:
    """Tell by its text and not by its parsed tables, so that a typing error in our own file is still told."""
    return _OBRA_TABLE.search(content.decode("utf-8", "replace")) is not None


def is_personal(key: str) -> bool:
    """Whether a setting belongs to the person and is never taken from a project."""
    return key in _PERSONAL or key.startswith(("ui.", "web.", "forge.", "fleet."))


def without_personal(layer: Layer) -> Layer:
    """Return the project's layer without what is the person's; refuse it if it says anything about that.

    The default of such a setting says nothing: the file of all defaults may lie in a project.
    """
    defaults = dict(leaves(Settings()))
    values = layer.values
    for key, value in leaves(settings_of((layer,))):
        if is_personal(key) and value != defaults[key]:
            raise ConfigError(
                f"'{key}' cannot be set by a project.",
                where=layer.place(tuple(key.split("."))),
                fix="Put it into your own file or into the environment, and delete it here.",
            )
        if is_personal(key):
            values = _pruned(values, key.split("."))
    return replace(layer, values=values)


def _pruned(values: dict[str, Any], path: list[str]) -> dict[str, Any]:
    first, *rest = path
    if first not in values:
        return values
    if rest:
        return {**values, first: _pruned(values[first], rest)}
    return {key: value for key, value in values.items() if key != first}


def refuse_untrusted(layer: Layer, above: tuple[Layer, ...], below: Layer, *, trusted: bool) -> None:
    """Refuse what a cloned project must not decide about its own supervision.

    Only what makes a difference counts: a value that a flag or the environment
    overrules anyway, or that is in force without the file, needs no trust.
    """
    before = dict(leaves(settings_of((*above, below))))
    after = dict(leaves(settings_of((*above, layer, below))))
    changed = (key for key, value in after.items() if value != before[key])
    risky = [key for key in changed if not _harmless(key, after[key], before[key])]
    if risky and not trusted:
        raise ConfigError(
            f"This project sets {', '.join(risky)}, which needs your trust: once, and again when the file changes.",
            where=layer.place(tuple(risky[0].split("."))),
            fix="Read the file, then run `obra config trust`.",
        )


def _harmless(key: str, new: Any, old: Any) -> bool:
    """A project may choose models and make its gate stricter; no more. Logins go to addresses: none is harmless."""
    match key:
        case "gate.policy":
            return bool(new == Policy.MANUAL)
        case "gate.threshold":
            return bool(new > old)
        case "sandbox.level" | "claude.sandbox":
            return bool(new == "required")
        case "claude.network":
            return bool(new == "api")
        case "claude.max_turns" | "claude.max_budget_usd":
            return _tighter(new, old)
        case "sandbox.memory_mb" | "sandbox.processes" | "sandbox.disk_mb" | "sandbox.output_mb":
            return _tighter(new, old)
        case _ if key.startswith("budget."):
            return _tighter(new, old)
        case "workspace.protected":
            return set(new) >= set(old) and not any(glob.startswith("!") for glob in set(new) - set(old))
        case _:
            return key in _ALWAYS_HARMLESS


def _tighter(new: Any, old: Any) -> bool:
    """0 is no limit."""
    return bool(new > 0 and (old == 0 or new < old))


# --- the list of trusted files -------------------------------------------------------------------


def _entry(file: Path, content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}  {file.resolve()}"


def is_trusted(data_dir: Path, file: Path, content: bytes) -> bool:
    try:
        book = (data_dir / _BOOK).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(
            f"The list of trusted projects cannot be read: {error.strerror}.",
            where=str(data_dir / _BOOK),
            fix="Make it readable for you, or delete it and trust your projects again.",
        ) from error
    return _entry(file, content) in book.splitlines()


def remember(data_dir: Path, file: Path, content: bytes) -> None:
    """Trust `file` as long as it holds exactly `content`."""
    if is_trusted(data_dir, file, content):
        return
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        book = os.open(data_dir / _BOOK, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(book, "a", encoding="utf-8") as out:
            out.write(_entry(file, content) + "\n")
    except OSError as error:
        raise ConfigError(
            f"The trust cannot be written down: {error.strerror}.",
            where=str(data_dir / _BOOK),
            fix="Check the permissions and the free space of the data directory (OBRA_DATA_DIR).",
        ) from error
