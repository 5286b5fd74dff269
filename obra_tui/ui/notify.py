"""Telling a person who looks elsewhere: *waiting for you* is not *finished*. Only when the terminal has no focus.

What a model or a repository wrote never enters an escape sequence: only keys of
tasks and our own words do, and of those nothing but printable ASCII.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from obra_tui.core import events as e
from obra_tui.core.events import Record
from obra_tui.ui.state import ViewState

Channel = Literal["auto", "bell", "off"]
AGAIN_S = 60.0
_OSC9 = ("iTerm.app", "ghostty", "WarpTerminal", "vscode", "WezTerm")
_NOT_PLAIN = re.compile(r"[^\x20-\x7e]")


class Notifications:
    """Decides what is worth a word and how the terminal is told."""

    def __init__(self, channel: Channel, run: Callable[[str, str], None] | None = None) -> None:
        """`run` is called with the kind (`waiting` or `finished`) and the words, and returns at once."""
        self._channel = channel
        self._run = run
        self._last: dict[str, float] = {}

    def of(self, records: Sequence[Record], view: ViewState, now: float, focused: bool) -> list[str]:
        """Return what to write to the terminal about these records; nothing while the person is looking."""
        if focused or (self._channel == "off" and self._run is None):
            return []
        words = (worth_a_word(record, _key_of(view, record)) for record in records)
        notices = [notice for notice in words if notice and self._due(notice, now)]
        for notice in notices if self._run else ():
            self._hook(notice)
        return [] if self._channel == "off" else [sequence(notice, self._channel, os.environ) for notice in notices]

    def _hook(self, notice: str) -> None:
        if self._run is not None:
            self._run("finished" if notice == "finished" else "waiting", _NOT_PLAIN.sub("", notice))

    def _due(self, notice: str, now: float) -> bool:
        if now - self._last.get(notice, -AGAIN_S) < AGAIN_S:
            return False
        self._last[notice] = now
        return True


def _key_of(view: ViewState, record: Record) -> str:
    task = view.tasks.get(record.task) if record.task else None
    return task.spec.key if task else ""


def worth_a_word(record: Record, key: str) -> str:
    match record.event:
        case e.GateOpened():
            return f"waiting for you: gate {key}".rstrip()
        case e.PermissionAsked():
            return f"waiting for you: Claude asks ({key})"
        case e.RunFinished(waiting=waiting):
            return "finished, gates are waiting for you" if waiting else "finished"
        case e.ProblemRaised(code=code):
            return f"needs you: {code}"
        case e.StandingChanged(before=before, after=after):
            return f"the judge may do {'less' if after < before else 'more'} than before"
        case _:
            return ""


def sequence(notice: str, channel: Channel, environment: Mapping[str, str]) -> str:
    """Return what to write to the terminal: a notification where it is known to work, else the bell."""
    text = _NOT_PLAIN.sub("", notice)
    if channel == "bell":
        return "\a"
    if environment.get("TERM_PROGRAM", "") in _OSC9:
        return _wrapped(f"\x1b]9;Obra: {text}\x1b\\", environment)
    if environment.get("TERM", "").startswith(("rxvt", "foot")):
        return _wrapped(f"\x1b]777;notify;Obra;{text}\x1b\\", environment)
    if environment.get("TERM") == "xterm-kitty":
        return _wrapped(f"\x1b]99;;Obra: {text}\x1b\\", environment)
    return "\a"


def _wrapped(text: str, environment: Mapping[str, str]) -> str:
    if not environment.get("TMUX"):
        return text
    return "\x1bPtmux;" + text.replace("\x1b", "\x1b\x1b") + "\x1b\\"
