"""`obra history`, `search` and `show`: what was, in plain lines or as JSON."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import Annotated, Any

import typer

from obra_tui.cli.options import JsonOption, LimitOption
from obra_tui.cli.paging import echo_diff, paged
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.decisions import decision_lines
from obra_tui.core.errors import ObraError
from obra_tui.core.gate import comparison_words
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.model import SessionKind
from obra_tui.core.plain import to_builtins
from obra_tui.core.records.attempt_words import DECISION_WORDS, STATE_WORDS, ended_word, person_name
from obra_tui.core.records.export import ExportedAttempt, blocks, labelled
from obra_tui.core.records.history import (
    AttemptDetail,
    AttemptSummary,
    History,
    PageCursor,
    SearchResult,
    SessionDetail,
    SessionSummary,
)
from obra_tui.core.records.search import Query, parse, read_as
from obra_tui.core.records.similar import similar
from obra_tui.core.text import one_line, visible

LINE_HELP = "Words and clauses, such as: retry -is:merged score:<80 since:7d"


def register(app: typer.Typer) -> None:
    for searching in (history, search):
        # `-word` is part of the language of the search line.
        app.command(context_settings={"ignore_unknown_options": True})(searching)
    app.command()(show)


def history(
    line: Annotated[list[str] | None, typer.Argument(help=LINE_HELP)] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> int:
    """List the sessions, or with a search line the attempts that it finds, newest first."""
    return find(" ".join(line), limit, as_json=as_json) if line else list_sessions(limit, as_json=as_json)


def search(
    line: Annotated[list[str] | None, typer.Argument(help=LINE_HELP)] = None,
    like: Annotated[str, typer.Option("--like", help="Instead: what is like this attempt or session.")] = "",
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> int:
    """Search prompts, Claude's words, tools, diffs, findings, notes and the output of checks."""
    if like:
        refuse_unused("--like", LINE=line)
        return find_like(like, limit, as_json=as_json)
    return find(" ".join(line or ()), limit, as_json=as_json)


