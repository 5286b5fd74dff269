"""httpx without its command line, which would bring rich, pygments and click along: 5 MB and a twentieth of a second.

httpx does without that part where those are not installed; here it is told that there is no such part.
"""

import sys

__all__ = ["httpx"]

_COMMAND_LINE = "httpx._main"

sys.modules.setdefault(_COMMAND_LINE, None)  # type: ignore[arg-type]  # how Python is told so
try:
    import httpx
finally:
    if sys.modules[_COMMAND_LINE] is None:
        del sys.modules[_COMMAND_LINE]
