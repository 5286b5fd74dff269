"""What a database column can hold of an arbitrary text."""

_NUL = "\x00"
_SHOWN_NUL = "\N{SYMBOL FOR NULL}"


def storable(text: str) -> str:
    """Return `text` with NUL shown as a symbol and lone surrogates as question marks."""
    if _NUL in text:
        text = text.replace(_NUL, _SHOWN_NUL)
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode() if _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
