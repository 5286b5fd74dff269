"""Lists of words."""

from collections.abc import Iterable


def unique(words: Iterable[str]) -> list[str]:
    """Return every word once, in the order in which the words came first."""
    return list(set(words))
