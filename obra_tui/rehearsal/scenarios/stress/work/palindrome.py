"""Palindromes."""


def is_palindrome(text: str) -> bool:
    """Return whether the letters and digits of the text read the same backwards."""
    kept = [char.lower() for char in text if char.isalnum()]
    return kept == kept[::-1]
