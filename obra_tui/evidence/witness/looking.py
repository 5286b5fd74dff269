"""What the witness sees from inside while tests run: which files they read, and who looks into the test runner.

A part of the text of `program`, so the same holds for it: nothing but the standard library, and Python 3.8.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

ROOT = os.getcwd()  # noqa: PTH109
MOST_READ = 5_000
CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".js", ".ts", ".mjs", ".cjs", ".sh", ".pl", ".rb")


class Looking:
    """Which files the tests read, for a run of the base."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.places: frozenset[str] = frozenset()
        """Folders that hold tests; nothing is noted before they are known."""

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and self.places:
            self._note(arguments[0])
        elif event == "subprocess.Popen" and self.places and isinstance(arguments[1], (list, tuple)):
            for item in arguments[1]:
                self._note(item)

    def _note(self, path: object) -> None:
        if not isinstance(path, (str, os.PathLike)) or len(self.read) >= MOST_READ:
            return
        name = inside_tree(os.fspath(path))
        if name and not name.endswith(CODE) and name not in self.read and self._of_tests(name):
            self.read.add(name)

    def _of_tests(self, name: str) -> bool:
        """A test opened it itself, or had it opened and it is no part of a package."""
        frame, nearest = sys._getframe(3), True
        packaged = os.path.exists(os.path.join(ROOT, os.path.dirname(name), "__init__.py"))  # noqa: PTH110, PTH118, PTH120
        while frame is not None:
            source = inside_tree(frame.f_code.co_filename)
            if source:
                if os.path.dirname(source) in self.places:  # noqa: PTH120
                    return nearest or not packaged
                nearest = False
            frame = frame.f_back  # type: ignore[assignment]
        return False


def inside_tree(path: str | bytes) -> str:
    """Return the path relative to the tree; empty if it is elsewhere or belongs to an environment."""
    text = os.fsdecode(path)
    if text.startswith("<"):
        return ""
    if not text.startswith("/"):
        text = os.path.normpath(os.path.join(ROOT, text))  # noqa: PTH118
    if not text.startswith(ROOT + "/"):
        return ""
    name = text[len(ROOT) + 1 :]
    return "" if name.startswith((".venv/", "venv/", ".git/", ".tox/", ".nox/")) or "/site-packages/" in name else name


_LOOKS = frozenset(
    {"gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys._getframe", "sys._current_frames", "sys.settrace",
     "sys.setprofile"}
)  # fmt: skip


class Introspection:
    """Which code of the tree looks at frames and at other people's objects while the tests run."""

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        self._say = say
        self._told: set[str] = set()
        self._inside = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _LOOKS or self._inside:
            return
        self._inside = True
        try:
            source = inside_tree(sys._getframe(1).f_code.co_filename)
            what = f"{event} by {source}"
            if source and what not in self._told:
                self._told.add(what)
                self._say({"replaced": what})
        finally:
            self._inside = False
