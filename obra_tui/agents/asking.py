"""Answers Claude Code's requests to use a tool: by rule where there is one, else by asking.

Two doors lead here. A hook sees *every* call before it runs and says allow or ask, so that no list inside the program
decides; what it sends on arrives at `may_use`. People are asked there and not in the hook, because hooks time out.
"""

from collections.abc import Mapping
from typing import Any

from claude_agent_sdk import (
    HookContext,
    HookInput,
    HookJSONOutput,
    HookMatcher,
    PermissionResultAllow,
    PermissionResultDeny,
    ToolPermissionContext,
)

from obra_tui.agents.place import Place
from obra_tui.agents.policy import ASKING, Rules, Ruling, rule_on
from obra_tui.agents.questions import plan_question, text_question, tool_question
from obra_tui.core.model import PermissionAnswer, PermissionQuestion, PermissionVerdict
from obra_tui.core.ports import AskPermission

PermissionResult = PermissionResultAllow | PermissionResultDeny


class Permissions:
    """The permissions of one run; `session` is shared by all runs of a session and grows with what is allowed for it."""

    def __init__(self, place: Place, allow: tuple[str, ...], session: set[str], ask: AskPermission) -> None:
        self._place = place
        self._allow = allow
        self._session = session
        self._ask = ask
        self.waiting = 0
        """How many questions a person has not answered yet."""

    def hooks(self) -> list[HookMatcher]:
        return [HookMatcher(hooks=[self._before], timeout=60.0)]

    def _rule(self, tool: str, given: Mapping[str, Any]) -> Ruling:
        return rule_on(tool, given, self._place, Rules(allow=self._allow, session=frozenset(self._session)))

    async def _before(self, call: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
        tool = str(call.get("tool_name", ""))
        if tool in ASKING:
            return {}
        given = call.get("tool_input")
        ruling = self._rule(tool, given if isinstance(given, Mapping) else {})
        return {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "allow" if ruling.allowed else "ask",
                "permissionDecisionReason": ruling.why or "allowed by rule",
            }
        }

    async def may_use(self, tool: str, given: dict[str, Any], context: ToolPermissionContext) -> PermissionResult:
        """Return the answer to one request; asks as long as a person needs, ends when the request is withdrawn."""
        match tool:
            case "AskUserQuestion":
                return await self._put_questions(given)
            case "ExitPlanMode":
                return _as_result(await self._put(plan_question(given)))
            case _:
                return await self._ask_for(tool, given)

    async def _ask_for(self, tool: str, given: dict[str, Any]) -> PermissionResult:
        ruling = self._rule(tool, given)
        if ruling.allowed:
            return PermissionResultAllow()
        question = tool_question(tool, given, ruling, self._place.cwd)
        answer = await self._put(question)
        if answer.verdict is PermissionVerdict.SESSION and question.session_rule:
            self._session.add(question.session_rule)
        return _as_result(answer)

    async def _put(self, question: PermissionQuestion) -> PermissionAnswer:
        self.waiting += 1
        try:
            return await self._ask(question)
        finally:
            self.waiting -= 1

    async def _put_questions(self, given: dict[str, Any]) -> PermissionResult:
        """Ask Claude's questions one after the other; the answers travel back inside the tool's own input."""
        answers: dict[str, str] = {}
        for item in given.get("questions") or ():
            asked = str(item.get("question", ""))
            answer = await self._put(text_question(item))
            if answer.verdict is PermissionVerdict.DENY:
                return _as_result(answer)
            answers[asked] = answer.note or "Decide yourself."
        return PermissionResultAllow(updated_input={**given, "answers": answers})


def _as_result(answer: PermissionAnswer) -> PermissionResult:
    if answer.verdict is not PermissionVerdict.DENY:
        return PermissionResultAllow()
    nobody = "Nobody is there to allow this. Find another way or finish without it."
    return PermissionResultDeny(message=answer.note or (nobody if answer.by == "unattended" else "The person said no."))
