"""Values for an export: secrets are taken out once more, whatever was known when they were stored."""

import os
from collections.abc import Mapping

from obra_tui.store.redact import Redactor

_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


def exporter(environment: Mapping[str, str] | None = None) -> Redactor:
    """Return a redactor that also knows the secrets of this environment."""
    found = os.environ if environment is None else environment
    return Redactor(value for name, value in found.items() if any(part in name.upper() for part in _SECRET_NAMES))
