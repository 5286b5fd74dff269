"""Code as coloured lines, by Pygments, with a handful of style names instead of its hundreds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from widgets.lines import LogLine, Run, from_runs

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_LARGEST = 60_000
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
_NAMES = (
    ("Token.Comment", "tok-comment"),
    ("Token.Literal.String", "tok-string"),
    ("Token.Literal.Number", "tok-number"),
    ("Token.Keyword", "tok-keyword"),
    ("Token.Operator.Word", "tok-keyword"),
    ("Token.Operator", "tok-operator"),
    ("Token.Name.Function", "tok-name"),
    ("Token.Name.Class", "tok-name"),
    ("Token.Name.Decorator", "tok-name"),
    ("Token.Name.Tag", "tok-name"),
    ("Token.Generic.Inserted", "added"),
    ("Token.Generic.Deleted", "removed"),
)


def code_lines(code: str, language: str = "", lead: str = "  ", limit: int = _LARGEST) -> list[LogLine]:
    """The lines of a piece of code; plain when the language is unknown, or it has more than `limit` characters."""
    lexer = _lexer(language) if _LANGUAGE.fullmatch(language) else None
    if lexer is None or len(code) > limit:
        return [_line([Run(text)], lead) for text in code.split("\n")]
    return [_line(runs, lead) for runs in _split(lexer, code)]


def _line(runs: Iterable[Run], lead: str) -> LogLine:
    made = from_runs(runs)
    return LogLine(made.text, spans=made.spans, style="codeblock", lead=lead)


def _split(lexer: Lexer, code: str) -> list[list[Run]]:
    """Tokens cut at newlines; as many lines as the code has."""
    lines: list[list[Run]] = [[]]
    for kind, value in lexer.get_tokens(code):
        style = _style(str(kind))
        for index, text in enumerate(value.split("\n")):
            if index:
                lines.append([])
            if text:
                lines[-1].append(Run(text, style))
    wanted = code.count("\n") + 1
    lines.extend([] for _ in range(wanted - len(lines)))
    return lines[:wanted]


@lru_cache(maxsize=512)
def _style(kind: str) -> str:
    return next((name for prefix, name in _NAMES if kind.startswith(prefix)), "")


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=256)
def language_of(path: str) -> str:
    """The language of a file name, or an empty text."""
    from pygments.lexers import find_lexer_class_for_filename

    found = find_lexer_class_for_filename(path)
    return found.aliases[0] if found and found.aliases else ""


def warm_up(languages: Iterable[str] = ("python", "bash", "json", "diff")) -> None:
    """Load Pygments and the usual lexers; call it from a thread, so that the first code block costs nothing."""
    for language in languages:
        code_lines("x = 1", language)
