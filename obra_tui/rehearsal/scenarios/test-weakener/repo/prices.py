"""Prices in cents."""


def with_tax(cents: int, percent: float) -> int:
    """Return the price with tax, rounded to whole cents."""
    return int(cents * (1 + percent / 100))