def show(
    which: Annotated[str, typer.Argument(help="Id, or its beginning, of a session, task, attempt or gate.")],
    transcript: Annotated[bool, typer.Option("--transcript", help="With all that was said and done.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Show a session, or an attempt with its evidence and diff."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.services.exports import clean_session, exported_attempt

    with open_history(load()) as history:
        kind, found = history.resolve(which, "session", "task", "attempt", "gate")
        match kind:
            case "session":
                refuse_unused("a session", transcript=transcript)
                session = clean_session(history, SessionId(found))
                return _show_session(session, as_json=as_json)
            case "task":
                attempts = _attempts_of_task(history, TaskId(found))
            case "attempt":
                attempts = [AttemptId(found)]
            case _:
                attempts = [history.gate(found).attempt.summary.id]  # type: ignore[arg-type]
        with nullcontext() if as_json else paged():
            for attempt in attempts:
                _show_attempt(exported_attempt(history, attempt), transcript=transcript, as_json=as_json)
    return 0


def list_sessions(limit: int, *, as_json: bool) -> int:
    """Print the newest sessions."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import labels_of, open_history

    settings = load()
    labels = labels_of(settings)
    with open_history(settings) as history:
        for session in _sessions(history, limit):
            tags = labels.of(session.id)
            _print(
                {"type": "session", **to_builtins(session), "labels": tags} if as_json else _session_line(session, tags)
            )
    return 0


def _sessions(history: History, limit: int) -> Iterator[SessionSummary]:
    mark: PageCursor | None = None
    while limit > 0:
        page = history.sessions(after=mark, limit=min(limit, 100))
        yield from page.rows
        limit -= len(page.rows)
        mark = page.next
        if mark is None:
            return


def find(line: str, limit: int, *, as_json: bool) -> int:
    """Print what a search line finds, newest first; what was understood goes to standard error."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history

    query = parse(line, time.time())
    said = read_as(query) or "everything"
    if not as_json:
        typer.echo(f"read as: {one_line(said, 500)}", err=True)
    count = 0
    with open_history(load()) as history:
        for found in _pages(history, query, limit):
            count += 1
            _print({"type": "found", **to_builtins(found)} if as_json else _found_line(found))
    if not count and not as_json:
        typer.echo("Nothing was found.", err=True)
    return 0


def find_like(typed: str, limit: int, *, as_json: bool) -> int:
    """Print what was tried at the same task, what changed the same files, and what has similar words."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history

    with open_history(load()) as history:
        kind, found = history.resolve(typed, "session", "attempt")
        attempts = history.session(SessionId(found)).attempts if kind == "session" else ()
        if kind == "session" and not attempts:
            raise ObraError("This session has no attempt yet.", where=found)
        lines = similar(history.attempt(attempts[-1].id if attempts else AttemptId(found)))
    for _, line in lines:
        find(line, limit, as_json=as_json)
    return 0


def _pages(history: History, query: Query, limit: int) -> Iterator[SearchResult]:
    mark: PageCursor | None = None
    while limit > 0:
        page = history.find(query, mark, min(limit, 100))
        yield from page.rows
        limit -= len(page.rows)
        mark = page.next
        if mark is None:
            return


def _attempts_of_task(history: History, task: TaskId) -> list[AttemptId]:
    page = history.find(parse(f"task:{task}", time.time()), None, 200)
    ids = [found.attempt.id for found in reversed(page.rows) if found.attempt and found.attempt.task == task]
    if not ids:
        raise ObraError("This task has no attempt yet.", where=task)
    return ids


def _show_session(session: SessionDetail, *, as_json: bool) -> int:
    if as_json:
        _print({"type": "session_detail", **to_builtins(session)})
        return 0
    for block in blocks(session, ()):
        if block.kind == "table":
            _print_lines("  ".join(one_line(cell, 120) for cell in row) for row in block.rows if any(row))
        else:
            _print(one_line(block.text, 500))
    _print("attempts")
    _print_lines(_attempt_line(attempt) for attempt in session.attempts)
    return 0


def _show_attempt(exported: ExportedAttempt, *, transcript: bool, as_json: bool) -> None:
    detail = exported.detail
    if as_json:
        _print({"type": "attempt_detail", **to_builtins(detail), "label": labelled(detail)})
        return
    _print(_attempt_line(detail.summary))
    _print_lines(_detail_lines(detail))
    if transcript:
        from obra_tui.core.records.export import transcript_blocks

        _print_lines(visible(block.text) for record in exported.records for block in transcript_blocks(record.event))
    if detail.diff:
        echo_diff(detail.diff.patch)


def _detail_lines(detail: AttemptDetail) -> Iterator[str]:
    for conversation in detail.conversations:
        yield f"claude   claude --resume {one_line(conversation.id)}   ({conversation.reason.value})"
    if detail.quality:
        yield detail.quality.line
        for stage in detail.quality.stage_scores:
            score = "no evidence" if stage.score is None else f"{stage.score:.2f}"
            yield f"  {stage.stage.value:<13}{score}"
    if detail.record:
        yield f"record   {one_line(detail.record, 300)}"
    for check in detail.checks:
        yield f"check    {one_line(check.spec.name)}: {check.status.value} (exit {check.exit_code})"
        if words := comparison_words(check):
            yield f"  tests      {words}"
        yield from (f"  ask        {one_line(text, 500)}" for text in check.asks)
    for finding in detail.quality.findings if detail.quality else ():
        yield f"finding  {finding.severity.value:<8} {one_line(finding.place)} {one_line(finding.message, 500)}"
    if detail.decision:
        decision = detail.decision.decision
        yield f"decision {DECISION_WORDS[decision.kind]} by {one_line(person_name(decision.by))}"
        yield from (f"  {label:<10}{one_line(text, 500)}" for label, text in decision_lines(decision))
    if detail.acceptance:
        yield f"commit   {detail.acceptance.commit} on {one_line(detail.acceptance.branch)}"
    if detail.reverted:
        undone = detail.reverted
        yield f"reverted {undone.reversal.commit} by {one_line(person_name(undone.by))}: {one_line(undone.note, 500)}"


# --- lines ---------------------------------------------------------------------------------------


def when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _session_line(session: SessionSummary, labels: Iterable[str]) -> str:
    states = ", ".join(f"{count} {STATE_WORDS[state]}" for state, count in session.states)
    states += f" ({session.reverted} reverted)" if session.reverted else ""
    marks = [f"REHEARSAL {session.rehearsal}"] if session.rehearsal else []
    marks += ["no gate"] if session.kind is SessionKind.IMPORTED else [states or "no task"]
    marks += [f"Quality: {session.score:.2f}"] if session.score is not None else []
    marks += [session.usage.cost_shown(), *(f"#{label}" for label in labels)]
    marks += ["open"] if session.closed_at is None else []
    title = one_line(session.title or session.id, 60)
    return f"{session.id}  {when(session.opened_at)}  {title}  ·  {one_line(' · '.join(marks), 200)}"


def _attempt_line(attempt: AttemptSummary) -> str:
    score = "–" if attempt.score is None else f"{attempt.score:.2f} ({'PASS' if attempt.passes else 'FAIL'})"
    by = f" by {one_line(person_name(attempt.decided_by))}" if attempt.decision and not attempt.reverted else ""
    decided = f"{ended_word(attempt)}{by}"
    name = f"{one_line(attempt.task_key, 20)} {one_line(attempt.task_title, 60)}"
    return f"{attempt.id}  {when(attempt.started_at)}  {name}  attempt {attempt.number}  Quality: {score}  {decided}"


def _found_line(found: SearchResult) -> str:
    if found.attempt is None:
        head = f"{found.session}  {when(found.at)}  {one_line(found.session_title, 60)}"
    elif found.kind is SessionKind.IMPORTED:
        head = f"{found.attempt.id}  {when(found.at)}  {one_line(found.session_title, 60)}  – no gate"
    else:
        head = _attempt_line(found.attempt)
    return head if found.hit is None else f"{head}\n    {found.hit.kind}: {_marked(found.hit.line, found.hit.marks)}"


def _marked(line: str, marks: Iterable[tuple[int, int]]) -> str:
    """The line with `[…]` around what was searched for."""
    parts, at = [], 0
    for start, end in marks:
        parts += [line[at:start], "[", line[start:end], "]"]
        at = end
    return one_line("".join([*parts, line[at:]]), 400)


def _print(value: str | dict[str, Any]) -> None:
    typer.echo(value if isinstance(value, str) else json.dumps(value))


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
