"""Faults put into the engine on purpose, in the killed process only: the checker must find each of them."""


def no_look_for_the_trailer():
    """Accepting again makes a second commit."""
    from obra_tui.evidence.acceptance import Accepting

    async def earlier(self, tip):
        return None

    async def commit_on(self, tip):
        return await self.repository.commit(self.diff.tree, tip or self.diff.base_commit, self._text(), self.identity)

    Accepting._earlier = earlier
    Accepting._commit_on = commit_on


def recovery_gives_up_what_is_being_accepted():
    """Found half-way into the branch, it is called a failure: the commit is there and nobody accounts for it."""
    from obra_tui.core.events import TaskMoved
    from obra_tui.core.lifecycle import State, Trigger
    from obra_tui.engine import orchestrator

    original = orchestrator.recover

    def recover(ledger, project, outbox, adopt):
        for work in original(ledger, project, outbox, adopt):
            for task in work.tasks.values():
                if task.state is State.ACCEPTING:
                    moved = TaskMoved(before=State.ACCEPTING, trigger=Trigger.FAIL, after=State.FAILED)
                    outbox.commit(work.id, [(task.spec.id, task.attempt, moved)])
            yield work

    orchestrator.recover = recover


def told_before_written():
    """What is told is written 30 ms later."""
    import threading

    from obra_tui.store.journal import SqlJournal

    original = SqlJournal.append

    def append(self, records):
        threading.Timer(0.03, original, (self, list(records))).start()

    SqlJournal.append = append


def one_transaction_for_each_record():
    """A move and its reason are not written together."""
    from obra_tui.store.journal import SqlJournal

    original = SqlJournal.append

    def append(self, records):
        for record in records:
            original(self, [record])

    SqlJournal.append = append


def nothing_is_swept():
    """What a killed owner left running runs on."""
    from obra_tui.agents import sweep

    sweep.sweep_leftovers = lambda tmp_dir: sweep.Swept()


def acceptance_and_its_move_are_written_apart():
    """A kill between them leaves work that is taken in and a task that is not."""
    from obra_tui.core.events import TaskMoved, WorkAccepted
    from obra_tui.core.lifecycle import Trigger, advance
    from obra_tui.engine import acceptance
    from obra_tui.system.crashpoint import crash_point

    def close(outbox, session, task, accepted):
        ids = (task.spec.id, task.attempt)
        outbox.commit(session.id, [(*ids, WorkAccepted(acceptance=accepted))])
        crash_point("planted.between")
        moved = TaskMoved(before=task.state, trigger=Trigger.MERGED, after=advance(task.state, Trigger.MERGED))
        outbox.commit(session.id, [(*ids, moved)])

    acceptance._close = close


def acceptance_is_recorded_before_it_is_done():
    """The commit is made, and the branch is moved only after the record."""
    from obra_tui.core.model import Acceptance
    from obra_tui.evidence.acceptance import Accepting

    async def accept(self):
        tip, _ = await self._branch.standing()
        commit = await self._commit_on(tip)
        return Acceptance(commit=commit, branch=self._branch.name)

    Accepting.accept = accept


def _no_order(journal):
    """The store takes records in any order."""
    journal._numbered = lambda self, connection, records, *known: {record.session: record.seq for record in records}


def a_number_is_left_out():
    """Records of a session begin at 2."""
    from obra_tui.store.journal import SqlJournal

    last = SqlJournal.last_seq
    SqlJournal.last_seq = lambda self, session: last(self, session) or 1
    _no_order(SqlJournal)


def rows_do_not_follow_their_records():
    """A move is recorded, and the row of its task stays as it was."""
    from obra_tui.store import projection

    original = projection.changes

    def changes(record):
        return [] if record.event.type == "task_moved" else original(record)

    projection.changes = changes


def recovery_forgets_the_newest_session():
    """What was open when Obra died is not looked at again."""
    from obra_tui.store.history import SqlHistory

    original = SqlHistory.open_sessions
    SqlHistory.open_sessions = lambda self, project="": original(self, project)[:-1]


def accepted_halfway_is_done_again():
    """Found half-way into the branch, the task is queued again: a second attempt is taken in, too."""
    from obra_tui.core.events import TaskMoved
    from obra_tui.core.lifecycle import State, Trigger
    from obra_tui.engine import orchestrator

    original = orchestrator.recover

    def recover(ledger, project, outbox, adopt):
        for work in original(ledger, project, outbox, adopt):
            for task in work.tasks.values():
                if task.state is State.ACCEPTING:
                    moved = TaskMoved(before=State.ACCEPTING, trigger=Trigger.SEND_BACK, after=State.QUEUED)
                    outbox.commit(work.id, [(task.spec.id, task.attempt, moved)])
            yield work

    orchestrator.recover = recover


def the_commit_holds_another_tree():
    """What is committed is what was there before the work."""
    from obra_tui.evidence.acceptance import Accepting

    async def commit_on(self, tip):
        repository, base = self.repository, self.diff.base_commit
        return await repository.commit(f"{base}^{{tree}}", tip or base, self._text(), self.identity)

    Accepting._commit_on = commit_on


def the_commit_names_another_attempt():
    """The trailer is not that of the attempt."""
    from obra_tui.evidence.acceptance import Accepting

    original = Accepting._text
    Accepting._text = lambda self: original(self).replace(self.attempt, f"{self.attempt}x")


def one_record_is_told_and_not_written():
    """The last one of a batch is left out when it is text."""
    from obra_tui.store.journal import SqlJournal

    original = SqlJournal.append

    def append(self, records):
        records = list(records)
        if records and records[-1].event.type == "text_streamed":
            self._last[records[-1].session] = records[-1].seq
            records.pop()
        original(self, records)

    SqlJournal.append = append
    _no_order(SqlJournal)


BUGS = {
    bug.__name__: bug
    for bug in (
        no_look_for_the_trailer,
        recovery_gives_up_what_is_being_accepted,
        told_before_written,
        one_transaction_for_each_record,
        nothing_is_swept,
        acceptance_and_its_move_are_written_apart,
        acceptance_is_recorded_before_it_is_done,
        a_number_is_left_out,
        rows_do_not_follow_their_records,
        recovery_forgets_the_newest_session,
        accepted_halfway_is_done_again,
        the_commit_holds_another_tree,
        the_commit_names_another_attempt,
        one_record_is_told_and_not_written,
    )
}
