"""The decisions before anything is loaded: is this `obra` alone, and is there a terminal to show the app on?

The command line parser takes a third of the time to the first paint, so the line that is typed most does without it.
Must import nothing but the standard library.
"""

import os
import sys
from pathlib import Path


def bare_start(argv: list[str]) -> Path | None:
    """Return the folder whose app is to be opened; None when the parser has to look at the line."""
    match argv:
        case []:
            return Path()
        case ["-C" | "--project", folder] if folder and not folder.startswith("-"):
            return Path(folder)
        case _:
            return None


def wants_screen(*, headless: bool, as_json: bool) -> bool:
    """Return whether to open the app: only on a terminal that can show it, and only if nobody said otherwise."""
    if headless or as_json or os.environ.get("TERM", "") == "dumb":
        return False
    return sys.stdin.isatty() and sys.stdout.isatty()
