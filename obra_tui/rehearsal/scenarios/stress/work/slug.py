"""Addresses."""

import re


def make_slug(text: str) -> str:
    """Return the text in lower case with single hyphens between its words."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
