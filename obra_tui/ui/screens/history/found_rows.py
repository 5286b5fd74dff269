"""What a search found, as rows and cards: the records of one attempt that hold the words are one row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from obra_tui.core.model import GateDecision, SessionKind
from obra_tui.core.records.attempt_words import person_name
from obra_tui.core.records.history import AttemptSummary, SearchHit, SearchResult
from obra_tui.ui.feeds.lines import joined
from obra_tui.ui.screens.history.rows import NAME, STAMP, attempt_glyph, when
from obra_tui.ui.view.format import cost_of, score
from obra_tui.ui.view.status_words import DECISION, REVERTED, TASK
from widgets.lines import LogLine, Span
from widgets.segments import clip

SHOWN_MATCHES = 12


class ResultGroup(Struct, frozen=True):
    """Neighbouring answers of one attempt, or of one session outside its attempts."""

    key: str
    rows: tuple[SearchResult, ...]

    @property
    def attempt(self) -> AttemptSummary | None:
        return self.rows[0].attempt

    @property
    def hits(self) -> tuple[SearchHit, ...]:
        return tuple(row.hit for row in self.rows if row.hit is not None)


def found_groups(found: Sequence[SearchResult]) -> tuple[ResultGroup, ...]:
    """Put answers together by attempt, in the order of their newest one."""
    rows: dict[str, list[SearchResult]] = {}
    for row in found:
        rows.setdefault(str(row.attempt.id if row.attempt else row.session), []).append(row)
    return tuple(ResultGroup(key, tuple(group)) for key, group in rows.items())


def found_row(group: ResultGroup, now: float) -> LogLine:
    """`14:02  T003 Add retry to the client     a2  0.84  approved`."""
    newest, attempt = group.rows[0], group.attempt
    stamp = f"{when(newest.at, now):<{STAMP}}"
    lead = "REHEARSAL " if newest.rehearsal else ""
    name, number, verdict, glyph = newest.session_title, "", "", "·"
    if newest.kind is SessionKind.IMPORTED:
        verdict, glyph = "no gate", "–"
    elif attempt is not None:
        name, number = f"{attempt.task_key} {attempt.task_title}", f"a{attempt.number}"
        verdict, glyph = _verdict(attempt), attempt_glyph(attempt)
    value = score(attempt.score) if attempt is not None and attempt.score is not None else ""
    text = f"{stamp}{clip(lead + name, NAME):<{NAME}} {number:<3}{value:<5} {verdict}"
    spans = [Span(0, len(stamp), "dim")]
    if lead:
        spans.append(Span(len(stamp), len(stamp) + len(lead), "gate"))
    return LogLine(text.rstrip(), key=group.key, glyph=glyph, spans=tuple(spans))


def _verdict(attempt: AttemptSummary) -> str:
    if attempt.reverted:
        return REVERTED.word
    if attempt.decision is not None:
        return DECISION[attempt.decision].word
    if attempt.gate_decision is GateDecision.RETRY:  # what the task has come to since is another attempt's
        return "sent back"
    return TASK[attempt.task_state].word


def found_card(group: ResultGroup, labels: Sequence[str] = ()) -> list[LogLine]:
    return list(_card(group, labels))


def _card(group: ResultGroup, labels: Sequence[str]) -> Iterator[LogLine]:
    newest, attempt = group.rows[0], group.attempt
    yield LogLine(newest.session_title or str(newest.session), style="strong")
    if newest.kind is SessionKind.IMPORTED:
        yield LogLine("Imported, read only: nothing was checked or judged. – no gate", style="gate")
    if attempt is not None:
        yield LogLine(f"task      {attempt.task_key} {attempt.task_title}", hang=" " * 10)
        yield LogLine(f"attempt   {attempt.number} · {attempt.id}")
        if attempt.decision is not None:
            said = f"{DECISION[attempt.decision].word} by {person_name(attempt.decided_by)}"
            yield LogLine(f"decision  {said}")
        if attempt.usage.total_tokens:
            yield LogLine(f"cost      {cost_of(attempt.usage)}")
        yield LogLine(f"models    {joined((attempt.claude_model, attempt.judge_model))}", hang=" " * 10)
    yield LogLine(f"session   {newest.session}")
    if labels:
        yield LogLine(f"labels    {' '.join(f'#{label}' for label in labels)}")
    if group.hits:
        yield LogLine(f"Matches ({len(group.hits)})", style="heading")
    for hit in group.hits[:SHOWN_MATCHES]:
        yield LogLine(hit.kind.replace("_", " "), style="dim")
        yield LogLine(hit.line, spans=tuple(Span(start, end, "match") for start, end in hit.marks))
