"""Runs of checks that need not be repeated: the same command on the same tree in the same environment.

Files of our own below the data directory, which nothing that is checked can see. A note that cannot be read is none.
"""

import contextlib
import hashlib
import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from obra_tui.core.model import CheckSpec, CheckStatus, SandboxLevel
from obra_tui.evidence.copies import make_private
from obra_tui.evidence.reading import Execution

_FORM = "2"
_KEPT_S = 14 * 86_400
_MOST = 2_000


class RunCache(Struct, frozen=True):
    """Runs under `folder`, by a key of all that decides what they show."""

    folder: Path

    def get(self, key: str) -> Execution | None:
        path = self.folder / key
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Execution)
            os.utime(path)
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            return None
        return found

    def put(self, key: str, run: Execution) -> None:
        """Keep a run that came to its end; whatever refuses to be written is run again."""
        if run.status not in (CheckStatus.PASSED, CheckStatus.FAILED):
            return
        with contextlib.suppress(OSError):
            make_private(self.folder)
            fresh = self.folder / f"{key}.{os.getpid()}.new"
            fresh.write_bytes(msgspec.json.encode(run))
            fresh.replace(self.folder / key)

    def prune(self) -> None:
        """Forget what nobody asked for in two weeks, and the oldest beyond a number."""
        with contextlib.suppress(OSError):
            entries = sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
            oldest = time.time() - _KEPT_S
            for place, path in enumerate(entries):
                if place >= _MOST or path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)


def key_of_run(spec: CheckSpec, tree: str, level: SandboxLevel, *circumstances: str) -> str:
    """Return a name for one command on one tree; `circumstances` are the environment and the way it is run in."""
    parts = (_FORM, spec.run, spec.stage.value, str(spec.junit), str(spec.timeout_s), tree, level.value, *circumstances)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
