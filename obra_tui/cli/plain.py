"""The lines that are typed most, read without the command line parser: `obra` alone, and a plain `obra run`.

The parser and what stands on it cost an eighth of a second, which is a third of
the time to the first paint and as much as the judge of a small task. Whatever is
not as plain as what is listed here, and every mistake, is left to the parser.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_SWITCHES = {"--headless": "headless", "--json": "as_json"}
_MOST_JOBS = 100


def bare_start(argv: list[str]) -> Path | None:
    """Return the folder whose app is to be opened; None when the parser has to look at the line."""
    match argv:
        case []:
            return Path()
        case ["-C" | "--project", folder] if folder and not folder.startswith("-"):
            return Path(folder)
        case _:
            return None


def plain_run(argv: list[str]) -> Mapping[str, Any] | None:
    """Return what a plain `obra run` says, as `run_line` takes it; None when the parser has to look at the line."""
    if argv[:1] != ["run"]:
        return None
    said: dict[str, Any] = {}
    words = iter(argv[1:])
    value: Any
    for word in words:
        if word in _SWITCHES:
            name, value = _SWITCHES[word], True
        elif word in _VALUES:
            name, read = _VALUES[word]
            value = read(next(words, ""))
        elif word and not word.startswith("-"):
            name, value = "plan", Path(word)
        else:
            return None
        if name in said or value is None:
            return None
        said[name] = value
    return said


def _text(value: str) -> str | None:
    return value if value and not value.startswith("-") else None


def _folder(value: str) -> Path | None:
    return Path(value) if _text(value) else None


def _jobs(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and 1 <= int(value) <= _MOST_JOBS else None


def _policy(value: str) -> Any:
    from obra_tui.cli.flags import Flags
    from obra_tui.core.model import Policy

    return Flags(policy=Policy(value)) if value in list(Policy) else None


_VALUES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "--task": ("task", _text),
    "-t": ("task", _text),
    "--project": ("project", _folder),
    "-C": ("project", _folder),
    "--jobs": ("jobs", _jobs),
    "-j": ("jobs", _jobs),
    "--policy": ("flags", _policy),
}


def wants_screen(*, headless: bool, as_json: bool) -> bool:
    """Return whether to open the app: only on a terminal that can show it, and only if nobody said otherwise."""
    if headless or as_json or os.environ.get("TERM", "") == "dumb":
        return False
    return sys.stdin.isatty() and sys.stdout.isatty()
