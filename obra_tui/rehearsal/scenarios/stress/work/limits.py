"""Limits of numbers."""


def clamp(value: float, low: float, high: float) -> float:
    """Return the value, or the limit that it lies beyond."""
    return max(low, min(value, high))
