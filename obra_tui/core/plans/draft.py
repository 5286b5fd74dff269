"""A task while it is being read from a plan file, and the words for its place."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field

from obra_tui.core.ids import new_task_id
from obra_tui.core.model import Budget, CheckSpec, TaskSpec

KEY = r"[A-Za-z0-9][\w.-]*"
"""What an id looks like."""


class Draft(Struct, kw_only=True):
    line: int | None
    key: str = ""
    title: str = ""
    done: bool = False
    prompt: str = ""
    acceptance: list[str] = field(default_factory=list)
    depends_on: list[tuple[str, int | None]] = field(default_factory=list)
    checks: tuple[CheckSpec, ...] = ()
    budget: Budget = field(default_factory=Budget)
    phase: str = ""
    """The spec-kit phase that it stands under."""
    parallel: bool = False
    """Has the tag `[P]`."""

    def task(self, source: str, drafts: Iterable["Draft"]) -> TaskSpec:
        done = {draft.key for draft in drafts if draft.done}
        needs = dict.fromkeys(key for key, _ in self.depends_on if key not in done)
        return TaskSpec(
            id=new_task_id(),
            key=self.key,
            title=self.title,
            prompt=self.prompt,
            acceptance=tuple(self.acceptance),
            depends_on=tuple(needs),
            checks=self.checks,
            budget=self.budget,
            source=at(source, self.line),
        )


def at(source: str, line: int | None) -> str:
    return source if line is None else f"{source}:{line}"


def plan_check(**fields: Any) -> CheckSpec:
    """Return a check that a plan asks for; it writes JUnit XML if its command names the place for it."""
    return CheckSpec(**fields, origin="plan", junit="$OBRA_JUNIT" in fields["run"])
