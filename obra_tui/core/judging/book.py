"""Everything that was written about the judges of a project, and the past work that cases are made of. Values only."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from obra_tui.core.events import StandingChanged, WorkLabelled
from obra_tui.core.ids import AttemptId
from obra_tui.core.model import CaseSource, JudgeCase, Strength, Trial, Truth, case_id


class CaseBook(Struct, frozen=True, kw_only=True):
    """All kept cases, everything that was answered to them, and labels; places are those in the journal."""

    cases: dict[str, JudgeCase]
    retired: dict[str, str]
    """Ids of cases that no longer count, with the reason."""
    trials: tuple[tuple[int, Trial], ...]
    labels: tuple[tuple[int, WorkLabelled], ...]
    acknowledged: tuple[int, ...]
    changes: tuple[tuple[float, StandingChanged], ...] = ()
    """When a judge was allowed more or less, oldest first."""

    @property
    def told(self) -> dict[str, int]:
        """The level of each version that was told last."""
        return {change.version: change.after for _, change in self.changes}

    @property
    def counting(self) -> dict[str, JudgeCase]:
        return {name: case for name, case in self.cases.items() if name not in self.retired}


class PastWork(Struct, frozen=True, kw_only=True):
    """An attempt, and what is known of its worth."""

    attempt: AttemptId
    task: str
    title: str = ""
    failing: int = 0
    """Blocking checks that failed."""
    passes: bool = False
    decision: str = ""
    is_known: bool = False
    """Somebody looked before they decided."""
    is_blind: bool = False
    """They gave a score of their own before the judge's was shown."""
    is_accepted: bool = False
    is_reverted: bool = False
    is_truncated: bool = False
    files: tuple[str, ...] = ()


def cases_of(past: Sequence[PastWork], labels: Iterable[WorkLabelled]) -> Iterator[JudgeCase]:
    """Yield what past work is a case of, oldest first; work that is too large to be shown whole is none."""
    misses = {label.of: label for label in labels if label.truth is Truth.BAD}
    praised = {label.of for label in labels if label.truth is Truth.GOOD} - set(misses)
    for work in past:
        if work.is_truncated or not work.files:
            continue
        if work.is_reverted or work.attempt in misses:
            yield _case(CaseSource.REVERTED, work, "A", misses.get(work.attempt))
        elif work.failing:
            yield _case(CaseSource.ATTEMPT_FAILED, work, "A")
        elif work.attempt in praised or (work.is_accepted and work.is_known):
            yield _case(CaseSource.ACCEPTED, work, "B" if work.is_blind or work.attempt in praised else "C")
        elif work.is_known and work.decision in ("reject", "changes"):
            yield _case(CaseSource.PERSON, work, "B" if work.is_blind else "C")


def wrong_tasks(past: Sequence[PastWork]) -> Iterator[JudgeCase]:
    """Yield accepted work under the next accepted task that touches no file of it: it cannot be what was asked for."""
    good = [work for work in past if work.is_accepted and work.is_known and not work.is_reverted and work.files]
    for index, work in enumerate(good):
        others = (*good[index + 1 :], *good[:index])
        other = next(
            (item for item in others if item.task != work.task and not set(item.files) & set(work.files)), None
        )
        if other is not None and not work.is_truncated:
            yield JudgeCase(
                id=case_id(CaseSource.WRONG_TASK, work.attempt, other.attempt),
                source=CaseSource.WRONG_TASK,
                truth=Truth.BAD,
                strength="A",
                base=work.task,
                kind="another task's work",
                attempt=work.attempt,
                task_of=other.attempt,
            )


def _case(source: CaseSource, work: PastWork, strength: Strength, label: WorkLabelled | None = None) -> JudgeCase:
    return JudgeCase(
        id=case_id(source, work.attempt),
        source=source,
        truth=Truth.GOOD if source is CaseSource.ACCEPTED else Truth.BAD,
        strength=strength,
        base=work.task,
        attempt=work.attempt,
        file=label.file if label else "",
        line=label.line if label else None,
        note=label.note if label else "",
    )


def audits_due(past: Sequence[PastWork], labels: Iterable[WorkLabelled]) -> tuple[PastWork, ...]:
    """Return accepted work that nobody looked at, in an order drawn at random that neither work nor judge can know."""
    labelled = {label.of for label in labels}
    unseen = [work for work in past if work.is_accepted and not work.is_known and work.attempt not in labelled]
    return tuple(sorted(unseen, key=lambda work: hashlib.sha256(f"sample {work.attempt}".encode()).digest()))
