"""A callback whose signature Textual need not inspect each time, which costs more than many a callback itself."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Signature
from typing import ClassVar


class Quick:
    """Calls a function without arguments."""

    __signature__: ClassVar[Signature] = Signature()

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function

    def __call__(self) -> None:
        """Call it."""
        self._function()
