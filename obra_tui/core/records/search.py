"""The language of the search line: what was typed in, what is meant out.

Any text can be read: what is no clause is a word, so there is nothing to get
wrong. `read_as` says in plain words what was understood, `completions` how the
word under the cursor could go on. Knows nothing of where is searched.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from obra_tui.core.records.metrics import NAMES as FIGURES

Operator = Literal["=", "<", "<=", ">", ">="]

IS = (
    "open",
    "closed",
    "waiting",
    "accepted",
    "merged",
    "reverted",
    "rejected",
    "failed",
    "cancelled",
    "interrupted",
    "running",
    "rehearsal",
    "imported",
    "unjudged",
    "overridden",
    "pinned",
)
VERDICTS = ("pass", "fail", "retry", "ask", "approved", "changes", "rejected", "unjudged", "none")
CHECK_STATES = ("pass", "fail", "timeout", "broken")
FIELDS = (
    "is",
    "task",
    "verdict",
    "by",
    "score",
    "cost",
    "attempts",
    "model",
    "file",
    "check",
    "project",
    "session",
    "tag",
    "policy",
    "rubric",
    "figure",
    "since",
    "until",
)
_CHOICES: Mapping[str, tuple[str, ...]] = {"is": IS, "verdict": VERDICTS}
_NUMBERS = frozenset({"score", "cost", "attempts"})
_TIMES = frozenset({"since", "until"})
_EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "score": ("<80", ">=80"),
    "cost": (">1",),
    "attempts": (">1",),
    "since": ("today", "1d", "7d", "30d"),
    "until": ("today", "1d", "7d"),
    "by": ("person", "policy"),
    "policy": ("manual", "supervised", "autonomous"),
    "figure": tuple(sorted(FIGURES)),
}

_TOKEN = re.compile(
    r"""(?P<minus>-?)(?:(?P<name>[A-Za-z]+):(?P<given>(?:"[^"]*"?|[^\s"])*)|"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))"""
)
_WORD = re.compile(r"\w")
_NUMBER = re.compile(r"(<=|>=|<|>|=|)\$?(\d{1,12}(?:\.\d{1,12})?)%?\Z", re.ASCII)
_AGE = re.compile(r"(\d{1,5})(min|h|d|w|m|y)\Z", re.ASCII)
_AGE_S = {"min": 60, "h": 3_600, "d": 86_400, "w": 604_800, "m": 2_629_800, "y": 31_557_600}


class Word(Struct, frozen=True):
    """A free word: a beginning of a word, or an exact phrase."""

    text: str
    exact: bool = False
    unwanted: bool = False


class Clause(Struct, frozen=True):
    """`field:value`, with its value understood."""

    field: str
    text: str
    """The value as it is meant: lower case for choices, as typed for names."""
    operator: Operator = "="
    number: float | None = None
    """Of `score` (0–1), `cost`, `attempts`, and epoch seconds of `since` and `until`."""
    state: str = ""
    """Of `check:name=state`, and `yes` of `figure:name=yes`: only the cases that count."""
    whole: bool = False
    """The whole name and not a part of it: `project:=name`."""
    unwanted: bool = False


class Query(Struct, frozen=True):
    """A search line, understood."""

    words: tuple[Word, ...] = ()
    clauses: tuple[Clause, ...] = ()
    doubts: tuple[str, ...] = ()
    """Clauses that could not be understood and count as plain words."""

    @property
    def empty(self) -> bool:
        return not self.words and not self.clauses

    @property
    def wanted(self) -> tuple[Word, ...]:
        return tuple(word for word in self.words if not word.unwanted)


def parse(line: str, now: float) -> Query:
    """Understand any line; `now` is what `since:7d` counts back from."""
    words: list[Word] = []
    clauses: list[Clause] = []
    doubts: list[str] = []
    for match in _TOKEN.finditer(line.replace("\x00", " ")):
        clause = _clause(match, now)
        if clause is not None:
            clauses.append(clause)
            continue
        if (match["name"] or "").lower() in FIELDS:
            doubts.append(match[0])
        words += _word(match)
    return Query(tuple(words), tuple(clauses), tuple(doubts))


