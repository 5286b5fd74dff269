"""Loads the SDK without `mcp` and `jsonschema`, which take nearly all of its half second and half of its memory.

The SDK needs them only for tool servers that live in its own process (`create_sdk_mcp_server`, `@tool`).
Obra has none: servers of a project run in the Claude Code program. So while the SDK is imported, every name that it
takes from them is an empty class. The SDK is pinned exactly, and a test looks whether this still holds.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_LEFT_OUT = ("mcp", "jsonschema")


def load_sdk() -> None:
    """Import the SDK, once; harmless when it is loaded already, and what is there already is used as it is."""
    if "claude_agent_sdk" in sys.modules:
        return
    with _left_out():
        importlib.import_module("claude_agent_sdk")


@contextmanager
def _left_out() -> Iterator[None]:
    finder = _Finder({name for name in _LEFT_OUT if name not in sys.modules})
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in list(sys.modules.items()) if isinstance(module, _Hollow)]:
            del sys.modules[name]


class _Finder(MetaPathFinder, Loader):
    """Answers for what is left out and everything below it with modules whose every name is an empty class."""

    def __init__(self, names: Set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in self._names else None

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
