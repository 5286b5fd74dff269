"""Where tasks go when several of them are moved at once. Pure."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def moves_to(plan: Sequence[T], block: Sequence[T], position: int) -> tuple[tuple[T, int], ...]:
    """Return single moves, one after the other, that bring the block together at `position` of the plan.

    The block keeps the order in which it is given. None but its own tasks are moved.
    """
    rest = [item for item in plan if item not in block]
    place = max(0, min(position, len(rest)))
    return moves_into(plan, [*rest[:place], *block, *rest[place:]], block)


def moves_into(plan: Sequence[T], target: Sequence[T], movable: Sequence[T]) -> tuple[tuple[T, int], ...]:
    """Return single moves of `movable` that make `target` of the plan; the others are in the same order in both."""
    now = list(plan)
    moves: list[tuple[T, int]] = []
    block = sorted(set(movable), key=target.index)
    # The first pass brings down what goes down, from its end; the second sets right what that has shifted.
    for item in (*reversed(block), *block):
        wanted = target.index(item)
        if now.index(item) != wanted:
            now.remove(item)
            now.insert(wanted, item)
            moves.append((item, wanted))
    return tuple(moves)
