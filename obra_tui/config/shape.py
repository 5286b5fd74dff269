"""The settings as pydantic sees them: the shape by which they are read and checked, and the way back to plain values.

Made from `sections`, so that a setting is written down once. Only reading and checking need this.
"""

from collections.abc import Iterator
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo, fields
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from obra_tui.config.schema import Rule, Secret, Section, Settings

PREFIX = "OBRA_"
_LIMITS = ("ge", "gt", "le", "lt", "min_length", "max_length")
Shape = TypeVar("Shape", bound=BaseModel)
_sections: dict[type[BaseModel], type[Section]] = {}


class _Checked(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True, defer_build=True
    )


class _ReadFromEnvironment(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", defer_build=True)


def _shape_of(section: type[Section], base: type[Shape]) -> type[Shape]:
    hints = get_type_hints(section, include_extras=True)
    shaped: dict[str, Any] = {found.name: (_shaped(hints[found.name]), _default(found)) for found in fields(section)}
    shape = create_model(section.__name__, __base__=base, **shaped)
    _sections[shape] = section
    return shape


def _shaped(hint: Any) -> Any:
    """Return what pydantic makes of a type of `sections`."""
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return Annotated[(_shaped(inner), *(_mark(mark) for mark in marks))]
    if get_origin(hint) is tuple:
        inner = _shaped(get_args(hint)[0])
        return tuple[inner, ...]  # type: ignore[valid-type]
    if hint is Secret:
        return SecretStr
    return _shape_of(hint, _Checked) if isinstance(hint, type) and issubclass(hint, Section) else hint


def _mark(mark: Rule | Meta) -> Any:
    match mark:
        case Rule(of=rule):
            return AfterValidator(rule)
        case Meta():
            return Field(**{name: limit for name in _LIMITS if (limit := getattr(mark, name)) is not None})


def _default(found: FieldInfo) -> Any:
    if found.default_factory is not NODEFAULT:
        return Field(default_factory=found.default_factory)
    return Field() if found.required else Field(default=found.default)


CHECKED = _shape_of(Settings, _Checked)
FROM_ENVIRONMENT = _shape_of(Settings, _ReadFromEnvironment)


def plain(value: Any) -> Any:
    """Return checked settings, or a part of them, as the values of `sections`."""
    match value:
        case BaseModel():
            return _sections[type(value)](**dict(_plain_fields(value)))
        case SecretStr():
            return Secret(value.get_secret_value())
        case tuple():
            return tuple(plain(item) for item in value)
        case _:
            return value


def _plain_fields(shape: BaseModel) -> Iterator[tuple[str, Any]]:
    for name in type(shape).model_fields:
        yield name, plain(getattr(shape, name))
