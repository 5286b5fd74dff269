"""What Claude Code does, as lines: text as Markdown, tool calls as cards, everything else as a sentence.

Keeps only what it needs to go on writing: which block is open, how a card began.
"""

from collections.abc import Iterable
from dataclasses import replace

from msgspec import Struct

from obra_tui.core import events as e
from obra_tui.core.model import ConversationReason, Outcome, PermissionKind, PermissionVerdict, Usage
from obra_tui.core.records.attempt_words import person_name
from obra_tui.ui.feeds.lines import CardLines, Pane, joined, named, text_lines
from obra_tui.ui.view.format import brief, clock_time, count, duration, money, plural
from widgets.lines import LogLine, Span

TEXT, CALL, PERSON, SAYS, WARN, ERROR, END = "»", "▸", "›", "·", "!", "✗", "■"

ATTEMPT = "attempt"
"""Key of the line that an attempt begins with, after the attempt's id."""
_SHORT_OUTPUT = 3
"""A command's output of this many lines is shown at once."""

_REASONS = {
    ConversationReason.FIRST: "",
    ConversationReason.RESUME: "same conversation goes on",
    ConversationReason.FORK: "forked conversation",
    ConversationReason.FRESH: "new conversation",
}


class _Card(Struct):
    line: LogLine
    tool: str
    given: str


