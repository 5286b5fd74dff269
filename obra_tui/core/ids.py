"""Obra's own identifiers, each with a type of its own.

Claude Code has ids too. They are kept apart by type (`ClaudeSessionId` is no
`SessionId`), so that a type checker refuses to mix them.
"""

import os
import time
import uuid
from typing import NewType

SessionId = NewType("SessionId", str)
TaskId = NewType("TaskId", str)
AttemptId = NewType("AttemptId", str)
GateId = NewType("GateId", str)
QuestionId = NewType("QuestionId", str)
RuleId = NewType("RuleId", str)
ClaudeSessionId = NewType("ClaudeSessionId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_CHARS = 9
_RANDOM_CHARS = 5


def _encode(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def _random() -> int:
    # Not `secrets`: it loads OpenSSL, for which the first paint would wait.
    return int.from_bytes(os.urandom(4)) >> 7


def new_id(prefix: str, now_ms: int | None = None) -> str:
    """Return `prefix` + 14 lower-case characters that sort by creation time (millisecond steps)."""
    stamp = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return prefix + _encode(stamp, _TIME_CHARS) + _encode(_random(), _RANDOM_CHARS)


def new_session_id() -> SessionId:
    return SessionId(new_id("s"))


def new_task_id() -> TaskId:
    return TaskId(new_id("t"))


def new_attempt_id() -> AttemptId:
    return AttemptId(new_id("a"))


def new_gate_id() -> GateId:
    return GateId(new_id("g"))


def new_rule_id() -> RuleId:
    return RuleId(new_id("r"))


def new_claude_session_id() -> ClaudeSessionId:
    """Return a UUIDv4: the only form that Claude Code takes as a session id."""
    return ClaudeSessionId(str(uuid.uuid4()))
