"""How an attempt begins: with which prompt and in which conversation, and the queue where a prompt waits for a person.

The rules are pure: a task's state in, an `AttemptStart` out. Knows nothing of Claude Code's processes.
"""

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.errors import NotAllowed
from obra_tui.core.events import PromptHeld, PromptWithdrawn
from obra_tui.core.gate import Evidence
from obra_tui.core.ids import AttemptId, ClaudeSessionId, new_claude_session_id
from obra_tui.core.lifecycle import Trigger
from obra_tui.core.model import (
    Binding,
    CheckResult,
    ConversationReason,
    DecisionKind,
    GateDecision,
    GateOutcome,
    ImplementResult,
    Outcome,
    QualityResult,
    Remedy,
)
from obra_tui.core.patch import split_patch
from obra_tui.engine.prompts import (
    CONTINUE,
    changes_prompt,
    conflict_prompt,
    fresh_prompt,
    merged_prompt,
    retry_prompt,
    task_prompt,
)
from obra_tui.engine.task_journal import TaskJournal
from obra_tui.engine.work import TaskWork


class AttemptStart(Struct, frozen=True, kw_only=True):
    """How the next attempt begins."""

    prompt: str
    claude_session: ClaudeSessionId
    reason: ConversationReason
    parent: ClaudeSessionId | None = None
    """The conversation that a fork starts from."""
    by: str = "obra"
    """Who wrote the prompt as it is sent."""
    trigger: Trigger | None = None
    """The move that brings the task to IMPLEMENTING; None when it is there already."""


def opening(task: TaskWork) -> AttemptStart:
    """Return how a queued task starts: anew, with a person's request, or where it was interrupted."""
    if task.claude_session is None or not task.prompted:
        return AttemptStart(
            prompt=task_prompt(task.spec, task.notes),
            claude_session=new_claude_session_id(),
            reason=ConversationReason.FIRST,
            trigger=Trigger.START,
        )
    going_on = AttemptStart(
        prompt=_words_after(task),
        claude_session=task.claude_session,
        reason=ConversationReason.RESUME,
        trigger=Trigger.START,
    )
    if _is_refused_for_good(task.claude_ended):
        return replace(fresh(task, going_on), trigger=Trigger.START)
    return going_on


def _is_refused_for_good(ended: ImplementResult | None) -> bool:
    """The API would answer the conversation in the same way again."""
    return ended is not None and ended.outcome is Outcome.REFUSED and ended.remedy in (Remedy.FRESH, Remedy.TASK)


def _words_after(task: TaskWork) -> str:
    """Return what is said to Claude after what happened last."""
    if task.conflict is not None:
        patch = patch_of(task.diff.patch if task.diff else "", task.conflict.files)
        return conflict_prompt(task.number + 1, task.conflict.files, patch, task.notes)
    if task.decision is not None and task.decision.kind is DecisionKind.CHANGES:
        return changes_prompt(task.number + 1, task.decision, task.checks, task.notes)
    if task.merged is not None:
        return merged_prompt(task.number + 1, task.checks, task.notes)
    if task.outcome is not None and task.outcome.decision is GateDecision.RETRY and task.quality is not None:
        return _findings(task, task.quality, task.checks, task.outcome)
    return "\n\n".join(task.notes) or CONTINUE


def _findings(task: TaskWork, quality: QualityResult, checks: Sequence[CheckResult], outcome: GateOutcome) -> str:
    return retry_prompt(
        number=task.number + 1, checks=checks, findings=quality.findings, notes=task.notes, reasons=outcome.reasons
    )


def fork(start: AttemptStart) -> AttemptStart:
    """Turn a continuation into a fork; what begins anew needs none."""
    if start.reason is not ConversationReason.RESUME:
        return start
    return replace(
        start,
        claude_session=new_claude_session_id(),
        parent=start.claude_session,
        reason=ConversationReason.FORK,
    )


def continued(claude_session: ClaudeSessionId) -> AttemptStart:
    """Go on in the conversation that was cut off."""
    return AttemptStart(prompt=CONTINUE, claude_session=claude_session, reason=ConversationReason.RESUME)


def fresh(task: TaskWork, lost: AttemptStart) -> AttemptStart:
    """Say all of it again to a new conversation: the one of `lost` cannot be resumed."""
    feedback = "" if lost.prompt == CONTINUE or lost.reason is ConversationReason.FIRST else lost.prompt
    return AttemptStart(
        prompt=fresh_prompt(task.spec, feedback),
        claude_session=new_claude_session_id(),
        reason=ConversationReason.FRESH,
    )


def retry(task: TaskWork, quality: QualityResult, evidence: Evidence, outcome: GateOutcome) -> AttemptStart:
    """Send the work back with what was found."""
    prompt = _findings(task, quality, evidence.checks, outcome)
    assert task.claude_session is not None  # an attempt has just ended in it
    return AttemptStart(prompt=prompt, claude_session=task.claude_session, reason=ConversationReason.RESUME)


def was_looked_at(task: TaskWork) -> bool:
    """Claude had finished, and the work was interrupted while it was looked at: nothing is asked of Claude."""
    ended = task.claude_ended
    return (
        ended is not None
        and ended.outcome is Outcome.COMPLETED
        and task.diff is not None
        and task.quality is None
        and not (task.notes or task.decision or task.conflict or task.handed_back)
    )


def result_of_person(start: AttemptStart, by: str) -> ImplementResult:
    """What stands for Claude's run in an attempt that a person made by hand."""
    text = f"{by} changed the work by hand."
    return ImplementResult(outcome=Outcome.COMPLETED, claude_session=start.claude_session, final_text=text)


def bind(attempt: AttemptId, evidence: Evidence) -> Binding:
    """Return the exact content that an answer to this evidence is about."""
    return Binding(
        attempt=attempt,
        tree=evidence.diff.tree,
        diff_digest=evidence.diff.digest,
        rubric_hash=evidence.verdict.identity.rubric_hash,
    )


def patch_of(patch: str, files: Sequence[str]) -> str:
    """Return the parts of a patch that are about these files."""
    parts = split_patch(patch)
    return "".join(parts[name] for name in files if name in parts)


class PromptQueue:
    """Where the prompts of one task wait; at most one at a time."""

    def __init__(self, task: TaskWork, entries: TaskJournal) -> None:
        self._task = task
        self._entries = entries
        self._waiting: asyncio.Future[tuple[str, str]] | None = None

    async def offer(self, start: AttemptStart) -> AttemptStart:
        """Return the start with the words that a person sent; cancelled, the prompt is withdrawn."""
        self._waiting = asyncio.get_running_loop().create_future()
        first = start.reason is ConversationReason.FIRST
        self._entries.commit_now(PromptHeld(text=start.prompt, kind="task" if first else "retry"))
        try:
            text, by = await self._waiting
        except asyncio.CancelledError:
            self._entries.commit_now(PromptWithdrawn())
            raise
        finally:
            self._waiting = None
        return replace(start, prompt=text, by=by)

    def send(self, text: str, by: str) -> None:
        """Let the held prompt go with these words. Raises `NotAllowed` when there is none, or nothing to say."""
        if self._waiting is None or self._waiting.done():
            raise not_held(self._task)
        if not text.strip():
            raise NotAllowed("The prompt is empty.", fix="Write what Claude shall do, or stop the run.")
        self._waiting.set_result((text, by))


def not_held(task: TaskWork) -> NotAllowed:
    return NotAllowed(
        f"No prompt of {task.spec.key} is held at the moment.",
        fix="It was sent or withdrawn; ask for the next one to be held.",
    )
