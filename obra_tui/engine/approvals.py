"""Permission questions of Claude Code: answered by a rule of the session, or held until a person answers.

A question is a future here and two events in the journal. Stopping a run withdraws its questions; no time-out ever
allows a call.
"""

import asyncio

from msgspec import Struct

from obra_tui.core.errors import UnknownId
from obra_tui.core.events import PermissionAnswered, PermissionAsked, RuleAllowed, RuleRevoked, RuleUsed
from obra_tui.core.ids import AttemptId, QuestionId, RuleId, SessionId, TaskId, new_rule_id
from obra_tui.core.model import PermissionAnswer, PermissionKind, PermissionQuestion, PermissionVerdict
from obra_tui.core.permission_rules import SessionRule, active_rules
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.task_journal import TaskJournal
from obra_tui.engine.work import SessionWork

_UNATTENDED = PermissionAnswer(
    verdict=PermissionVerdict.DENY,
    by="unattended",
    note="Nobody is there to allow this. Do the task without it.",
)
_UNREAD_PLAN = PermissionAnswer(
    verdict=PermissionVerdict.ONCE, by="unattended", note="Nobody is there to read the plan: carry it out."
)
"""Planning is entered without a question, so it must be left without one: all that follows is ruled on as ever."""
_WITHDRAWN = PermissionAnswer(verdict=PermissionVerdict.DENY, by="policy", note="The run was stopped.")


class Asker(Struct, frozen=True, kw_only=True):
    """Who asks: the place of the question in the journal."""

    session: SessionId
    task: TaskId
    attempt: AttemptId


class Questions:
    def __init__(self, outbox: Outbox, *, attended: bool) -> None:
        self._outbox = outbox
        self._attended = attended
        self._open: dict[QuestionId, asyncio.Future[PermissionAnswer]] = {}

    async def ask(self, asker: Asker, question: PermissionQuestion) -> PermissionAnswer:
        self._write(asker, PermissionAsked(question=question))
        answer = _WITHDRAWN
        try:
            answer = await self._wait(question.id) if self._attended else _for_nobody(question)
        finally:
            self._open.pop(question.id, None)
            self._write(asker, PermissionAnswered(question_id=question.id, title=question.title, answer=answer))
        return answer

    def answer(self, question: QuestionId, answer: PermissionAnswer) -> None:
        """Settle a question. Raises `UnknownId` when it is not open: answered before, or withdrawn."""
        waiting = self._open.pop(question, None)
        if waiting is None or waiting.done():
            raise UnknownId(
                f"Question {question} is not open.", fix="It was answered before or its run ended; nothing was changed."
            )
        waiting.set_result(answer)

    async def _wait(self, question: QuestionId) -> PermissionAnswer:
        future: asyncio.Future[PermissionAnswer] = asyncio.get_running_loop().create_future()
        self._open[question] = future
        return await future

    def _write(self, asker: Asker, event: PermissionAsked | PermissionAnswered) -> None:
        self._outbox.commit(asker.session, [(asker.task, asker.attempt, event)])


def _for_nobody(question: PermissionQuestion) -> PermissionAnswer:
    return _UNREAD_PLAN if question.kind is PermissionKind.PLAN else _UNATTENDED


class Asking:
    """`AskPermission` for one attempt. Rules are looked up anew for every call: a revoked one holds no longer."""

    def __init__(self, questions: Questions, asker: Asker, session: SessionWork, entries: TaskJournal) -> None:
        self._questions = questions
        self._asker = asker
        self._session = session
        self._entries = entries

    async def __call__(self, question: PermissionQuestion) -> PermissionAnswer:
        answer = await self._questions.ask(self._asker, question)
        wanted = question.session_rule
        if answer.verdict is PermissionVerdict.SESSION and wanted and wanted not in self.standing():
            allowed = RuleAllowed(rule=new_rule_id(), pattern=wanted, by=answer.by, title=question.title)
            self._entries.commit((self._attempt, allowed))
        return answer

    def standing(self) -> frozenset[str]:
        return frozenset(rule.pattern for rule in self._holding())

    def used(self, pattern: str, title: str) -> None:
        for rule in self._holding():
            if rule.pattern == pattern:
                self._entries.emit(self._attempt)(RuleUsed(rule=rule.id, title=title))

    @property
    def _attempt(self) -> AttemptId:
        return self._asker.attempt

    def _holding(self) -> tuple[SessionRule, ...]:
        return active_rules(self._session.rules)


def revoke(outbox: Outbox, session: SessionWork, rule: RuleId, by: str) -> None:
    """Take a rule back; what it allowed is asked from the next call on. Raises `UnknownId` when it does not hold."""
    known = session.rules.get(rule)
    if known is None or not known.holds:
        raise UnknownId(
            f"No rule {rule} holds in session {session.id}.",
            fix="`obra permissions` lists the rules; this one was revoked before, or never made.",
        )
    outbox.commit(session.id, [(None, None, RuleRevoked(rule=rule, by=by))])
