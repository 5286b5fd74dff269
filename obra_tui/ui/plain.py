"""Text as it is: what is handed to a widget as `str` would be read as markup."""

from textual.content import Content

from widgets.text import clean, clean_line


def plain(text: str) -> Content:
    """One line, with nothing in it that a terminal or a widget would obey."""
    return Content(clean_line(text))


def plain_text(text: str) -> Content:
    """The same for several lines."""
    return Content(clean(text))
