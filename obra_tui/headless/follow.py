"""A run without a screen: records become lines or JSON objects, the end becomes an exit code.

Listens to the engine like the screen does and decides nothing. Its text output
is for people and for screen readers: append-only, no colours, no cursor moves.
"""

import json
import queue
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO

from msgspec import Struct, field

from obra_tui.core import events as ev
from obra_tui.core.commands import StopRun
from obra_tui.core.errors import ObraError, StoreError, Unwritable
from obra_tui.core.events import Record
from obra_tui.core.gate import comparison_words, describe_check
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.model import CheckStatus, Outcome, PermissionVerdict, Usage
from obra_tui.core.ports import Engine
from obra_tui.core.text import one_line, visible

EXIT_OK = 0
EXIT_NOT_ACCEPTED = 1
EXIT_WAITING = 3
EXIT_LOGIN = 4
EXIT_JUDGE = 5
EXIT_LIMIT = 6
EXIT_INTERRUPTED = 130


_LOOK_S = 1.0
"""Longest time until it is noticed that nothing can be recorded, of which no record can tell."""


class RunSummary(Struct):
    """What the summary line counts, taken from the records."""

    session: SessionId
    branch: str = ""
    started: float = 0.0
    ended: float = 0.0
    keys: dict[TaskId, str] = field(default_factory=dict)
    attempts: int = 0
    gate_failures: int = 0
    usage: Usage = field(default_factory=Usage)
    standing: ev.RunFinished | None = None
    closed: bool = False
    problems: set[str] = field(default_factory=set)
    unjudged: set[TaskId] = field(default_factory=set)
    waiting: set[TaskId] = field(default_factory=set)
    said: str = ""
    """The last reason that was printed."""

    def add(self, record: Record) -> None:
        self.started = self.started or record.at
        self.ended = record.at
        match record.event:
            case ev.SessionOpened(branch=branch):
                self.branch = branch
            case ev.TaskAdded(spec=spec):
                self.keys[spec.id] = spec.key
            case ev.GateJudged(quality=quality):
                self.attempts += 1
                self.gate_failures += not quality.passes_gate
            case ev.UsageReported(usage=usage):
                self.usage = self.usage + usage
            case ev.ProblemRaised(code=code):
                self.problems.add(code)
            case ev.ProblemCleared(code=code):
                self.problems.discard(code)
            case ev.RunStarted():
                self.problems.clear()
                self.standing = None
            case ev.RunFinished():
                self.standing = record.event
            case ev.SessionClosed():
                self.closed = True
            case _ if record.task is not None:
                self._add_of_task(record.task, record.event)

    def _add_of_task(self, task: TaskId, event: ev.Event) -> None:
        match event:
            case ev.VerdictReached(verdict=verdict):
                # Without a model nobody was asked: there was nothing to judge.
                missing = not verdict.complete and bool(verdict.identity.model)
                (self.unjudged.add if missing else self.unjudged.discard)(task)
            case ev.GateOpened():
                self.waiting.add(task)
            case ev.DecisionMade():
                self.waiting.discard(task)

    def summary(self) -> dict[str, object]:
        standing = self.standing
        return {
            "type": "summary",
            "session": self.session,
            "tasks": len(self.keys),
            "accepted": standing.accepted if standing else 0,
            "rejected": standing.rejected if standing else 0,
            "failed": standing.failed if standing else 0,
            "waiting": standing.waiting if standing else 0,
            "interrupted": standing.interrupted if standing else 0,
            "blocked": standing.blocked if standing else 0,
            "attempts": self.attempts,
            "gate_failures": self.gate_failures,
            "cost_usd_estimate": round(self.usage.cost_usd, 6),
            "duration_s": round(self.ended - self.started, 3),
            "branch": self.branch,
        }

    def exit_code(self) -> int:
        standing = self.standing
        if standing is not None and standing.accepted == len(self.keys):
            return EXIT_OK
        if "auth" in self.problems:
            return EXIT_LOGIN
        if self.problems & {"limited", "budget"}:
            return EXIT_LIMIT
        if self.waiting:
            return EXIT_JUDGE if self.waiting <= self.unjudged else EXIT_WAITING
        return EXIT_NOT_ACCEPTED


class PrintOptions(Struct, frozen=True, kw_only=True):
    """Where and how records are printed."""

    as_json: bool
    stream: TextIO
    encode: Callable[[Record], str]
    """Record → one JSON object on one line."""
    redact: Callable[[Record], Iterable[Record]] = lambda record: (record,)
    """Takes the secrets out before anything is printed: what is printed ends in the logs of others.

    What must wait for the rest of its stream is told later, joined with it."""


