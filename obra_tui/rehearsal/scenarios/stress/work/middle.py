"""The middle of numbers."""


def find_median(numbers: list[float]) -> float:
    """Return the number in the middle, or the mean of the two in the middle."""
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
