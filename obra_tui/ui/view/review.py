"""A gate as values: facts, what an approval would override, what each answer leads to, what became of it. Pure.

The only text of a model here are file names, cut and cleaned where they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.commands import Decide
from obra_tui.core.decisions import override_reasons
from obra_tui.core.gate import comparison_words
from obra_tui.core.model import Confinement, Decision, DecisionKind, Finding, FindingSource
from obra_tui.core.records.attempt_words import person_name
from obra_tui.core.text import one_line
from obra_tui.ui.state import AttemptView, GateView, SessionView, TaskView, ViewState
from obra_tui.ui.view.format import clock_time, duration, plural, score
from obra_tui.ui.view.scores import ScoreVisibility
from obra_tui.ui.view.status_words import DECISION

SHORT = 8
"""Characters of a hash that are shown."""


class EarlierAttempt(Struct, frozen=True, kw_only=True):
    """An attempt before this one, and what became of it."""

    attempt: AttemptView
    decision: Decision | None = None
    """What a person answered; None when it went back by itself."""


class GateReview(Struct, frozen=True, kw_only=True):
    """One gate with everything that belongs to it."""

    gate: GateView
    session: SessionView
    task: TaskView
    attempt: AttemptView
    unblocks: tuple[str, ...] = ()
    """Keys of the tasks that wait for this one."""
    number: int
    """Which of the waiting gates, counted from 1; 0 when it does not wait any more."""
    waiting: int
    earlier: tuple[EarlierAttempt, ...] = ()
    """The attempts before this one, oldest first."""

    @property
    def open(self) -> bool:
        return self.gate.waiting

    @property
    def findings(self) -> tuple[Finding, ...]:
        found = self.attempt.quality.findings if self.attempt.quality else ()
        if self.is_blind_audit:
            return tuple(item for item in found if item.source is not FindingSource.JUDGE)
        return found

    @property
    def is_blind_audit(self) -> bool:
        """Nothing of what the judge said is shown before the answer."""
        return self.attempt.is_audited and self.open


class FactDepth(IntEnum):
    """How much the box of facts says."""

    BRIEF = 0
    """Where lines are few: the score, why a person is asked, and what was asked for."""
    USUAL = 1
    """What a decision is about."""
    ALL = 2
    """Also what it is bound to: hashes, names and settings."""


class Fact(Struct, frozen=True, kw_only=True):
    label: str
    value: str
    bad: bool = False
    rows: int = 3
    """So many rows it may take."""


def review_of(view: ViewState, gate_id: str) -> GateReview | None:
    """Return the review of a gate, or None when not everything about it is known."""
    gate = next((gate for key, gate in view.gates.items() if key == gate_id), None)
    if gate is None:
        return None
    task, attempt = view.tasks.get(gate.task), view.attempts.get(gate.attempt)
    session = view.sessions.get(gate.session)
    if task is None or attempt is None or session is None:
        return None
    waiting = view.waiting_gates
    number = next((index for index, item in enumerate(waiting, 1) if item.id == gate.id), 0)
    return GateReview(
        gate=gate,
        session=session,
        task=task,
        attempt=attempt,
        unblocks=_unblocks(view, task),
        number=number,
        waiting=len(waiting),
        earlier=_earlier(view, attempt),
    )


def _earlier(view: ViewState, attempt: AttemptView) -> tuple[EarlierAttempt, ...]:
    decisions = {gate.attempt: gate.decision for gate in view.gates.values()}
    return tuple(
        EarlierAttempt(attempt=other, decision=decisions.get(other.id))
        for other in view.attempts_of(attempt.task)
        if other.number < attempt.number
    )


def _unblocks(view: ViewState, task: TaskView) -> tuple[str, ...]:
    others = view.tasks_of(task.session)
    return tuple(other.spec.key for other in others if task.spec.key in other.spec.depends_on and not other.over)


def facts(
    review: GateReview, visibility: ScoreVisibility = ScoreVisibility.SHOWN, depth: FactDepth = FactDepth.ALL
) -> tuple[Fact, ...]:
    """Return the box that no text of an agent reaches; what gives the score away stays hidden."""
    why = Fact(label="why you", value=_why(review, visibility))
    if depth is FactDepth.BRIEF:
        return _brief_facts(review, visibility, why)
    return tuple(_facts(review, visibility, why, everything=depth is FactDepth.ALL))


def _brief_facts(review: GateReview, visibility: ScoreVisibility, why: Fact) -> tuple[Fact, ...]:
    """A row or two each: the rest of a small terminal belongs to the code."""
    scored, diff = _shown_score(review, visibility), review.attempt.diff
    size = f" · {plural(len(diff.files), 'file')} +{diff.added} −{diff.removed}" if diff else ""
    problems = [one_line(problem) for problem in _problems_of(review)]
    found = [replace(scored, value=f"{scored.value}{size}", rows=1), replace(why, rows=2)]
    if problems:
        found.append(Fact(label="change", value=" · ".join(problems), bad=True, rows=1))
    return (*found, Fact(label="asked", value=_asked_in_short(review.task), rows=2))


def _facts(review: GateReview, visibility: ScoreVisibility, why: Fact, *, everything: bool) -> Iterator[Fact]:
    attempt, binding, session = review.attempt, review.gate.binding, review.session
    of = f" of {session.max_attempts}" if attempt.number <= session.max_attempts else ""
    yield _shown_score(review, visibility)
    yield why
    if everything:
        yield Fact(label="policy", value=f"{session.policy.value}, threshold {score(session.threshold)}")
    yield _attempt_fact(attempt, f"{attempt.number}{of}{f' · {binding.attempt}' if everything else ''}")
    if everything:
        yield Fact(label="commit", value=f"{session.branch} · base {session.base_commit[:SHORT]}")
        yield Fact(label="tree", value=f"{binding.tree[:SHORT]} · diff {binding.diff_digest[:SHORT]}")
    if attempt.diff is not None:
        yield _diff_fact(review)
    if everything or attempt.judge is None or _is_unjudged(attempt):
        yield _judge_fact(attempt, binding.rubric_hash)
    if attempt.record:
        yield Fact(label="record", value=attempt.record, bad=attempt.record.startswith("UNMEASURED"))
    yield from _tests_facts(attempt)


def _shown_score(review: GateReview, visibility: ScoreVisibility) -> Fact:
    return _score_fact(review) if visibility is ScoreVisibility.SHOWN else Fact(label="score", value=visibility.value)


def _asked_in_short(task: TaskView) -> str:
    """The prompt in one line, without the title, which stands above; then how many criteria there are."""
    spec = task.spec
    text = one_line(spec.prompt).removeprefix(one_line(spec.title)).lstrip(" .:") or one_line(spec.title)
    count = len(spec.acceptance)
    return f"{text} · {count} {'criterion' if count == 1 else 'criteria'}" if count else text


def _tests_facts(attempt: AttemptView) -> Iterator[Fact]:
    """Yield how the tests compare with those before the work, where they were compared."""
    for check in attempt.checks:
        if check.result is not None and check.result.base is not None and (words := comparison_words(check.result)):
            yield Fact(label="tests", value=words, bad=bool(check.result.asks))


def _attempt_fact(attempt: AttemptView, which: str) -> Fact:
    how = attempt.result.confinement if attempt.result else None
    if how is None:
        return Fact(label="attempt", value=which)
    return Fact(label="attempt", value=f"{which} · Claude {how.words}", bad=how is Confinement.NONE)


def _why(review: GateReview, visibility: ScoreVisibility) -> str:
    if visibility is not ScoreVisibility.SHOWN:
        return "hidden with the score"
    return " ".join(review.gate.reasons) or "the policy asks a person"


def _score_fact(review: GateReview) -> Fact:
    quality = review.attempt.quality
    if quality is None:
        return Fact(label="score", value="no score", bad=True)
    return Fact(label="score", value=f"{quality.line}, needs {score(quality.threshold)}", bad=not quality.passes_gate)


def _judge_fact(attempt: AttemptView, rubric_hash: str) -> Fact:
    unjudged = _is_unjudged(attempt)
    said = "UNJUDGED · " if unjudged else ""
    return Fact(label="judge", value=said + _judge(attempt, rubric_hash), bad=unjudged)


def _is_unjudged(attempt: AttemptView) -> bool:
    verdict = attempt.judge.verdict if attempt.judge else None
    return verdict is not None and not verdict.complete


def _judge(attempt: AttemptView, rubric_hash: str) -> str:
    if attempt.judge is None:
        return f"not asked · rubric {rubric_hash[:SHORT] or '–'}"
    who = attempt.judge.identity
    digest = who.digest.removeprefix("sha256:")[:SHORT]
    return f"{who.model}{f' @{digest}' if digest else ''} · rubric {rubric_hash[:SHORT] or '–'}"


def _diff_fact(review: GateReview) -> Fact:
    diff = review.attempt.diff
    assert diff is not None
    size = f"{plural(len(diff.files), 'file')} +{diff.added} −{diff.removed}"
    problems = _problems_of(review)
    left_out = [one_line(note) for note in diff.left_out]
    return Fact(label="change", value=" · ".join((size, *problems, *left_out)), bad=bool(problems))


def _problems_of(review: GateReview) -> tuple[str, ...]:
    """What is wrong with the change itself, whatever it says."""
    diff = review.attempt.diff
    if diff is None:
        return ()
    found = (
        ("cut at a size limit", diff.truncated),
        (f"{len(diff.protected)} protected", bool(diff.protected)),
        (f"{plural(len(diff.secrets), 'secret')} found", bool(diff.secrets)),
    )
    return tuple(name for name, bad in found if bad)


def overridden(review: GateReview, seen: frozenset[str]) -> tuple[str, ...]:
    """Return what an approval would go against; each needs a typed reason to be overridden."""
    attempt = review.attempt
    results = [check.result for check in attempt.checks if check.result is not None]
    found = override_reasons(attempt.quality, results, attempt.judge.verdict if attempt.judge else None)
    unseen = unseen_files(review, seen)
    return (*found, f"{plural(len(unseen), 'file')} not looked at: {_few(unseen)}.") if unseen else found


def unseen_files(review: GateReview, seen: frozenset[str]) -> tuple[str, ...]:
    diff = review.attempt.diff
    return tuple(change.path for change in diff.files if change.path not in seen) if diff else ()


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


class Effects(Struct, frozen=True, kw_only=True):
    """What each answer leads to, in words."""

    approve: str
    changes: str
    reject: str
    later: str


def effects(review: GateReview, chosen: int) -> Effects:
    diff, session, attempt = review.attempt.diff, review.session, review.attempt
    files = plural(len(diff.files), "file") if diff else "the work"
    start = f", then {_few(review.unblocks)} can start" if review.unblocks else ""
    findings = f" and {plural(chosen, 'ticked finding')}" if chosen else ""
    return Effects(
        approve=f"commit {files} on {session.branch}{start}",
        changes=f"attempt {attempt.number + 1} with your note{findings}",
        reject=f"{review.task.spec.key} ends as rejected; the work is kept under a ref",
        later="the gate keeps waiting, other tasks go on",
    )


class Inspection(Struct, frozen=True, kw_only=True):
    """How a person came to their answer: stored with it."""

    open_s: float = 0.0
    files: tuple[str, ...] = ()
    """Read to their end."""
    own_score: float | None = None


def decision(review: GateReview, answer: Decision, looked: Inspection) -> Decide:
    """Return the command, bound to the content that was shown."""
    passes = review.attempt.quality is not None and review.attempt.quality.passes_gate
    approved = answer.kind is DecisionKind.APPROVE
    stored = replace(
        answer,
        override=approved and (not passes or bool(answer.overridden)),
        open_s=round(looked.open_s, 1),
        seen_files=looked.files,
        own_score=looked.own_score,
    )
    return Decide(gate=review.gate.id, binding=review.gate.binding, decision=stored)


def waiting_for(review: GateReview, now: float) -> str:
    return duration(now - review.gate.opened_at)


def answered_rows(review: GateReview) -> tuple[tuple[str, str, str], ...]:
    """Return what can still be done about a gate that was answered."""
    back = ("review.later", "Back", "to where you were")
    taken, reverted = review.task.acceptance, review.task.reverted
    if review.gate.held is not None:
        return ("app.undo", "Undo", "the gate waits again"), back
    if taken is not None and reverted is None:
        return ("app.revert", "Revert", f"one more commit on {taken.branch} undoes {taken.commit[:8]}"), back
    return (back,)


def answer_note(review: GateReview, key_shown: Callable[[str], str]) -> str:
    """Return what became of the gate: held, decided, taken back; empty while it simply waits."""
    gate, reverted = review.gate, review.task.reverted
    if gate.held is not None:
        word, who = DECISION[gate.held.decision.kind].word, person_name(gate.held.decision.by)
        return f"Answered: {word} by {who}. {key_shown('app.undo')} undoes it until {clock_time(gate.held.until)}."
    if reverted is not None:
        commit = reverted.reversal.commit[:8]
        return f"Accepted, then reverted by {person_name(reverted.by)} with {commit}: {reverted.note}"
    if gate.decision is not None:
        word, who = DECISION[gate.decision.kind].word, person_name(gate.decision.by)
        taken = review.task.acceptance is not None
        revert = f" {key_shown('app.revert')} reverts the commit." if taken else ""
        return f"This gate was answered: {word} by {who}.{revert}"
    if gate.undone is not None:
        why = f" {gate.undone.reason}" if gate.undone.reason else ""
        return f"The answer was undone by {person_name(gate.undone.by)}: the gate waits again.{why}"
    return ""
