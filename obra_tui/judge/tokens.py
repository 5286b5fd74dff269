"""How many tokens a text has without a tokenizer, and whether the server read everything that it was sent. Pure.

`estimate` decides what is sent: three UTF-8 bytes a token, or more where text is dense (each digit, line and piece of a
camelCase name costs about one token, other signs three quarters). Measured with a tokenizer of 49,000 words on
numbered hunks: 1.0 to 1.1 times the truth for source code, 0.7 for base64. Larger vocabularies need fewer tokens.

`at_least` is a lower bound. Tokenizers cut between letters, digits, signs and white space before they join anything; a
token holds one run of letters, at most three digits, or one run of something else. A fifth is taken off for rare
merges. That is about half the truth for source code, so a prompt of which half is missing is noticed.

`check_read` compares the server's own count: fewer tokens than the text can possibly have: it was cut; as many as the
whole context holds: it was cut to fit (Ollama fills the context to its last token but one); no count at all: unknown.
Older Ollamas leave the count out, or count less, when the prompt was still in their cache. That a cache explains a
count which is too small is believed only when the same request, made again, is counted as next to nothing.
"""

import math
import re
from collections.abc import Sequence

from obra_tui.judge.errors import CountTooSmall, PromptCut
from obra_tui.judge.exchange import Answer

_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_FOREIGN_LETTER = re.compile(r"[^\W\d_a-zA-Z]")
_DIGIT = re.compile(r"\d")
_SIGN = re.compile(r"[^\w\s]|_")
_LINES = re.compile(r"\n+")

_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")
_SIGNS = re.compile(r"(?:[^\w\s]|_){2,}|(?:[^\w\s]|_)(?![^\W\d_])")
_BLANKS = re.compile(r"[ \t]{2,}")

_BYTES_PER_TOKEN = 3
_LETTERS_PER_TOKEN = 6
_TOLERANCE = 0.8


def estimate(text: str) -> int:
    """Return how many tokens `text` has, rather too many than too few."""
    by_bytes = len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN
    return math.ceil(max(by_bytes, _dense(text)))


def _dense(text: str) -> float:
    names = sum([-(-len(part) // _LETTERS_PER_TOKEN) for part in _NAME_PART.findall(text)])  # rounded up
    foreign = sum(len(letter.encode("utf-8", "replace")) for letter in _FOREIGN_LETTER.findall(text)) / 2
    single = sum(len(pattern.findall(text)) for pattern in (_DIGIT, _LINES, _BLANKS))
    return names + foreign + single + 0.75 * len(_SIGN.findall(text))


def at_least(text: str) -> int:
    """Return a number of tokens that `text` cannot stay below."""
    runs = sum(len(pattern.findall(text)) for pattern in (_LETTERS, _SIGNS, _BLANKS))
    digits = sum([-(-len(run) // 3) for run in _DIGITS.findall(text)])
    return int((runs + digits) * _TOLERANCE)


UNPROVEN = "The server did not say how many tokens it read, so that it read the whole prompt is not proven."

CACHED = "The server counts only what it had not read before; a second request showed it."


def check_read(answer: Answer, sent: Sequence[str], num_ctx: int) -> str:
    """Return a remark if nothing is known; raise `PromptCut` if the messages `sent` were not read whole.

    `CountTooSmall` is raised where only what may have been cached is missing: a second request can tell.
    """
    read = answer.prompt_tokens
    if read is None:
        return UNPROVEN
    fresh, whole = at_least(sent[-1]), sum(map(at_least, sent))
    if read < fresh:
        raise _cut(read, fresh)
    if read < whole:
        raise CountTooSmall(read, whole)
    if read >= num_ctx - 1:
        raise PromptCut(
            f"The prompt filled the whole context ({read} of {num_ctx} tokens), so a piece may be missing.",
            fix="Raise judge.num_ctx, or decide by hand.",
        )
    return ""


def check_again(doubt: CountTooSmall, again: Answer) -> str:
    """Return a remark if the same request, made twice, shows that cached tokens are not counted; else raise.

    A server that leaves out what it has cached counts next to nothing the second time, one that cuts counts the same.
    """
    if (again.prompt_tokens or 0) < doubt.read / 2:
        return CACHED
    raise _cut(doubt.read, doubt.least)


def _cut(read: int, least: int) -> PromptCut:
    return PromptCut(
        f"The prompt was cut: the server read {read} tokens, and what it was sent has at least {least}.",
        fix="Raise the context that the server gives the model, or lower judge.num_ctx to what it really has.",
    )
