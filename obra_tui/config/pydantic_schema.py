"""The settings as pydantic sees them: by this shape what a person wrote is read and checked.

Made from `schema`, so that a setting is declared once. Only reading needs it: what comes out are the plain values of
`schema`, and no more of them than were given.
"""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo, fields
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from obra_tui.config.early import PREFIX, Section
from obra_tui.config.schema import Secret, Settings, ValueRule

_LIMITS = ("ge", "gt", "le", "lt", "min_length", "max_length")
Shape = TypeVar("Shape", bound=BaseModel)
_sections: dict[type[BaseModel], type[Section]] = {}


class _Checked(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, hide_input_in_errors=True, defer_build=True
    )


class _ReadFromEnvironment(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="forbid", defer_build=True
    )


def _shape_of(section: type[Section], base: type[Shape]) -> type[Shape]:
    hints = get_type_hints(section, include_extras=True)
    shaped: dict[str, Any] = {found.name: (_shaped(hints[found.name]), _default(found)) for found in fields(section)}
    shape = create_model(section.__name__, __base__=base, **shaped)
    _sections[shape] = section
    return shape


def _shaped(hint: Any) -> Any:
    """Return what pydantic makes of a type of `schema`.

    What TOML has no type for is written as another one: a list, a table or a text.
    """
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return Annotated[(_shaped(inner), *(_mark(mark) for mark in marks))]
    if get_origin(hint) is tuple:
        inner = _shaped(get_args(hint)[0])
        return Annotated[tuple[inner, ...], Field(strict=False)]  # type: ignore[valid-type]
    if hint is Secret:
        return Annotated[SecretStr, Field(strict=False)]
    if isinstance(hint, type) and issubclass(hint, Section):
        return Annotated[_shape_of(hint, _Checked), Field(strict=False)]
    if isinstance(hint, type) and issubclass(hint, Enum | Path):
        return Annotated[hint, Field(strict=False)]
    return hint


def _mark(mark: ValueRule | Meta) -> Any:
    match mark:
        case ValueRule(of=rule):
            return AfterValidator(rule)
        case Meta():
            return Field(**{name: limit for name in _LIMITS if (limit := getattr(mark, name)) is not None})


def _default(found: FieldInfo) -> Any:
    if found.default_factory is not NODEFAULT:
        return Field(default_factory=found.default_factory)
    return Field() if found.required else Field(default=found.default)


_CHECKED = _shape_of(Settings, _Checked)
FROM_ENVIRONMENT = _shape_of(Settings, _ReadFromEnvironment)


def checked(values: Mapping[str, Any], *, typed: bool) -> dict[str, Any]:
    """Return the plain values of all settings that are given, in tables as in the file.

    What is not `typed` is text where it is no text in the settings, and is converted. Raises pydantic's
    `ValidationError` with every mistake.
    """
    return _given(_CHECKED.model_validate(values, strict=None if typed else False))


def _given(shape: BaseModel) -> dict[str, Any]:
    """Return what was set of a table; a table in it is a dictionary, too."""
    values = {name: getattr(shape, name) for name in type(shape).model_fields if name in shape.model_fields_set}
    return {name: _given(value) if isinstance(value, BaseModel) else _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    match value:
        case BaseModel():
            return _sections[type(value)](**{name: _plain(getattr(value, name)) for name in type(value).model_fields})
        case SecretStr():
            return Secret(value.get_secret_value())
        case tuple():
            return tuple(_plain(item) for item in value)
        case _:
            return value
