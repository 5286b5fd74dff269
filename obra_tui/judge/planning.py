"""Which hunks go into which prompt, or why the change cannot be judged at all. Pure; nothing has been sent yet."""

from msgspec import Struct

from obra_tui.core.model import JudgeRequest
from obra_tui.judge.errors import DiffUnreadable, DoesNotFit
from obra_tui.judge.parts import Hunk, Part, pack, read_hunks
from obra_tui.judge.template import Standards

_LEAST_ROOM = 128
"""Fewer tokens than this for the diff itself are not worth a prompt."""


class PromptPlan(Struct, frozen=True, kw_only=True):
    hunks: tuple[Hunk, ...]
    parts: tuple[Part, ...]


def plan_review(request: JudgeRequest, standards: Standards) -> PromptPlan:
    """Return the parts, each of which fits into the context; raise `DiffUnreadable` or `DoesNotFit`."""
    if request.diff.empty:
        raise DiffUnreadable("There is no change, so there is nothing to judge.", fix="See what Claude Code said.")
    hunks = read_hunks(request.diff)
    # a change without hunks (modes, names, binary files) is judged by its list of files
    parts = pack(hunks, _room(request, standards)) or (Part(hunks=()),)
    allowed = standards.config.max_parts
    if len(parts) > allowed:
        raise DoesNotFit(
            f"The change would need {len(parts)} prompts (allowed: {allowed}).",
            fix="Split the task, raise judge.num_ctx, or decide by hand.",
        )
    return PromptPlan(hunks=hunks, parts=parts)


def _room(request: JudgeRequest, standards: Standards) -> int:
    """Tokens that are left for hunks beside everything else, the answer, and a complaint about it."""
    config = standards.config
    frame = standards.frame(request) + standards.second_try()
    room = config.num_ctx - config.max_output_tokens - frame
    if room < _LEAST_ROOM:
        raise DoesNotFit(
            f"The task and the results of the checks alone take about {frame} tokens of the model's context"
            f" ({config.num_ctx}, of which {config.max_output_tokens} are kept for the answer).",
            fix=f"Set judge.num_ctx to {frame + config.max_output_tokens + _LEAST_ROOM} or more, or decide by hand.",
        )
    return room