def _word(match: re.Match[str]) -> list[Word]:
    unwanted = bool(match["minus"])
    if match["phrase"] is not None:
        found = Word(match["phrase"].strip(), exact=True, unwanted=unwanted)
    elif match["name"]:
        found = Word(f"{match['name']}:{match['given']}".replace('"', " ").strip(), unwanted=unwanted)
    else:
        found = Word(match["word"], unwanted=unwanted)
    return [found] if _WORD.search(found.text) else []


def _clause(match: re.Match[str], now: float) -> Clause | None:
    name = (match["name"] or "").lower()
    given = (match["given"] or "").replace('"', "").strip()
    if name not in FIELDS or not given:
        return None
    unwanted = bool(match["minus"])
    if name in _NUMBERS:
        return _number(name, given, unwanted)
    if name in _TIMES:
        at = moment(given, now)
        return None if at is None else Clause(name, given, number=at, unwanted=unwanted)
    if name in _CHOICES:
        known = given.lower() in _CHOICES[name]
        return Clause(name, given.lower(), unwanted=unwanted) if known else None
    if name == "check":
        return _check(given, unwanted)
    if name == "figure":
        return _figure(given.lower(), unwanted)
    whole, given = given.startswith("="), given.removeprefix("=")
    return Clause(name, given, whole=whole, unwanted=unwanted) if _WORD.search(given) else None


def _figure(given: str, unwanted: bool) -> Clause | None:
    name, _, state = given.partition("=")
    known = name in FIGURES and state in ("", "yes")
    return Clause("figure", name, state=state, unwanted=unwanted) if known else None


def _number(name: str, given: str, unwanted: bool) -> Clause | None:
    match = _NUMBER.match(given)
    if match is None:
        return None
    value = float(match[2])
    if name == "score" and (value > 1 or given.endswith("%")):
        value /= 100
    operator: Operator = match[1] or "="  # type: ignore[assignment]
    return Clause(name, given, operator, value, unwanted=unwanted)


def _check(given: str, unwanted: bool) -> Clause | None:
    name, equals, state = given.partition("=")
    if not _WORD.search(name) or (equals and state.lower() not in CHECK_STATES):
        return None
    return Clause("check", name, state=state.lower(), unwanted=unwanted)


def moment(text: str, now: float) -> float | None:
    """Return the time that `7d`, `today`, `yesterday`, `2026-03-09` or `2026-03-09T14:00` means, or None."""
    age = _AGE.match(text.lower())
    if age is not None:
        return max(0.0, now - int(age[1]) * _AGE_S[age[2]])
    try:
        midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
        match text.lower():
            case "today":
                return midnight.timestamp()
            case "yesterday":
                return (midnight - timedelta(days=1)).timestamp()
            case _:
                return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


# --- saying it back ------------------------------------------------------------------------------

_OPERATORS = {"=": "is", "<": "below", "<=": "at most", ">": "above", ">=": "at least"}


def read_as(query: Query) -> str:
    """Return in plain words what was understood; empty when nothing was asked."""
    parts = [_said_word(word) for word in query.words] + [_said_clause(clause) for clause in query.clauses]
    doubts = "".join(f" ({doubt} is no clause: read as text)" for doubt in query.doubts)
    return " and ".join(parts) + doubts


def _said_word(word: Word) -> str:
    what = f'exactly "{word.text}"' if word.exact else f'"{word.text}…"'
    return f"without {what}" if word.unwanted else f"with {what}"


def _said_clause(clause: Clause) -> str:
    said = _said(clause)
    return f"not ({said})" if clause.unwanted else said