def follow(
    engine: Engine,
    session: SessionId,
    output: PrintOptions,
    start: Callable[[], None],
    person: str,
    *,
    past: bool = True,
) -> int:
    """Print the session until its run is finished; returns the exit code. Ctrl-C stops the run and keeps the work.

    With `past`, what the session holds already is printed first.
    """
    tally = RunSummary(session=session)
    records: queue.SimpleQueue[Sequence[Record]] = queue.SimpleQueue()
    unsubscribe = engine.subscribe(records.put)
    interrupted = False
    _take_past(records, tally, output, show=past)
    try:
        start()
        while True:
            try:
                _print_until_finished(engine, records, tally, output)
                break
            except KeyboardInterrupt:
                if interrupted:
                    break
                interrupted = True
                print("Stopping; the work is kept.", file=sys.stderr)  # noqa: T201
                engine.submit(StopRun(session=session, mode="now", by=person))
    finally:
        unsubscribe()
    _print_summary(tally, output)
    return EXIT_INTERRUPTED if interrupted else tally.exit_code()


def _print_until_finished(
    engine: Engine, records: "queue.SimpleQueue[Sequence[Record]]", tally: RunSummary, output: PrintOptions
) -> None:
    told: StoreError | None = None
    while True:
        try:
            batch = records.get(timeout=_LOOK_S)
        except queue.Empty:
            told = _tell_outage(engine.outage, told)
            continue
        for record in batch:
            if record.session != tally.session:
                continue
            tally.add(record)
            _print_record(record, tally, output)
        output.stream.flush()
        if tally.standing is not None and records.empty():
            # Closing the session follows in the same breath; a moment for it, none for anything else.
            if not tally.closed:
                _drain(records, tally, output)
            return


def _tell_outage(error: StoreError | None, told: StoreError | None) -> StoreError | None:
    """Print once that nothing can be recorded and return the error; raise it when waiting does not help."""
    if error is None or error is told:
        return error
    if not (isinstance(error, Unwritable) and error.passes):
        raise error
    print_waiting(error)
    return error


def _take_past(
    records: "queue.SimpleQueue[Sequence[Record]]", tally: RunSummary, output: PrintOptions, *, show: bool
) -> None:
    """Count what `subscribe` delivered before it returned."""
    while not records.empty():
        for record in records.get():
            if record.session == tally.session:
                tally.add(record)
                if show:
                    _print_record(record, tally, output)
    output.stream.flush()


def _drain(records: "queue.SimpleQueue[Sequence[Record]]", tally: RunSummary, output: PrintOptions) -> None:
    deadline = time.monotonic() + 0.05
    while not tally.closed and (left := deadline - time.monotonic()) > 0:
        try:
            batch = records.get(timeout=left)
        except queue.Empty:
            return
        for record in batch:
            if record.session == tally.session:
                tally.add(record)
                _print_record(record, tally, output)
        output.stream.flush()


def _print_record(record: Record, tally: RunSummary, output: PrintOptions) -> None:
    for clean in output.redact(record):
        _print_clean(clean, tally, output)


def _print_clean(record: Record, tally: RunSummary, output: PrintOptions) -> None:
    if not output.as_json:
        lines = text_lines(record, tally.said)
        tally.said = _reason(record.event) or tally.said
    elif isinstance(record.event, ev.GateJudged):
        lines = iter((json.dumps(gate_json(record, tally)),))
    else:
        lines = iter((output.encode(record),))
    output.stream.writelines(f"{line}\n" for line in lines)


def _print_summary(tally: RunSummary, output: PrintOptions) -> None:
    summary = tally.summary()
    if output.as_json:
        text = json.dumps(summary)
    else:
        attempts = "1 attempt" if tally.attempts == 1 else f"{tally.attempts} attempts"
        text = (
            f"{summary['accepted']} of {summary['tasks']} tasks accepted, {summary['waiting']} waiting for a person, "
            f"{summary['rejected']} rejected, {summary['failed']} failed · {attempts} · "
            f"{summary['duration_s']:.1f} s · about ${summary['cost_usd_estimate']:.2f} · branch {summary['branch']}"
        )
    print(text, file=output.stream, flush=True)


