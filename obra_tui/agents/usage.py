"""Tokens and cost as differences: what was consumed since the last report.

Pure. Totals on the wire carry over from resumed conversations; only the difference is ours to add up.
"""

from collections.abc import Mapping
from typing import Any

from obra_tui.core.model import Usage


def usage_by_model(result: Mapping[str, Any]) -> list[tuple[str, Usage]]:
    """Return (model, usage) pairs of a result frame; the turns are counted with the first of them."""
    models = result.get("model_usage_since_last_result")
    turns = _int(result.get("num_turns"))
    if not isinstance(models, Mapping) or not models:
        usage = _turn_usage(result, turns)
        return [("", usage)] if usage.total_tokens or turns else []
    pairs = [(str(name), _model_usage(item)) for name, item in models.items() if isinstance(item, Mapping)]
    return [(name, usage + Usage(turns=turns if place == 0 else 0)) for place, (name, usage) in enumerate(pairs)]


def _model_usage(item: Mapping[str, Any]) -> Usage:
    cost = item.get("costUSD")
    return Usage(
        input_tokens=_int(item.get("inputTokens")),
        output_tokens=_int(item.get("outputTokens")),
        cache_read_tokens=_int(item.get("cacheReadInputTokens")),
        cache_write_tokens=_int(item.get("cacheCreationInputTokens")),
        cost_usd=float(cost) if isinstance(cost, int | float) else 0.0,
    )


def _turn_usage(result: Mapping[str, Any], turns: int) -> Usage:
    """A program that reports no difference: the tokens of this turn are right, its cost is unknown."""
    return api_usage(result.get("usage")) + Usage(turns=turns)


def api_usage(value: object) -> Usage:
    """Return the usage of one API message as the API itself names it."""
    usage = value if isinstance(value, Mapping) else {}
    return Usage(
        input_tokens=_int(usage.get("input_tokens")),
        output_tokens=_int(usage.get("output_tokens")),
        cache_read_tokens=_int(usage.get("cache_read_input_tokens")),
        cache_write_tokens=_int(usage.get("cache_creation_input_tokens")),
    )


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
