"""Greetings."""


def greet(name: str) -> str:
    """Return a greeting for somebody."""
    return f"Hello, {name}!"
