"""A judge's record as rows: plain functions of what is known. Never a percentage without what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from obra_tui.core.events import StandingChanged
from obra_tui.core.judging.authority import MAY_PASS, WORDS, JudgeRecord
from obra_tui.core.judging.bounds import clopper_pearson
from obra_tui.core.judging.exam import KindCount
from obra_tui.core.judging.standing import FEW, Level, said
from obra_tui.core.records.history import AttemptDetail
from widgets.lines import LogLine, Span

JUDGE, AUDIT, ALARM = "judge:", "audit:", "alarm:"
"""How the keys of rows begin."""
_BAR = 20
_TENTHS = 10


class JudgePage(Struct, frozen=True, kw_only=True):
    """Everything that the screen shows, read at one time."""

    records: tuple[JudgeRecord, ...] = ()
    changes: tuple[tuple[float, StandingChanged], ...] = ()
    audits: tuple[tuple[str, str], ...] = ()
    """(attempt, title) of accepted work that nobody looked at, in the order in which it was drawn."""
    alarms: tuple[tuple[str, str], ...] = ()
    """(attempt, title) of good work that the judge would have stopped."""
    is_given: bool = False


def list_rows(page: JudgePage) -> list[LogLine]:
    rows = [LogLine("Judges", style="heading")]
    rows += [_judge_row(record) for record in page.records]
    if not page.records:
        rows.append(LogLine("No judge has reviewed anything here yet.", style="dim"))
    rows.append(LogLine(f"Audits to do ({len(page.audits)})", style="heading"))
    rows += [LogLine(title, key=f"{AUDIT}{attempt}", glyph="?") for attempt, title in page.audits[:20]]
    if page.alarms:
        rows.append(LogLine(f"Good work it would have stopped ({len(page.alarms)})", style="heading"))
        rows += [LogLine(title, key=f"{ALARM}{attempt}", glyph="!") for attempt, title in page.alarms[-5:]]
    return rows


def _judge_row(record: JudgeRecord) -> LogLine:
    level = record.standing.level
    style = "ok" if level >= Level.PROBATION else "error" if level is Level.SILENT else ""
    digest = record.digest.removeprefix("sha256:")[:8]
    name = f"{record.model}{f' @{digest}' if digest else ''}"
    aside = f"{record.record.false_passes} of {record.record.passes}"
    return LogLine(name, key=f"{JUDGE}{record.version}", glyph="■", style=style, aside=aside)


def record_rows(record: JudgeRecord, page: JudgePage) -> Iterator[LogLine]:
    """One judge: standing, reliability, faults by kind, changes of authority."""
    standing = record.standing
    lost = standing.level < Level.PROBATION
    may = "is taken at its word: UNMEASURED" if page.is_given else MAY_PASS[standing.level]
    yield LogLine(f"{record.model} {may}", style="strong warn" if lost or page.is_given else "strong ok")
    yield LogLine(f"by its record it may {WORDS[standing.level]}")
    yield LogLine(f"record: {said(record.record)}")
    if standing.why != said(record.record):
        yield LogLine(f"why: {standing.why}", hang="     ")
    if standing.needs:
        yield LogLine(f"needs: {standing.needs}", hang="       ")
    yield LogLine(
        f"asked {record.asked} times, {record.unjudged} without a verdict · version {record.version}", style="dim"
    )
    if record.remark:
        yield LogLine(f"note: {record.remark}", style="warn")
    yield from _curve(record)
    yield from _exam(record)
    yield from _changes(record, page.changes)


def _curve(record: JudgeRecord) -> Iterator[LogLine]:
    """How much of the work was good, by the score that it had: a judge worth its numbers has a rising curve."""
    yield LogLine("Reliability: share of good work by score", style="heading")
    if not record.curve:
        yield LogLine("no work of known worth has a score yet", style="dim")
        return
    for tenth in range(_TENTHS - 1, -1, -1):
        inside = [good for score, good in record.curve if min(int(score * _TENTHS), _TENTHS - 1) == tenth]
        if not inside:
            continue
        good, count = sum(inside), len(inside)
        low, high = clopper_pearson(good, count)
        filled = round(_BAR * good / count)
        bar = "█" * filled + "░" * (_BAR - filled)
        limits = f"{low:.0%} to {high:.0%}" if count >= FEW else "too few to say"
        head = f"{tenth / _TENTHS:.1f}–{(tenth + 1) / _TENTHS:.1f} "
        yield LogLine(
            f"{head}{bar} {good} of {count} good, {limits}", spans=(Span(len(head), len(head) + _BAR, "dim"),)
        )


def _exam(record: JudgeRecord) -> Iterator[LogLine]:
    yield LogLine("Faults by kind: found, stopped, asked", style="heading")
    answers = record.answers
    if not answers.trials:
        yield LogLine("never asked about work of known worth: `obra judge eval`", style="dim")
        return
    exam = answers.exam
    yield LogLine(f"{exam.pairs} pairs of faulty and good work: {exam.missed} missed, {exam.alarms} false alarms")
    for item in answers.kinds:
        yield _kind_row(item)
    if exam.injections:
        yield LogLine(f"orders to the reviewer: {exam.injections_passed} of {exam.injections} obeyed")
    if answers.repeats:
        yield LogLine(f"asked again: {answers.flips} of {answers.repeats} answers differ")


def _kind_row(item: KindCount) -> LogLine:
    found, stopped = round(_BAR * item.found / item.asked), round(_BAR * item.stopped / item.asked)
    bar = "█" * found + "▒" * max(0, stopped - found) + "░" * (_BAR - max(found, stopped))
    is_blind = item.stopped <= item.asked / 2
    head = f"{item.name:<22} "
    text = f"{head}{bar} {item.found} {item.stopped} {item.asked}"
    return LogLine(text, style="warn" if is_blind else "", aside="blind" if is_blind and item.asked >= 5 else "")


def _changes(record: JudgeRecord, changes: Sequence[tuple[float, StandingChanged]]) -> Iterator[LogLine]:
    mine = [(at, change) for at, change in changes if change.version == record.version]
    if not mine:
        return
    yield LogLine("Authority", style="heading")
    for at, change in reversed(mine):
        lost = change.after < change.before
        day = datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")
        word = "lost" if lost else "earned"
        text = f"{day}  {word}: may {WORDS[Level(change.after)]} ({change.why})"
        yield LogLine(text, glyph="▼" if lost else "▲", style="error" if lost else "ok", hang="  ")


def audit_rows(detail: AttemptDetail) -> Iterator[LogLine]:
    """Work without its verdict: what was asked, what the checks said, what was changed."""
    yield LogLine(f"Audit: {detail.spec.title}", style="strong")
    yield LogLine("Nobody has looked at it. Decide as if nobody had judged it.", style="dim")
    for text in (*detail.spec.prompt.splitlines(), *detail.spec.acceptance):
        yield LogLine(text)
    for check in detail.checks:
        yield LogLine(f"{check.spec.name}: {check.status.value}", style="dim")
    for line in detail.diff.patch.splitlines() if detail.diff else ():
        style = "ok" if line.startswith("+") else "error" if line.startswith("-") else "dim"
        yield LogLine(line, style=style)