def _said(clause: Clause) -> str:
    match clause.field:
        case "score" | "cost" | "attempts":
            return f"{clause.field} {_OPERATORS[clause.operator]} {_amount(clause)}"
        case "since" | "until":
            at = datetime.fromtimestamp(clause.number or 0.0)
            return f"{clause.field} {at:%Y-%m-%d %H:%M}"
        case "check":
            return f"check {clause.text} {'ran' if not clause.state else f'ended in {clause.state}'}"
        case "is" | "verdict" | "by":
            return f"{clause.field} {clause.text}"
        case "figure":
            return f"{'counted' if clause.state else 'a case'} in {clause.text}"
        case field if clause.whole:
            return f'{field} is "{clause.text}"'
        case _:
            return f'{clause.field} has "{clause.text}"'


def _amount(clause: Clause) -> str:
    value = clause.number or 0.0
    if clause.field == "score":
        return f"{value:.2f}"
    return f"${value:g}" if clause.field == "cost" else f"{value:g}"


# --- completing ----------------------------------------------------------------------------------


def completions(line: str, cursor: int, known: Mapping[str, Iterable[str]] | None = None) -> tuple[str, ...]:
    """Return how the word that ends at `cursor` could go on: whole words that would stand in its place.

    `known` gives names per field, such as models and files that occur.
    """
    head = line[: max(0, cursor)]
    start = _word_start(head)
    typed = head[start:]
    minus, rest = ("-", typed[1:]) if typed.startswith("-") else ("", typed)
    name, colon, value = rest.partition(":")
    if not colon:
        return tuple(f"{minus}{field}:" for field in FIELDS if rest and field.startswith(rest.lower()))
    field = name.lower()
    return tuple(f"{minus}{field}:{item}" for item in _values(field, value, known or {}) if item != value)


def complete(line: str, cursor: int, candidate: str) -> tuple[str, int]:
    """Return the line with the word at `cursor` replaced by `candidate`, and where the cursor is then."""
    start = _word_start(line[: max(0, cursor)])
    space = "" if candidate.endswith(":") else " "
    head = f"{line[:start]}{candidate}{space}"
    return head + line[cursor:].lstrip(" " if space else ""), len(head)


def completed(
    line: str, cursor: int, known: Mapping[str, Iterable[str]] | None = None
) -> tuple[str, int, tuple[str, ...]]:
    """Return the line as Tab leaves it, where the cursor is then, and what there is to choose from."""
    found = completions(line, cursor, known)
    if len(found) == 1:
        return (*complete(line, cursor, found[0]), ())
    start = _word_start(line[: max(0, cursor)])
    common = _common(found)
    if len(common) <= cursor - start:
        return line, cursor, found
    return line[:start] + common + line[cursor:], start + len(common), found


def _common(words: Sequence[str]) -> str:
    """What all words begin with."""
    alike = 0
    for letters in zip(*words, strict=False):
        if len(set(letters)) > 1:
            break
        alike += 1
    return words[0][:alike] if words else ""


def _word_start(head: str) -> int:
    """Where the last word begins; a quotation mark that was opened holds words together."""
    start, quoted = 0, False
    for at, char in enumerate(head):
        if char == '"':
            quoted = not quoted
        elif char.isspace() and not quoted:
            start = at + 1
    return start


def _values(field: str, value: str, known: Mapping[str, Iterable[str]]) -> Sequence[str]:
    typed = value.strip('"').lower()
    if field == "check" and "=" in value:
        name, _, state = value.partition("=")
        return [f"{name}={item}" for item in CHECK_STATES if item.startswith(state.lower())]
    fixed = (*_CHOICES.get(field, ()), *_EXAMPLES.get(field, ()))
    names = dict.fromkeys((*fixed, *known.get(field, ())))
    return [_quoted(name) for name in names if name.lower().startswith(typed)][:20]


def _quoted(name: str) -> str:
    clean = name.replace('"', "")
    return f'"{clean}"' if any(char.isspace() for char in clean) else clean
