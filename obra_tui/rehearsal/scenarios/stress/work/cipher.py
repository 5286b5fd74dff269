"""A letter cipher."""


def shift_letters(text: str, by: int) -> str:
    """Return the text with its letters moved along the alphabet; everything else stays."""
    return "".join(_shift(char, by) for char in text)


def _shift(char: str, by: int) -> str:
    if not (char.isascii() and char.isalpha()):
        return char
    start = ord("a") if char.islower() else ord("A")
    return chr(start + (ord(char) - start + by) % 26)
