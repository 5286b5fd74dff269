"""Fibonacci numbers."""


def fibonacci(count: int) -> list[int]:
    """Return the first `count` Fibonacci numbers, beginning with 0."""
    numbers: list[int] = []
    here, following = 0, 1
    for _ in range(count):
        numbers.append(here)
        here, following = following, here + following
    return numbers
