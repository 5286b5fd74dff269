"""Areas of shapes."""


def rectangle_area(width: float, height: float) -> float:
    """Return the area; a negative side is refused."""
    if width < 0 or height < 0:
        raise ValueError("a side cannot be negative")
    return width * height
