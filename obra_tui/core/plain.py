"""Frozen values as what JSON can hold: for the output of scripts and for what a person copies."""

from typing import Any

import msgspec


def to_builtins(value: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a value and of all values within it; what JSON has no word for becomes its text."""
    built: dict[str, Any] = msgspec.to_builtins(value, enc_hook=str, str_keys=True)
    return built
