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


BUGS = {
    bug.__name__: bug
    for bug in (
        no_look_for_the_trailer,
        recovery_gives_up_what_is_being_accepted,
        told_before_written,
        one_transaction_for_each_record,
        nothing_is_swept,
    )
}
