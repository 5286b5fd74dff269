"""`obra permissions`: what Claude asks, what was allowed for a session, what was denied as nobody was there."""

import json
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from msgspec import Struct

from obra_tui.cli.options import JsonOption
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.commands import AnswerPermission, RevokeRule
from obra_tui.core.errors import ConfigError, NotAllowed, UnknownId
from obra_tui.core.model import PermissionAnswer, PermissionKind, PermissionVerdict
from obra_tui.core.permission_rules import AskedPermission, PermissionOverview, SessionRule, active_rules
from obra_tui.core.plain import to_builtins
from obra_tui.core.text import one_line, visible

if TYPE_CHECKING:
    from obra_tui.services.open_work import OpenWork

Id = TypeVar("Id", bound=str)


def register(app: typer.Typer) -> None:
    app.command()(permissions)


def permissions(
    allow: Annotated[str, typer.Option("--allow", metavar="QUESTION", help="Allow this call and no other.")] = "",
    for_session: Annotated[
        str, typer.Option("--for-session", metavar="QUESTION", help="Allow it, and its like until the session ends.")
    ] = "",
    deny: Annotated[str, typer.Option("--deny", metavar="QUESTION", help="Deny it; Claude reads --text.")] = "",
    reply: Annotated[
        str, typer.Option("--reply", metavar="QUESTION", help="Answer a question of Claude's with --text.")
    ] = "",
    revoke: Annotated[str, typer.Option("--revoke", metavar="RULE", help="Take back what was allowed.")] = "",
    text: Annotated[str, typer.Option("--text", "--reason", help="Your reason, or your answer.")] = "",
    ended: Annotated[bool, typer.Option("--all", help="List what was in sessions that have ended, too.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Show what Claude asks and what was allowed for the session; answer and revoke, also for an Obra at work."""
    answering = Answering(allow=allow, for_session=for_session, deny=deny, reply=reply, revoke=revoke, text=text)
    if answering.chosen() is None:
        refuse_unused("listing", text=text)
    else:
        refuse_unused("an answer", all=ended)
    if revoke:
        refuse_unused("--revoke", text=text)
    return _show_or_answer(answering, as_json=as_json, ended=ended)


class Answering(Struct, frozen=True, kw_only=True):
    """The options of one call; at most one of the ids is given."""

    allow: str = ""
    for_session: str = ""
    deny: str = ""
    reply: str = ""
    revoke: str = ""
    text: str = ""
    """Reason of a denial, or the answer to a question."""

    def chosen(self) -> tuple[str, str] | None:
        """Return what to do and to what. Raises `ConfigError` when there are two, or words are missing."""
        given = [(name, value) for name in _VERDICT if (value := str(getattr(self, name)))]
        given += [("revoke", self.revoke)] if self.revoke else []
        if len(given) > 1:
            raise ConfigError("More than one answer was given.", fix="Answer one question at a time.")
        if given and given[0][0] == "reply" and not self.text.strip():
            raise ConfigError("The answer has no words.", fix="Add --text 'your answer'.")
        return given[0] if given else None


_VERDICT = {
    "allow": PermissionVerdict.ONCE,
    "for_session": PermissionVerdict.SESSION,
    "deny": PermissionVerdict.DENY,
    "reply": PermissionVerdict.ONCE,
}


def _show_or_answer(answering: Answering, *, as_json: bool, ended: bool = False) -> int:
    """List everything, or carry out the one answer."""
    from obra_tui.config.load import load
    from obra_tui.services.open_work import read_open_work

    settings = load()
    chosen = answering.chosen()
    work = read_open_work(settings, ended=ended)
    if chosen is None:
        return _list(work, as_json=as_json)
    what, typed = chosen
    if what == "revoke":
        return _revoke(work, typed, as_json=as_json)
    return _answer(work, _VERDICT[what], typed, answering.text, as_json=as_json)


def _answer(work: "OpenWork", verdict: PermissionVerdict, typed: str, text: str, *, as_json: bool) -> int:
    from obra_tui.bootstrap.client import send_to_owner
    from obra_tui.config.load import load
    from obra_tui.system.user import person

    asked = work.permissions.waiting[_one_of(work.permissions.waiting, typed, "question")]
    question = asked.question
    if not work.at_work:
        raise NotAllowed(
            f"Question {question.id} cannot be answered any more: the Obra that asked has ended.",
            fix=f"Take the task up again: `obra run --resume {asked.session}`.",
        )
    if verdict is PermissionVerdict.SESSION and not question.session_rule:
        raise NotAllowed("No safe rule fits this question.", fix=f"Allow it once: --allow {question.id}")
    answer = PermissionAnswer(verdict=verdict, by=person(), note=text)
    send_to_owner(load(), AnswerPermission(question=question.id, answer=answer))
    if as_json:
        _print_json("permission_answered", question=question.id, verdict=verdict.value, title=question.title)
    else:
        typer.echo(f"{_DONE[verdict]}: {one_line(question.title)}")
    return 0


_DONE = {
    PermissionVerdict.ONCE: "answered",
    PermissionVerdict.SESSION: "allowed for this session",
    PermissionVerdict.DENY: "denied",
}


def _revoke(work: "OpenWork", typed: str, *, as_json: bool) -> int:
    from obra_tui.bootstrap.client import send_command
    from obra_tui.config.load import load
    from obra_tui.system.user import person

    rule = work.permissions.rules[_one_of([rule.id for rule in active_rules(work.permissions.rules)], typed, "rule")]
    project = Path(work.sessions[rule.session].opened.project)
    send_command(load(), project, RevokeRule(session=rule.session, rule=rule.id, by=person()))
    if as_json:
        _print_json("rule_revoked", rule=rule.id, pattern=rule.pattern)
    else:
        typer.echo(f"revoked: {one_line(rule.pattern)}; it is asked again from the next call on")
    return 0


def _one_of(known: Iterable[Id], typed: str, what: str) -> Id:
    """Return the one id that begins with, or ends in, what was typed."""
    found = [item for item in known if item == typed] or [
        item for item in known if item.startswith(typed) or item.endswith(typed)
    ]
    if len(found) == 1:
        return found[0]
    listed = "`obra permissions` lists what waits and what holds."
    if found:
        raise UnknownId(f"'{typed}' may be {', '.join(sorted(found))}.", fix="Type more of the id.")
    raise UnknownId(f"There is no open {what} {typed}.", fix=listed)


# --- printing ------------------------------------------------------------------------------------


def _list(work: "OpenWork", *, as_json: bool) -> int:
    found = work.permissions
    rules = active_rules(found.rules)
    if as_json:
        for asked in found.waiting.values():
            _print_json("waiting_question", **to_builtins(asked), can_be_answered=work.at_work)
        for rule in rules:
            _print_json("standing_rule", **to_builtins(rule))
        for asked in found.denied:
            _print_json("denied_question", **to_builtins(asked))
        _list_ended_as_json(work)
        return 0
    lines = [*_lines(work, found, rules), *_ended_lines(work)]
    for line in lines or ["Nothing is asked, and no rule was made."]:
        typer.echo(line)
    return 0


def _lines(work: "OpenWork", found: PermissionOverview, rules: tuple[SessionRule, ...]) -> Iterator[str]:
    for asked in sorted(found.waiting.values(), key=lambda item: item.at):
        yield from _question_lines(work, asked)
    if rules:
        yield "Allowed for the session:"
    for rule in rules:
        used = f"used {rule.used} times, last for {one_line(rule.used_for, 60)}" if rule.used else "not used yet"
        yield f"  {rule.id}  {one_line(rule.pattern)}  since {_clock(rule.since)} by {_name(rule.by)}, {used}"
    if rules:
        yield "  obra permissions --revoke RULE"
    if found.denied:
        yield "Denied because nobody was there:"
    for asked in found.denied:
        yield f"  {_key(work, asked)}  {one_line(asked.question.title, 120)}"


def _ended_lines(work: "OpenWork") -> Iterator[str]:
    """What was allowed and denied in sessions that are over: nothing of it holds any more."""
    rules = sorted(work.ended_permissions.rules.values(), key=lambda rule: rule.since)
    if rules:
        yield "Allowed in sessions that have ended:"
    for rule in rules:
        until = f"revoked by {_name(rule.revoked_by)}" if rule.revoked_by else "until the session ended"
        used = f"used {rule.used} times" if rule.used else "never used"
        where = f"{rule.session} {one_line(work.ended[rule.session].opened.title, 60)}"
        yield f"  {one_line(rule.pattern)}  {_day(rule.since)} by {_name(rule.by)}, {until}, {used}  ({where})"
    if work.ended_permissions.denied:
        yield "Denied because nobody was there, in sessions that have ended:"
    for asked in work.ended_permissions.denied:
        title = one_line(asked.question.title, 120)
        yield f"  {_key(work, asked)}  {title}  {_day(asked.at)}  ({asked.session})"


def _list_ended_as_json(work: "OpenWork") -> None:
    for rule in work.ended_permissions.rules.values():
        _print_json("ended_rule", **to_builtins(rule))
    for asked in work.ended_permissions.denied:
        _print_json("denied_question", **to_builtins(asked), ended=True)


def _question_lines(work: "OpenWork", asked: AskedPermission) -> Iterator[str]:
    question = asked.question
    waits = f"waits {time.time() - asked.at:.0f} s" if work.at_work else "its Obra has ended"
    yield f"{question.id}  {_key(work, asked)}  {question.tool}  {one_line(question.title)}  ({waits})"
    if question.why:
        yield f"  why: {one_line(question.why, 300)}"
    yield from (f"  ! {one_line(danger)}" for danger in question.dangers)
    if question.detail.strip() not in ("", question.title):
        yield from (f"  | {line}" for line in visible(question.detail).splitlines()[:_MOST_LINES])
    yield from (f"  - {one_line(option)}" for option in question.options)
    yield f"  {_ways(asked)}"


_MOST_LINES = 40


def _ways(asked: AskedPermission) -> str:
    question = asked.question
    if question.kind is PermissionKind.QUESTION:
        return f"obra permissions --reply {question.id} --text …"
    session = f" | --for-session {question.id} ({one_line(question.session_rule)})" if question.session_rule else ""
    return f"obra permissions --allow {question.id}{session} | --deny {question.id} --text …"


def _key(work: "OpenWork", asked: AskedPermission) -> str:
    session = work.sessions.get(asked.session) or work.ended.get(asked.session)
    task = session.tasks.get(asked.task) if session and asked.task else None
    return task.spec.key if task else "–"


def _name(by: str) -> str:
    return by.removeprefix("person:")


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def _print_json(kind: str, **fields: Any) -> None:
    typer.echo(json.dumps({"type": kind, **fields}))
