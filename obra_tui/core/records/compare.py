"""Two attempts, or two sessions, side by side: a pure function of what is known of both.

Findings are the same when their fingerprints are: file and message, without the
line, which moves. Says what differs, never which is better.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.ids import AttemptId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import CheckStatus, Diff, Finding, Stage, Usage
from obra_tui.core.patch import split_patch
from obra_tui.core.records.history import AttemptDetail, SessionDetail, TaskSummary

NumberUnit = Literal["score", "count", "usd", "seconds", "tokens"]
_HUNK = re.compile(r"^@@ [^@]* @@")


class Number(Struct, frozen=True, kw_only=True):
    """A number of both sides; either may be missing."""

    name: str
    unit: NumberUnit
    a: float | None
    b: float | None
    more_is: Literal["better", "worse", "neither"] = "neither"

    @property
    def delta(self) -> float | None:
        return None if self.a is None or self.b is None else self.b - self.a


FileChangeKind = Literal["only A", "only B", "same", "differs"]


class FileComparison(Struct, frozen=True, kw_only=True):
    path: str
    kind: FileChangeKind
    diff: str = ""
    """How A's change to the file differs from B's: a diff of the two diffs."""


class TaskPair(Struct, frozen=True, kw_only=True):
    """A task of both sessions; what a side does not have is empty."""

    key: str
    title: str
    states: tuple[str, str]
    score: Number
    attempts: tuple[int, int] = (0, 0)
    last: tuple[AttemptId | None, AttemptId | None] = (None, None)
    """The last attempt of each side."""


class Comparison(Struct, frozen=True, kw_only=True):
    """A and B, where *fixed* is in A only and *new* in B only."""

    a: str
    b: str
    warnings: tuple[str, ...] = ()
    """What makes the two hard to compare: another base, another task, a rehearsal."""
    numbers: tuple[Number, ...] = ()
    fixed: tuple[Finding, ...] = ()
    still: tuple[Finding, ...] = ()
    new: tuple[Finding, ...] = ()
    files: tuple[FileComparison, ...] = ()
    prompts: str = ""
    """Diff of the first prompts."""
    tasks: tuple[tuple[str, str, str], ...] = ()
    """For sessions: key, state in A, state in B."""
    pairs: tuple[TaskPair, ...] = ()
    """The same with what is known of both, in the order of the plans."""

    @property
    def diff_of_diffs(self) -> str:
        return "".join(file.diff for file in self.files)


# --- attempts ------------------------------------------------------------------------------------


def compare_attempts(a: AttemptDetail, b: AttemptDetail) -> Comparison:
    fixed, still, new = _findings(_of(a), _of(b))
    return Comparison(
        a=_name(a),
        b=_name(b),
        warnings=tuple(_doubts(a, b)),
        numbers=_numbers(a, b),
        fixed=fixed,
        still=still,
        new=new,
        files=_files(a.diff, b.diff),
        prompts=_unified(_prompt(a), _prompt(b), "prompt"),
    )


def _name(detail: AttemptDetail) -> str:
    return f"{detail.summary.task_key} attempt {detail.summary.number}"


def _doubts(a: AttemptDetail, b: AttemptDetail) -> Iterable[str]:
    if a.diff and b.diff and a.diff.base_commit != b.diff.base_commit:
        yield f"Different bases: A began at {a.diff.base_commit[:10]}, B at {b.diff.base_commit[:10]}."
    if a.summary.task != b.summary.task and a.spec.prompt != b.spec.prompt:
        yield f"Different tasks: {a.spec.key} and {b.spec.key}."
    rubrics = {d.verdict.identity.rubric_hash for d in (a, b) if d.verdict}
    if len(rubrics) > 1:
        yield "Judged by different rubrics: the judged scores do not compare."
    models = {d.verdict.identity.model for d in (a, b) if d.verdict}
    if len(models) > 1:
        yield "Judged by different models: the judged scores do not compare."
    for side, detail in (("A", a), ("B", b)):
        if detail.diff is None:
            yield f"{side} has no diff."
        elif detail.diff.truncated:
            yield f"The diff of {side} was cut."


def _of(detail: AttemptDetail) -> Sequence[Finding]:
    return detail.quality.findings if detail.quality else detail.verdict.findings if detail.verdict else ()


def _findings(
    a: Iterable[Finding], b: Iterable[Finding]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[Finding, ...]]:
    """Return what is only in A, in both (as B says it), only in B; a fingerprint counts once per side."""
    ours, theirs = _by_fingerprint(a), _by_fingerprint(b)
    return (
        tuple(finding for key, finding in ours.items() if key not in theirs),
        tuple(finding for key, finding in theirs.items() if key in ours),
        tuple(finding for key, finding in theirs.items() if key not in ours),
    )


def _by_fingerprint(findings: Iterable[Finding]) -> Mapping[str, Finding]:
    found: dict[str, Finding] = {}
    for finding in findings:
        found.setdefault(finding.fingerprint, finding)
    return found


def _numbers(a: AttemptDetail, b: AttemptDetail) -> tuple[Number, ...]:
    scores = [Number(name="overall", unit="score", a=a.summary.score, b=b.summary.score, more_is="better")]
    for stage in Stage:
        one, other = (d.quality.score_of(stage) if d.quality else None for d in (a, b))
        scores.append(Number(name=stage.value, unit="score", a=one, b=other, more_is="better"))
    diffs = (
        _number("files", a.diff, b.diff, lambda d: len(d.files)),
        _number("lines added", a.diff, b.diff, lambda d: d.added),
        _number("lines removed", a.diff, b.diff, lambda d: d.removed),
    )
    checks = Number(name="checks passed", unit="count", a=_passed(a), b=_passed(b), more_is="better")
    findings = Number(name="findings", unit="count", a=len(_of(a)), b=len(_of(b)), more_is="worse")
    took = Number(name="time", unit="seconds", a=a.summary.seconds, b=b.summary.seconds, more_is="worse")
    return (*scores, checks, *diffs, findings, *_used(a.summary.usage, b.summary.usage), took)


def _number(name: str, a: Diff | None, b: Diff | None, of: Callable[[Diff], float]) -> Number:
    return Number(name=name, unit="count", a=of(a) if a else None, b=of(b) if b else None)


def _passed(detail: AttemptDetail) -> float | None:
    return sum(check.status is CheckStatus.PASSED for check in detail.checks) if detail.checks else None


def _used(a: Usage, b: Usage) -> tuple[Number, ...]:
    return (
        Number(name="cost", unit="usd", a=a.known_cost, b=b.known_cost, more_is="worse"),
        Number(name="tokens", unit="tokens", a=a.total_tokens, b=b.total_tokens, more_is="worse"),
        Number(name="turns", unit="count", a=a.turns, b=b.turns),
    )


def _prompt(detail: AttemptDetail) -> str:
    return detail.prompts[0].text if detail.prompts else ""


# --- diffs of diffs ------------------------------------------------------------------------------


def _files(a: Diff | None, b: Diff | None) -> tuple[FileComparison, ...]:
    ours, theirs = split_patch(a.patch if a else ""), split_patch(b.patch if b else "")
    return tuple(_file(path, ours.get(path), theirs.get(path)) for path in sorted({*ours, *theirs}))


def _file(path: str, ours: str | None, theirs: str | None) -> FileComparison:
    if ours is None or theirs is None:
        kind: FileChangeKind = "only B" if ours is None else "only A"
        return FileComparison(path=path, kind=kind, diff=_unified(_changes(ours), _changes(theirs), path))
    diff = _unified(_changes(ours), _changes(theirs), path)
    return FileComparison(path=path, kind="differs" if diff else "same", diff=diff)


def _changes(part: str | None) -> str:
    """The hunks of a file without what moves: blob names and line numbers."""
    lines = (part or "").splitlines(keepends=True)
    kept = [_HUNK.sub("@@", line) for line in lines if not line.startswith(("index ", "diff --git ", "--- ", "+++ "))]
    return "".join(kept)


def _unified(a: str, b: str, name: str) -> str:
    from difflib import unified_diff  # a run compares nothing

    lines = unified_diff(a.splitlines(keepends=True), b.splitlines(keepends=True), f"A/{name}", f"B/{name}", n=3)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


# --- sessions ------------------------------------------------------------------------------------


def compare_sessions(a: SessionDetail, b: SessionDetail) -> Comparison:
    """Compare totals, and the tasks by their keys."""
    one, other = a.summary, b.summary
    states = {side: {task.key: task.state.value for task in d.tasks} for side, d in (("a", a), ("b", b))}
    keys = list(dict.fromkeys([*states["a"], *states["b"]]))
    numbers = (
        Number(name="score", unit="score", a=one.score, b=other.score, more_is="better"),
        Number(name="tasks", unit="count", a=one.tasks, b=other.tasks),
        Number(
            name="accepted",
            unit="count",
            a=one.in_state(State.ACCEPTED),
            b=other.in_state(State.ACCEPTED),
            more_is="better",
        ),
        Number(name="attempts", unit="count", a=one.attempts, b=other.attempts, more_is="worse"),
        *_used(one.usage, other.usage),
        Number(name="time", unit="seconds", a=_seconds(a), b=_seconds(b), more_is="worse"),
    )
    return Comparison(
        a=one.title or one.id,
        b=other.title or other.id,
        warnings=tuple(_session_doubts(a, b)),
        numbers=numbers,
        tasks=tuple((key, states["a"].get(key, "–"), states["b"].get(key, "–")) for key in keys),
        pairs=tuple(_pair(key, a, b) for key in keys),
    )


def _pair(key: str, a: SessionDetail, b: SessionDetail) -> TaskPair:
    ours, theirs = _task(key, a), _task(key, b)
    known = ours or theirs
    return TaskPair(
        key=key,
        title=known.title if known else "",
        states=(ours.state.value if ours else "–", theirs.state.value if theirs else "–"),
        score=Number(
            name="score",
            unit="score",
            a=ours.score if ours else None,
            b=theirs.score if theirs else None,
            more_is="better",
        ),
        attempts=(ours.attempts if ours else 0, theirs.attempts if theirs else 0),
        last=(_last_attempt(ours, a), _last_attempt(theirs, b)),
    )


def _task(key: str, detail: SessionDetail) -> TaskSummary | None:
    return next((task for task in detail.tasks if task.key == key), None)


def _last_attempt(task: TaskSummary | None, detail: SessionDetail) -> AttemptId | None:
    of_task = [attempt.id for attempt in detail.attempts if task is not None and attempt.task == task.id]
    return of_task[-1] if of_task else None


def _seconds(detail: SessionDetail) -> float | None:
    """Time at work: attempts that have ended, one after another."""
    took = [attempt.seconds for attempt in detail.attempts if attempt.seconds is not None]
    return sum(took) if took else None


def _session_doubts(a: SessionDetail, b: SessionDetail) -> Iterable[str]:
    if a.base_commit != b.base_commit:
        yield f"Different bases: A began at {a.base_commit[:10] or '–'}, B at {b.base_commit[:10] or '–'}."
    if bool(a.summary.rehearsal) != bool(b.summary.rehearsal):
        yield "One of the two is a rehearsal."
    if a.threshold != b.threshold:
        yield f"Different thresholds: {a.threshold:.2f} and {b.threshold:.2f}."


# --- blind ---------------------------------------------------------------------------------------

_TELLING = frozenset({"cost", "tokens", "turns", "time", "overall", "score", *(stage.value for stage in Stage)})


def blinded(comparison: Comparison) -> Comparison:
    """Return the comparison without what tells who did it or how it was scored."""
    kept = tuple(number for number in comparison.numbers if number.name not in _TELLING)
    pairs = tuple(replace(pair, score=replace(pair.score, a=None, b=None)) for pair in comparison.pairs)
    return replace(
        comparison, a="A", b="B", numbers=kept, fixed=(), still=(), new=(), prompts="", warnings=(), pairs=pairs
    )


def shown(number: Number, value: float | None) -> str:
    """Return one side of a number as people read it."""
    if value is None:
        return "–"
    match number.unit:
        case "score":
            return f"{value:.2f}"
        case "usd":
            return f"${value:.2f}"
        case "seconds":
            return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
        case "count" | "tokens":
            return f"{value:,.0f}"


def shown_delta(number: Number) -> str:
    """Return the difference with its sign and an arrow, and in a word whether that is better or worse."""
    delta = number.delta
    if delta is None:
        return ""
    if abs(delta) < 1e-9:
        return "0"
    sign, arrow = ("+", "▲") if delta > 0 else ("−", "▼")
    moved = f"{sign}{shown(number, abs(delta))} {arrow}"
    if number.more_is == "neither":
        return moved
    return f"{moved} {'better' if (delta > 0) == (number.more_is == 'better') else 'worse'}"
