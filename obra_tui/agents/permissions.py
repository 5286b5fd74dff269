"""Answers Claude Code's requests to use a tool: by rule where there is one, else by asking.

Two doors lead here. A hook sees *every* call before it runs and says allow or ask, so that no list inside the program
decides; what it sends on arrives at `may_use`. People are asked there and not in the hook, because hooks time out.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from claude_agent_sdk import (
    HookContext,
    HookInput,
    HookJSONOutput,
    HookMatcher,
    PermissionResultAllow,
    PermissionResultDeny,
    ToolPermissionContext,
)

from obra_tui.agents.messages import mapping, objects
from obra_tui.agents.path_policy import PathPolicy
from obra_tui.agents.policy import ASKING, FILE_WRITERS, Rules, Ruling, needed, rule_on
from obra_tui.agents.questions import call_title, plan_question, text_question, tool_question
from obra_tui.core.model import PermissionAnswer, PermissionQuestion, PermissionVerdict
from obra_tui.core.ports import AskPermission

PermissionResult = PermissionResultAllow | PermissionResultDeny


class Permissions:
    """The permissions of one run; the rules of its session are looked up anew for every call."""

    def __init__(
        self,
        paths: PathPolicy,
        allow: tuple[str, ...],
        ask: AskPermission,
        *,
        plans: str = "",
        plans_here: Path = Path(),
    ) -> None:
        """`plans` is where the program keeps its plans, `plans_here` where that is on this machine."""
        self._paths = paths
        self._plans_here = plans_here
        self._plans = plans
        self._plan = ""
        self._allow = allow
        self._ask = ask
        self.waiting = 0
        """How many questions a person has not answered yet."""

    def hooks(self) -> list[HookMatcher]:
        return [HookMatcher(hooks=[self._before], timeout=60.0)]

    def _is_plan(self, path: str) -> bool:
        """Whether Claude writes its plan there; it is remembered, as the request to carry it out does not hold it."""
        is_plan = bool(self._plans) and self._paths.real(path).startswith(self._plans + "/")
        self._plan = path if is_plan else self._plan
        return is_plan

    def _read_plan(self) -> str:
        """Return the plan; a name that leads out of the folder of plans is not followed."""
        file = Path(os.path.realpath(self._plans_here / Path(self._plan).name))
        if not self._plan or file.parent != Path(os.path.realpath(self._plans_here)):
            return ""
        try:
            return file.read_text("utf-8", "replace")
        except OSError:
            return ""

    def _rule(self, tool: str, given: Mapping[str, Any]) -> Ruling:
        return rule_on(tool, given, self._paths, self._rules())

    def _rules(self) -> Rules:
        return Rules(allow=self._allow, session=self._ask.standing())

    def _note_use(self, tool: str, given: Mapping[str, Any]) -> None:
        """Tell which rules of the session a call was allowed by."""
        for pattern in needed(tool, given, self._paths, self._rules()):
            self._ask.used(pattern, call_title(tool, given, self._paths.cwd))

    async def _before(self, call: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
        tool = str(call.get("tool_name", ""))
        if tool in ASKING:
            return {}
        given = mapping(call.get("tool_input"))
        if tool in FILE_WRITERS:
            written = self._is_plan(str(given.get("file_path", "")))
            if call.get("permission_mode") == "plan" and not written:
                # The program leaves this to whoever answers: an "allow" from here would make planning mean nothing.
                return _decision("deny", "You are planning: nothing is edited before the plan is approved.")
        ruling = self._rule(tool, given)
        if ruling.allowed:
            self._note_use(tool, given)
        return _decision("allow" if ruling.allowed else "ask", ruling.why or "allowed by rule")

    async def may_use(self, tool: str, given: dict[str, Any], context: ToolPermissionContext) -> PermissionResult:
        """Return the answer to one request; asks as long as a person needs, ends when the request is withdrawn."""
        match tool:
            case "AskUserQuestion":
                return await self._put_questions(given)
            case "ExitPlanMode":
                return _as_result(await self._put(plan_question(given, await asyncio.to_thread(self._read_plan))))
            case _:
                return await self._ask_for(tool, given)

    async def _ask_for(self, tool: str, given: dict[str, Any]) -> PermissionResult:
        ruling = self._rule(tool, given)
        if ruling.allowed:
            self._note_use(tool, given)
            return PermissionResultAllow()
        return _as_result(await self._put(tool_question(tool, given, ruling, self._paths.cwd)))

    async def _put(self, question: PermissionQuestion) -> PermissionAnswer:
        self.waiting += 1
        try:
            return await self._ask(question)
        finally:
            self.waiting -= 1

    async def _put_questions(self, given: dict[str, Any]) -> PermissionResult:
        """Ask Claude's questions one after the other; the answers travel back inside the tool's own input."""
        answers: dict[str, str] = {}
        for item in objects(given.get("questions")):
            asked = str(item.get("question", ""))
            answer = await self._put(text_question(item))
            if answer.verdict is PermissionVerdict.DENY:
                return _as_result(answer)
            answers[asked] = answer.note or "Decide yourself."
        return PermissionResultAllow(updated_input={**given, "answers": answers})


def _decision(decision: Literal["allow", "ask", "deny"], why: str) -> HookJSONOutput:
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": decision,
            "permissionDecisionReason": why,
        }
    }


def _as_result(answer: PermissionAnswer) -> PermissionResult:
    if answer.verdict is not PermissionVerdict.DENY:
        return PermissionResultAllow()
    nobody = "Nobody is there to allow this. Find another way or finish without it."
    return PermissionResultDeny(message=answer.note or (nobody if answer.by == "unattended" else "The person said no."))
