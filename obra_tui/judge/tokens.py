"""How many tokens a text has, without a tokenizer: one guess that is rather too high, one bound that is surely too low.

`estimate` decides what is sent: three UTF-8 bytes a token, or more where text is dense (digits, hashes, punctuation
cost about one token each). `at_least` decides whether the server read it all: no tokenizer in use joins two runs of
letters that are separated by something else, so there cannot be fewer tokens than runs; a fifth is taken off for
templates and rare merges.
"""

import math
import re

_RUN = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_MARK = re.compile(r"[^\w\s]")

_BYTES_PER_TOKEN = 3
_LETTERS_PER_TOKEN = 5
_MARKS_PER_TOKEN = 2
_TOLERANCE = 0.8


def estimate(text: str) -> int:
    """Return how many tokens `text` has, rather too many than too few."""
    by_bytes = math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN)
    runs = sum(math.ceil(len(run) / _LETTERS_PER_TOKEN) for run in _RUN.findall(text))
    marks = math.ceil(len(_MARK.findall(text)) / _MARKS_PER_TOKEN)
    return max(by_bytes, runs + len(_DIGIT.findall(text)) + marks)


def at_least(text: str) -> int:
    """Return a number of tokens that `text` cannot stay below."""
    return int(len(_RUN.findall(text)) * _TOLERANCE)
