"""Passwords by argon2id, and how often somebody may try one."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct

from obra_tui.core.errors import ConfigError
from obra_tui.web.access import SHORTEST_PASSWORD, KnownPassword

_FREE_TRIES = 5
"""Wrong tries of one address before it has to wait."""
_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 900.0
_WINDOW_S = 600.0
_MOST_IN_WINDOW = 60
"""Wrong tries of all addresses together within ten minutes."""
_MOST_ADDRESSES = 10_000
_LONGEST_PASSWORD = 1_000

_hasher = PasswordHasher()
_one_at_a_time = threading.Lock()
"""A check needs 64 MB for a moment: many at once must not take all memory."""


def hashed(password: str) -> str:
    """Return the hash of a new password. Raises `ConfigError` when it is too short."""
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise ConfigError(
            f"The password has {len(password)} characters.",
            fix=f"Choose one of at least {SHORTEST_PASSWORD} and at most {_LONGEST_PASSWORD}.",
        )
    return _hasher.hash(password)


def find(passwords: Iterable[KnownPassword], typed: str) -> KnownPassword | None:
    """Return the password that was typed; blocks for some tenths of a second."""
    if len(typed) > _LONGEST_PASSWORD:
        return None
    with _one_at_a_time:
        return next((item for item in passwords if _fits(item.hash, typed)), None)


def _fits(known: str, typed: str) -> bool:
    try:
        return _hasher.verify(known, typed)
    except (VerificationError, InvalidHashError, UnicodeError):
        return False


class _Failures(Struct):
    count: int = 0
    until: float = 0.0


class Tries:
    """Counts wrong tries, by address and all together; nothing is asked of argon2 while somebody has to wait."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._by_address: dict[str, _Failures] = {}
        self._lately: deque[float] = deque()

    def wait_s(self, address: str) -> int:
        """Return for how many seconds the next try is refused; 0 = it may be made."""
        now = self._now()
        while self._lately and now - self._lately[0] > _WINDOW_S:
            self._lately.popleft()
        known = self._by_address.get(address)
        waits = [known.until - now if known else 0.0]
        if len(self._lately) >= _MOST_IN_WINDOW:
            waits.append(_WINDOW_S - (now - self._lately[0]))
        return max(0, math.ceil(max(waits)))

    def failed(self, address: str) -> None:
        now = self._now()
        self._lately.append(now)
        known = self._by_address.pop(address, None) or _Failures()
        self._by_address[address] = known
        known.count += 1
        if known.count >= _FREE_TRIES:
            wait = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(20, known.count - _FREE_TRIES))
            known.until = now + wait
        while len(self._by_address) > _MOST_ADDRESSES:
            del self._by_address[next(iter(self._by_address))]

    def succeeded(self, address: str) -> None:
        self._by_address.pop(address, None)
