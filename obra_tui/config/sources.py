"""One layer of settings each: the flags, the environment, a file; and where each of their keys is written."""

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from pydantic_settings import EnvSettingsSource, SettingsError

from obra_tui.config.schema import Settings
from obra_tui.config.shape import FROM_ENVIRONMENT, PREFIX
from obra_tui.core.errors import ConfigError
from obra_tui.core.plans.toml_places import line_of, place_of_error
from obra_tui.core.text import closest_match

_NOT_SETTINGS = frozenset({"OBRA_JUNIT", "OBRA_CRASH_AT"})
"""Variables that Obra itself sets for the commands it runs."""

Key = tuple[str | int, ...]


class Layer(Struct, frozen=True, kw_only=True):
    values: dict[str, Any]
    place: Callable[[Key], str]
    """Where a key of this layer is written."""
    typed: bool
    """Values have types of their own (TOML, flags) and are not converted from text."""


def flag_layer(flags: Mapping[str, object]) -> Layer:
    values: dict[str, Any] = {}
    for key, value in flags.items():
        if value is not None:
            values = merge(values, _nest(key.split("."), str(value) if isinstance(value, Path) else value))
    return Layer(values=values, place=lambda _: "flag", typed=False)


def _nest(parts: list[str], value: object) -> dict[str, Any]:
    return {parts[0]: value if len(parts) == 1 else _nest(parts[1:], value)}


def environment_layer() -> Layer:
    _refuse_unknown_variables()
    try:
        values = EnvSettingsSource(FROM_ENVIRONMENT)()
    except SettingsError as error:
        raise ConfigError(
            f"A variable of the environment cannot be read: {error.__cause__ or error}.",
            where=PREFIX + str(error).partition('"')[2].partition('"')[0].upper(),
            fix='Lists and tables are written as JSON there, such as ["uv sync"].',
        ) from error
    return Layer(values=values, place=_variable, typed=False)


def _variable(key: Key) -> str:
    """Return the variable that sets `key`: itself, or the one of a parent that was given as JSON."""
    names = [PREFIX + "__".join(str(part) for part in key[:length]).upper() for length in range(len(key), 0, -1)]
    present = {name.upper() for name in os.environ}
    return next((name for name in names if name in present), names[0])


def _refuse_unknown_variables() -> None:
    known = {name.upper() for name in Settings.__struct_fields__}
    for name in sorted(os.environ):
        head = name.upper().removeprefix(PREFIX).split("__")[0]
        if name.upper().startswith(PREFIX) and head not in known and name.upper() not in _NOT_SETTINGS:
            near = closest_match(head, sorted(known))
            advice = f"Did you mean {PREFIX}{near}?" if near else "Unset it, or see `obra config show`."
            raise ConfigError("There is no such setting.", where=name, fix=advice)


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The settings cannot be read: {error.strerror}.", where=str(file), fix="Make it a readable file."
        ) from error


def file_layer(file: Path) -> Layer:
    if not file.exists():
        return Layer(values={}, place=lambda _: str(file), typed=True)
    return parsed(read(file), shown=str(file))


def parsed(content: bytes, shown: str) -> Layer:
    try:
        text = content.decode("utf-8")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError("This is not UTF-8 text.", where=f"{shown}:{line}", fix="Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:  # also a number of too many digits
        said, place = place_of_error(error, text)
        raise ConfigError(
            f"This is not valid TOML: {said}.", where=shown + place, fix="Correct it there or just before."
        ) from error
    normal = text.replace("\r\n", "\n")

    def place_of(key: Key) -> str:
        line = line_of(normal, key)
        return shown if line is None else f"{shown}:{line}"

    return Layer(values=values, place=place_of, typed=True)


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, `above` winning; tables are joined, everything else is replaced as a whole."""
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if both else value
    return result


def merged(layers: tuple[Layer, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for layer in reversed(layers):
        values = merge(values, layer.values)
    return values
