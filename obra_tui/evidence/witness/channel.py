"""The end of the channel that Obra holds: hears the witness and believes only what is complete.

Nothing here knows pytest. The other end is held by a process that never runs the code under test.
"""

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

_MOST_BYTES = 64_000_000
_MOST_NAMES = 50_000


class Group(Struct, frozen=True, kw_only=True):
    """One process full of tests."""

    leave: tuple[str, ...] = ()
    """Files that are not looked at."""
    only: tuple[str, ...] = ()
    """Names of the tests to run; empty = all."""
    watch: tuple[str, ...] = ()
    """Tests of which is told what they call."""
    reverse: bool = False
    canaries: bool = True


class WitnessRequest(Struct, frozen=True, kw_only=True):
    """What the witness is to run."""

    arguments: tuple[str, ...]
    groups: tuple[Group, ...]
    cache: str
    environment: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    first: bool = False
    """Put `paths` before Python's own library: the base has a module of such a name."""
    trace: bool = False


class Told(Struct, frozen=True, kw_only=True):
    """What became of one test."""

    name: str
    outcome: str
    message: str = ""
    file: str = ""
    line: int | None = None
    reached: tuple[tuple[str, int, int], ...] = ()
    """Functions that a watched test called: file, first line, last line."""


class GroupReport(Struct, kw_only=True):
    """What one process of tests said of itself, and how it ended."""

    collected: tuple[str, ...] = ()
    told: dict[str, Told] = field(default_factory=dict)
    unreadable: dict[str, Told] = field(default_factory=dict)
    tampered: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    read: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """Packages of the tree that were loaded from another place."""
    exit_code: int | None = None
    """What pytest ended with; None when it never came to its end."""
    ended: int | None = None
    results: int = 0
    """How many results the process says it gave."""

    @property
    def complete(self) -> bool:
        return self.exit_code is not None and self.results == len(self.told)


class Witnessed(Struct, kw_only=True):
    """All that came through the channel."""

    groups: tuple[GroupReport, ...]
    missing: str = ""
    """What the interpreter lacks, such as pytest."""
    is_closed: bool = False
    """The closing record came, with our own number in it and the right count."""


class WitnessChannel:
    """Open while the command runs; `number` is the descriptor that the witness gets."""

    def __init__(self, question: WitnessRequest) -> None:
        self._question = question
        self._ours, self._theirs = socket.socketpair()
        self._nonce = secrets.token_hex(32)
        self._waiting = b""
        self._size = self._records = 0
        self._found = Witnessed(groups=tuple(GroupReport() for _ in question.groups))

    @property
    def number(self) -> int:
        return self._theirs.fileno()

    def __enter__(self) -> "WitnessChannel":
        self._ours.setblocking(False)
        self._sending = json.dumps(_plain(self._question)).encode() + b"\n"
        loop = asyncio.get_running_loop()
        loop.add_reader(self._ours, self._hear)
        loop.add_writer(self._ours, self._send)
        return self

    def __exit__(self, *_: object) -> None:
        self._hear()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._ours)
        loop.remove_writer(self._ours)
        self._ours.close()
        self._theirs.close()

    def heard(self) -> Witnessed:
        return self._found

    def _send(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._sending = self._sending[self._ours.send(self._sending) :]
        if not self._sending:
            asyncio.get_running_loop().remove_writer(self._ours)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            while self._size <= _MOST_BYTES and (chunk := self._ours.recv(1 << 16)):
                self._size += len(chunk)
                *lines, self._waiting = (self._waiting + chunk).split(b"\n")
                for line in lines:
                    self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            self._record(record)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            for group in self._found.groups:
                group.tampered.append("what was reported of the tests cannot be read")

    def _record(self, record: dict[str, Any]) -> None:
        if "closing" in record:
            self._found.is_closed = record["closing"] == self._nonce and record["records"] == self._records
            return
        self._records += 1
        if record.get("done"):
            self._ours.send(json.dumps({"nonce": self._nonce}).encode() + b"\n")
        elif "missing" in record:
            self._found.missing = str(record["missing"])[:500]
        elif "said" in record:
            _take_said(self._found.groups[record["group"]], record["said"])
        elif record.get("stray"):
            self._found.groups[record["group"]].tampered.append("something else wrote into the report of the tests")
        else:
            self._found.groups[record["group"]].ended = int(record["ended"])


def _take_said(group: GroupReport, said: dict[str, Any]) -> None:
    match said:
        case {"collected": list() as names}:
            group.collected = tuple(str(name) for name in names[:_MOST_NAMES])
        case {"result": dict() as entry}:
            told = _told(entry)
            if told.name in group.told:
                group.results -= 1  # a repeated name, which pytest allows, counts once: the worse answer
                told = max(told, group.told[told.name], key=_badness)
            group.told[told.name] = told
        case {"unreadable": dict() as entry}:
            told = _told({**entry, "outcome": "error"})
            group.unreadable[told.name] = told
        case {"tampered": what}:
            group.tampered.append(str(what)[:300])
        case {"replaced": what}:
            group.replaced.append(str(what)[:300])
        case {"elsewhere": list() as names}:
            group.elsewhere = tuple(str(name)[:300] for name in names[:_MOST_ELSEWHERE])
        case {"read": list() as names}:
            group.read = tuple(str(name) for name in names)
        case {"finished": code, "results": results}:
            group.exit_code = int(code)
            group.results += int(results)


_MOST_ELSEWHERE = 20
_BADNESS = ("passed", "skipped", "failed", "error")


def _badness(told: Told) -> int:
    return _BADNESS.index(told.outcome)


def _told(entry: dict[str, Any]) -> Told:
    if entry["outcome"] not in _BADNESS:
        raise ValueError(entry["outcome"])
    line = entry.get("line")
    return Told(
        name=str(entry["name"]).replace("\0", "␀"),
        outcome=entry["outcome"],
        message=str(entry.get("message", "")).replace("\0", "␀").encode("utf-8", "replace").decode("utf-8"),
        file=str(entry.get("file", "")),
        line=line if isinstance(line, int) else None,
        reached=tuple((str(name), int(first), int(last)) for name, first, last in entry.get("reached", ())),
    )


def _plain(question: WitnessRequest) -> dict[str, Any]:
    groups: Sequence[dict[str, Any]] = [
        {name: getattr(group, name) for name in Group.__struct_fields__} for group in question.groups
    ]
    own = {name: getattr(question, name) for name in WitnessRequest.__struct_fields__}
    return {**own, "environment": dict(question.environment), "groups": groups}
