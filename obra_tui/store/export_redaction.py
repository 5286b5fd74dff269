"""Values for an export: secrets are taken out once more, whatever was known when they were stored."""

import os
from collections.abc import Iterable, Mapping

from obra_tui.store.redact import Redactor

_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


def exporter(environment: Mapping[str, str] | None = None, more: Iterable[str] = ()) -> Redactor:
    """Return a redactor that also knows the secrets of this environment, and `more` exact ones."""
    found = os.environ if environment is None else environment
    named = (value for name, value in found.items() if any(part in name.upper() for part in _SECRET_NAMES))
    return Redactor((*named, *more))
