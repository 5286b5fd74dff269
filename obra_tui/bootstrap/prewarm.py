"""What the first task of a run needs, begun while the database is still being loaded: its copy, and Claude Code in it.

Nothing is recorded here and nothing is said to the program, so there is nothing to take back: the run itself finds the
copy made and the program waiting, or makes and starts its own.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from obra_tui.core.budget import smallest
from obra_tui.core.errors import ObraError
from obra_tui.core.ids import SessionId, first_claude_session_id, new_attempt_id
from obra_tui.core.model import ConversationReason, ImplementRequest, Plan, TaskSpec

if TYPE_CHECKING:
    from obra_tui.agents.claude_code import ClaudeCode
    from obra_tui.config.load import Settings
    from obra_tui.evidence.checks import LocalCheckRunner
    from obra_tui.evidence.workspace import GitWorkspace


class Hands(Struct, frozen=True, kw_only=True):
    """What works on the project."""

    claude: ClaudeCode
    workspace: GitWorkspace
    checks: LocalCheckRunner


def first_task(plan: Plan | None) -> TaskSpec | None:
    """Return the task that a run of this plan begins with."""
    return next((task for task in plan.tasks if not task.depends_on), None) if plan else None


async def begin_ahead(task: TaskSpec, hands: Hands, settings: Settings) -> None:
    """Make the copy and start Claude Code in it. What stands in the way, the run itself will meet and tell."""
    if settings.workspace.setup:
        return  # commands of the project: they run once the task is on record, and take longer than what is saved here
    with suppress(ObraError):
        base, _ = await asyncio.gather(hands.workspace.head(), hands.workspace.get_ready())
        copy = await hands.workspace.prepare(SessionId(""), task.id, base)
        budget = smallest((task.budget, settings.budget.of_task(), settings.budget.of_session()))
        await hands.claude.start_ahead(
            ImplementRequest(
                task=task.id,
                attempt=new_attempt_id(),
                prompt="",
                cwd=copy.path,
                claude_session=first_claude_session_id(task.id),
                reason=ConversationReason.FIRST,
                budget=budget,
            )
        )


async def try_sandbox(hands: Hands) -> None:
    """Find out which sandbox holds while Claude works, not when the first check waits for it."""
    with suppress(ObraError, OSError):
        await hands.checks.sandbox()
