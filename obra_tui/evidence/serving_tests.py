"""Which files serve the tests although their names do not say so: data that tests name, and helpers that only compare.

Pure. A file is looked at by what it consists of and by who mentions it: what other code uses too belongs to the code.
"""

import ast
import re
from collections.abc import Iterable

_CODE = (".py", ".js", ".cjs", ".mjs", ".ts", ".tsx", ".jsx", ".go", ".rs", ".java", ".rb", ".php", ".sh")
_SCRIPT = (".js", ".cjs", ".mjs", ".ts")
_DEFINES = re.compile(r"\bfunction\b|=>|\bclass\b")
_THROWS = re.compile(r"\bthrow\b|\bassert\b|\bexpect\(")
_SHORTEST = 3


def is_code(path: str) -> bool:
    return path.endswith(_CODE)


def word_of(path: str) -> str:
    """Return the word by which other files name this one: the module of code, else the whole name."""
    name = path.rpartition("/")[2]
    return name.partition(".")[0] if is_code(path) else name


def may_serve_tests(path: str, old: str | None) -> bool:
    """Tell whether a file, by what it consists of, may be there for tests alone."""
    if old is None or len(word_of(path)) < _SHORTEST:
        return False
    if not is_code(path):
        return True
    if path.endswith(".py"):
        return _python(old)
    return path.endswith(_SCRIPT) and (not _DEFINES.search(old) or bool(_THROWS.search(old) and "return" not in old))


def _python(text: str) -> bool:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return False
    says = [isinstance(node, (ast.Assign, ast.AnnAssign)) or _compares(node) for node in body]
    beside = (ast.Import, ast.ImportFrom, ast.Expr)
    return any(says) and all(said or isinstance(node, beside) for said, node in zip(says, body, strict=True))


def _compares(node: ast.stmt) -> bool:
    """A function that asserts something of what it is given, and returns nothing."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    inner = list(ast.walk(node))
    returns = any(isinstance(item, ast.Return) and item.value is not None for item in inner)
    return not returns and any(isinstance(item, ast.Assert) or _raises_assertion(item) for item in inner)


def _raises_assertion(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) and node.exc is not None and "AssertionError" in ast.dump(node.exc)


def serves_tests(mentioned_in: Iterable[str], tests: Iterable[str], path: str) -> bool:
    """Tell whether tests name the file, and of all other code none does."""
    others = {name for name in mentioned_in if name != path and is_code(name)}
    known = set(tests)
    return bool(others) and others <= known
