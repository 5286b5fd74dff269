"""An engine that changes plans by the real rules and does no work: what it writes is told to the listeners at once."""

from obra_tui.core import commands as c
from obra_tui.core import events as e
from obra_tui.core.errors import ObraError
from obra_tui.core.ids import SessionId
from obra_tui.core.model import Policy
from obra_tui.engine.plan_undo import marked, taken_back
from obra_tui.engine.replanning import replanned, replanned_together, standing
from obra_tui.engine.work import rebuild
from tests.fakes.engine import FakeEngine


class PlanEngine(FakeEngine):
    def submit(self, command):
        self.answers[type(command)] = self._answer
        return super().submit(command)

    def tasks(self, session):
        return standing(self._work(session))

    def _answer(self, command):
        try:
            match command:
                case c.OpenSession():
                    return self._open(command)
                case c.ChangePlan(session=session, changes=changes):
                    self._write(session, marked(replanned_together(self._work(session), changes), command))
                case c.UndoPlanChange(session=session, by=by):
                    records = [record for record in self.known if record.session == session]
                    said, events = taken_back(self._work(session), records, by)
                    self._write(session, events)
                    return said
                case c.AddTasks(session=session):
                    self._write(session, replanned(self._work(session), command))
        except ObraError as refused:
            return refused
        return None

    def _open(self, command):
        session = SessionId(f"s{len(self.known):014}")
        opened = e.SessionOpened(
            kind=command.kind,
            title=command.title,
            project=command.project,
            branch=f"obra/{session}",
            base_commit="9be21f0",
            policy=Policy.SUPERVISED,
            threshold=0.7,
            max_attempts=3,
            plan_source=command.plan_source,
        )
        self._write(session, [(None, opened)])
        return session

    def _work(self, session):
        return rebuild(session, [record for record in self.known if record.session == session])

    def _write(self, session, events):
        seq = max((record.seq for record in self.known if record.session == session), default=0)
        at = max((record.at for record in self.known), default=1_763_800_000.0)
        self.play(
            e.Record(seq=seq + number, at=at + number, session=session, task=task, attempt=None, event=event)
            for number, (task, event) in enumerate(events, start=1)
        )
