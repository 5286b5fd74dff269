"""A seeded history of any size, written through the store's own journal."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from obra_tui.core import events as e
from obra_tui.core.events import Event, Record
from obra_tui.core.ids import AttemptId, ClaudeSessionId, SessionId, TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import ConversationReason, Policy, SessionKind, TaskSpec

BATCH = 5_000
DAY = 86_400.0
EPOCH = 1_700_000_000.0
_LIST = (
    "parser cache socket buffer retry margin invoice ledger token branch merge report column widget digest thread "
    "journal planner budget signal worker commit schema index query cursor header footer palette import export"
)
WORDS = tuple(_LIST.split())


def write_history(database: Path, project: Path, *, events: int, sessions: int, seed: int = 7) -> None:
    """Make a database that holds so many events in so many closed sessions of `project`."""
    from obra_tui.store.journal import SqlJournal

    journal = SqlJournal(database)
    try:
        batch: list[Record] = []
        dice = random.Random(seed)
        each = max(8, events // sessions)
        for record in chain.from_iterable(session(number, project, each, dice) for number in range(sessions)):
            batch.append(record)
            if len(batch) == BATCH:
                journal.append(batch)
                batch = []
        journal.append(batch)
    finally:
        journal.close()


def session(number: int, project: Path, events: int, dice: random.Random) -> Iterator[Record]:
    """Yield one session with one task and one attempt, `events` records in all."""
    ident, task, attempt = SessionId(f"s{number:09d}"), TaskId(f"t{number:09d}"), AttemptId(f"a{number:09d}")
    began = EPOCH + number * DAY / 24
    story = _story(number, str(project), task, events, dice)
    for seq, (scope, event) in enumerate(story, 1):
        yield Record(
            seq=seq,
            at=began + seq,
            session=ident,
            task=task if scope else None,
            attempt=attempt if scope > 1 else None,
            event=event,
        )


def _story(number: int, project: str, task: TaskId, events: int, dice: random.Random) -> Iterator[tuple[int, Event]]:
    """Yield events with their scope: 0 the session's, 1 the task's, 2 the attempt's."""
    title = f"{dice.choice(WORDS)} {dice.choice(WORDS)}"
    yield 0, _opened(number, project, title)
    spec = TaskSpec(id=task, key="T001", title=f"Repair the {title}", prompt=f"Repair the {title}.")
    yield 1, e.TaskAdded(spec=spec, position=0, state=State.QUEUED)
    yield 1, e.TaskMoved(before=State.QUEUED, trigger=Trigger.START, after=State.IMPLEMENTING)
    claude = ClaudeSessionId(f"claude-{number:09d}")
    yield 2, e.AttemptStarted(number=1, counted=0, claude_session=claude, reason=ConversationReason.FIRST)
    yield 2, e.PromptSent(text=spec.prompt, kind="task")
    for step in range(events - 7):
        yield 2, _said(step, dice)
    yield 1, e.TaskMoved(before=State.IMPLEMENTING, trigger=Trigger.CANCEL, after=State.CANCELLED)
    yield 0, e.SessionClosed(reason="done")


def _opened(number: int, project: str, title: str) -> Event:
    return e.SessionOpened(
        kind=SessionKind.STANDALONE,
        title=title,
        project=project,
        branch=f"obra/s{number:09d}",
        base_commit="b" * 40,
        policy=Policy.SUPERVISED,
        threshold=0.7,
        max_attempts=3,
    )


def _said(step: int, dice: random.Random) -> Event:
    words = " ".join(dice.choices(WORDS, k=40))
    match step % 3:
        case 0:
            return e.TextFinished(block=f"b{step}", text=f"{words}.")
        case 1:
            return e.ToolStarted(call=f"c{step}", tool="Read", title=f"src/{dice.choice(WORDS)}.py", input_json="{}")
        case _:
            return e.ToolFinished(call=f"c{step - 1}", is_error=False, output=words)
