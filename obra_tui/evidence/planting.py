"""Faults to plant into a changed file: small edits that a test could find, one at a time, on given lines only.

Grammars of tree-sitter say where an operator, a constant or a statement stands; files of other languages are edited by
rules on their text. Whether a fault is one is not decided here: tests prove it, or it is thrown away. Pure.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import PurePath
from typing import Any

from msgspec import Struct

_GRAMMARS = {
    ".py": "python",
    ".js": "javascript",
    ".jsx": "javascript",
    ".mjs": "javascript",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".sh": "bash",
}
_LARGEST = 400_000

_SWAPS: Mapping[str, tuple[str, str]] = {
    "<": ("<=", "boundary"),
    "<=": ("<", "boundary"),
    ">": (">=", "boundary"),
    ">=": (">", "boundary"),
    "==": ("!=", "comparison"),
    "!=": ("==", "comparison"),
    "===": ("!==", "comparison"),
    "!==": ("===", "comparison"),
    "+": ("-", "arithmetic"),
    "-": ("+", "arithmetic"),
    "*": ("/", "arithmetic"),
    "/": ("*", "arithmetic"),
    "//": ("*", "arithmetic"),
    "%": ("*", "arithmetic"),
    "and": ("or", "logic"),
    "or": ("and", "logic"),
    "&&": ("||", "logic"),
    "||": ("&&", "logic"),
    "+=": ("-=", "arithmetic"),
    "-=": ("+=", "arithmetic"),
}
_OPERATIONS = frozenset(
    {
        "assignment_expression",
        "assignment_statement",
        "augmented_assignment",
        "augmented_assignment_expression",
        "binary_expression",
        "binary_operator",
        "boolean_operator",
        "comparison_operator",
        "compound_assignment_expr",
    }
)
_CONSTANTS = frozenset(("integer", "number", "int_literal", "integer_literal", "decimal_integer_literal"))
_FLAGS = {"True": "False", "False": "True", "true": "false", "false": "true"}
_CALLS = frozenset(("call", "call_expression", "method_invocation"))
_ARGUMENTS = frozenset(("argument_list", "arguments"))
_JUMPS = {"break_statement": ("break", "continue"), "continue_statement": ("continue", "break")}
_NOTHING = {"python": "pass", "bash": ":"}
_NEGATIONS = {"python": "not ({})", "javascript": "(!{})", "java": "(!{})", "go": "!({})", "rust": "!({})"}
_RETURNED = {"python": "None", "javascript": "null"}
_COMMENTS = {"python": "#", "bash": "#"}


class PlantedFault(Struct, frozen=True, kw_only=True):
    """One edit of one file."""

    path: str
    line: int
    kind: str
    text: str
    """The whole file with the fault in it."""


class _Edit(Struct, frozen=True, kw_only=True):
    start: int
    end: int
    new: bytes
    kind: str
    line: int


def faults_in(path: str, text: str, lines: Collection[int]) -> Iterator[PlantedFault]:
    """Yield the faults that can be planted on these lines (1-based), in the order of the file."""
    source = text.encode()
    if len(source) > _LARGEST or not lines:
        return
    language = _GRAMMARS.get(PurePath(path).suffix, "")
    edits = _by_grammar(source, language) if language else _by_text(text)
    wanted = set(lines)
    for edit in edits:
        if edit.line not in wanted:
            continue
        changed = source[: edit.start] + edit.new + source[edit.end :]
        if changed != source and (not language or _is_sound(changed, language)):
            yield PlantedFault(path=path, line=edit.line, kind=edit.kind, text=changed.decode("utf-8", "replace"))


def with_comment(path: str, text: str, line: int, words: str) -> str:
    """Return the text with a comment at the end of a line, which changes nothing of what it does."""
    mark = _COMMENTS.get(_GRAMMARS.get(PurePath(path).suffix, ""), "//")
    rows = text.split("\n")
    rows[line - 1] = f"{rows[line - 1]}  {mark} {words}"
    return "\n".join(rows)


# --- by grammar ----------------------------------------------------------------------------------


@cache
def _parser(language: str) -> Any:
    from tree_sitter import Language, Parser

    return Parser(Language(import_module(f"tree_sitter_{language}").language()))


def _is_sound(source: bytes, language: str) -> bool:
    return not _parser(language).parse(source).root_node.has_error


def _by_grammar(source: bytes, language: str) -> Iterator[_Edit]:
    root = _parser(language).parse(source).root_node
    if root.has_error:
        return
    stack = [root]
    while stack:
        node = stack.pop()
        yield from _edits_of(node, source, language)
        stack.extend(reversed(node.children))


def _edits_of(node: Any, source: bytes, language: str) -> Iterator[_Edit]:
    kind, text = node.type, source[node.start_byte : node.end_byte].decode("utf-8", "replace")
    parent = node.parent.type if node.parent is not None else ""
    if kind in _SWAPS and parent in _OPERATIONS:
        new, name = _SWAPS[kind]
        yield _edit(node, new, name)
    elif kind in _CONSTANTS and text.isdecimal():
        yield _edit(node, str(int(text) + 1), "constant")
    elif text in _FLAGS and not node.children:
        yield _edit(node, _FLAGS[text], "constant")
    elif kind in _JUMPS:
        yield _edit(node, text.replace(*_JUMPS[kind]), "loop")
    elif kind == "expression_statement" and node.named_children and node.named_children[0].type in _CALLS:
        yield _edit(node, _NOTHING.get(language, ";"), "omitted call")
    elif kind == "await" and node.named_children:
        yield _replaced(node, node.named_children[0], source, "await dropped")
    elif kind in _ARGUMENTS and len(node.named_children) >= 2:
        yield from _swapped(node, source)
    elif kind in ("if_statement", "if_expression", "while_statement") and language in _NEGATIONS:
        yield from _negated(node, source, _NEGATIONS[language])
    elif kind == "return_statement" and node.named_children and language in _RETURNED:
        yield _edit(node.named_children[0], _RETURNED[language], "return value")


def _edit(node: Any, new: str, kind: str) -> _Edit:
    return _Edit(start=node.start_byte, end=node.end_byte, new=new.encode(), kind=kind, line=node.start_point[0] + 1)


def _replaced(node: Any, by: Any, source: bytes, kind: str) -> _Edit:
    return _edit(node, source[by.start_byte : by.end_byte].decode("utf-8", "replace"), kind)


def _swapped(node: Any, source: bytes) -> Iterator[_Edit]:
    first, second = node.named_children[:2]
    if "keyword_argument" in (first.type, second.type) or first.type == "comment":
        return
    one, between, other = (
        source[first.start_byte : first.end_byte],
        source[first.end_byte : second.start_byte],
        source[second.start_byte : second.end_byte],
    )
    yield _Edit(
        start=first.start_byte,
        end=second.end_byte,
        new=other + between + one,
        kind="swapped arguments",
        line=first.start_point[0] + 1,
    )


def _negated(node: Any, source: bytes, form: str) -> Iterator[_Edit]:
    condition = node.child_by_field_name("condition")
    if condition is not None:
        text = source[condition.start_byte : condition.end_byte].decode("utf-8", "replace")
        yield _edit(condition, form.format(text), "condition")


# --- by text -------------------------------------------------------------------------------------

_TEXT_RULES = (
    (re.compile(r"(?<=\s)(<=|>=|==|!=|<|>)(?=\s)"), None),
    (re.compile(r"(?<=\s)([+*/-])(?=\s)"), None),
    (re.compile(r"(?<=\s)(&&|\|\|)(?=\s)"), None),
    (re.compile(r"(?<![\w.])(\d{1,6})(?![\w.])"), "constant"),
    (re.compile(r"\b(true|false)\b"), "constant"),
)
"""For languages without a grammar here: what has white space around it is an operator nearly everywhere."""


def _by_text(text: str) -> Iterator[_Edit]:
    at = 0
    for number, row in enumerate(text.split("\n"), start=1):
        if not row.lstrip().startswith(("#", "//", "*", "--", "/*")):
            for pattern, kind in _TEXT_RULES:
                for found in pattern.finditer(row):
                    old = found[1]
                    new, name = _SWAPS.get(old) or (_FLAGS.get(old) or str(int(old) + 1), kind or "")
                    start = at + len(row[: found.start(1)].encode())
                    end = start + len(old.encode())
                    yield _Edit(start=start, end=end, new=new.encode(), kind=name, line=number)
        at += len(row.encode()) + 1
