"""How the first paint looks, read without the settings' validation, which loads too late for it.

The same files and variables as `obra_tui.config.load`, but only what the first
paint needs. A wrong value is not complained about here: the full reading, which
follows at once, names it with its line.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field
from platformdirs import user_config_path, user_data_path


class Appearance(Struct, frozen=True, kw_only=True):
    theme: str = "obra-cb-dark"
    ascii_glyphs: bool = False
    mouse: bool = True
    reduce_motion: bool = False
    notify: Literal["auto", "bell", "off"] = "auto"
    notify_command: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    data_dir: Path = Path()


def appearance() -> Appearance:
    """Return the look in force."""
    ui, keys, data_dir = _merged()
    notify = ui.get("notify")
    return Appearance(
        theme=str(ui.get("theme", "obra-cb-dark")),
        ascii_glyphs=ui.get("glyphs") == "ascii",
        mouse=_switch(ui.get("mouse"), default=True),
        reduce_motion=_switch(ui.get("reduce_motion"), default=False),
        notify=notify if notify in ("bell", "off") else "auto",
        notify_command=str(ui.get("notify_command", "")),
        keys={str(name): str(value) for name, value in keys.items()},
        data_dir=Path(data_dir).expanduser().absolute() if data_dir else user_data_path("obra"),
    )


def _merged() -> tuple[dict[str, Any], dict[str, Any], str]:
    ui: dict[str, Any] = {}
    keys: dict[str, Any] = {}
    data_dir = ""
    for table in _tables():
        ui |= _table(table, "ui")
        keys |= _table(table, "keys")
        data_dir = str(table.get("data_dir", data_dir))
    prefix = "OBRA_UI__"
    ui |= {name.removeprefix(prefix).lower(): value for name, value in os.environ.items() if name.startswith(prefix)}
    return ui, keys, os.environ.get("OBRA_DATA_DIR", data_dir)


def _tables() -> Iterator[dict[str, Any]]:
    """Yield the person's own file; a project's file has no say over keys and looks before it is trusted."""
    try:
        text = (user_config_path("obra") / "config.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    import tomllib

    try:
        yield tomllib.loads(text)
    except (ValueError, RecursionError):
        return


def _table(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name)
    return dict(found) if isinstance(found, dict) else {}


def _switch(value: object, *, default: bool) -> bool:
    """A setting as it stands in a file, or as the environment writes it."""
    match str(value).lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
        case _:
            return default
