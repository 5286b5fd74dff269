"""Faults on order: which misbehaviour, for which requests, how often.

It exists so that a test or a scenario names a fault as a value and both servers read it in the same way.
It must not know how a fault is carried out: each server does that in its own dialect.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field


class FaultKind(StrEnum):
    """Everything that can go wrong on order. The comment says which server understands it."""

    # both
    HTTP = "http"  # answer `status` (and `retry_after`, `text`) instead of serving
    HTML = "html"  # status 200 with a web page, as a captive portal sends
    GARBAGE = "garbage"  # status 200 and bytes that are no answer at all
    HANG = "hang"  # silence for `seconds` after `after` pieces (0: before the first byte), then a cut
    DELAY = "delay"  # `seconds` of silence before the first byte, then normal service
    CUT = "cut"  # close after `after` pieces
    RESET = "reset"  # reset the connection after `after` pieces
    ERROR_EVENT = "error_event"  # an error inside the stream after `after` pieces
    LENGTH = "length"  # the answer stops at its token limit, after `after` pieces
    # anthropic
    LIMITED = "limited"  # a subscription's usage limit, reset in `seconds`
    # ollama
    TRICKLE = "trickle"  # one byte a second
    PROSE = "prose"  # a proper answer whose text is no JSON
    HALF_JSON = "half_json"  # the answer is the first half of the right one
    NAN = "nan"  # NaN as a score
    DUPLICATE_KEYS = "duplicate_keys"  # every score twice, with different values
    BOOL_SCORE = "bool_score"  # true as a score
    SCORE_101 = "score_101"  # a score beyond the scale
    THINK = "think"  # the answer follows a <think> block
    EMPTY = "empty"  # an empty answer
    MODEL_MISSING = "model_missing"  # 404, as when nobody pulled the model
    WRONG_MODEL = "wrong_model"  # another model answers than was asked
    LOADING = "loading"  # 503 while the model loads
    TRUNCATED = "truncated"  # the prompt was cut: a small prompt_eval_count
    GHOST_LINE = "ghost_line"  # a finding that cites a file and line which do not exist


class Fault(Struct, frozen=True, kw_only=True):
    """One misbehaviour. It lets `skip` matching requests pass, hits the next `times`, then is over."""

    kind: FaultKind
    times: int = 1
    skip: int = 0
    after: int = 0
    seconds: float = 30.0
    status: int = 500
    retry_after: float | None = None
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    prompt_matches: str = ""

    def concerns(self, prompt: str) -> bool:
        """Whether this fault is meant for a request with this prompt."""
        return not self.prompt_matches or re.search(self.prompt_matches, prompt) is not None


class _Order(Struct):
    fault: Fault
    skip: int
    left: int


class FaultBook:
    """The faults still to come. Tests add to it while a server reads from it."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._orders: list[_Order] = []
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Order more faults; earlier ones are served first."""
        with self._lock:
            self._orders += [_Order(fault, fault.skip, fault.times) for fault in faults]

    def clear(self) -> None:
        """From now on everything works."""
        with self._lock:
            self._orders.clear()

    def take(self, prompt: str) -> Fault | None:
        """The fault that hits this request, if any; each request uses up at most one."""
        with self._lock:
            for order in self._orders:
                if not order.left or not order.fault.concerns(prompt):
                    continue
                if order.skip:
                    order.skip -= 1
                    return None
                order.left -= 1
                return order.fault
        return None
