"""Which records are worth a notice, and its words: names of tasks and numbers, never code, titles or a model's text."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct, field

from obra_tui.core import events as e
from obra_tui.core.events import Record
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.text import one_line

_BUDGET = frozenset({"budget", "limited"})
_LONGEST_TITLE = 80


class NoticeKind(StrEnum):
    """What a person can choose by `notify.kinds`."""

    WAITING = "waiting"
    FINISHED = "finished"
    STOPPED = "stopped"
    BUDGET = "budget"
    JUDGE = "judge"


class Notice(Struct, frozen=True, kw_only=True):
    """One thing that happened in a session."""

    kind: NoticeKind
    text: str
    session: SessionId


class ChannelMessage(Struct, frozen=True, kw_only=True):
    """What one channel sends once."""

    kind: NoticeKind
    title: str
    body: str


class NoticeReader(Struct):
    """Reads the records of one engine in order; remembers only what its tasks are called."""

    kinds: frozenset[NoticeKind] = frozenset(NoticeKind)
    with_titles: bool = False
    """Whether the title that a person gave to a task may leave the machine."""
    since: float = 0.0
    """Seconds since the epoch; what happened before, and is read again at a start, is no news."""
    web_url: str = ""
    """Where `obra web` is reached; empty = notices name commands alone."""
    _names: dict[TaskId, str] = field(default_factory=dict)

    def read(self, records: Iterable[Record]) -> Sequence[Notice]:
        """Return the notices of these records, in their order."""
        found = ((record.at, self._notice(record)) for record in records)
        return [notice for at, notice in found if notice and notice.kind in self.kinds and at >= self.since]

    def _notice(self, record: Record) -> Notice | None:
        if isinstance(record.event, e.TaskAdded):
            spec = record.event.spec
            title = f" ({one_line(spec.title, _LONGEST_TITLE)})" if self.with_titles else ""
            self._names[spec.id] = f"{spec.key}{title}"
        found = _of_event(record.event, self._names.get(record.task, "a task") if record.task else "")
        if found is None:
            return None
        return Notice(kind=found[0], text=f"{found[1]}{self._link(record)}", session=record.session)

    def _link(self, record: Record) -> str:
        """Return where a browser shows it, for what waits for an answer or has ended."""
        match record.event:
            case _ if not self.web_url:
                return ""
            case e.GateOpened(gate=gate):
                return f" · {self.web_url}/gates/{gate}"
            case e.PermissionAsked():
                return f" · {self.web_url}/"
            case _:
                return f" · {self.web_url}/sessions/{record.session}"


def _of_event(event: e.Event, task: str) -> tuple[NoticeKind, str] | None:
    match event:
        case e.GateOpened():
            return NoticeKind.WAITING, f"{task} waits for your decision: obra review"
        case e.PermissionAsked():
            return NoticeKind.WAITING, f"Claude Code asks for a permission in {task}: obra permissions"
        case e.ProblemRaised(code=code):
            kind = NoticeKind.BUDGET if code in _BUDGET else NoticeKind.STOPPED
            return kind, f"the run stopped ({code}): obra show says why"
        case e.RunFinished():
            return NoticeKind.FINISHED, f"the run finished: {_counted(event)}"
        case e.StandingChanged(before=before, after=after):
            moved = "lost authority" if after < before else "gained authority"
            return NoticeKind.JUDGE, f"the judge {moved} (level {before} to {after}): obra judge"
        case _:
            return None


def _counted(run: e.RunFinished) -> str:
    counts = {
        "accepted": run.accepted,
        "waiting for you": run.waiting,
        "rejected": run.rejected,
        "failed": run.failed,
        "interrupted": run.interrupted,
        "blocked": run.blocked,
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing was done"


def message_of(notices: Sequence[Notice]) -> ChannelMessage:
    """Return one message for a batch; there is at least one notice in it."""
    first = notices[0]
    lines = [f"{notice.text} [session {notice.session}]" for notice in notices]
    kind = NoticeKind.WAITING if any(notice.kind is NoticeKind.WAITING for notice in notices) else first.kind
    title = f"Obra: {_TITLES[kind]}" if len(notices) == 1 else f"Obra: {len(notices)} notices, {_TITLES[kind]}"
    return ChannelMessage(kind=kind, title=title, body="\n".join(lines))


_TITLES = {
    NoticeKind.WAITING: "waiting for you",
    NoticeKind.FINISHED: "finished",
    NoticeKind.STOPPED: "stopped",
    NoticeKind.BUDGET: "budget or limit reached",
    NoticeKind.JUDGE: "the judge's authority changed",
}
