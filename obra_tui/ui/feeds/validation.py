"""The validation pane as lines: the diff, the checks with their live output, the judge, the score.

The judge's answer streams in as JSON and is shown raw, or parsed as far as it goes. Display only: the verdict comes
by an event of its own.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from msgspec import Struct

from obra_tui.core import events as e
from obra_tui.core.gate import comparison_words
from obra_tui.core.model import CheckResult, CheckSpec, CheckStatus, Finding, SandboxLevel, Verdict
from obra_tui.ui.feeds.lines import Pane, heading, joined, named, text_lines
from obra_tui.ui.view.blinding import NOTHING, TELLING
from obra_tui.ui.view.format import brief, count, plural, score
from obra_tui.ui.view.status_words import CHECK, SEVERITY
from widgets.lines import LogLine, Span

_CLOSERS = {"{": "}", "[": "]"}


def parse_partial(text: str) -> object | None:
    """Return the value that `text` begins, without what is incomplete; None when nothing can be read."""
    start = text.find("{")
    if start < 0:
        return None
    body = text[start:]
    stack, in_string, cuts = _scan(body)
    tail = '"' if in_string else ""
    trimmed = body[:-1] if in_string and body.endswith("\\") else body
    for candidate in (trimmed + tail + _close(stack), *(body[:cut] + _close(open_) for cut, open_ in reversed(cuts))):
        try:
            value: object = json.loads(candidate)
        except ValueError:
            continue
        return value
    return None


def _scan(body: str) -> tuple[str, bool, list[tuple[int, str]]]:
    """Return what is open at the end, whether a string is, and the last places where a value was complete."""
    stack, in_string, escaped = "", False, False
    cuts: list[tuple[int, str]] = []
    for index, char in enumerate(body):
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "{[":
            stack += char
            cuts.append((index + 1, stack))
        elif char in "}]":
            stack = stack[:-1]
            cuts.append((index + 1, stack))
            if not stack:
                break
        elif char == ",":
            cuts.append((index, stack))
    return stack, in_string, cuts[-4:]


def _close(stack: str) -> str:
    return "".join(_CLOSERS[char] for char in reversed(stack))


LIVE_ROWS = 8
"""Rows of output below a check while it runs; all of it is there when it is done."""
TAIL_ROWS = 6
"""Last rows of a failed check that stand open; the whole output is a card of its own."""
"""Rows of output below a check while it runs; all of it is there when it is done."""
HIDDEN = "The judge's scores are hidden until you gave your own at the gate (blind mode)."
_STYLES = {CheckStatus.PASSED: "ok", CheckStatus.FAILED: "error", CheckStatus.TIMED_OUT: "error"}


class _Answer(Struct):
    """The judge's answer to one prompt as it streams: one card that is drawn again and again."""

    key: str
    text: str = ""
    done: bool = False


