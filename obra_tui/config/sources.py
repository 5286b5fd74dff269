"""Layers of settings (flags, environment, files): each is checked when it is read, and knows where a key is written."""

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from msgspec import Struct
from msgspec.structs import fields
from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from obra_tui.config.early import PREFIX, Section, user_file
from obra_tui.config.errors import Key, Place, mistakes
from obra_tui.config.pydantic_schema import FROM_ENVIRONMENT, checked
from obra_tui.config.schema import Settings, ValueRule
from obra_tui.core.errors import ConfigError
from obra_tui.core.plans.toml_places import line_of, place_of_error
from obra_tui.core.text import closest_match

_NOT_SETTINGS = frozenset({"OBRA_JUNIT", "OBRA_CRASH_AT"})
"""Variables that Obra itself sets for the commands it runs."""

Part = TypeVar("Part", bound=Section)


class Layer(Struct, frozen=True, kw_only=True):
    values: dict[str, Any]
    """What is given here and nothing else: a table is a dictionary, everything in it is as `schema` has it."""
    place: Place


def flag_layer(flags: Mapping[str, object]) -> Layer:
    """`flags` maps dotted keys to values; those that are None were not given."""
    values: dict[str, Any] = {}
    for key, value in flags.items():
        if value is not None:
            values = _joined(values, _nest(key.split("."), str(value) if isinstance(value, Path) else value))
    return _layer(values, lambda _: "flag", typed=False)


def environment_layer() -> Layer:
    """An empty variable is not set."""
    _refuse_unknown_variables()
    try:
        values = EnvSettingsSource(FROM_ENVIRONMENT)()
    except SettingsError as error:
        raise ConfigError(
            f"A variable of the environment cannot be read: {error.__cause__ or error}.",
            where=PREFIX + str(error).partition('"')[2].partition('"')[0].upper(),
            fix='Lists and tables are written as JSON there, such as ["uv sync"].',
        ) from error
    return _layer(values, _variable, typed=False)


def file_layer(file: Path) -> Layer:
    """A file that is not there gives nothing."""
    return content_layer(read(file), shown=str(file)) if file.exists() else _layer({}, lambda _: str(file), typed=True)


def content_layer(content: bytes, shown: str) -> Layer:
    """Return what a file of this content says; `shown` is its name for people."""
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

    return _layer(values, place_of, typed=True)


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The settings cannot be read: {error.strerror}.", where=str(file), fix="Make it a readable file."
        ) from error


def settings_of(layers: Sequence[Layer]) -> Settings:
    """Return the settings that these layers make together, the first one winning.

    Each was checked by itself, so they can only fail where two of them disagree. Raises `ConfigError` then.
    """
    values: dict[str, Any] = {}
    for layer in reversed(layers):
        values = _joined(values, layer.values)
    try:
        return _built(Settings, values)
    except ValueError as error:
        raise ConfigError(
            f"The settings do not fit together: {error}.",
            where="settings",
            fix=f"Correct it in {user_file()}, in the project's file, or in the environment.",
        ) from error


def _layer(values: Mapping[str, Any], place: Callable[[Key], str], *, typed: bool) -> Layer:
    try:
        return Layer(values=checked(values, typed=typed), place=place)
    except ValidationError as error:
        raise mistakes(error.errors(), place) from error


def _nest(parts: list[str], value: object) -> dict[str, Any]:
    return {parts[0]: value if len(parts) == 1 else _nest(parts[1:], value)}


def _joined(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, `above` winning; tables are joined, everything else is replaced as a whole."""
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _joined(result[key], value) if both else value
    return result


def _built(kind: type[Part], values: Mapping[str, Any]) -> Part:
    """Return a section of these values; the rules of its tables hold for what the layers made of them together."""
    hints = get_type_hints(kind, include_extras=True)
    given = dict(values)
    for found in fields(kind):
        if isinstance(found.default, Section) and found.name in given:
            given[found.name] = _ruled(hints[found.name], _built(type(found.default), given[found.name]))
    return kind(**given)


def _ruled(hint: Any, section: Part) -> Part:
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    for mark in marks:
        if isinstance(mark, ValueRule):
            section = mark.of(section)
    return section


def _variable(key: Key) -> str:
    """Return the variable that sets `key`: itself, or the one of a parent that was given as JSON."""
    names = [PREFIX + "__".join(str(part) for part in key[:length]).upper() for length in range(len(key), 0, -1)]
    present = {name.upper() for name, text in os.environ.items() if text}
    return next((name for name in names if name in present), names[0])


def _refuse_unknown_variables() -> None:
    known = {name.upper() for name in Settings.__struct_fields__}
    for name in sorted(os.environ):
        head = name.upper().removeprefix(PREFIX).split("__")[0]
        given = os.environ[name] and name.upper().startswith(PREFIX) and name.upper() not in _NOT_SETTINGS
        if given and head not in known:
            near = closest_match(head, sorted(known))
            advice = f"Did you mean {PREFIX}{near}?" if near else "Unset it, or see `obra config show`."
            raise ConfigError("There is no such setting.", where=name, fix=advice)
