"""Which lines of a Python file the work changed in what they mean: comments and layout change nothing. Pure."""

import ast
from collections.abc import Iterator, Sequence

Lines = tuple[int, int]
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def touched_lines(path: str, old: str | None, new: str | None) -> tuple[Lines, ...] | None:
    """Return first and last line of the functions that were changed or added; None if all of the file counts."""
    if not path.endswith(".py") or old is None or new is None:
        return None
    try:
        before, after = ast.parse(old), ast.parse(new)
        return tuple(_differing(before.body, after.body))
    except (SyntaxError, ValueError, RecursionError, _Everywhere):
        return None


class _Everywhere(Exception):
    """What was changed is seen by all code of the file."""


def _differing(before: Sequence[ast.stmt], after: Sequence[ast.stmt]) -> Iterator[Lines]:
    """Yield the lines of the definitions that differ. Raises `_Everywhere` for a statement beside them."""
    _refuse_other_statements(before, after)
    known = _definitions(before)
    now = _definitions(after)
    if set(known) - set(now):
        raise _Everywhere
    for name, found in now.items():
        earlier = known.get(name)
        if earlier is not None and ast.dump(earlier) == ast.dump(found):
            continue
        if isinstance(found, ast.ClassDef) and isinstance(earlier, ast.ClassDef) and _same_head(earlier, found):
            try:
                yield from _differing(earlier.body, found.body)
                continue
            except _Everywhere:
                pass  # seen by all of the class
        first = min([found.lineno, *(item.lineno for item in found.decorator_list)])
        yield first, found.end_lineno or found.lineno


def _refuse_other_statements(before: Sequence[ast.stmt], after: Sequence[ast.stmt]) -> None:
    """More imports change nothing; whatever else stands beside definitions may change anything."""
    imports = {ast.dump(item) for item in before if isinstance(item, ast.Import | ast.ImportFrom)}
    if not imports <= {ast.dump(item) for item in after if isinstance(item, ast.Import | ast.ImportFrom)}:
        raise _Everywhere
    ignored = _Definition | ast.Import | ast.ImportFrom
    if [ast.dump(s) for s in before if not isinstance(s, ignored)] != [
        ast.dump(s) for s in after if not isinstance(s, ignored)
    ]:
        raise _Everywhere


def _definitions(body: Sequence[ast.stmt]) -> dict[str, _Definition]:
    """Return the definitions by name; one that is made twice under a name has a number."""
    found: dict[str, _Definition] = {}
    for item in body:
        if isinstance(item, _Definition):
            name = item.name
            while name in found:
                name += "'"
            found[name] = item
    return found


def _same_head(old: ast.ClassDef, new: ast.ClassDef) -> bool:
    def head(one: ast.ClassDef) -> list[str]:
        return [ast.dump(part) for part in (*one.bases, *one.keywords, *one.decorator_list)]

    return head(old) == head(new)
