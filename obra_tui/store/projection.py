"""Which rows follow from an event: the one place that derives them.

`changes(record)` returns statements with their values, in the order in which
they must run. The same function serves the journal, which runs them in the
transaction of the event, and `rebuild.py`, which makes all derived rows anew.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias

from msgspec import Struct
from sqlalchemy import (
    Boolean,
    Connection,
    Float,
    Integer,
    String,
    bindparam,
    exists,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.sql.dml import Insert, Update

from obra_tui.core import events as e
from obra_tui.core.errors import StoreError
from obra_tui.core.events import Record
from obra_tui.core.lifecycle import State
from obra_tui.core.model import FileChange, Finding, PermissionKind, Stage, Usage
from obra_tui.store import tables as t
from obra_tui.store.tables import SafeText

Values: TypeAlias = dict[str, Any]


class RowChange(Struct, frozen=True):
    """A statement, the values for one row, and whether it must find its row."""

    statement: Insert | Update
    values: Values
    must_hit: bool = False
    commutes: bool = False
    """Whether neighbours that commute, too, may run before it or after it."""


_INSERT = {table.name: insert(table) for table in t.metadata.sorted_tables}

_USAGE_COLUMNS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "turns", "cost_usd")

_UPDATE_SESSION = update(t.session).where(t.session.c.id == bindparam("of"))
_UPDATE_TASK = update(t.task).where(t.task.c.id == bindparam("of"))
_REVERT = update(t.acceptance).where(t.acceptance.c.task == bindparam("of"))
_UPDATE_ATTEMPT = update(t.attempt).where(t.attempt.c.id == bindparam("of"))
_ADD_USAGE = _UPDATE_ATTEMPT.values({name: t.attempt.c[name] + bindparam(f"more_{name}") for name in _USAGE_COLUMNS})
_CLOSE_GATES = (
    update(t.gate)
    .where(t.gate.c.task == bindparam("of"), t.gate.c.closed_at.is_(None))
    .values(closed_at=bindparam("now"))
)
_CLOSE_GATE = update(t.gate).where(t.gate.c.id == bindparam("of")).values(closed_at=bindparam("now"))
_ANSWER = update(t.permission).where(t.permission.c.id == bindparam("of"))

_known = t.permission.alias("known")
_question = bindparam("of", type_=String)
_ADD_UNASKED = insert(t.permission).from_select(
    ["id", "session", "task", "attempt", "seq", "asked_at", "kind", "title"],
    select(
        _question,
        *(bindparam(f"its_{name}", type_=String) for name in ("session", "task", "attempt")),
        bindparam("its_seq", type_=Integer),
        bindparam("its_at", type_=Float),
        literal(PermissionKind.TOOL.value, String),
        bindparam("its_title", type_=SafeText),
    ).where(~exists().where(_known.c.id == _question)),
)
"""An answer without a question: a rule answered before anybody was asked."""

_conversation = t.claude_session.alias("conversation")
_of_attempt = bindparam("of", type_=String)
_claude = bindparam("claude", type_=String)
_ADD_CONVERSATION = insert(t.claude_session).from_select(
    ["attempt", "id", "reason", "seq", "reported"],
    select(
        _of_attempt,
        _claude,
        select(_conversation.c.reason)
        .where(_conversation.c.attempt == _of_attempt)
        .order_by(_conversation.c.seq.desc())
        .limit(1)
        .scalar_subquery(),
        bindparam("at_seq", type_=Integer),
        literal(True, Boolean),
    ).where(~exists().where(_conversation.c.attempt == _of_attempt, _conversation.c.id == _claude)),
)
"""Claude Code reported an id that was not asked for: one more row, with the reason of the latest."""
_REPORT_CONVERSATION = update(t.claude_session).where(
    t.claude_session.c.attempt == _of_attempt, t.claude_session.c.id == _claude
)


def changes(record: Record) -> Sequence[RowChange]:  # noqa: C901, PLR0912 - one line per event
    """Return what the rows of the database become by this record."""
    if type(record.event) in e.TALK:  # compared with nothing else: there is too much of it
        return ()
    match record.event:
        case e.SessionOpened() as event:
            return _session_opened(record, event)
        case e.SessionClosed(reason=reason):
            return [_hit(_UPDATE_SESSION, record.session, closed_at=record.at, close_reason=reason)]
        case e.TaskAdded() as event:
            return [_task_added(record, event)]
        case e.TaskEdited(spec=spec):
            return [_hit(_UPDATE_TASK, record.task, title=spec.title, seq=record.seq)]
        case e.TasksOrdered(order=order):
            return [_hit(_UPDATE_TASK, task, position=place) for place, task in enumerate(order)]
        case e.TaskMoved() as event:
            return _task_moved(record, event)
        case e.CopyPrepared(copy=copy):
            return [_hit(_UPDATE_TASK, record.task, copy_path=copy.path)]
        case e.AttemptStarted() as event:
            return _attempt_started(record, event)
        case e.PromptSent(kind=kind, by=by):
            return [_row("prompt", record, kind=kind, by=by)]
        case e.ClaudeStarted() as event:
            return _claude_started(record, event)
        case e.ClaudeEnded() as event:
            return _claude_ended(record, event)
        case e.UsageReported(usage=usage, model=model):
            return _usage_reported(record, usage, model)
        case e.PermissionAsked() as event:
            return [_permission_asked(record, event)]
        case e.PermissionAnswered() as event:
            return _permission_answered(record, event)
        case e.DiffTaken() as event:
            return _diff_taken(record, event)
        case e.CheckFinished() as event:
            return [_check_finished(record, event)]
        case e.VerdictReached() as event:
            return _verdict_reached(record, event)
        case e.GateJudged() as event:
            return _gate_judged(record, event)
        case e.GateOpened() as event:
            return [_gate_opened(record, event)]
        case e.DecisionMade() as event:
            return _decision_made(record, event)
        case e.WorkAccepted() as event:
            return [_work_accepted(record, event)]
        case e.WorkReverted(reversal=reversal):
            return [RowChange(_REVERT, {"of": record.task, "reverted": reversal.commit})]
        case e.WorkKept(ref=ref):
            return [_hit(_UPDATE_ATTEMPT, record.attempt, kept_ref=ref)]
        case _:
            return ()


def _place(record: Record) -> Values:
    return {"session": record.session, "seq": record.seq, "task": record.task, "attempt": record.attempt}


def _row(table: str, record: Record, **values: Any) -> RowChange:
    return RowChange(_INSERT[table], {**_place(record), "at": record.at, **values})


def _hit(statement: Update, of: str | None, **values: Any) -> RowChange:
    return RowChange(statement, {"of": of, **values}, must_hit=True)


def _session_opened(record: Record, event: e.SessionOpened) -> list[RowChange]:
    opened = RowChange(
        _INSERT["session"],
        {
            "id": record.session,
            "kind": event.kind.value,
            "title": event.title,
            "project": event.project,
            "branch": event.branch,
            "base_commit": event.base_commit,
            "policy": event.policy.value,
            "threshold": event.threshold,
            "max_attempts": event.max_attempts,
            "rehearsal": event.rehearsal,
            "plan_source": event.plan_source,
            "opened_at": record.at,
        },
    )
    versions = dict(event.versions)
    rows = [{"session": record.session, "name": name, "version": value} for name, value in versions.items()]
    return [opened, *(RowChange(_INSERT["version"], row) for row in rows)]


def _task_added(record: Record, event: e.TaskAdded) -> RowChange:
    values = {
        "id": event.spec.id,
        "session": record.session,
        "key": event.spec.key,
        "title": event.spec.title,
        "position": event.position,
        "state": event.state.value,
        "changed_at": record.at,
        "seq": record.seq,
    }
    return RowChange(_INSERT["task"], values)


def _task_moved(record: Record, event: e.TaskMoved) -> list[RowChange]:
    moved = _hit(_UPDATE_TASK, record.task, state=event.after.value, reason=event.reason, changed_at=record.at)
    if event.before is not State.AWAITING_HUMAN:
        return [moved]
    return [moved, RowChange(_CLOSE_GATES, {"of": record.task, "now": record.at})]


def _attempt_started(record: Record, event: e.AttemptStarted) -> list[RowChange]:
    attempt = {
        "id": record.attempt,
        "session": record.session,
        "task": record.task,
        "number": event.number,
        "counted": event.counted,
        "started_at": record.at,
    }
    conversation = {
        "attempt": record.attempt,
        "id": event.claude_session,
        "reason": event.reason.value,
        "seq": record.seq,
        "reported": False,
    }
    return [RowChange(_INSERT["attempt"], attempt), RowChange(_INSERT["claude_session"], conversation)]


def _conversation_reported(record: Record, claude: str, **values: Any) -> list[RowChange]:
    key = {"of": record.attempt, "claude": claude}
    return [
        RowChange(_ADD_CONVERSATION, {**key, "at_seq": record.seq}),
        RowChange(_REPORT_CONVERSATION, {**key, "reported": True, **values}, must_hit=True),
    ]


def _claude_started(record: Record, event: e.ClaudeStarted) -> list[RowChange]:
    return [
        *_conversation_reported(record, event.claude_session, model=event.model, version=event.version),
        _hit(_UPDATE_ATTEMPT, record.attempt, claude_model=event.model),
    ]


def _claude_ended(record: Record, event: e.ClaudeEnded) -> list[RowChange]:
    result = event.result
    ended = _hit(
        _UPDATE_ATTEMPT,
        record.attempt,
        ended_at=record.at,
        outcome=result.outcome.value,
        detail=result.detail,
        duration_s=result.duration_s,
    )
    return [ended]


def _usage_values(usage: Usage, prefix: str = "") -> Values:
    return {prefix + name: getattr(usage, name) for name in _USAGE_COLUMNS}


def _usage_reported(record: Record, usage: Usage, model: str) -> list[RowChange]:
    if record.attempt is None:
        values = {"session": record.session, "seq": record.seq, "at": record.at, "model": model}
        return [RowChange(_INSERT["outside_usage"], {**values, **_usage_values(usage)})]
    one = {**_place(record), "at": record.at, "model": model, **_usage_values(usage)}
    more = {"of": record.attempt, **_usage_values(usage, "more_")}
    return [
        RowChange(_INSERT["usage"], one, commutes=True),
        RowChange(_ADD_USAGE, more, must_hit=True, commutes=True),
    ]


def _permission_asked(record: Record, event: e.PermissionAsked) -> RowChange:
    question = event.question
    values = {
        "id": question.id,
        "asked_at": record.at,
        "kind": question.kind.value,
        "tool": question.tool,
        "title": question.title,
    }
    return RowChange(_INSERT["permission"], {**_place(record), **values})


def _permission_answered(record: Record, event: e.PermissionAnswered) -> list[RowChange]:
    answer = event.answer
    its = {f"its_{name}": value for name, value in _place(record).items()}
    values = {"verdict": answer.verdict.value, "by": answer.by, "note": answer.note}
    return [
        RowChange(_ADD_UNASKED, {"of": event.question_id, **its, "its_at": record.at, "its_title": event.title}),
        _hit(_ANSWER, event.question_id, answered_at=record.at, **values),
    ]


def _diff_taken(record: Record, event: e.DiffTaken) -> list[RowChange]:
    diff = event.diff
    summary = _row(
        "diff",
        record,
        tree=diff.tree,
        digest=diff.digest,
        files=len(diff.files),
        added=diff.added,
        removed=diff.removed,
        truncated=diff.truncated,
    )
    return [summary, *(_file_change(record, position, item) for position, item in enumerate(diff.files))]


def _file_change(record: Record, position: int, item: FileChange) -> RowChange:
    values = {
        "session": record.session,
        "seq": record.seq,
        "position": position,
        "attempt": record.attempt,
        "path": item.path,
        "kind": item.kind.value,
        "added": item.added,
        "removed": item.removed,
        "protected": item.protected,
    }
    return RowChange(_INSERT["file_change"], values)


def _check_finished(record: Record, event: e.CheckFinished) -> RowChange:
    result, spec = event.result, event.result.spec
    return _row(
        "check_result",
        record,
        name=spec.name,
        command=spec.run,
        stage=spec.stage.value,
        blocking=spec.blocking,
        status=result.status.value,
        exit_code=result.exit_code,
        duration_s=result.duration_s,
        passed=result.passed,
        failed=result.failed,
        skipped=result.skipped,
        sandbox=result.sandbox.value,
    )


def _verdict_reached(record: Record, event: e.VerdictReached) -> list[RowChange]:
    verdict, identity = event.verdict, event.verdict.identity
    row = _row(
        "verdict",
        record,
        model=identity.model,
        digest=identity.digest,
        rubric=identity.rubric,
        version=identity.version,
        unjudged=verdict.unjudged,
        opinion=verdict.opinion,
        hunks_total=verdict.hunks_total,
        hunks_seen=verdict.hunks_seen,
        prompt_tokens=verdict.prompt_tokens,
        output_tokens=verdict.output_tokens,
        duration_s=verdict.duration_s,
    )
    return [row, _hit(_UPDATE_ATTEMPT, record.attempt, judge_model=identity.model)]


def _gate_judged(record: Record, event: e.GateJudged) -> list[RowChange]:
    quality = event.quality
    row = _row(
        "quality",
        record,
        overall=quality.overall_score,
        threshold=quality.threshold,
        passes=quality.passes_gate,
        outcome=event.outcome.decision.value,
        **{stage.value: quality.score_of(stage) for stage in Stage},
    )
    attempt = _hit(
        _UPDATE_ATTEMPT,
        record.attempt,
        ended_at=record.at,
        score=quality.overall,
        passes=quality.passes_gate,
        gate_decision=event.outcome.decision.value,
    )
    return [row, attempt, *(_finding(record, position, item) for position, item in enumerate(quality.findings))]


def _finding(record: Record, position: int, item: Finding) -> RowChange:
    values = {
        "session": record.session,
        "seq": record.seq,
        "position": position,
        "attempt": record.attempt,
        "severity": item.severity.value,
        "source": item.source.value,
        "kind": item.kind,
        "file": item.file,
        "line": item.line,
        "message": item.message,
    }
    return RowChange(_INSERT["finding"], values)


def _gate_opened(record: Record, event: e.GateOpened) -> RowChange:
    values = {**_place(record), "attempt": event.binding.attempt}
    return RowChange(_INSERT["gate"], {**values, "id": event.gate, "opened_at": record.at})


def _decision_made(record: Record, event: e.DecisionMade) -> list[RowChange]:
    decision = event.decision
    values: Values = {
        "gate": event.gate or None,
        "attempt": event.binding.attempt,
        "kind": decision.kind.value,
        "by": decision.by,
        "note": decision.note,
        "override": decision.override,
        "open_s": decision.open_s,
        "own_score": decision.own_score,
    }
    row = _row("decision", record, **values)
    attempt = _hit(_UPDATE_ATTEMPT, event.binding.attempt, decision=decision.kind.value, decided_by=decision.by)
    if not event.gate:
        return [row, attempt]
    return [row, attempt, _close_gate(event.gate, record.at)]


def _close_gate(gate: str, now: float) -> RowChange:
    return RowChange(_CLOSE_GATE, {"of": gate, "now": now}, must_hit=True)


def _work_accepted(record: Record, event: e.WorkAccepted) -> RowChange:
    work = event.acceptance
    return _row("acceptance", record, commit=work.commit, branch=work.branch, repeated=work.repeated)


def apply(connection: Connection, todo: Iterable[RowChange]) -> None:
    """Run changes in order; neighbours of the same shape go together.

    A busy agent reports its usage with each message, by an insert and an update: sorted by shape, a hundred of them
    are two statements instead of two hundred.
    """
    for commute, neighbours in groupby(todo, key=attrgetter("commutes")):
        group = list(neighbours)
        if commute:
            group.sort(key=lambda change: id(change.statement))
        for shape, alike in groupby(group, key=_shape):
            _run(connection, shape[0], list(alike))


def _shape(change: RowChange) -> tuple[Insert | Update, tuple[str, ...]]:
    return change.statement, tuple(change.values)


def _run(connection: Connection, statement: Insert | Update, group: list[RowChange]) -> None:
    result = connection.execute(statement, [change.values for change in group])
    if group[0].must_hit and result.rowcount != len(group):
        missing = ", ".join(sorted({str(change.values["of"]) for change in group}))
        raise StoreError(
            f"A record speaks of a {statement.table.description} that was never stored ({missing}).",
            fix="This is a fault of Obra: please report it with the log file. Nothing of this step was stored.",
        )
