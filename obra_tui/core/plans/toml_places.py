"""Which line of a TOML text a key stands on, for errors that name a place.

The standard parser keeps no positions. This scan only follows table headers
and assignments; it must never be used to read values.
"""

import re
from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_ASSIGNMENT = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
_PART = re.compile(_KEY)
_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[\[\]{}#]')


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Return the line (from 1) of `path` or of its nearest parent that is written in `text`."""
    return nearest_line(lines_of(text), path)


def nearest_line(lines: Mapping[Path, int], path: Sequence[str | int]) -> int | None:
    """Return the line of `path` or of its nearest parent among `lines`."""
    for length in range(len(path), 0, -1):
        line = lines.get(tuple(path[:length]))
        if line is not None:
            return line
    return None


def place_of_error(error: Exception, text: str) -> tuple[str, str]:
    """Return what the TOML parser complained about, and `:line:column` as far as it can be known."""
    if isinstance(error, RecursionError):
        return "nested too deep", ""
    said, _, spot = str(error).partition(" (at ")
    found = re.match(r"line (\d+), column (\d+)", spot)
    place = f":{found[1]}:{found[2]}" if found else f":{len(text.rstrip().splitlines()) or 1}"
    return f"{said[:1].lower()}{said[1:]}", place


def lines_of(text: str) -> dict[Path, int]:
    """Return the line of every table and every assigned key; array tables carry their index."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    value = _Value()
    for number, line in enumerate(text.split("\n"), start=1):
        if value.open:
            value.feed(line)
        elif header := _HEADER.match(line):
            table = _entered(header, counts)
            found.setdefault(table[:-1] if isinstance(table[-1], int) else table, number)
            found.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            found.setdefault((*table, *_parts(assignment[1])), number)
            value.feed(line[assignment.end() :])
    return found


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _entered(header: re.Match[str], counts: dict[Path, int]) -> Path:
    """Return the path of the table that `header` opens, with the indexes of array tables put in."""
    path: Path = ()
    parts = _parts(header[2])
    for part in parts[:-1]:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path])
    path = (*path, parts[-1])
    if header[1] == "[[":
        counts[path] = counts.get(path, -1) + 1
        path = (*path, counts[path])
    return path


class _Value:
    """Whether the value that began on an earlier line is still going on."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0

    @property
    def open(self) -> bool:
        return bool(self._quote) or self._depth > 0

    def feed(self, line: str) -> None:
        at = 0
        while True:
            if self._quote:
                end = line.find(self._quote, at)
                if end < 0:
                    return
                at, self._quote = end + 3, ""
            token = _TOKEN.search(line, at)
            if token is None or token[0] == "#":
                return
            at = token.end()
            self._take(token[0])

    def _take(self, token: str) -> None:
        if token in ('"""', "'''"):
            self._quote = token
        elif token in "[{":
            self._depth += 1
        elif token in "]}":
            self._depth = max(0, self._depth - 1)
