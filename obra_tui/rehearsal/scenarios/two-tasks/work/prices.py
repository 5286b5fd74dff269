"""Prices of carpets."""

from shapes import rectangle_area


def carpet_price(width: float, height: float, per_square_metre: float) -> float:
    """Return what a carpet of this size costs."""
    return rectangle_area(width, height) * per_square_metre
