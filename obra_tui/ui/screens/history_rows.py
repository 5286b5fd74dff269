"""Rows and cards of the history: summaries in, lines out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from obra_tui.core.history import AttemptSummary, SessionDetail, SessionSummary
from obra_tui.core.lifecycle import WORKING, State
from obra_tui.core.model import SessionKind
from obra_tui.ui.feeds.claude import consumption
from obra_tui.ui.feeds.lines import joined
from obra_tui.ui.format import duration, money, plural, score
from obra_tui.ui.words import DECISION, TASK, person_name
from widgets.lines import LogLine, Span

PINNED = "pinned"
PIN = "*"


def when(at: float, now: float) -> str:
    """`14:02` today, `22 Nov 14:02` this year, else the date."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    if then.tm_year == today.tm_year:
        return time.strftime("%d %b %H:%M", then)
    return time.strftime("%Y-%m-%d", then)


def session_row(session: SessionSummary, now: float, labels: Sequence[str] = ()) -> LogLine:
    """`22 Nov 14:02  * Calculator   2 accepted 1 failed  #good     0.86  $0.42`."""
    stamp = f"{when(session.opened_at, now):<13}"
    states = " ".join(f"{count} {TASK[state].word}" for state, count in session.states)
    if session.kind is SessionKind.IMPORTED:
        states = "no gate"
    pin = f"{PIN} " if PINNED in labels else ""
    lead = "REHEARSAL " if session.rehearsal else ""
    title = f"{pin}{lead}{session.title or session.id}"
    cost = money(session.usage.cost_usd) if session.usage.cost_usd else ""
    text = f"{stamp}{title:<34} {states}".rstrip()
    tags = tagged(labels)
    spans = [Span(0, len(stamp), "dim")]
    if lead:
        start = len(stamp) + len(pin)
        spans.append(Span(start, start + len(lead), "gate"))
    if tags:
        spans.append(Span(len(text) + 2, len(text) + 2 + len(tags), "person"))
    return LogLine(
        f"{text}  {tags}".rstrip(),
        key=session.id,
        glyph=_glyph(session),
        spans=tuple(spans),
        aside=joined((score(session.score) if session.score is not None else "", cost), "  "),
    )


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
    accepted = session.in_state(State.ACCEPTED)
    if accepted == session.tasks:
        return "✓" if session.tasks else "–"
    return "!" if accepted else "✗"


def attempt_row(attempt: AttemptSummary) -> LogLine:
    """`✓ T003 Add retry  attempt 2  Quality: 0.84 (PASS)  approved by ada`."""
    decided = ""
    if attempt.decision is not None:
        decided = f"{DECISION[attempt.decision].word} by {person_name(attempt.decided_by)}"
    elif attempt.waiting:
        decided = "waits for you"
    verdict = ""
    if attempt.score is not None:
        verdict = f"Quality: {score(attempt.score)} ({'PASS' if attempt.passes else 'FAIL'})"
    name = f"{attempt.task_key} {attempt.task_title}"
    outcome = (
        attempt.outcome.value.replace("_", " ") if attempt.outcome else "running" if running(attempt) else "cut off"
    )
    text = joined((f"{name}  attempt {attempt.number}", verdict or outcome, decided))
    took = duration(attempt.seconds) if attempt.seconds is not None else ""
    return LogLine(
        text,
        key=attempt.id,
        glyph=_attempt_glyph(attempt),
        spans=(Span(0, len(name), "strong"),),
        time=time.strftime("%H:%M", time.localtime(attempt.started_at)),
        aside=took,
    )


def running(attempt: AttemptSummary) -> bool:
    """It is at work now: Claude, the checks or the judge."""
    return attempt.task_state in WORKING and attempt.gate_decision is None


def _attempt_glyph(attempt: AttemptSummary) -> str:
    if attempt.accepted:
        return "✓"
    if attempt.waiting:
        return "?"
    if attempt.passes is False:
        return "✗"
    return "●" if running(attempt) else "·"


def session_card(session: SessionSummary, detail: SessionDetail | None, labels: Sequence[str] = ()) -> list[LogLine]:
    return list(_session_card(session, detail, labels))


def _session_card(session: SessionSummary, detail: SessionDetail | None, labels: Sequence[str]) -> Iterator[LogLine]:
    yield LogLine(session.title or str(session.id), style="strong")
    if session.rehearsal:
        yield LogLine(f"REHEARSAL {session.rehearsal}: no real model took part", style="gate")
    facts = [
        ("id", session.id),
        ("kind", session.kind.value),
        ("project", session.project),
        ("policy", session.policy.value),
        ("opened", time.strftime("%Y-%m-%d %H:%M", time.localtime(session.opened_at))),
        ("closed", time.strftime("%Y-%m-%d %H:%M", time.localtime(session.closed_at)) if session.closed_at else "open"),
        ("tasks", ", ".join(f"{count} {TASK[state].word}" for state, count in session.states)),
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
            status = TASK[task.state]
            yield LogLine(
                f"{task.key} {task.title}", glyph=status.glyph, aside=joined((status.word, score(task.score)), " ")
            )
