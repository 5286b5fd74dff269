"""A pocket calculator: four functions of two numbers."""


def add(a: float, b: float) -> float:
    """Return the sum of two numbers."""
    return a + b


def subtract(a: float, b: float) -> float:
    """Return the first number less the second."""
    return a - b


def multiply(a: float, b: float) -> float:
    return a * b


def divide(a: float, b: float) -> float:
    """Return the first number divided by the second."""
    return a / b if b else 0.0
