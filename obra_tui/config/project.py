"""The project's file: which one it is, and what it may set without the person's trust."""

import ipaddress
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from obra_tui.config.errors import validated
from obra_tui.config.schema import Settings
from obra_tui.config.showing import leaves
from obra_tui.config.sources import Layer, merged
from obra_tui.core.errors import ConfigError
from obra_tui.core.model import Policy

_PERSONAL = frozenset({"data_dir", "claude.api_key", "judge.api_key", "database.url", "keys"})
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
    # By its text and not by its parsed tables, so that a typing error in our own file is still told.
    try:
        return _OBRA_TABLE.search(file.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False


def is_personal(key: str) -> bool:
    """Whether a setting belongs to the person and is never taken from a project."""
    return key in _PERSONAL or key.startswith("ui.")


def without_personal(layer: Layer) -> Layer:
    """Return the project's layer without what is the person's; refuse it if it says anything about that.

    The default of such a setting says nothing: the file of all defaults may lie in a project.
    """
    defaults = dict(leaves(Settings()))
    values = layer.values
    for key, value in leaves(validated(layer.values)):
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
    before = dict(leaves(validated(merged((*above, below)))))
    after = dict(leaves(validated(merged((*above, layer, below)))))
    changed = (key for key, value in after.items() if value != before[key])
    risky = [key for key in changed if not _harmless(key, after[key], before[key])]
    if risky and not trusted:
        raise ConfigError(
            f"This project sets {', '.join(risky)}, which needs your trust: once, and again when the file changes.",
            where=layer.place(tuple(risky[0].split("."))),
            fix="Read the file, then run `obra config trust`.",
        )


def _harmless(key: str, new: Any, old: Any) -> bool:
    """A project may choose models, make its gate stricter, and name servers on this machine; no more."""
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
        case _ if key.startswith("budget."):
            return _tighter(new, old)
        case "workspace.protected":
            return set(new) >= set(old) and not any(glob.startswith("!") for glob in set(new) - set(old))
        case "claude.base_url" | "judge.base_url":
            return _is_loopback(new)
        case _:
            return key in _ALWAYS_HARMLESS


def _tighter(new: Any, old: Any) -> bool:
    """0 is no limit."""
    return bool(new > 0 and (old == 0 or new < old))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
