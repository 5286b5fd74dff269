"""Usage as a difference: what a conversation brought along is not counted again."""

from obra_tui.agents.usage import usage_by_model
from obra_tui.core.model import Usage


def test_what_a_fork_or_a_resumed_conversation_brought_along_is_not_counted():
    own = {"inputTokens": 97, "outputTokens": 42, "cacheReadInputTokens": 5, "costUSD": 0.005}
    brought = {"inputTokens": 11054, "outputTokens": 84, "cacheReadInputTokens": 10915, "costUSD": 0.052}
    result = {
        "type": "result",
        "num_turns": 2,
        "total_cost_usd": 0.052,
        "modelUsage": {"a-model": brought},
        "model_usage_since_last_result": {"a-model": own},
    }
    assert usage_by_model(result) == [
        ("a-model", Usage(input_tokens=97, output_tokens=42, cache_read_tokens=5, cost_usd=0.005, turns=2))
    ]
