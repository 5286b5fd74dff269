"""What Claude asks and what was allowed, for scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from obra_tui.core.commands import AnswerPermission, Command, RevokeRule
from obra_tui.core.errors import UnknownId
from obra_tui.core.ids import QuestionId, RuleId
from obra_tui.core.model import PermissionAnswer, PermissionVerdict
from obra_tui.core.permission_rules import AskedPermission, SessionRule, active_rules
from obra_tui.system.user import person

if TYPE_CHECKING:
    from obra_tui.services.open_work import OpenWork


class PermissionDesk:
    """Questions and rules of the open sessions; every method may be called from any thread."""

    def __init__(self, do: Callable[[Command], object], look: Callable[[], OpenWork]) -> None:
        """Use `Obra.permissions` instead."""
        self._do = do
        self._look = look

    def waiting(self) -> tuple[AskedPermission, ...]:
        """Return the questions that Claude stands still for, oldest first.

        There are none unless Obra was opened with `attended=True`: else they are denied at once.
        """
        return tuple(sorted(self._look().permissions.waiting.values(), key=lambda asked: asked.at))

    def denied(self) -> tuple[AskedPermission, ...]:
        """Return what was denied because nobody was there, oldest first."""
        return self._look().permissions.denied

    def rules(self) -> tuple[SessionRule, ...]:
        """Return what is allowed until its session ends, oldest first."""
        return active_rules(self._look().permissions.rules)

    def answer(self, question: QuestionId, verdict: PermissionVerdict, note: str = "") -> None:
        """Answer a question; `note` is the reason that Claude reads, or the answer to what it asked.

        Raises `UnknownId` when it was answered already, or nobody waits for it any more.
        """
        answer = PermissionAnswer(verdict=verdict, by=person(), note=note)
        self._do(AnswerPermission(question=question, answer=answer))

    def revoke(self, rule: RuleId) -> None:
        """Take back what was allowed; it is asked about again from the next call on. Raises `UnknownId`."""
        known = self._look().permissions.rules.get(rule)
        if known is None:
            raise UnknownId(f"There is no rule {rule}.", fix="`permissions.rules()` lists them.")
        self._do(RevokeRule(session=known.session, rule=rule, by=person()))
