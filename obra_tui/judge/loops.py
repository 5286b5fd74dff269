"""Sees that a model goes round in a circle, so that its answer is ended long before the length limit. Pure."""

_PERIOD = 60
"""Longest piece that is looked for."""
_TIMES = 4
_BLANKS = 200
_STEP = 64


class LoopWatch:
    """Looks at the end of an answer while it grows."""

    def __init__(self) -> None:
        self._head = ""
        self._tail = ""
        self._fresh = 0

    def goes_round(self, text: str) -> bool:
        """Take in what came and return whether the end is one short piece again and again, or nothing but blanks."""
        self._head = self._head or text.lstrip()[:1]
        self._tail = (self._tail + text)[-max(_PERIOD * _TIMES, _BLANKS) :]
        self._fresh += len(text)
        if self._fresh < _STEP:
            return False
        self._fresh = 0
        return self._is_blank() or self._is_periodic()

    def _is_blank(self) -> bool:
        return len(self._tail) >= _BLANKS and not self._tail[-_BLANKS:].strip()

    def _is_periodic(self) -> bool:
        if self._head != "{" or not any(map(str.isalpha, self._tail)):
            return False  # no object at all, or a number without end: what it is will be said in better words
        span = self._tail[-_PERIOD * _TIMES :]
        if len(span) < _PERIOD * _TIMES:
            return False
        return any(span[period:] == span[:-period] for period in range(1, _PERIOD + 1))