class ClaudeFeed:
    """Writes the records of one attempt after the other into a pane."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self._attempt = ""
        self._written: dict[str, int] = {}
        self._cards: dict[str, _Card] = {}
        self._thinking: dict[str, int] = {}
        self._said = 0
        self._queued: list[tuple[str, LogLine]] = []
        """What was said into the running turn and not read yet."""

    def reset(self) -> None:
        self._pane.clear()
        self._written.clear()
        self._cards.clear()
        self._thinking.clear()
        self._queued.clear()
        self._said = 0

    def add(self, records: Iterable[e.Record]) -> None:
        for record in records:
            self._one(record)

    def skip(self, count: int) -> None:
        """Say that so much came too fast to be drawn."""
        text = f"… {plural(count, 'step')} too fast to be shown, kept in the history"
        self._pane.append(LogLine(text, style="dim", glyph=SAYS))

    def _one(self, record: e.Record) -> None:
        event, time = record.event, clock_time(record.at)
        self._attempt = record.attempt or self._attempt
        match event:
            case e.TextStreamed() | e.TextFinished() | e.TextDropped():
                self._text(event, time)
            case e.ThinkingStreamed():
                self._thought(event, time)
            case e.ToolStarted():
                self._tool_started(event, time)
            case e.ToolFinished():
                self._tool_finished(event)
            case e.PermissionAnswered():
                self._answered(event, time)
            case e.SteerQueued() | e.SteerDelivered():
                self._steered(event, time)
            case _:
                if isinstance(event, e.ClaudeEnded):
                    for text, _ in tuple(self._queued):
                        self._settle(text, "not read: goes into the next prompt")
                line = sentence(event, time)
                if line is not None:
                    self._pane.append(replace(line, key=self._key(line.key)) if line.key else line)

    def _key(self, name: str) -> str:
        """Names are unique within an attempt only; a pane holds several."""
        return f"{self._attempt}:{name}"

    # -- text ----------------------------------------------------------------------------------

    def _text(self, event: e.TextStreamed | e.TextFinished | e.TextDropped, time: str) -> None:
        block = self._key(event.block)
        match event:
            case e.TextStreamed(text=text):
                if block not in self._written:
                    self._pane.begin_stream(block, time=time, glyph=TEXT)
                self._written[block] = self._written.get(block, 0) + len(text)
                self._pane.append_stream(block, text)
            case e.TextFinished(text=text):
                self._finish(block, text, time)
            case e.TextDropped():
                if self._written.pop(block, None) is not None:
                    self._pane.drop_stream(block)

    def _finish(self, block: str, text: str, time: str) -> None:
        written = self._written.pop(block, None)
        if written == len(text):
            self._pane.end_stream(block)
            return
        if written is not None:
            self._pane.drop_stream(block)
        if text.strip():
            self._pane.write_markdown(text, time=time, glyph=TEXT)

    def _thought(self, event: e.ThinkingStreamed, time: str) -> None:
        key = self._key(f"thinking:{event.block}")
        total = self._thinking.get(key, 0) + len(event.text)
        line = LogLine(f"thinking · {count(total)} characters", style="dim", glyph=SAYS, time=time, key=key)
        if key not in self._thinking or not self._pane.replace(key, line):
            self._pane.append(line)
        self._thinking[key] = total

    # -- tools ---------------------------------------------------------------------------------

    def _tool_started(self, event: e.ToolStarted, time: str) -> None:
        text, spans = named(event.tool, event.title)
        given = event.input_json if event.input_json != "{}" else ""
        line = LogLine(
            text,
            spans=spans,
            glyph=CALL,
            time=time,
            key=self._key(event.call),
            aside="…",
            lead="└ " if event.parent else "",
            detail=CardLines(given=given),
        )
        self._cards[line.key] = _Card(line=line, tool=event.tool, given=given)
        self._pane.append(line)

    def _tool_finished(self, event: e.ToolFinished) -> None:
        card = self._cards.pop(self._key(event.call), None)
        if card is not None:
            self._pane.replace(card.line.key, _finished_card(card, event))

    # -- what the person says --------------------------------------------------------------------

    def _steered(self, event: e.SteerQueued | e.SteerDelivered, time: str) -> None:
        """A text is a line of its own; what became of it stands beside it."""
        match event:
            case e.SteerQueued(text=text, by=by, delivered=delivered):
                key = self._key(f"steer:{self._said}")
                self._said += 1
                aside = "queued for this turn" if delivered else "goes into the next prompt"
                said = f"{person_name(by)}: {text}"
                line = LogLine(said, style="person", glyph=PERSON, time=time, aside=aside, key=key)
                self._pane.append(line)
                if delivered:
                    self._queued.append((text, line))
            case e.SteerDelivered(text=text):
                self._settle(text, "✓ read by Claude")

    def _settle(self, text: str, aside: str) -> None:
        found = next((item for item in self._queued if item[0] == text), None)
        if found is not None:
            self._queued.remove(found)
            self._pane.replace(found[1].key, replace(found[1], aside=aside))

    # -- permissions ---------------------------------------------------------------------------

    def _answered(self, event: e.PermissionAnswered, time: str) -> None:
        answer = event.answer
        who = person_name(answer.by)
        if answer.verdict is PermissionVerdict.DENY:
            text = joined((f"denied by {who}: {event.title}", answer.note))
            line = LogLine(text, glyph=WARN, style="warn", time=time)
        else:
            how = "allowed" if answer.verdict is PermissionVerdict.ONCE else "allowed for this session"
            line = LogLine(joined((f"{how} by {who}: {event.title}", answer.note)), glyph="✓", style="ok", time=time)
        self._pane.append(line)


def _finished_card(card: _Card, event: e.ToolFinished) -> LogLine:
    failed = event.is_error
    patch = "" if failed else event.patch
    short = card.tool == "Bash" and not patch and 0 < len(text_lines(event.output)) <= _SHORT_OUTPUT
    return replace(
        card.line,
        glyph=WARN if failed else CALL,
        aside=_outcome(event),
        aside_style="error" if failed else "ok",
        detail=CardLines(given="" if short else card.given, output="" if patch else event.output, patch=patch),
        unfolded=failed or short,
    )


def _outcome(event: e.ToolFinished) -> str:
    if event.is_error:
        return "failed"
    size = f"+{event.added} −{event.removed}" if event.added or event.removed else ""
    return joined((size, f"ok {brief(event.duration_s)}" if event.duration_s else "ok"), "  ")


def sentence(event: e.Event, time: str) -> LogLine | None:
    """Return the line for an event that needs no memory, or None when the pane does not show it."""
    match event:
        case e.AttemptStarted(number=number, reason=reason):
            why = _REASONS[reason]
            return LogLine(joined((f"Attempt {number}", why)), style="heading", glyph="━", time=time, key=ATTEMPT)
        case e.PromptSent():
            return _prompt(event, time)
        case e.ClaudeStarted(model=model, version=version, permission_mode=mode, confinement=how):
            program, rules = f"Claude Code {version}" if version else "", f"permissions: {mode}" if mode else ""
            text = joined((model, program, rules, how.words if how else ""))
            return LogLine(text, style="dim", glyph=SAYS, time=time)
        case e.ClaudeActivity(state="compacting"):
            return LogLine("Claude shortens its memory of the conversation", style="dim", glyph=SAYS, time=time)
        case e.PermissionAsked():
            return _asked(event, time)
        case e.ClaudeNoticed(level=level, text=text, raw_json=raw):
            style = {"info": "dim", "warning": "warn", "error": "error"}[level]
            glyph = {"info": SAYS, "warning": WARN, "error": ERROR}[level]
            return LogLine(text, style=style, glyph=glyph, time=time, detail=text_lines(raw, "dim"))
        case e.ClaudeEnded():
            return _ended(event, time)
        case e.DiffTaken():
            return _work(event, time)
        case _:
            return _trouble(event, time)


def _trouble(event: e.Event, time: str) -> LogLine | None:
    """Return the line for what stands in Claude's way."""
    match event:
        case e.RetryScheduled():
            return _retry(event, time)
        case e.LimitReported(status=status) if status not in ("", "allowed", "ok"):
            return _limit(event, time)
        case e.CopyPrepared(copy=copy) if copy.lacks:
            first, *more = copy.lacks
            details = tuple(line for text in more for line in text_lines(text))
            return LogLine(first, style="warn", glyph=WARN, time=time, detail=details, unfolded=True)
        case e.PromptHeld():
            return LogLine("the next prompt waits for you", style="gate", glyph="?", time=time, aside="E opens it")
        case e.PromptWithdrawn():
            return LogLine("the prompt was not sent", style="dim", glyph=SAYS, time=time)
        case e.WorkTakenOver(by=by):
            return LogLine(f"{person_name(by)} took the work over", style="person", glyph=PERSON, time=time)
        case e.WorkHandedBack() as back:
            return _handed_back(back, time)
        case e.WorkMerged(tip=tip):
            text = f"other work was accepted first ({tip[:8]}): both are merged and checked before anything is taken in"
            return LogLine(text, style="warn", glyph=WARN, time=time)
        case e.WorkReverted(reversal=undone, by=by, note=note):
            text = f"{person_name(by)} reverted this work with {undone.commit[:8]}: {note}"
            return LogLine(text, style="warn", glyph=WARN, time=time)
        case e.ConflictFound(files=files, tip=tip):
            text = f"the same lines were changed by accepted work: {', '.join(files)}; done again from {tip[:8]}"
            return LogLine(text, style="warn", glyph=WARN, time=time)
        case _:
            return None


