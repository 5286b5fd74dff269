"""What of an event can be searched, and its words as each index is asked for them.

What is a word is decided here and not by PostgreSQL, whose parser would take paths and addresses for one word each; so
the same line finds the same on every database. Words are as SQLite's index has them: letters and digits, without
accents, in small letters.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from obra_tui.core import events as e
from obra_tui.core.model import FindingSource
from obra_tui.core.records.search import Word
from obra_tui.store.codec import storable

LONGEST_TEXT = 200_000
"""Characters of one event that are indexed."""

INDEXED_BEGINNING = 3
"""Letters of a word that the index knows as a beginning; longer ones have to be collected from all words."""

_WORD = re.compile(r"\w+")
_BEFORE, _AFTER = 60, 160
_SPACES = re.compile(r"\s+")


def text_of(event: e.Event) -> str:
    """Return the words of an event, empty for one that has none worth finding."""
    match event:
        case e.PromptSent(text=text) | e.TextFinished(text=text) | e.SteerQueued(text=text):
            parts = [text]
        case e.ToolStarted(tool=tool, title=title, input_json=given):
            parts = [tool, title, given]
        case e.ToolFinished(output=output):
            parts = [output]
        case e.SessionOpened(title=title, project=project):
            parts = [title, project]
        case e.TaskAdded(spec=spec) | e.TaskEdited(spec=spec):
            parts = [spec.key, spec.title, spec.prompt, *spec.acceptance]
        case e.DiffTaken(diff=diff):
            parts = [change.path for change in diff.files] + [diff.patch]
        case e.CheckFinished(result=result):
            parts = [result.spec.name, result.spec.run, result.output]
        case e.VerdictReached(verdict=verdict):
            parts = [verdict.summary, verdict.unjudged]
        case e.GateJudged(quality=quality):
            parts = [f"{finding.place} {finding.message} {finding.suggestion}" for finding in quality.findings]
        case e.DecisionMade() | e.WorkReverted():
            parts = _said_by_a_person(event)
        case e.ProblemRaised(text=text):
            parts = [text]
        case _:
            return ""
    text = parts[0] if len(parts) == 1 else "\n".join(filter(None, parts))
    return storable(text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT])


def _said_by_a_person(event: e.DecisionMade | e.WorkReverted) -> list[str]:
    if isinstance(event, e.WorkReverted):
        return [event.by, event.note]
    decision = event.decision
    own = [item for item in decision.chosen if item.note or item.source is FindingSource.PERSON]
    return [decision.by, decision.note, *(f"{item.message} {item.note}" for item in own)]


class Terms(Struct, frozen=True):
    """A search line, taken apart: what must be there and what must not."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]
    exact: frozenset[str]
    """Those of them that stood in quotation marks; all others, but single letters, are beginnings of words."""
    spelled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """All words that begin as a term does, where they are known."""


def terms_of(words: Sequence[Word], *, wanted: bool = False) -> Terms:
    """Return the words of a search line as the index takes them; `wanted` turns all of them into wanted ones."""
    clean = [(storable(word.text), word) for word in words]
    return Terms(
        tuple(text for text, word in clean if wanted or not word.unwanted),
        tuple(text for text, word in clean if word.unwanted and not wanted),
        frozenset(text for text, word in clean if word.exact),
    )


def fts_query(found: Terms) -> str:
    """Return the terms in the language of SQLite's full-text search; empty when nothing is wanted."""
    if not found.wanted:
        return ""
    query = " AND ".join(_fts_term(text, found) for text in found.wanted)
    return query + "".join(f" NOT {_fts_term(text, found)}" for text in found.unwanted)


def _fts_term(text: str, found: Terms) -> str:
    if words := found.spelled.get(text):
        return "(" + " OR ".join(f'"{word}"' for word in words) + ")"
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if text in found.exact or _is_letter(text) else f"{quoted} *"


def _is_letter(text: str) -> bool:
    """One letter begins a word in nearly every text: as a beginning it would find all and take a second for it."""
    return len(text) == 1 and text.isascii()


# --- PostgreSQL ----------------------------------------------------------------------------------

_LETTERS = re.compile(r"[^\W_]+")
_LONGEST_WORD = 200
_MOST_BYTES = 300_000
"""A tsvector may not be longer than a megabyte, with its places."""


def words_of(text: str) -> str:
    """Return the words of a text with spaces between them, as the index takes them."""
    found, left = [], _MOST_BYTES
    for match in _LETTERS.finditer(_plain(text)):
        word = match[0][:_LONGEST_WORD]
        left -= len(word.encode()) + 1
        if left < 0:
            break
        found.append(word)
    return " ".join(found)


def _plain(text: str) -> str:
    """In small letters and without accents."""
    apart = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in apart if not unicodedata.combining(char))


def ts_query(found: Terms) -> str:
    """Return the terms in the language of `to_tsquery`; empty when nothing is wanted."""
    wanted = [_ts_term(text, found) for text in found.wanted]
    unwanted = [f"!({term})" for term in (_ts_term(text, found) for text in found.unwanted) if term]
    return " & ".join([*(f"({term})" for term in wanted if term), *unwanted]) if any(wanted) else ""


def _ts_term(text: str, found: Terms) -> str:
    words = words_of(text).split()
    beginning = "" if text in found.exact or not words or len(words[-1]) == 1 else ":*"
    return " <-> ".join(words) + beginning


# --- what is shown of it -------------------------------------------------------------------------


def excerpt(text: str, found: Terms) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return one line around the first match, and where in it the wanted terms stand."""
    pattern = re.compile("|".join(_loosely(term) for term in found.wanted), re.IGNORECASE)
    first = pattern.search(text)
    begin = max(0, first.start() - _BEFORE) if first else 0
    end = begin + _BEFORE + _AFTER
    line = _SPACES.sub(" ", text[begin:end])
    line = ("…" if begin else "") + line + ("…" if end < len(text) else "")
    return line, tuple(match.span() for match in pattern.finditer(line))


def _loosely(term: str) -> str:
    """The words of a term with anything but letters between them, as the index sees it."""
    return r"(?<![^\W_])" + r"[\W_]+".join(map(re.escape, _WORD.findall(term)))
