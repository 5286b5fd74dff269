"""Pins, tags and preferences: what people stick onto sessions that are over.

They are no part of what happened, so they are not in the journal: one file of
lines beside the database, only ever added to. A line that cannot be read is
passed over. Safe to use while another Obra runs: each line is one write.
"""

import json
import os
import time
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import asdict

from obra_tui.core.errors import StoreError

LABELS = "labels.jsonl"
"""The file's name, beside the database."""
PINNED = "pinned"
Winner = Literal["a", "b", "equal", "neither"]


class Preference(Struct, frozen=True, kw_only=True):
    """Somebody's answer to *which of the two is better*."""

    at: float
    a: str
    b: str
    winner: Winner
    note: str = ""
    by: str = ""
    blind: bool = False


class Labels:
    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, session: str) -> tuple[str, ...]:
        """Return the labels of a session, in alphabetical order; `pinned` is one of them."""
        return tuple(sorted(self._all().get(session, ())))

    def all(self) -> dict[str, tuple[str, ...]]:
        """Return the labels of every session that has some."""
        return {session: tuple(sorted(labels)) for session, labels in self._all().items() if session and labels}

    def having(self, label: str) -> frozenset[str]:
        """Return the sessions with a label that begins so."""
        wanted = _tidy(label)
        return frozenset(s for s, labels in self._all().items() if any(own.startswith(wanted) for own in labels))

    def names(self) -> tuple[str, ...]:
        return tuple(sorted({label for labels in self._all().values() for label in labels} - {PINNED}))

    def add(self, session: str, label: str) -> None:
        self._write({"type": "label", "session": session, "add": _tidy(label)})

    def remove(self, session: str, label: str) -> None:
        self._write({"type": "label", "session": session, "remove": _tidy(label)})

    def prefer(self, preference: Preference) -> None:
        self._write({"type": "preference", **asdict(preference)})

    def preferences(self) -> tuple[Preference, ...]:
        """Return every preference, oldest first."""
        return tuple(self._preferences())

    def judge_acknowledgements(self, project: str) -> tuple[float, ...]:
        """Return when somebody said, of one project or of all, to have seen why judges lost authority; oldest first.

        Such lines are of earlier versions; today it is an event.
        """
        said = (line for line in self._lines() if line.get("type") == "judge_acknowledged")
        return tuple(float(line["at"]) for line in said if project in ("", line.get("project")) and _is_time(line))

    def _preferences(self) -> Iterator[Preference]:
        for line in self._lines():
            if line.get("type") == "preference":
                known = {name: line[name] for name in Preference.__struct_fields__ if name in line}
                try:
                    yield Preference(**known)
                except TypeError:  # a line of another version
                    continue

    def _all(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in self._lines():
            labels = found.setdefault(str(line.get("session", "")), set())
            if isinstance(line.get("add"), str):
                labels.add(line["add"])
            labels.discard(str(line.get("remove", "")))
        return found

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        except OSError as error:
            raise _refused(error, self._path) from error
        for line in text.splitlines():
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found

    def _write(self, line: dict[str, Any]) -> None:
        data = (json.dumps({"at": time.time(), **line}) + "\n").encode()
        try:
            descriptor = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                flock(descriptor, LOCK_EX)
                os.write(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _refused(error, self._path) from error


def _is_time(line: dict[str, Any]) -> bool:
    return isinstance(line.get("at"), int | float)


def _tidy(label: str) -> str:
    return " ".join(label.lower().split())[:60]


def _refused(error: OSError, path: Path) -> StoreError:
    return StoreError(
        f"Pins and tags cannot be read or written ({error.strerror}).",
        where=str(path),
        fix="Check the file and its folder.",
    )