def _handed_back(event: e.WorkHandedBack, time: str) -> LogLine:
    what = "it is checked and judged as theirs" if event.then == "check" else "Claude goes on from there"
    if event.gate is None:
        what = f"{plural(len(event.files), 'file')} changed by hand · {what}"
    detail = tuple(LogLine(name, style="output") for name in event.files)
    text = f"{person_name(event.by)} handed the work back: {what}"
    return LogLine(text, style="person", glyph="" if detail else PERSON, time=time, detail=detail)


def _prompt(event: e.PromptSent, time: str) -> LogLine:
    what = {"task": "task", "retry": "findings of the last attempt", "steer": person_name(event.by)}[event.kind]
    first, _, rest = event.text.strip().partition("\n")
    detail = text_lines(event.text, "person") if rest else ()
    sent = f", sent by {person_name(event.by)}" if event.kind != "steer" and event.by != "obra" else ""
    name = f"Prompt ({what}{sent})"
    return LogLine(
        f"{name}  {first}",
        spans=(Span(0, len(name), "person"),),
        glyph="" if detail else PERSON,
        time=time,
        key=f"prompt:{time}",
        aside=plural(len(detail), "line") if detail else "",
        detail=detail,
    )


def _asked(event: e.PermissionAsked, time: str) -> LogLine:
    question = event.question
    tool = f"{question.tool} " if question.kind is PermissionKind.TOOL else ""
    return LogLine(f"asks: {tool}{question.title}", style="gate", glyph="?", time=time, aside="A answers")


def _retry(event: e.RetryScheduled, time: str) -> LogLine:
    status = f"{event.status} " if event.status else ""
    text = f"API retry {event.attempt}/{event.max_retries} in {brief(event.delay_s)}: {status}{event.error}"
    return LogLine(text, style="warn", glyph=WARN, time=time)


def _limit(event: e.LimitReported, time: str) -> LogLine:
    until = f"resets at {clock_time(event.resets_at)}" if event.resets_at else ""
    used = f"{event.utilization:.0%} used" if event.utilization is not None else ""
    text = joined((f"Usage limit ({event.window}): {event.status.replace('_', ' ')}", used, until))
    return LogLine(text, style="warn", glyph=WARN, time=time)


def _ended(event: e.ClaudeEnded, time: str) -> LogLine:
    result = event.result
    good = result.outcome is Outcome.COMPLETED
    word = "success" if good else result.outcome.value.replace("_", " ")
    text = joined((f"result: {word}", *consumption(result.usage), duration(result.duration_s)), "  ")
    detail = text_lines(result.detail, "output") if result.detail else ()
    return LogLine(
        text, style="result" if good else "error", glyph=END if good else ERROR, time=time, detail=detail, unfolded=True
    )


def consumption(usage: Usage) -> tuple[str, ...]:
    """`9 turns`, `$0.31`, `41k in / 2.1k out`."""
    read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    return (
        plural(usage.turns, "turn") if usage.turns else "",
        money(usage.cost_usd) if usage.cost_usd else "",
        f"{count(read)} in / {count(usage.output_tokens)} out" if read or usage.output_tokens else "",
    )


def _work(event: e.DiffTaken, time: str) -> LogLine:
    diff = event.diff
    if diff.empty:
        return LogLine("work: nothing was changed", style="warn", glyph=WARN, time=time)
    detail = tuple(LogLine(f"{c.kind.value:<9} {c.path}  +{c.added} −{c.removed}", style="output") for c in diff.files)
    return LogLine(
        f"work: {plural(len(diff.files), 'file')}  +{diff.added} −{diff.removed}",
        style="result",
        glyph="",
        time=time,
        key="work",
        detail=detail,
        unfolded=len(detail) <= 6,
    )
