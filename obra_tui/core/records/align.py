"""Two transcripts side by side: which turn of the one stands beside which of the other. Pure.

A turn begins with a prompt or with something that Claude says. The n-th prompt
stands beside the n-th prompt, and after it turn beside turn.
"""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from msgspec.structs import replace

from obra_tui.core.events import (
    PermissionAnswered,
    PromptSent,
    Record,
    TextDropped,
    TextFinished,
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    ToolStarted,
)

Turn = tuple[Record, ...]
_SHOWN = (TextStreamed, TextFinished, TextDropped, ThinkingStreamed, ToolStarted, ToolFinished, PermissionAnswered)
"""All that can be shown of a transcript without saying which attempt it was, by which model, or what became of it."""
_HIDDEN = PromptSent(text="Hidden: it would tell which of the two came first.", kind="task")


def turns(records: Iterable[Record]) -> list[Turn]:
    """Cut records into turns; what comes before the first one belongs to it."""
    found: list[list[Record]] = []
    began = False
    for record in records:
        begins = isinstance(record.event, PromptSent | TextFinished)
        if not found or (begins and began):
            found.append([])
        found[-1].append(record)
        began = began or begins
    return [tuple(turn) for turn in found]


def pair_turns(a: Sequence[Turn], b: Sequence[Turn]) -> list[tuple[Turn, Turn]]:
    """Return pairs of turns; where the other side has none, an empty one."""
    pairs: list[tuple[Turn, Turn]] = []
    for ours, theirs in zip_longest(_by_prompt(a), _by_prompt(b), fillvalue=()):
        pairs += zip_longest(ours, theirs, fillvalue=())
    return pairs


def _by_prompt(found: Sequence[Turn]) -> list[list[Turn]]:
    groups: list[list[Turn]] = [[]]
    for turn in found:
        if groups[-1] and any(isinstance(record.event, PromptSent) for record in turn):
            groups.append([])
        groups[-1].append(turn)
    return groups


def anonymise(records: Iterable[Record]) -> list[Record]:
    """Return the records without what tells who it was, or which of two came first; prompts keep their place."""
    shown = (record for record in records if isinstance(record.event, (*_SHOWN, PromptSent)))
    return [replace(record, event=_HIDDEN) if isinstance(record.event, PromptSent) else record for record in shown]
