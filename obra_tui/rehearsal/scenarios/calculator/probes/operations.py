"""What the calculator returns, and that dividing by zero raises."""

import calculator

assert calculator.add(2, 3) == 5
assert calculator.subtract(5, 3) == 2
assert calculator.multiply(4, 5) == 20
assert calculator.divide(10, 2) == 5
assert all(getattr(calculator, name).__doc__ for name in ("add", "subtract", "multiply", "divide"))
try:
    result = calculator.divide(10, 0)
except (ZeroDivisionError, ValueError):
    pass
else:
    raise AssertionError(f"divide(10, 0) returned {result!r}")
