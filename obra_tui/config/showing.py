"""Settings as text for people: every value with its source, secrets masked."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from obra_tui.config.schema import CheckSettings, Origin, Secret, Section, Settings
from obra_tui.config.sources import Layer


def leaves(section: Section, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values(section):
        if isinstance(value, Section):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def values(section: Section) -> Iterator[tuple[str, Any]]:
    """Yield what a section holds; where it came from is no part of the settings."""
    names = Settings.__struct_fields__ if isinstance(section, Settings) else section.__struct_fields__
    return ((name, getattr(section, name)) for name in names)


def origins(settings: Settings, layers: tuple[Layer, ...]) -> Iterator[Origin]:
    for key, value in leaves(settings):
        path = tuple(key.split("."))
        layer = next((layer for layer in layers if _has(layer.values, path)), None)
        yield Origin(key=key, value=shown(value), source="default" if layer is None else layer.place(path))


def _has(values: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True


def shown(value: Any) -> str:
    match value:
        case Secret():
            return '"********"' if value.get_secret_value() else '""'
        case str():
            return json.dumps(re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:********@", str(value)), ensure_ascii=False)
        case Path():
            return json.dumps(str(value), ensure_ascii=False)
        case bool():
            return str(value).lower()
        case tuple():
            return f"[{', '.join(shown(item) for item in value)}]"
        case dict():
            return _table(value)
        case CheckSettings():
            return _table(dict(leaves(value)))
        case _:
            return str(value)


def _table(values: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)} = {shown(item)}" for key, item in values.items()) + "}"
