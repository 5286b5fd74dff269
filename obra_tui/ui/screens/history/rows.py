"""Rows and cards of the history: summaries in, lines out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.cells import cell_len

from obra_tui.core.lifecycle import State
from obra_tui.core.model import SessionKind
from obra_tui.core.records.attempt_words import ended_word, is_running
from obra_tui.core.records.history import AttemptSummary, SessionDetail, SessionSummary
from obra_tui.ui.feeds.claude import consumption
from obra_tui.ui.feeds.lines import joined
from obra_tui.ui.view.format import cost_of, duration, plural, score
from obra_tui.ui.view.status_words import REVERTED, TASK, task_status
from widgets.lines import LogLine, Run, Span, from_runs
from widgets.segments import clip

PINNED = "pinned"
PIN = "*"
STAMP = 11
"""Cells of the time that a row begins with."""
NAME = 34
"""Cells for the name of a task; the card has it whole."""
_TITLE = 29
_DAY_S = 86_400


def when(at: float, now: float) -> str:
    """`14:02` today, `yesterday`, `22 Nov` this year, else the date."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    if then[:3] == time.localtime(now - _DAY_S)[:3]:
        return "yesterday"
    if then.tm_year == today.tm_year:
        return time.strftime("%d %b", then)
    return time.strftime("%Y-%m-%d", then)


def session_row(session: SessionSummary, now: float, labels: Sequence[str] = ()) -> LogLine:
    """`22 Nov     * Calculator #good           2 accepted 1 failed     0.86  $0.42`."""
    stamp = f"{when(session.opened_at, now):<{STAMP}}"
    pin = f"{PIN} " if PINNED in labels else ""
    lead = "REHEARSAL " if session.rehearsal else ""
    runs = [
        Run(stamp, "dim"),
        Run(pin, "person"),
        Run(lead, "gate"),
        Run(session.title or session.id),
        Run(f" {tagged(labels)}".rstrip(), "person"),
    ]
    width = sum(cell_len(run.text) for run in runs) - len(stamp)
    states = " ".join(states_of(session))
    said = "no gate" if session.kind is SessionKind.IMPORTED else states
    line = from_runs([*runs, Run(" " * max(1, _TITLE - width) + said)])
    cost = cost_of(session.usage)
    return replace(
        line,
        key=session.id,
        glyph=_glyph(session),
        aside=joined((score(session.score) if session.score is not None else "", cost), "  "),
    )


def states_of(session: SessionSummary) -> Sequence[str]:
    """`2 accepted`, `1 reverted`, …: what was taken back does not count as accepted."""
    counts = {TASK[state].word: count for state, count in session.states}
    if session.reverted:
        counts[TASK[State.ACCEPTED].word] -= session.reverted
        counts[REVERTED.word] = session.reverted
    return [f"{count} {word}" for word, count in counts.items() if count]


def tagged(labels: Sequence[str]) -> str:
    """`#good #slow`, without the pin."""
    return " ".join(f"#{label}" for label in labels if label != PINNED)


def _glyph(session: SessionSummary) -> str:
    if session.waiting:
        return "?"
    if session.kind is SessionKind.IMPORTED:
        return "–"
    if session.closed_at is None:
        return "●"
    accepted = session.in_state(State.ACCEPTED) - session.reverted
    if accepted == session.tasks:
        return "✓" if session.tasks else "–"
    return "!" if accepted else "✗"


def attempt_row(attempt: AttemptSummary) -> LogLine:
    """`✓ T003 Add retry to the client     a2  0.84  approved by ada`."""
    name = clip(f"{attempt.task_key} {attempt.task_title}", NAME)
    value = score(attempt.score) if attempt.score is not None else ""
    took = duration(attempt.seconds) if attempt.seconds is not None else ""
    return LogLine(
        f"{name:<{NAME}} a{attempt.number:<3}{value:<5} {ended_word(attempt)}".rstrip(),
        key=attempt.id,
        glyph=attempt_glyph(attempt),
        spans=(Span(0, len(name), "strong"),),
        time=time.strftime("%H:%M", time.localtime(attempt.started_at)),
        aside=took,
    )


def attempt_glyph(attempt: AttemptSummary) -> str:
    if attempt.reverted:
        return REVERTED.glyph
    if attempt.accepted:
        return "✓"
    if attempt.waiting:
        return "?"
    if attempt.passes is False:
        return "✗"
    return "●" if is_running(attempt) else "·"


def session_card(session: SessionSummary, detail: SessionDetail | None, labels: Sequence[str] = ()) -> list[LogLine]:
    return list(_session_card(session, detail, labels))


def _session_card(session: SessionSummary, detail: SessionDetail | None, labels: Sequence[str]) -> Iterator[LogLine]:
    yield LogLine(session.title or str(session.id), style="strong")
    if session.rehearsal:
        yield LogLine(f"REHEARSAL {session.rehearsal}: no real model took part", style="gate")
    if session.kind is SessionKind.IMPORTED:
        yield LogLine("Imported, read only: nothing was checked or judged. – no gate", style="gate")
    facts = [
        ("id", session.id),
        ("kind", session.kind.value),
        ("project", session.project),
        ("policy", session.policy.value),
        ("opened", time.strftime("%Y-%m-%d %H:%M", time.localtime(session.opened_at))),
        ("closed", time.strftime("%Y-%m-%d %H:%M", time.localtime(session.closed_at)) if session.closed_at else "open"),
        ("tasks", ", ".join(states_of(session))),
        ("attempts", str(session.attempts)),
        ("score", score(session.score)),
        ("used", joined(consumption(session.usage))),
        ("pinned", "never pruned" if PINNED in labels else ""),
        ("tags", tagged(labels)),
    ]
    if session.waiting:
        facts.append(("waiting", plural(session.waiting, "gate")))
    if detail is not None:
        facts.extend((("branch", detail.branch), ("base", detail.base_commit[:10]), ("plan", detail.plan_source)))
    yield from (LogLine(f"{name:<10}{value}", hang=" " * 10) for name, value in facts if value)
    if detail is not None:
        yield LogLine("Tasks", style="heading")
        for task in detail.tasks:
            status = task_status(task.state, task.reverted)
            yield LogLine(
                f"{task.key} {task.title}", glyph=status.glyph, aside=joined((status.word, score(task.score)), " ")
            )
