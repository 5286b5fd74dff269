"""What may be spent before a person is asked again: pure arithmetic over budgets."""

from collections.abc import Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.model import Budget, ImplementResult, Usage


class Consumed(Struct, frozen=True, kw_only=True):
    """What was consumed since the budget began, or since a person renewed it."""

    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    """Time in which Claude Code was at work."""

    def used(self, usage: Usage) -> "Consumed":
        return replace(self, usage=self.usage + usage)

    def worked(self, result: ImplementResult) -> "Consumed":
        return replace(self, seconds=self.seconds + result.duration_s)


def overspent(spent: Consumed, budget: Budget, whose: str) -> tuple[str, ...]:
    """Return one sentence per limit that is reached; nothing when there is something left of each."""
    found = []
    if budget.max_cost_usd is not None and spent.usage.cost_usd >= budget.max_cost_usd:
        found.append(f"${spent.usage.cost_usd:.2f} of ${budget.max_cost_usd:.2f}")
    if budget.max_tokens is not None and spent.usage.total_tokens >= budget.max_tokens:
        found.append(f"{spent.usage.total_tokens:,} of {budget.max_tokens:,} tokens")
    if budget.max_seconds is not None and spent.seconds >= budget.max_seconds:
        found.append(f"{spent.seconds:.0f} of {budget.max_seconds:.0f} s")
    return tuple(f"The budget of {whose} is used up: {item}." for item in found)


def left(budget: Budget, spent: Consumed) -> Budget:
    """Return what the next run may still use; a run's turns are its own."""
    return replace(
        budget,
        max_cost_usd=_minus(budget.max_cost_usd, spent.usage.cost_usd),
        max_seconds=_minus(budget.max_seconds, spent.seconds),
        max_tokens=None if budget.max_tokens is None else max(0, budget.max_tokens - spent.usage.total_tokens),
    )


def smallest(budgets: Iterable[Budget]) -> Budget:
    """Return the tightest limit of each kind."""
    several = list(budgets)
    tokens = [b.max_tokens for b in several if b.max_tokens is not None]
    turns = [b.max_turns for b in several if b.max_turns is not None]
    return Budget(
        max_turns=min(turns, default=None),
        max_cost_usd=min((b.max_cost_usd for b in several if b.max_cost_usd is not None), default=None),
        max_seconds=min((b.max_seconds for b in several if b.max_seconds is not None), default=None),
        max_tokens=min(tokens, default=None),
    )


def _minus(limit: float | None, spent: float) -> float | None:
    return None if limit is None else max(0.0, limit - spent)
