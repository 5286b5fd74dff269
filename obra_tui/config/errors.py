"""Wrong values and unknown keys, told with their place and the nearest key that there is."""

from collections.abc import Callable, Sequence

from msgspec.structs import fields
from pydantic_core import ErrorDetails

from obra_tui.config.early import Section
from obra_tui.config.schema import CheckSettings, Settings
from obra_tui.core.errors import ConfigError
from obra_tui.core.text import closest_match

Key = tuple[str | int, ...]
Place = Callable[[Key], str]
"""Says where a key is written, such as `config.toml:12`."""

_IN_TOML = {"tuple_type": "should be an array", "dict_type": "should be a table", "model_type": "should be a table"}
"""pydantic speaks of Python where the person has written TOML."""


def mistakes(errors: Sequence[ErrorDetails], place: Place) -> ConfigError:
    """Return one error that tells all mistakes of a source, the first one in full."""
    places = [place(error["loc"]) for error in errors]
    first, *others = (_complaint(error, where) for error, where in zip(errors, places, strict=True))
    more = "".join(f"\nalso {place}: {what} {fix}" for place, (what, fix) in zip(places[1:], others, strict=True))
    return ConfigError(first[0], where=places[0], fix=first[1] + more)


def _complaint(error: ErrorDetails, where: str) -> tuple[str, str]:
    key = _dotted(error["loc"])
    if error["type"] == "extra_forbidden":
        return f"There is no setting '{key}'.", _nearest(error["loc"])
    if error["type"] == "missing":
        return f"'{key}' is missing.", "Add it."
    said = _IN_TOML.get(error["type"]) or error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    out = "unset it" if where.startswith("OBRA_") else "delete the line"
    return f"'{key}' has a wrong value: {said}.", f"Correct it, or {out} to get the default."


def _dotted(loc: Key) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _nearest(loc: Key) -> str:
    valid = _valid_keys(loc[:-1])
    near = closest_match(str(loc[-1]), valid, 0.5)
    return f"Did you mean '{near}'?" if near else f"Possible here: {', '.join(valid)}."


def _valid_keys(parents: Key) -> list[str]:
    model: type[Section] = Settings
    for part in parents:
        if isinstance(part, int):
            continue
        model = CheckSettings if part == "checks" else _section(model, part) or model
    return list(model.__struct_fields__)


def _section(model: type[Section], name: str) -> type[Section] | None:
    default = next(field.default for field in fields(model) if field.name == name)
    return type(default) if isinstance(default, Section) else None
