"""Tells when the judge's record allows it more or less than before: journalled, and so on every screen.

A record is read when something can have changed it: a verdict, an answer to a gate, a revert, a label. What was told
last is in the journal, so that nothing is told twice and a loss that another Obra brought about is told, too.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from obra_tui.core.commands import RecordJudging
from obra_tui.core.errors import ObraError
from obra_tui.core.events import (
    DecisionMade,
    Event,
    Record,
    SessionClosed,
    SessionOpened,
    StandingChanged,
    WorkReverted,
)
from obra_tui.core.ids import SessionId, new_session_id
from obra_tui.core.judging.authority import JudgeRecord
from obra_tui.core.model import SessionKind
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.outbox import Outbox


def changes_in(found: Sequence[JudgeRecord]) -> tuple[StandingChanged, ...]:
    """Return what is to be told of these records."""
    return tuple(
        StandingChanged(
            version=item.version,
            model=item.model,
            before=item.told,
            after=int(standing.level),
            why=standing.why,
            needs=standing.needs,
        )
        for item in found
        if (standing := item.standing).level != item.told
    )


class JudgeWatch:
    """Writes what is known of judges, and looks at their records again after every answer and every revert.

    Each writing is a session of its own, opened and closed with it: no work runs there, and no screen follows it.
    """

    def __init__(self, ports: Ports, config: EngineConfig, outbox: Outbox) -> None:
        self._ports = ports
        self._config = config
        self._outbox = outbox
        self._looks: set[asyncio.Task[None]] = set()
        self._own: set[SessionId] = set()
        self._lock = asyncio.Lock()

    def of_work(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return the records without those sessions; that a judge may do more or less is for everybody."""
        if not self._own:
            return records
        return [item for item in records if item.session not in self._own or isinstance(item.event, StandingChanged)]

    def heard(self, records: Sequence[Record]) -> None:
        """A listener of the outbox."""
        if self._ports.judge_records is None:
            return
        for record in records:
            if isinstance(record.event, DecisionMade | WorkReverted):
                look = asyncio.create_task(self._look(), name="standing of the judge")
                self._looks.add(look)
                look.add_done_callback(self._looks.discard)

    async def settle(self) -> None:
        """Wait until what is being looked at is told."""
        await asyncio.gather(*self._looks)

    async def record(self, command: RecordJudging) -> SessionId:
        """Write cases, trials and labels, and what they change; returns the session that holds them."""
        async with self._lock:
            session = self._write(command.title, command.events, command.rehearsal)
            changed = await self._changes()
            if changed:
                self._write("What the judge may do", changed, command.rehearsal)
        return session

    async def _look(self) -> None:
        async with self._lock:
            changed = await self._changes()
            if changed:
                with contextlib.suppress(ObraError):  # told at the next look, since it is not in the journal
                    self._write("What the judge may do", changed, self._config.rehearsal)

    async def _changes(self) -> tuple[StandingChanged, ...]:
        """Return what the records allow now and did not before, or the other way round; nothing if they say nothing."""
        if self._ports.judge_records is None:
            return ()
        try:
            return changes_in(await self._ports.judge_records())
        except ObraError:  # a record that cannot be read gives nothing; the gate asks by itself then
            return ()

    def _write(self, title: str, events: Sequence[Event], rehearsal: str) -> SessionId:
        session, rules = new_session_id(), self._config.rules
        opened = SessionOpened(
            kind=SessionKind.PROBING,
            title=title,
            project=self._config.project,
            branch="",
            base_commit="",
            policy=rules.policy,
            threshold=rules.threshold,
            max_attempts=rules.max_attempts,
            rehearsal=rehearsal or self._config.rehearsal,
            versions=self._config.versions,
        )
        self._own.add(session)
        whole: tuple[Event, ...] = (opened, *events, SessionClosed(reason="Written as a whole."))
        self._outbox.commit(session, [(None, None, event) for event in whole])
        self._outbox.forget(session)
        return session
