"""httpx without what is not used of it: its command line, and TLS where none is spoken.

The command line would bring rich, pygments and click along: 5 MB and a twentieth of a second. httpx does without that
part where those are not installed; here it is told that there is no such part.
"""

import sys
from typing import Any

__all__ = ["NO_TLS", "httpx"]

_COMMAND_LINE = "httpx._main"

sys.modules.setdefault(_COMMAND_LINE, None)  # type: ignore[arg-type]  # how Python is told so
try:
    import httpx
finally:
    if sys.modules[_COMMAND_LINE] is None:
        del sys.modules[_COMMAND_LINE]

NO_TLS: Any = object()
"""Given as `verify` where every address is plain HTTP: httpx takes it for settings of TLS and makes none of its own,
which are half a megabyte for nothing. Whoever spoke TLS with it would fail, never trust."""