class ValidationFeed:
    """Writes the evidence of one attempt into a pane; `raw` shows the judge's JSON as it is."""

    def __init__(self, pane: Pane, *, raw: bool = False) -> None:
        self._pane = pane
        self.raw = raw
        self.kept = NOTHING
        """Whose answers are not shown."""
        self._attempt = ""
        self._number = 0
        self._partial: dict[str, str] = {}
        self._rows: dict[str, list[LogLine]] = {}
        self._answers: dict[int, _Answer] = {}
        self._prompts = 0
        self._merges = 0
        self._waiting = ""

    def reset(self) -> None:
        self._pane.clear()
        self._partial.clear()
        self._rows.clear()
        self._answers.clear()
        self._attempt, self._prompts, self._merges = "", 0, 0

    def add(self, records: Iterable[e.Record]) -> None:
        touched: dict[str, _Answer] = {}
        for record in records:
            if record.attempt and record.attempt != self._attempt:
                self._answers.clear()
                self._attempt, self._prompts, self._merges = record.attempt, 0, 0
            if record.attempt in self.kept.attempts and isinstance(record.event, TELLING):
                self._keep_back(record.event)
            elif isinstance(record.event, e.JudgeStreamed):
                answer = self._answers.setdefault(record.event.part, _Answer(key=self._answer_key))
                answer.text += record.event.text
                touched[answer.key] = answer
            else:
                self._one(record.event)
        for answer in touched.values():
            self._put_keyed(self._answer_card(answer))

    def _keep_back(self, event: e.Event) -> None:
        """Say that there is an answer; its findings are shown, as in the review."""
        if isinstance(event, e.VerdictReached):
            self._stop_waiting()
            self._pane.append(LogLine(HIDDEN, style="warn", glyph="–"))
            self._pane.extend([finding_line(finding) for finding in event.verdict.findings])

    def _one(self, event: e.Event) -> None:
        match event:
            case e.AttemptStarted(number=number):
                self._number = number
                text = f"Attempt {number}: when Claude is done, the checks run and the judge reads the diff."
                self._pane.append(LogLine(text, style="dim", key=self._key("start")))
            case e.WorkMerged():
                self._merges += 1
            case e.ChecksPlanned():
                self._planned(event)
            case e.CheckStarted(name=name, command=command, expected_s=expected):
                aside = f"running, about {brief(expected)}" if expected and expected >= 1 else "running"
                self._put(name, _check_line(name, command, glyph="●", aside=aside, style="running"))
            case e.CheckPrinted(name=name, text=text):
                self._printed(name, text)
            case e.CheckFinished(result=result):
                self._rows.pop(result.spec.name, None)
                self._partial.pop(result.spec.name, None)
                self._put(result.spec.name, finished_check(result))
                self._put_whole(result)
            case e.JudgeStarted():
                self._judge_started(event)
            case e.JudgePrompted():
                self._prompted(event)
            case e.JudgeWaiting(text=text):
                self._waits(text)
            case e.VerdictReached(verdict=verdict):
                self._verdict(verdict)
            case e.GateJudged():
                self._pane.extend(gate_lines(event))
            case _:
                pass

    # -- checks --------------------------------------------------------------------------------

    def _planned(self, event: e.ChecksPlanned) -> None:
        self._pane.replace(self._key("start"), LogLine(f"Attempt {self._number}", style="strong"))
        how = "no sandbox" if event.sandbox is SandboxLevel.NONE else f"sandbox {event.sandbox.value}"
        self._pane.append(heading("Checks, run by Obra", aside=how))
        if event.note:
            glyph = "·" if event.sandbox is SandboxLevel.BWRAP else "!"
            self._pane.append(LogLine(event.note, style="dim", glyph=glyph))
        if not event.checks:
            self._pane.append(LogLine("No check was found: nothing is measured.", style="warn", glyph="!"))
        for spec in event.checks:
            self._pane.append(replace(_planned_check(spec), key=self._key(spec.name)))

    def _printed(self, name: str, text: str) -> None:
        whole = self._partial.get(name, "") + text
        *rows, rest = whole.split("\n")
        self._partial[name] = rest[-4_000:]
        if not rows:
            return
        lines = text_lines("\n".join(rows[-LIVE_ROWS:]))
        held = [*self._rows.get(name, ()), *lines][-LIVE_ROWS:]
        self._rows[name] = held
        self._put(name, _check_line(name, "", glyph="●", aside="running", style="running", detail=tuple(held)))

    def _put_whole(self, result: CheckResult) -> None:
        card = whole_output(result)
        if card is not None:
            self._put(f"output:{result.spec.name}", card)

    def _put(self, name: str, line: LogLine) -> None:
        self._put_keyed(replace(line, key=self._key(name)))

    def _key(self, name: str) -> str:
        """Names are unique within an attempt only, and within one look at it; a pane holds several."""
        return f"{self._attempt}:{self._merges}:{name}"

    # -- judge ---------------------------------------------------------------------------------

    @property
    def _answer_key(self) -> str:
        return self._key(f"answer:{self._prompts}")

    def _judge_started(self, event: e.JudgeStarted) -> None:
        self._stop_waiting()
        who = event.identity
        where = who.url.removeprefix("http://").removeprefix("https://")
        self._pane.append(heading(who.model, aside=where))
        parts = joined((plural(event.hunks, "hunk"), f"in {plural(event.parts, 'part')}"), " ")
        self._pane.append(LogLine(joined((parts, who.rubric)), style="dim"))

    def _prompted(self, event: e.JudgePrompted) -> None:
        self._stop_waiting()
        self._prompts += 1
        what = "Repair prompt" if event.repair else f"Prompt {event.part}"
        text, spans = named(what, f"~{count(event.token_estimate)} tokens", style="person")
        key = self._key(f"prompt:{self._prompts}")
        self._pane.append(LogLine(text, spans=spans, key=key, detail=text_lines(event.text, "output")))
        self._answers[event.part] = _Answer(key=self._answer_key)

    def _waits(self, text: str) -> None:
        self._waiting = text
        self._put_keyed(LogLine(text, style="running", glyph="●", key=self._answer_key))

    def _stop_waiting(self) -> None:
        """What was waited for is there; a line that says otherwise must not stay."""
        if self._waiting:
            self._pane.replace(self._answer_key, LogLine(self._waiting, style="dim", glyph="·", key=self._answer_key))
            self._waiting = ""

    def _answer_card(self, answer: _Answer) -> LogLine:
        if answer.done:
            text = f"answer · {count(len(answer.text))} characters"
            return LogLine(text, style="dim", key=answer.key, detail=text_lines(answer.text, "output"))
        value = None if self.raw else parse_partial(answer.text)
        shown = _inside(answer_lines(value)) if isinstance(value, dict) else text_lines(answer.text, "output")
        text = f"answers · {count(len(answer.text))} characters"
        return LogLine(text, style="running", glyph="●", key=answer.key, detail=shown, unfolded=True)

    def _put_keyed(self, line: LogLine) -> None:
        if not self._pane.replace(line.key, line):
            self._pane.append(line)

    def _verdict(self, verdict: Verdict) -> None:
        if not any(answer.text for answer in self._answers.values()):
            self._stop_waiting()
        for answer in self._answers.values():
            answer.done = True
            if answer.text:
                self._put_keyed(self._answer_card(answer))
        self._answers.clear()
        self._pane.extend(verdict_lines(verdict))


