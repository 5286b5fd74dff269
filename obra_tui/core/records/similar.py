"""Search lines for *more like this*: the same task, the same files, or words that say much. Pure."""

import re
from collections.abc import Iterable

from obra_tui.core.records.history import AttemptDetail

_WORD = re.compile(r"[^\W\d_][\w-]{4,30}")
_EVERYDAY = (
    "about above after again against always another anything because before being below between cannot change changes "
    "could create doing during every everything existing first following function implement instead itself little "
    "makes making might module never other please project remove return returns right shall should small something "
    "still support tests their there these thing things those through update using value values version where whether "
    "which while whose without would write "
)
_COMMON = frozenset(_EVERYDAY.split())
MOST_FILES = 2
MOST_WORDS = 2


def similar(detail: AttemptDetail) -> list[tuple[str, str]]:
    """Return the ways in which others may be like an attempt, each with its search line."""
    files = sorted(detail.diff.files, key=lambda file: -(file.added + file.removed)) if detail.diff else []
    words = similar_words(detail.spec.title) or similar_words(detail.spec.prompt)
    ways = (
        ("The same task", same_task(detail.spec.title)),
        ("The same files", same_files(file.path for file in files)),
        ("Similar words", words),
    )
    return [(name, line) for name, line in ways if line]


def same_task(title: str) -> str:
    """Return the search line for attempts at tasks of this title."""
    return f"task:{_quoted(title)}" if _can_be_found(title) else ""


def same_files(paths: Iterable[str]) -> str:
    """Return the search line for attempts that changed these files too: the first ones, for all must have been."""
    return " ".join(f"file:{_quoted(path)}" for path in list(filter(_can_be_found, paths))[:MOST_FILES])


def similar_words(text: str) -> str:
    """Return the longest words of a text that are not everyday ones, in their order."""
    found = dict.fromkeys(word.lower() for word in _WORD.findall(text))
    telling = [word for word in found if word not in _COMMON]
    chosen = sorted(telling, key=len, reverse=True)[:MOST_WORDS]
    return " ".join(word for word in telling if word in chosen)


def _can_be_found(text: str) -> bool:
    """Whether there is more to it than punctuation, which is in no index."""
    return re.search(r"\w", text) is not None


def _quoted(text: str) -> str:
    clean = " ".join(text.replace('"', " ").split())
    return f'"{clean}"' if " " in clean else clean
