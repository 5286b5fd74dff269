"""What a person may have meant: the known word nearest to one that is not known."""

from collections.abc import Iterable


def closest_match(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return the known word most like this one, or nothing when none is as much like it as that."""
    from difflib import get_close_matches  # most runs meet no wrong word

    return next(iter(get_close_matches(word, list(known), 1, likeness)), "")
