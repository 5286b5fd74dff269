"""Whether a text holds any of some others: all of them are looked for in one pass over it.

An expression of the standard library takes ten times as long, and every event that is stored is looked through.
Knows nothing of secrets.
"""

from collections.abc import Iterable, Sequence

from ahocorasick_rs import AhoCorasick, MatchKind

_LONG = 1 << 20
"""From so many characters on they are searched for one by one: whatever is found of all at once is listed."""
_TOGETHER = 64
"""Texts that are looked through in one call; a call costs as much as three hundred characters."""


class AnyOf:
    """Some texts to look for, none of them empty, none with a line break."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self._wanted = tuple(wanted)
        # What has no UTF-8 stands in no text that has one; those that have none are searched in the other way.
        patterns = filter(_has_utf8, self._wanted)
        # Not the default kind of match: this one alone lets the library look at many characters in one step.
        self._found = AhoCorasick(patterns, matchkind=MatchKind.LeftmostFirst).find_matches_as_strings

    def within(self, text: str) -> bool:
        """Whether `text` holds any of them."""
        if len(text) > _LONG:
            return self._one_by_one(text)
        try:
            return bool(self._found(text))
        except UnicodeEncodeError:
            return self._one_by_one(text)

    def among(self, texts: Sequence[str]) -> list[int]:
        """Return the places of those `texts` that hold any of them."""
        places = range(len(texts))
        steps = [places[start : start + _TOGETHER] for start in places[::_TOGETHER]]
        found = [step for step in steps if self.within("\n".join(texts[step.start : step.stop]))]
        return [place for step in found for place in step if self.within(texts[place])]

    def _one_by_one(self, text: str) -> bool:
        return any(map(text.__contains__, self._wanted))


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