def gate_json(record: Record, tally: RunSummary) -> dict[str, object]:
    """Return the flat object that scripts read for each gate."""
    event = record.event
    assert isinstance(event, ev.GateJudged)
    quality = event.quality
    return {
        "type": "gate",
        "session": record.session,
        "task": tally.keys.get(record.task, "") if record.task else "",
        "attempt": event.number,
        "overall_score": None if quality.overall is None else round(quality.overall, 4),
        "passes_gate": quality.passes_gate,
        "stage_scores": {item.stage.value: item.score for item in quality.stage_scores},
        "decision": event.outcome.decision.value,
        "reasons": list(event.outcome.reasons),
        "quality": quality.line,
        "at": record.at,
    }


# --- text ----------------------------------------------------------------------------------------


def text_lines(record: Record, said: str = "") -> Iterator[str]:
    """Yield the lines that tell a person what happened; streamed pieces are told when they are complete.

    Of a reason only what goes beyond `said` is told: when Claude Code cannot work, it says so itself, its end does,
    the problem does and the interrupted task does.
    """
    match record.event:
        case ev.SessionOpened() as event:
            yield f"session {record.session} · {one_line(event.title)} · branch {event.branch} · policy {event.policy}"
            if event.rehearsal:
                yield f"REHEARSAL {event.rehearsal}: the models are scripted, everything else is real"
        case ev.ProblemRaised(text=text, fix=fix):
            if new := _beyond(text, said):
                yield f"! {one_line(new, 500)}"
            if fix and fix not in text:
                yield f"  {one_line(fix, 500)}"
        case ev.CopyPrepared(copy=copy):
            yield from (f"! {one_line(lack, 500)}" for lack in copy.lacks)
        case ev.TaskAdded(spec=spec):
            yield f"· {spec.key} {one_line(spec.title)}"
        case ev.TaskMoved(after=after, reason=reason):
            new = _beyond(reason, said)
            yield f"  {after.replace('_', ' ')}" + (f": {one_line(new, 500)}" if new else "")
        case ev.PlanChanged(said=said, by=by):
            yield f"  the plan was changed by {one_line(by)}" + (f": {one_line(said, 500)}" if said else "")
        case ev.Paused() | ev.Resumed() | ev.StopRequested():
            yield f"  {record.event.type.replace('_', ' ')} by {record.event.by}"
        case _:
            yield from _claude_lines(record.event, said)
            yield from _evidence_lines(record.event)
            yield from _gate_lines(record.event)


def _reason(event: ev.Event) -> str:
    match event:
        case ev.ClaudeNoticed(text=text) | ev.TextFinished(text=text) | ev.ProblemRaised(text=text):
            return text.strip()
        case ev.ClaudeEnded(result=result):
            return result.detail
        case ev.TaskMoved(reason=reason):
            return reason
        case _:
            return ""


def _beyond(reason: str, said: str) -> str:
    rest = reason.removeprefix(said)
    return rest.lstrip(". ") if rest != reason and rest[:1] in {"", "."} else reason


def _claude_lines(event: ev.Event, said: str) -> Iterator[str]:
    match event:
        case ev.AttemptStarted(number=number, reason=reason, claude_session=claude_session):
            yield f"  attempt {number} · Claude session {claude_session} ({reason})"
        case ev.TextFinished(text=text) if text.strip():
            yield from (f"  » {line}" for line in visible(text).strip().splitlines())
        case ev.ToolStarted(tool=tool, title=title):
            yield f"  ▸ {one_line(tool)} {one_line(title)}"
        case ev.ToolFinished(is_error=True, output=output):
            yield f"  ✗ {one_line(output)}"
        case ev.ToolFinished(added=added, removed=removed) if added or removed:
            yield f"    +{added} −{removed}"
        case ev.PermissionAnswered(title=title, answer=answer) if answer.verdict is PermissionVerdict.DENY:
            yield f"  ! denied ({answer.by}): {one_line(title)}"
        case ev.PermissionAnswered(title=title, answer=answer):
            yield f"  ✓ allowed ({answer.by}): {one_line(title)}"
        case ev.RetryScheduled(attempt=attempt, max_retries=most, delay_s=delay, error=error):
            yield f"  ! the API failed ({one_line(error)}); Claude Code tries again in {delay:.1f} s ({attempt}/{most})"
        case ev.ClaudeNoticed(level="warning" | "error", text=text):
            yield f"  ! {one_line(text)}"
        case ev.ClaudeEnded(result=result):
            detail = _beyond(result.detail, said) or result.outcome
            words = "done" if result.outcome is Outcome.COMPLETED else one_line(detail, 500)
            turns = result.usage.turns
            how = f" · {result.confinement.words}" if result.confinement else ""
            yield f"  ■ Claude Code: {words} · {turns} turn{'s' * (turns != 1)} · {result.duration_s:.1f} s{how}"


