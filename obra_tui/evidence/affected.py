"""Which tests a change touches: those that load a changed module, directly or by others. Files are read, never run.

A guess that may miss some: it says what runs first, and never what need not run.
"""

import ast
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from obra_tui.evidence.discover import python_files

_MOST_FILES = 6_000
_MOST_BYTES = 1 << 19
_MOST_CHANGED = 100
_TEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]+|[^/]+_test|tests?)\.py$")
_SCRIPT = re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte)$")
_RELATED = {
    "jest": "node_modules/.bin/jest --findRelatedTests {}",
    "vitest": "node_modules/.bin/vitest related --run {}",
}


def affected_tests(files: Path, changed: Sequence[str]) -> frozenset[str]:
    """Return the files of tests that load one of the changed files of Python, or are one of them."""
    sources = python_files(files)[:_MOST_FILES]
    modules = {name: path for path in sources for name in _module_names(path)}
    users: dict[str, set[str]] = {}
    for path in sources:
        for name in _imports(files / path, path):
            if target := _found(modules, name):
                users.setdefault(target, set()).add(path)
    waiting = [path for path in changed if path.endswith(".py")][:_MOST_CHANGED]
    reached = set(waiting)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if user not in reached:
                reached.add(user)
                waiting.append(user)
    return frozenset(path for path in reached if _TEST_FILE.search(path))


def related_command(script: str, changed: Sequence[str]) -> str:
    """Return how a runner of JavaScript runs only the tests that load the changed files; empty if it cannot."""
    runner = script.removeprefix("npx ").partition(" ")[0].rpartition("/")[2]
    named = [path for path in changed if _SCRIPT.search(path)][:_MOST_CHANGED]
    if runner not in _RELATED or not named or set(";|&") & set(script):
        return ""
    return _RELATED[runner].format(shlex.join(named))


def _module_names(path: str) -> Iterator[str]:
    """Yield the names that a file may be imported by: below the root, and below a folder of sources."""
    parts = path.removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts = parts[:-1]
    for start in range(min(len(parts), 3)):
        yield ".".join(parts[start:])


def _found(modules: dict[str, str], name: str) -> str:
    """Return the file of a module, or of the package that has such a name in it."""
    return modules.get(name) or modules.get(name.rpartition(".")[0], "")


def _imports(file: Path, path: str) -> Iterator[str]:
    try:
        if file.is_symlink() or file.stat().st_size > _MOST_BYTES:
            return
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    package = os.path.dirname(path).split("/")  # noqa: PTH120
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*filter(None, base), *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
