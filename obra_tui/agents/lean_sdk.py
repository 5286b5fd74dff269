"""Loads the SDK without `mcp`, which takes four fifths of its half second and half of the program's memory.

The SDK needs that library only for tool servers that live in its own process (`create_sdk_mcp_server`, `@tool`).
Obra has none: servers of a project run in the Claude Code program. So while the SDK is imported, every name that it
takes from `mcp` is an empty class. The SDK is pinned exactly, and a test looks whether this still holds.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_LEFT_OUT = "mcp"


def load_sdk() -> None:
    """Import the SDK, once; harmless when it or `mcp` is loaded already."""
    if "claude_agent_sdk" in sys.modules or _LEFT_OUT in sys.modules:
        return
    with _left_out():
        importlib.import_module("claude_agent_sdk")


@contextmanager
def _left_out() -> Iterator[None]:
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_left_out(name)]:
            del sys.modules[name]


def _is_left_out(name: str) -> bool:
    return name == _LEFT_OUT or name.startswith(f"{_LEFT_OUT}.")


class _Finder(MetaPathFinder, Loader):
    """Answers for `mcp` and everything below it with modules whose every name is an empty class."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if _is_left_out(name) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Hollow(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to carry out."""


class _Hollow(ModuleType):
    def __getattr__(self, name: str) -> type:
        if name.startswith("_"):
            raise AttributeError(name)
        return type(name, (_Base,), {"__module__": self.__name__})


class _Base:
    """Takes what a class of pydantic would take from one that derives from it."""

    def __init_subclass__(cls, **_: object) -> None:
        super().__init_subclass__()
