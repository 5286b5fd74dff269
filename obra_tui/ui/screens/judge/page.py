"""Where the page of the Judge screen comes from, and where a person's word about judged work goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from obra_tui.core import commands as c
from obra_tui.core.events import JudgeAcknowledged, Judging, WorkLabelled
from obra_tui.core.judging.book import audits_due
from obra_tui.core.judging.standing import LIMIT
from obra_tui.core.model import Truth
from obra_tui.ui.screens.judge.rows import JudgePage

if TYPE_CHECKING:
    from obra_tui.core.ids import AttemptId
    from obra_tui.core.records.history import History
    from obra_tui.ui.services import AppServices


class RecordScope(Struct, frozen=True, kw_only=True):
    """Whose record is read, and by which settings."""

    project: str
    is_rehearsal: bool
    settings: Mapping[str, str]


def project_shown(services: AppServices) -> str:
    """The one that is worked on; a rehearsal has a repository of its own."""
    launch, newest = services.launch, services.view.newest_session
    return newest.project if launch.rehearsal and newest and newest.project else launch.project


def read_page(history: History, scope: RecordScope) -> JudgePage:
    """Read everything that the screen shows; for a worker thread. Raises `ObraError`."""
    project, rehearsal = scope.project, scope.is_rehearsal
    limit = float(scope.settings.get("gate.false_pass_limit", LIMIT))
    records = history.judge_records(project, rehearsal=rehearsal, limit=limit)
    book = history.judge_book(project, rehearsal=rehearsal)
    past = history.past_work(project, rehearsal=rehearsal)
    titles = {work.attempt: work.title for work in past}
    alarms = [book.cases[name] for name in records[0].answers.alarms] if records else []
    return JudgePage(
        records=records,
        changes=book.changes,
        audits=tuple((w.attempt, w.title) for w in audits_due(past, (label for _, label in book.labels))),
        alarms=tuple((item.attempt, titles.get(item.attempt, "")) for item in alarms if item.attempt),
        is_given=scope.settings.get("gate.trust") != "record",
    )


class PersonsWord:
    """What a person says of work and of judges, sent to be written; `written` is called once it is."""

    def __init__(self, services: AppServices, written: Callable[[], None]) -> None:
        self._services = services
        self._written = written

    def good(self, attempt: AttemptId) -> None:
        self._label(attempt, Truth.GOOD, "")

    def bad(self, attempt: AttemptId, note: str) -> None:
        if note.strip():
            self._label(attempt, Truth.BAD, note.strip())
        else:
            self._services.notify("Nothing was written, so nothing was said of it.")

    def acknowledge(self) -> None:
        self._send(JudgeAcknowledged(by=self._services.launch.person))

    def _label(self, attempt: AttemptId, truth: Truth, note: str) -> None:
        person = self._services.launch.person
        self._send(WorkLabelled(of=attempt, truth=truth, by=person, blind=True, note=note))

    def _send(self, event: Judging) -> None:
        rehearsal = self._services.launch.rehearsal
        command = c.RecordJudging(title="Said on the Judge screen", events=(event,), rehearsal=rehearsal)
        self._services.commands.send(command, lambda _: self._written())
