"""Tokens and cost as differences: what was consumed since the last report.

Pure. Totals on the wire carry over from resumed conversations; only the difference is ours to add up.
"""

from obra_tui.agents.messages import Frame, count, mapping, number
from obra_tui.core.model import Usage


def usage_by_model(result: Frame) -> list[tuple[str, Usage]]:
    """Return (model, usage) pairs of a result frame; the turns are counted with the first of them."""
    models = mapping(result.get("model_usage_since_last_result"))
    turns = count(result.get("num_turns"))
    if not models:
        usage = _turn_usage(result, turns)
        return [("", usage)] if usage.total_tokens or turns else []
    pairs = [(str(name), _model_usage(mapping(item))) for name, item in models.items()]
    return [(name, usage + Usage(turns=turns if place == 0 else 0)) for place, (name, usage) in enumerate(pairs)]


def _model_usage(item: Frame) -> Usage:
    return Usage(
        input_tokens=count(item.get("inputTokens")),
        output_tokens=count(item.get("outputTokens")),
        cache_read_tokens=count(item.get("cacheReadInputTokens")),
        cache_write_tokens=count(item.get("cacheCreationInputTokens")),
        cost_usd=number(item.get("costUSD")) or 0.0,
    )


def _turn_usage(result: Frame, turns: int) -> Usage:
    """A program that reports no difference: the tokens of this turn are right, its cost is unknown."""
    return api_usage(result.get("usage")) + Usage(turns=turns)


def api_usage(value: object) -> Usage:
    """Return the usage of one API message as the API itself names it."""
    usage = mapping(value)
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        cache_read_tokens=count(usage.get("cache_read_input_tokens")),
        cache_write_tokens=count(usage.get("cache_creation_input_tokens")),
    )
