"""Totals, discounts and shares, in whole cents."""


def line_total(quantity: int, cents: int) -> int:
    """Return what a line of an invoice costs."""
    return quantity * cents


def less_discount(total: int, percent: int) -> int:
    """Return the total less a discount; half a cent is rounded up."""
    return (total * (100 - percent) + 50) // 100


def shares(total: int, people: int) -> list[int]:
    """Return what each person pays; the first ones pay the cents that are left over."""
    share, left_over = divmod(total, people)
    return [share + 1] * left_over + [share] * (people - left_over)
