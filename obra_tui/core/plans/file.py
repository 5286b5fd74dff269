"""The person's own plan file after a task was accepted: its checkbox is ticked and its id noted, nothing else changes.

Text in, text out, byte for byte: line ends, blanks and the order of everything stay as the person wrote them.
"""

import re

from obra_tui.core.plans.blocks import hidden_lines

_BOX = re.compile(r"(?P<head>[ \t]*(?:[-*+]|\d+[.)])[ \t]+\[)(?P<mark>[ xX])(?P<close>\][ \t]+)(?P<words>[^\r\n]*)")
_COMMENT = re.compile(r"[ \t]*<!--.*?-->")
_TAG = re.compile(r"\[(?:P|US\d+)\][ \t]*")
_AFTER = re.compile(r"[ \t]*\((?:after|depends on)[ \t]*:?[ \t]+[^()]+\)[ \t]*$", re.IGNORECASE)


def ticked(text: str, *, key: str, title: str) -> str:
    """Return the text with the task ticked; as it was when the task is not found, or found twice.

    A task is known by its id: leading, bold, or in a comment. One without an id is known by its title and gets the
    comment, so that it is known from then on whatever the person makes of the title.
    """
    lines = text.splitlines(keepends=True)
    boxes = _boxes(lines)
    found = [place for place, box in boxes if _has_key(box["words"], key)]
    named = bool(found)
    if not named:
        found = [place for place, box in boxes if not _any_key(box["words"]) and _title(box["words"]) == title]
    if len(found) != 1:
        return text
    place = found[0]
    lines[place] = _with_tick(lines[place], "" if named else key)
    return "".join(lines)


def _boxes(lines: list[str]) -> list[tuple[int, re.Match[str]]]:
    """Return the checkboxes with their line numbers; what is code or a comment has none."""
    hidden = hidden_lines([line.rstrip("\r\n").expandtabs(4) for line in lines])
    found = ((place, _BOX.match(line)) for place, line in enumerate(lines) if place + 1 not in hidden)
    return [(place, box) for place, box in found if box]


def _with_tick(line: str, key: str) -> str:
    box = _BOX.match(line)
    assert box is not None
    words = box["words"]
    body = words.rstrip(" \t")
    noted = f"{body} <!-- id: {key} -->{words[len(body) :]}" if key else words
    mark = "x" if box["mark"] == " " else box["mark"]
    return f"{box['head']}{mark}{box['close']}{noted}{line[box.end() :]}"


def _has_key(words: str, key: str) -> bool:
    quoted = re.escape(key)
    leading = rf"(?:\*\*{quoted}\*\*:?|{quoted}[:.)]?)(?:\s|$)"
    comment = rf"<!--\s*(?:id\s*[:=]\s*)?{quoted}\s*-->"
    rest = _COMMENT.sub("", words).lstrip()
    return bool(re.search(comment, words, re.IGNORECASE) or (_looks_like_key(key, rest) and re.match(leading, rest)))


def _looks_like_key(key: str, rest: str) -> bool:
    """A bare word at the beginning is an id only if ids look like it: `T001`, not `Add`."""
    return rest.startswith("**") or bool(re.fullmatch(r"(?:T|TASK)-?\d+", key))


def _any_key(words: str) -> bool:
    rest = _COMMENT.sub("", words).lstrip()
    comment = re.search(r"<!--\s*(?:id\s*[:=]\s*)?[A-Za-z0-9][\w.-]*\s*-->", words, re.IGNORECASE)
    return bool(comment or re.match(r"(?:(?:T|TASK)-?\d+\b|\*\*[\w.-]*\d[\w.-]*\*\*)", rest))


def _title(words: str) -> str:
    rest = _AFTER.sub("", _COMMENT.sub("", words).strip())
    while tag := _TAG.match(rest):
        rest = rest[tag.end() :]
    return rest.strip()
