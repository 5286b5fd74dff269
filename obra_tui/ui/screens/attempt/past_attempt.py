"""What is known of the attempt on screen, and how it grows while it runs. Values and records; no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.events import STREAMED, Record
from obra_tui.core.ids import AttemptId
from obra_tui.core.model import GateDecision
from obra_tui.core.records.attempt_words import is_running, person_name
from obra_tui.core.records.history import AttemptDetail, History, SessionDetail
from obra_tui.ui.ports import Archive
from obra_tui.ui.screens.history.listing import Labels, Selection
from obra_tui.ui.screens.history.rows import PINNED
from obra_tui.ui.screens.history_query import all_records
from obra_tui.ui.view.blinding import Blinded, redact_attempt, told
from obra_tui.ui.view.status_words import DECISION, TASK

FACTS = (
    e.PromptSent,
    e.ClaudeEnded,
    e.DiffTaken,
    e.CheckFinished,
    e.VerdictReached,
    e.GateJudged,
    e.GateOpened,
    e.DecisionMade,
    e.WorkAccepted,
    e.WorkKept,
)
"""Records after which the attempt has to be read again: the pages are made of them."""


class PastAttempt(Struct, frozen=True, kw_only=True):
    """An attempt with its session, its records without the streamed ones, and the labels of its session."""

    detail: AttemptDetail
    session: SessionDetail
    records: tuple[Record, ...] = ()
    labels: Labels = field(default_factory=dict)
    hidden: bool = False
    """The number is kept back from the person."""

    @property
    def id(self) -> AttemptId:
        return self.detail.summary.id

    @property
    def runs(self) -> bool:
        return is_running(self.detail.summary)

    @property
    def of_session(self) -> tuple[str, ...]:
        """The labels of its session."""
        return self.labels.get(self.detail.summary.session, ())

    @property
    def pinned(self) -> bool:
        return PINNED in self.of_session

    @property
    def tries(self) -> int:
        """How many attempts its task has."""
        return sum(attempt.task == self.detail.summary.task for attempt in self.session.attempts)

    @property
    def subject(self) -> Selection:
        summary = self.detail.summary
        name = f"{summary.task_key} attempt {summary.number}"
        return Selection(session=summary.session, attempt=summary.id, name=name)

    @property
    def quality(self) -> str:
        if self.hidden:
            return "score hidden (blind mode)"
        if self.detail.quality is not None:
            return self.detail.quality.line
        return "" if self.runs else "– no gate"

    @property
    def decided(self) -> str:
        """What became of it, and who said so."""
        summary = self.detail.summary
        if self.runs:
            return ""
        if summary.reverted and self.detail.reverted is not None:
            return f"reverted by {person_name(self.detail.reverted.by)}"
        if summary.decision is not None:
            return f"{DECISION[summary.decision].word} by {person_name(summary.decided_by)}"
        if summary.waiting is not None:
            return "waits for you"
        again = summary.gate_decision is GateDecision.RETRY
        return "tried again" if again else TASK[summary.task_state].word

    def neighbour(self, step: int) -> AttemptId | None:
        """The attempt of the session so many before or after it."""
        siblings = [attempt.id for attempt in self.session.attempts]
        at = siblings.index(self.id) + step if self.id in siblings else -1
        return siblings[at] if 0 <= at < len(siblings) else None

    def without(self, kept: Blinded) -> PastAttempt:
        """Return it without the number, if that is kept back."""
        if self.id not in kept.attempts:
            return self
        return replace(self, hidden=True, detail=redact_attempt(self.detail, kept), records=told(self.records, kept))

    # -- growing -------------------------------------------------------------------------------

    def news(self, records: Sequence[Record]) -> list[Record]:
        """Return those of the records that are of this attempt and not known yet."""
        last = self.records[-1].seq if self.records else 0
        return [record for record in records if record.attempt == self.id and record.seq > last]

    def grown(self, news: Sequence[Record]) -> PastAttempt:
        """Return it with what happened since; streamed pieces are not kept."""
        facts = tuple(record for record in news if not isinstance(record.event, STREAMED))
        return replace(self, records=(*self.records, *facts)) if facts else self


def read_attempt(archive: Archive | None, attempt: AttemptId, history: History) -> PastAttempt:
    """In a worker thread."""
    detail = history.attempt(attempt)
    return PastAttempt(
        detail=detail,
        session=history.session(detail.summary.session),
        records=tuple(all_records(partial(history.attempt_records, attempt))),
        labels=archive.labels() if archive is not None else {},
    )
