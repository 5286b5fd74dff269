"""Where a run may work: the copy, and what is inside or outside of it.

Links are followed through the `resolve` that is handed in, so that this stays testable without files.
"""

import os
from collections.abc import Callable
from pathlib import PurePath

from msgspec import Struct

from obra_tui.core.acting_paths import acting_part

SECRET = frozenset({".ssh", ".aws", ".gnupg", ".netrc", ".kube", ".docker", ".azure", ".password-store"})
_NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})


class PathPolicy(Struct, frozen=True, kw_only=True):
    """The folders of one run, all resolved."""

    cwd: str
    scratch: tuple[str, ...] = ()
    """Folders of the program's own that it may write to."""
    readable: tuple[str, ...] = ()
    """Folders outside the copy that need no question to be read, such as the program's own stored tool results."""
    resolve: Callable[[str], str] = os.path.realpath

    def real(self, path: str) -> str:
        """Return where `path` really leads."""
        home = os.path.expanduser("~") + path[1:] if path == "~" or path.startswith("~/") else path  # noqa: PTH111
        return self.resolve(str(PurePath(self.cwd, home)))

    def inside(self, path: str) -> bool:
        return _under(self.real(path), (self.cwd,))

    def may_read(self, path: str) -> bool:
        return _under(self.real(path), (self.cwd, *self.scratch, *self.readable)) or path in _NOWHERE

    def may_write(self, path: str) -> bool:
        real = self.real(path)
        return path in _NOWHERE or (_under(real, (self.cwd, *self.scratch)) and not self.protected(path))

    def protected(self, path: str) -> str:
        """Return the name that makes `path` a protected place; empty if it is none."""
        real = self.real(path)
        inner = os.path.relpath(real, self.cwd) if _under(real, (self.cwd,)) else real
        secret = next((part for part in PurePath(inner).parts if part in SECRET), "")
        return secret or acting_part(inner)

    def dangers(self, path: str) -> tuple[str, ...]:
        """Return what touching `path` means, in words."""
        if path in _NOWHERE:
            return ()
        outside = () if _under(self.real(path), (self.cwd, *self.scratch)) else (f"outside the copy: {path}",)
        name = self.protected(path)
        kind = "secrets" if name in SECRET else "protected"
        return (*outside, f"{kind}: {name}") if name else outside


def _under(real: str, folders: tuple[str, ...]) -> bool:
    return any(real == folder or real.startswith(folder.rstrip("/") + "/") for folder in folders)
