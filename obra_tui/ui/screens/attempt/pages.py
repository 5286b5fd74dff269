"""The pages of an attempt as lines: what is known of it in, rows of a pane out. Pure, for any thread.

However large a text is, a page has a bounded number of lines of bounded length; what is cut says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from obra_tui.core.decisions import decision_lines
from obra_tui.core.events import Record
from obra_tui.core.gate import comparison_words
from obra_tui.core.model import CheckStatus, Finding, Severity
from obra_tui.core.plain import to_builtins
from obra_tui.core.records.attempt_words import person_name
from obra_tui.core.records.history import AttemptDetail
from obra_tui.core.records.replay import Stop, stops_at
from obra_tui.ui.view.format import brief
from obra_tui.ui.view.status_words import DECISION
from widgets.lines import LogLine, Span

PAGES = ("Prompt", "Transcript", "Diff", "Checks", "Scores", "Gate", "Raw")
_MOST_LINES = 4_000
_LONGEST_LINE = 2_000
_SHORT_RECORD = 400
"""A record that is longer as JSON is folded."""
_ERRORS = ("✗", "!")
_PROMPT = "prompt:"
_CHECK_GLYPH = {CheckStatus.PASSED: "✓", CheckStatus.FAILED: "✗", CheckStatus.TIMED_OUT: "!", CheckStatus.BROKEN: "!"}


def page_lines(page: str, detail: AttemptDetail, records: Sequence[Record]) -> list[LogLine]:
    """Return the lines of a page; those of Transcript and Diff are made by their own widgets."""
    made = _PAGES[page](detail, records) if page in _PAGES else iter(())
    return [_bounded(line) for line in made] or [LogLine("Nothing was recorded here.", style="dim")]


def places(lines: Sequence[LogLine], stop: Stop) -> list[int]:
    """Return which lines of a page are prompts or errors."""
    if stop == "error":
        return [at for at, line in enumerate(lines) if line.glyph in _ERRORS]
    if stop == "prompt":
        return [at for at, line in enumerate(lines) if line.key.startswith(_PROMPT)]
    return []


def _text(text: str) -> Iterator[LogLine]:
    lines = text.splitlines()
    yield from map(LogLine, lines[:_MOST_LINES])
    if len(lines) > _MOST_LINES:
        yield LogLine(f"… {len(lines) - _MOST_LINES:,} more lines; an export has them all", style="dim")


def _bounded(line: LogLine) -> LogLine:
    detail = tuple(map(_bounded, line.detail))
    left = len(line.text) - _LONGEST_LINE
    if left <= 0:
        return replace(line, detail=detail) if detail else line
    text = f"{line.text[:_LONGEST_LINE]}… {left:,} more characters; an export has them all"
    return replace(line, text=text, detail=detail, spans=tuple(s for s in line.spans if s.end <= _LONGEST_LINE))


def _heading(text: str) -> LogLine:
    return LogLine(text, style="heading")


def _fact(name: str, value: str) -> LogLine:
    return LogLine(f"{name:<11}{value}", hang=" " * 11)


def _prompt(detail: AttemptDetail, _: Sequence[Record]) -> Iterator[LogLine]:
    for number, prompt in enumerate(detail.prompts, 1):
        text = f"Prompt {number} · {prompt.kind} · by {person_name(prompt.by)}"
        yield LogLine(text, style="heading", key=f"{_PROMPT}{number}")
        yield from _text(prompt.text)
    for judged in detail.judge_prompts:
        text = f"To the judge · part {judged.part + 1} · about {judged.token_estimate:,} tokens"
        yield LogLine(text, style="heading", key=f"{_PROMPT}judge:{judged.part}")
        yield from _text(judged.text)


def _checks(detail: AttemptDetail, _: Sequence[Record]) -> Iterator[LogLine]:
    if detail.result and detail.result.confinement:
        yield _fact("Claude", detail.result.confinement.words)
    if detail.planned:
        yield _fact("sandbox", f"{detail.planned.sandbox.value} {detail.planned.note}".strip())
    for check in detail.checks:
        exit_code = "" if check.exit_code is None else f" · exit {check.exit_code}"
        yield LogLine(
            f"{check.spec.name} · {check.status.value.replace('_', ' ')}{exit_code}",
            style="heading",
            glyph=_CHECK_GLYPH[check.status],
            aside=brief(check.duration_s),
        )
        yield LogLine(f"$ {check.spec.run}", style="dim")
        if words := comparison_words(check):
            yield _fact("tests", words)
        for text in check.asks:
            yield _fact("ask", text)
        yield from _text(check.output)


def _scores(detail: AttemptDetail, _: Sequence[Record]) -> Iterator[LogLine]:
    quality = detail.quality
    if quality is None:
        return
    yield LogLine(
        quality.line, style="ok" if quality.passes_gate else "error", glyph="✓" if quality.passes_gate else "✗"
    )
    sources = {item.stage: item for item in quality.provenance}
    for stage in quality.stage_scores:
        score = "no evidence" if stage.score is None else f"{stage.score:.2f}"
        source = sources.get(stage.stage)
        where = f"{source.how}: {source.source}" if source else ""
        yield LogLine(f"{stage.stage.value:<14}{score:<13}weight {stage.weight:.2f}  {where}", hang=" " * 14)
    yield from (LogLine(text, glyph="!", style="warn") for text in quality.obstacles)
    if quality.findings:
        yield _heading("Findings")
    yield from map(_finding, quality.findings)
    if detail.verdict:
        identity = detail.verdict.identity
        yield _heading("Judge")
        yield _fact("model", f"{identity.model} {identity.digest}".strip())
        yield _fact("rubric", f"{identity.rubric} {identity.rubric_hash}".strip())
        yield _fact("hunks", f"{detail.verdict.hunks_seen} of {detail.verdict.hunks_total} seen")
        yield from _text(detail.verdict.unjudged or detail.verdict.summary)


def _finding(finding: Finding) -> LogLine:
    loud = finding.severity in (Severity.BLOCKER, Severity.MAJOR)
    text = f"{finding.severity.value:<8} {finding.place} {finding.message}"
    return LogLine(text, glyph="!" if loud else "·", hang=" " * 9)


def _gate(detail: AttemptDetail, _: Sequence[Record]) -> Iterator[LogLine]:
    if detail.outcome:
        yield _fact("gate", detail.outcome.decision.value)
        yield from (LogLine(reason, glyph="·") for reason in detail.outcome.reasons)
    if detail.gate:
        yield _fact("asked", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(detail.gate.opened_at)))
        yield _fact("tree", detail.gate.binding.tree)
        yield _fact("diff", detail.gate.binding.diff_digest)
    if detail.decision:
        decision = detail.decision.decision
        yield _fact("decision", f"{DECISION[decision.kind].word} by {person_name(decision.by)}")
        for label, text in decision_lines(decision):
            yield from (_fact(label, line) for line in text.splitlines())
    if detail.acceptance:
        yield _fact("commit", f"{detail.acceptance.commit} on {detail.acceptance.branch}")
    if detail.reverted:
        undone = detail.reverted
        yield _fact("reverted", f"{undone.reversal.commit[:12]} by {person_name(undone.by)}: {undone.note}")
    if detail.kept:
        yield _fact("kept as", detail.kept.ref)
    for conversation in detail.conversations:
        yield _fact("claude", f"claude --resume {conversation.id}  ({conversation.reason.value})")
    for entry in detail.permissions:
        answer = entry.verdict.value if entry.verdict else "not answered"
        yield _fact("permission", f"{entry.title}: {answer} {person_name(entry.by)}".rstrip())


def _raw(detail: AttemptDetail, records: Sequence[Record]) -> Iterator[LogLine]:
    if detail.verdict and detail.verdict.raw:
        yield _heading("The judge's answer, as it came")
        yield from _text(detail.verdict.raw)
    yield _heading("Records")
    yield from map(_raw_record, records[-_MOST_LINES:])


def _raw_record(record: Record) -> LogLine:
    """A record as JSON: short ones in a line, longer ones to unfold."""
    body = to_builtins(record.event)
    body.pop("type", None)
    text = json.dumps(body, ensure_ascii=False)
    glyph = "✗" if stops_at(record, "error") else ""
    indent = " " * 7
    key = f"{_PROMPT}{record.seq}" if stops_at(record, "prompt") else f"raw:{record.seq}"
    head = f"{record.seq:>6} {record.event.type} "
    spans = (Span(0, 6, "dim"), Span(7, len(head) - 1, "tool"))
    if len(text) <= _SHORT_RECORD:
        return LogLine(f"{head}{text}", hang=indent, spans=spans, glyph=glyph or " ", key=key)
    whole = tuple(_text(json.dumps(body, ensure_ascii=False, indent=2).replace("\\n", "\n")))
    shown = f"{head}{text[:_SHORT_RECORD]}…"
    size = f"{len(text):,} characters"
    return LogLine(shown, hang=indent, spans=spans, glyph=glyph, key=key, aside=size, detail=whole)


_PAGES: Mapping[str, Callable[[AttemptDetail, Sequence[Record]], Iterator[LogLine]]] = {
    "Prompt": _prompt,
    "Checks": _checks,
    "Scores": _scores,
    "Gate": _gate,
    "Raw": _raw,
}
