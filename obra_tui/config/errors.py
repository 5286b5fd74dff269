"""Wrong values and unknown keys, told with their place and the nearest key that there is."""

import json
from typing import Any

from msgspec.structs import fields
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from obra_tui.config.schema import CheckSettings, Section, Settings
from obra_tui.config.shape import CHECKED, plain
from obra_tui.config.sources import Key, Layer
from obra_tui.core.errors import ConfigError
from obra_tui.core.text import closest_match


def refuse_wrong(layer: Layer) -> None:
    try:
        if layer.typed:
            CHECKED.model_validate_json(json.dumps(layer.values, default=_no_date), strict=True)
        else:
            CHECKED.model_validate(layer.values)
    except ValidationError as error:
        raise _told(error.errors(), layer) from error


def _no_date(value: object) -> object:
    # TOML has dates and times; no setting takes one, so any other type makes the complaint.
    return {"a date or time": str(value)}


def _told(errors: list[ErrorDetails], layer: Layer) -> ConfigError:
    first, *others = (_complaint(error) for error in errors)
    places = [layer.place(error["loc"]) for error in errors]
    more = "".join(f"\nalso {place}: {what} {fix}" for place, (what, fix) in zip(places[1:], others, strict=True))
    return ConfigError(first[0], where=places[0], fix=first[1] + more)


def _complaint(error: ErrorDetails) -> tuple[str, str]:
    key = _dotted(error["loc"])
    if error["type"] == "extra_forbidden":
        return f"There is no setting '{key}'.", _nearest(error["loc"])
    if error["type"] == "missing":
        return f"'{key}' is missing.", "Add it."
    said = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"'{key}' has a wrong value: {said}.", "Correct it, or delete the line to get the default."


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


def validated(values: dict[str, Any]) -> Settings:
    # Each layer was checked for itself; together they can only fail where two of them disagree.
    try:
        settings: Settings = plain(CHECKED.model_validate(values))
        return settings
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            f"The settings do not fit together: {_dotted(first['loc'])}: {first['msg']}.",
            where="settings",
            fix="`obra config show --origin` of the single files shows which says what.",
        ) from error