def _inside(lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
    """Lines as the detail of a card, which has no gutter of its own."""
    return tuple(replace(line, glyph="", lead=f"{line.glyph} " if line.glyph else "") for line in lines)


def _planned_check(spec: CheckSpec) -> LogLine:
    note = "" if spec.blocking else "does not block"
    return _check_line(spec.name, spec.run, glyph="·", aside=note, style="dim")


def _check_line(
    name: str, rest: str, *, glyph: str, aside: str, style: str, detail: tuple[LogLine, ...] = ()
) -> LogLine:
    text, spans = named(name, rest, style=f"strong {style}")
    return LogLine(text, spans=spans, glyph=glyph, aside=aside, aside_style=style, detail=detail, unfolded=True)


def finished_check(result: CheckResult) -> LogLine:
    """Return the card of a check that is done; what failed is open, with the failing tests and the last lines."""
    status = CHECK[result.status]
    style = _STYLES.get(result.status, "warn")
    passed = result.status is CheckStatus.PASSED
    text, spans = named(result.spec.name, _counts(result), style=f"strong {style}")
    return LogLine(
        text,
        spans=spans,
        glyph=status.glyph,
        aside=joined((status.word, brief(result.duration_s)), " "),
        aside_style=style,
        key=result.spec.name,
        detail=_check_detail(result, whole=passed),
        unfolded=not passed,
    )


def _check_detail(result: CheckResult, *, whole: bool) -> tuple[LogLine, ...]:
    output = text_lines(result.output)
    shown = output if whole or len(output) <= TAIL_ROWS else output[-TAIL_ROWS:]
    cut = [LogLine(f"… {len(output) - len(shown)} lines before", style="dim")] if len(shown) < len(output) else []
    failures = [LogLine(joined((case.name, case.message), ": "), style="error", lead="✗ ") for case in result.failures]
    compared = comparison_words(result) if result.base is not None or result.is_weak else ""
    said = [LogLine(text, style="warn") for text in (result.detail, *result.asks, compared) if text]
    return (LogLine(f"$ {result.spec.run}", style="dim"), *said, *failures, *cut, *shown)


def whole_output(result: CheckResult) -> LogLine | None:
    """Return a folded card with all of the output, when the check's own card shows only its end."""
    lines = text_lines(result.output)
    if result.status is CheckStatus.PASSED or len(lines) <= TAIL_ROWS:
        return None
    return LogLine(f"whole output of {result.spec.name}", style="dim", aside=f"{len(lines)} lines", detail=lines)


def _counts(result: CheckResult) -> str:
    if result.passed is None and result.failed is None:
        return f"exit {result.exit_code}" if result.exit_code else ""
    skipped = f"{result.skipped} skipped" if result.skipped else ""
    return joined((f"{result.passed or 0} passed", f"{result.failed or 0} failed", skipped), ", ")


def answer_lines(value: Mapping[str, object]) -> list[LogLine]:
    """Return what can be read of an answer that is still being written."""
    findings = value.get("findings")
    found = findings if isinstance(findings, list) else []
    lines = [_raw_finding(item) for item in found if isinstance(item, dict)]
    scores = value.get("scores")
    for name, number in scores.items() if isinstance(scores, dict) else ():
        if isinstance(number, int | float) and not isinstance(number, bool):
            lines.append(criterion_line(str(name).replace("_", " "), number / 100 if number > 1 else float(number)))
    summary = value.get("summary")
    if isinstance(summary, str) and summary:
        lines.append(LogLine(summary, glyph="»"))
    return lines


def _raw_finding(item: Mapping[str, object]) -> LogLine:
    place = str(item.get("file") or "")
    if item.get("line") is not None:
        place = f"{place}:{item['line']}"
    return _finding(str(item.get("severity") or "…"), place, str(item.get("message") or "…"))


def _finding(severity: str, place: str, message: str) -> LogLine:
    status = next((known for name, known in SEVERITY.items() if name.value == severity), None)
    style = {"blocker": "error", "major": "warn"}.get(severity, "text")
    head = joined((severity, place), " ")
    return LogLine(
        f"{head}  {message}", spans=(Span(0, len(head), f"strong {style}"),), glyph=status.glyph if status else "·"
    )


def criterion_line(name: str, value: float) -> LogLine:
    """`correctness  0.86 ████████▌ `: the number first, the bar beside it."""
    filled = round(max(0.0, min(1.0, value)) * 10)
    head = f"{name:<16} {score(value)} "
    return LogLine(f"{head}{'█' * filled}{'░' * (10 - filled)}", spans=(Span(len(head), len(head) + 10, "dim"),))


def verdict_lines(verdict: Verdict, *, findings: bool = True) -> list[LogLine]:
    """Return what counts of the judge's answer: findings, scores, whether it saw everything."""
    if not verdict.complete:
        return [LogLine(f"Unjudged: {verdict.unjudged}", style="strong warn", glyph="!")]
    seen = f"{verdict.hunks_seen}/{verdict.hunks_total} hunks seen" if verdict.hunks_total else ""
    aside = joined((seen, brief(verdict.duration_s) if verdict.duration_s else ""))
    lines = [heading("Verdict", aside=aside)]
    if findings:
        lines.extend(finding_line(finding) for finding in verdict.findings)
    lines.extend(criterion_line(item.criterion.replace("_", " "), item.score) for item in verdict.scores)
    if verdict.summary:
        lines.append(LogLine(verdict.summary, glyph="»"))
    lines.extend(LogLine(f"contradiction: {text}", style="warn", glyph="!") for text in verdict.contradictions)
    return lines


def gate_lines(event: e.GateJudged) -> list[LogLine]:
    """Return the score, what stands in the way, and what was known of the judge."""
    style = "ok" if event.quality.passes_gate else "error"
    lines = [LogLine(event.quality.line, style=f"strong {style}", glyph="■")]
    lines += [LogLine(item, style="warn", glyph="!") for item in event.quality.obstacles]
    if event.record:
        lines.append(LogLine(f"record of the judge: {event.record}", style="dim", glyph="·"))
    return lines


def finding_line(finding: Finding) -> LogLine:
    """Return a finding with its place; the suggestion unfolds below it."""
    line = _finding(finding.severity.value, finding.place, finding.message)
    detail = text_lines(finding.suggestion, "output")
    return LogLine(line.text, spans=line.spans, glyph=line.glyph, detail=detail) if detail else line
