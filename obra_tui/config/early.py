"""The settings of the first paint: the screen's own, the keys and the data directory, read before anything else.

The same file and the same variables as `obra_tui.config.load`, which checks everything but needs pydantic and so comes
too late for the first paint. A wrong value counts as not given here: the full reading, which follows at once, names it
with its line. A project's file has no say over these settings.

Must import neither pydantic nor the rest of the settings.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec
from msgspec import Struct, field
from platformdirs import user_config_path, user_data_path

PREFIX = "OBRA_"
"""Of the variables that hold settings: `OBRA_UI__THEME` is `ui.theme`."""

_SWITCHES = {"yes": True, "y": True, "t": True, "on": True, "no": False, "n": False, "f": False, "off": False}
"""What the full reading takes for true and false beside what `msgspec` does."""


class Section(Struct, frozen=True, kw_only=True):
    """Some settings that belong together."""


Theme = Literal[
    "obra-cb-dark", "obra-cb-light", "ansi-dark", "ansi-light", "atom-one-dark", "atom-one-light",
    "catppuccin-frappe", "catppuccin-latte", "catppuccin-macchiato", "catppuccin-mocha", "dracula", "flexoki",
    "gruvbox", "monokai", "nord", "rose-pine", "rose-pine-dawn", "rose-pine-moon", "solarized-dark",
    "solarized-light", "textual-dark", "textual-light", "tokyo-night",
]  # fmt: skip


class UiSettings(Section, frozen=True, kw_only=True):
    """The screen. Not in a project file."""

    theme: Theme = "obra-cb-dark"
    """The two of Obra's own are made of colours that people with any common colour blindness can tell apart;
    "ansi-dark" and "ansi-light" take the terminal's own colours."""
    glyphs: Literal["unicode", "ascii"] = "unicode"
    """"ascii" for terminals and fonts without the symbols."""
    mouse: bool = True
    """false gives the terminal's own selection back."""
    reduce_motion: bool = False
    """true = nothing slides or blinks."""
    notify: Literal["auto", "bell", "off"] = "auto"
    """How you are told that something waits for you: by the terminal's notifications, by its bell, or not."""
    notify_command: str = ""
    """Shell command that is run besides, when you do not look: the words are in $OBRA_NOTICE, "waiting" or
    "finished" in $OBRA_NOTICE_KIND. Such as 'notify-send Obra "$OBRA_NOTICE"'."""


class EarlySettings(Struct, frozen=True, kw_only=True):
    """Named as in `Settings`."""

    ui: UiSettings = UiSettings()
    keys: Mapping[str, str] = field(default_factory=dict)
    data_dir: Path = field(default_factory=lambda: user_data_path("obra"))


def early_settings() -> EarlySettings:
    """Return what the first paint needs."""
    values = {**_from_file(), **_from_environment_alone()}
    values["ui"] = {**_table(values, "ui"), **_from_environment("UI")}
    values["keys"] = {**_table(values, "keys"), **_from_environment("KEYS")}
    data_dir = values.get("data_dir")
    return EarlySettings(
        ui=_section_of(values["ui"]),
        keys={str(name): str(value) for name, value in values["keys"].items()},
        data_dir=absolute(Path(data_dir)) if isinstance(data_dir, str) and data_dir else user_data_path("obra"),
    )


def user_file() -> Path:
    """Return the place of the person's own file, whether it is there or not."""
    return user_config_path("obra") / "config.toml"


def absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would follow links


def _section_of(values: Mapping[str, Any]) -> UiSettings:
    """Return the section with each value that fits its type; the default stands for every other one."""
    fitting: dict[str, Any] = {}
    for name, kind in get_type_hints(UiSettings).items():
        if name not in values:
            continue
        value = _SWITCHES.get(str(values[name]).lower(), values[name]) if kind is bool else values[name]
        try:
            fitting[name] = msgspec.convert(value, kind, strict=kind is not bool)
        except msgspec.ValidationError:
            continue
    return UiSettings(**fitting)


def _from_file() -> dict[str, Any]:
    try:
        return tomllib.loads(user_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def _from_environment_alone() -> dict[str, Any]:
    """Return what a whole setting is set to by one variable: a folder as it is, a table as JSON."""
    found: dict[str, Any] = {}
    given = {name.upper(): text for name, text in os.environ.items() if text}
    if text := given.get(f"{PREFIX}DATA_DIR"):
        found["data_dir"] = text
    for name in ("ui", "keys"):
        try:
            found[name] = json.loads(given[PREFIX + name.upper()])
        except (KeyError, ValueError):
            continue
    return found


def _from_environment(table: str) -> dict[str, str]:
    """Return what single variables set in a table. An empty variable is not set."""
    prefix = f"{PREFIX}{table}__"
    return {
        name.upper().removeprefix(prefix).lower(): text
        for name, text in os.environ.items()
        if text and name.upper().startswith(prefix)
    }


def _table(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name)
    return dict(found) if isinstance(found, dict) else {}
