"""What is remembered of a project's checks from one run to the next: how long each takes, and what failed last.

A note of ours beside the kept runs. It chooses what is shown and what runs first, and decides nothing.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.model import CheckResult, CheckSpec, CheckStatus
from obra_tui.evidence.copies import make_private

_MOST_CHECKS = 200
_MOST_NAMES = 200
_MOST_TIMES = 5


class Remembered(Struct, frozen=True):
    """Of one check."""

    seconds: tuple[float, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def expected_s(self) -> float | None:
        """Return the middle of the last times."""
        return sorted(self.seconds)[len(self.seconds) // 2] if self.seconds else None


class _Note(Struct, frozen=True):
    checks: dict[str, Remembered] = field(default_factory=dict)


class Experience(Struct, frozen=True):
    """The note of one project; a note that cannot be read is an empty one."""

    file: Path

    def of(self, spec: CheckSpec) -> Remembered:
        return self._read().checks.get(spec.name, Remembered())

    def expecting(self, specs: Iterable[CheckSpec]) -> tuple[CheckSpec, ...]:
        """Return the checks with the time that they are expected to take."""
        known = self._read().checks
        return tuple(
            replace(spec, expected_s=known[spec.name].expected_s) if spec.name in known else spec for spec in specs
        )

    def note(self, result: CheckResult, seconds: float, *, is_whole: bool) -> None:
        """Remember a check that came to its end; only one that ran whole tells how long it takes."""
        if result.status not in (CheckStatus.PASSED, CheckStatus.FAILED):
            return
        checks = dict(self._read().checks)
        before = checks.pop(result.spec.name, Remembered())
        failed = tuple(case.name for case in result.failures)[:_MOST_NAMES]
        times = (*before.seconds, round(seconds, 2))[-_MOST_TIMES:] if is_whole else before.seconds
        checks[result.spec.name] = Remembered(seconds=times, failed=failed)
        kept = dict(list(checks.items())[-_MOST_CHECKS:])
        with contextlib.suppress(OSError):
            make_private(self.file.parent)
            fresh = self.file.with_suffix(f".{os.getpid()}.new")
            fresh.write_bytes(msgspec.json.encode(_Note(kept)))
            fresh.replace(self.file)

    def _read(self) -> _Note:
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=_Note)
        except (OSError, msgspec.DecodeError):
            return _Note()