_WORTH_SAYING_S = 5.0
"""A check that takes less has ended before anybody has read how long it takes."""


def _evidence_lines(event: ev.Event) -> Iterator[str]:
    match event:
        case ev.DiffTaken(diff=diff):
            size = "1 file" if len(diff.files) == 1 else f"{len(diff.files)} files"
            yield f"  diff: {size}, +{diff.added} −{diff.removed}, tree {diff.tree[:12]}"
            yield from (f"    {one_line(note, 500)}" for note in diff.left_out)
        case ev.ChecksPlanned(sandbox=sandbox, note=note):
            yield f"  checks run in sandbox '{sandbox}'" + (f": {one_line(note, 500)}" if note else "")
        case ev.CheckStarted(name=name, expected_s=expected) if expected and expected >= _WORTH_SAYING_S:
            yield f"  … {one_line(name)} runs, about {expected:.0f} s by its last times"
        case ev.CheckFinished(result=result):
            mark = "✓" if result.status is CheckStatus.PASSED else "✗"
            yield f"  {mark} {one_line(describe_check(result), 500)} · {result.duration_s:.1f} s"
            if words := comparison_words(result):
                yield f"    tests  {words}"
            yield from (f"    ask: {one_line(text, 500)}" for text in result.asks)
        case ev.VerdictReached(verdict=verdict) if not verdict.complete:
            yield f"  Qwen: unjudged: {one_line(verdict.unjudged, 500)}"
        case ev.VerdictReached(verdict=verdict):
            yield f"  Qwen ({one_line(verdict.identity.model)}): {one_line(verdict.summary, 500)}"
            for item in verdict.findings:
                yield f"    {item.severity}: {one_line(item.place)} {one_line(item.message, 500)}"


def _gate_lines(event: ev.Event) -> Iterator[str]:
    match event:
        case ev.GateJudged(quality=quality, outcome=outcome):
            scores = " ".join(f"{s.stage}={_number(s.score)}" for s in quality.stage_scores)
            yield f"  {quality.line}  {scores}"
            yield from (f"    {outcome.decision}: {one_line(reason, 500)}" for reason in outcome.reasons)
        case ev.GateOpened(gate=gate):
            yield f"  gate {gate} waits for a person: obra review"
        case ev.WorkTakenOver(by=by):
            yield f"  taken over by {one_line(by)}"
        case ev.WorkHandedBack(by=by, then=then):
            what = "checked and judged anew" if then == "check" else "Claude goes on from there"
            yield f"  changed by hand by {one_line(by)}: {what}"
        case ev.WorkMerged(tip=tip):
            yield f"  other work was accepted first ({tip[:12]}): both together are checked before they are taken in"
        case ev.DecisionHeld(decision=decision):
            yield f"  {decision.kind} by {one_line(decision.by)}: can still be undone"
        case ev.DecisionUndone(by=by, reason=reason):
            yield f"  undone by {one_line(by)}" + (f": {one_line(reason, 500)}" if reason else "")
        case ev.DecisionMade(decision=decision):
            note = f": {one_line(decision.note, 500)}" if decision.note else ""
            yield f"  {decision.kind} by {one_line(decision.by)}{note}"
        case ev.ConflictFound(files=files):
            yield f"  conflict in {one_line(', '.join(files), 500)}: goes back to Claude on top of the other work"
        case ev.WorkAccepted(acceptance=acceptance):
            yield f"  accepted as {acceptance.commit[:12]} on {acceptance.branch}"
        case ev.WorkReverted(reversal=undone, by=by, note=note):
            yield f"  reverted by {one_line(by)} as {undone.commit[:12]} on {undone.branch}: {one_line(note, 500)}"


def _number(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"


def print_waiting(error: StoreError) -> None:
    """Say why nothing goes on at present."""
    print_error(error)
    print("obra: waiting; it goes on by itself.", file=sys.stderr)  # noqa: T201


def print_notice_problem(text: str) -> None:
    """Say that a notice failed; the run goes on."""
    print(f"obra: {visible(text)}", file=sys.stderr)  # noqa: T201


def print_error(error: ObraError) -> None:
    """Print an expected error on standard error: what, where, what to do next."""
    print(f"obra: {visible(str(error))}", file=sys.stderr)  # noqa: T201
