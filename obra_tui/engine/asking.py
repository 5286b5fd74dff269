"""What Claude Code may do in one attempt: the person is asked, or made a rule for the session before."""

from obra_tui.core.errors import UnknownId
from obra_tui.core.events import RuleAllowed, RuleRevoked, RuleUsed
from obra_tui.core.ids import AttemptId, RuleId, new_rule_id
from obra_tui.core.model import PermissionAnswer, PermissionQuestion, PermissionVerdict
from obra_tui.core.permission_rules import StandingRule, holding
from obra_tui.engine.approvals import Asker, Questions
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.task_journal import TaskEntries
from obra_tui.engine.work import SessionWork


class Asking:
    """`AskPermission` for one attempt. Rules are looked up anew for every call: a revoked one holds no longer."""

    def __init__(self, questions: Questions, asker: Asker, session: SessionWork, entries: TaskEntries) -> None:
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

    def _holding(self) -> tuple[StandingRule, ...]:
        return holding(self._session.rules)


def revoke(outbox: Outbox, session: SessionWork, rule: RuleId, by: str) -> None:
    """Take a rule back; what it allowed is asked from the next call on. Raises `UnknownId` when it does not hold."""
    known = session.rules.get(rule)
    if known is None or not known.holds:
        raise UnknownId(
            f"No rule {rule} holds in session {session.id}.",
            fix="`obra permissions` lists the rules; this one was revoked before, or never made.",
        )
    outbox.commit(session.id, [(None, None, RuleRevoked(rule=rule, by=by))])
