"""Secrets are removed from text before it is stored, printed or exported.

Two kinds: texts that have the shape of a token, and exact values that the caller knows (the API key in the
environment). Each expression is bounded and starts at a literal, so that no input can make it slow; a multi-pattern
search (Aho-Corasick, ten times as fast as a regular expression) decides first whether a text holds any literal at all.
"""

import base64
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

from ahocorasick_rs import AhoCorasick, MatchKind
from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.events import STREAMED, Record

_LONG = 1 << 20
"""From so many characters on they are searched for one by one: whatever is found of all at once is listed."""
_TOGETHER = 64
"""Texts that are looked through in one call; a call costs as much as three hundred characters."""


class AnyOf:
    """Some texts to look for, none of them empty, none with a line break."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self._wanted = tuple(wanted)
        # What has no UTF-8 stands in no text that has one; those that have none are searched in the other way.
        patterns = filter(_has_utf8, self._wanted)
        # Not the default kind of match: this one alone lets the library look at many characters in one step.
        self._found = AhoCorasick(patterns, matchkind=MatchKind.LeftmostFirst).find_matches_as_strings

    def within(self, text: str) -> bool:
        """Whether `text` holds any of them."""
        if len(text) > _LONG:
            return self._one_by_one(text)
        try:
            return bool(self._found(text))
        except UnicodeEncodeError:
            return self._one_by_one(text)

    def among(self, texts: Sequence[str]) -> list[int]:
        """Return the places of those `texts` that hold any of them."""
        places = range(len(texts))
        steps = [places[start : start + _TOGETHER] for start in places[::_TOGETHER]]
        found = [step for step in steps if self.within("\n".join(texts[step.start : step.stop]))]
        return [place for step in found for place in step if self.within(texts[place])]

    def _one_by_one(self, text: str) -> bool:
        return any(map(text.__contains__, self._wanted))


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_SHORTEST_EXACT = 8

_SHAPES = (
    ("anthropic key", ("sk-ant-",), r"sk-ant-[A-Za-z0-9_-]{20,200}"),
    ("openai key", ("sk-",), r"sk-(?:proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{20,200}"),
    (
        "github token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}",
    ),
    ("gitlab token", ("glpat-",), r"glpat-[A-Za-z0-9_-]{20,64}"),
    ("slack token", ("xox", "xapp-"), r"xox[abeoprs]-[A-Za-z0-9-]{10,250}|xapp-[0-9]-[A-Za-z0-9-]{10,250}"),
    ("slack webhook", ("hooks.slack.com/",), r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,100}"),
    ("aws key id", ("AKIA", "ASIA"), r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"),
    (
        "aws secret",
        ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
        r"(?i:aws_secret_access_key)[\\\"' ]{0,5}[=:][\\\"' ]{0,5}[A-Za-z0-9/+]{40}",
    ),
    ("google key", ("AIza", "GOCSPX-"), r"AIza[0-9A-Za-z_-]{35}|GOCSPX-[0-9A-Za-z_-]{20,60}"),
    ("google token", ("ya29.",), r"ya29\.[0-9A-Za-z_-]{20,1000}"),
    ("stripe key", ("_live_", "_test_"), r"[srp]k_(?:live|test)_[0-9A-Za-z]{16,200}"),
    ("json web token", ("eyJ",), r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}"),
    ("npm token", ("npm_",), r"npm_[A-Za-z0-9]{36}"),
    ("pypi token", ("pypi-",), r"pypi-[A-Za-z0-9_-]{50,250}"),
    ("hugging face token", ("hf_",), r"hf_[A-Za-z0-9]{30,60}"),
    ("digitalocean token", ("_v1_",), r"do[oprt]_v1_[a-f0-9]{64}"),
    ("sendgrid key", ("SG.",), r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
    ("bearer token", ("earer ",), r"[Bb]earer [A-Za-z0-9._~+/-]{24,2000}={0,2}"),
    ("password in address", ("://",), r"://[^\s/:@\"'<>]{1,80}:[^\s/@\"'<>]{3,200}@"),
)

_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")
_PEM_END = "PRIVATE KEY-----"
_PEM_LIMIT = 16_384

Value = TypeVar("Value")


def _mark(kind: str) -> str:
    return f"[redacted: {kind}]"


def _replacement(kind: str) -> Callable[[re.Match[str]], str]:
    mark = _mark(kind)
    return lambda match: f"://{mark}@" if match[0].startswith("://") else mark


_BORDER = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf])|(?=:))"
"""A token begins a word, also where JSON has escaped the line break before it; an address part begins anywhere."""

_COMPILED = tuple(
    (hints, re.compile(rf"{_BORDER}(?:{pattern})"), _replacement(kind)) for kind, hints, pattern in _SHAPES
)

_HINTS = (*(hint for hints, _, _ in _COMPILED for hint in hints), _PEM_END)

_ANY_HINT = AnyOf(_HINTS)


class Redactor:
    """Takes secrets out of texts and, by `of`, out of every text of a frozen value."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets` are exact values; shorter ones than eight characters would blank plain words and are left."""
        known = {secret for secret in secrets if len(secret) >= _SHORTEST_EXACT}
        forms = known | {quote(value, safe="") for value in known} | {_base64(value) for value in known}
        self._exact = tuple(sorted(forms, key=len, reverse=True))
        self._of_several_words = tuple(secret for secret in self._exact if len(secret.split()) > 1)
        self._suspicious = AnyOf({*_HINTS, *(form for exact in self._exact for form in _as_json(exact))})

    def suspected(self, encoded: Sequence[str]) -> list[int]:
        """Return the places of the events, encoded as JSON, that may hold a secret; all others hold none."""
        return self._suspicious.among(encoded)

    def text(self, text: str) -> str:
        """Return `text` with every secret replaced by `[redacted: kind]`."""
        contains = text.__contains__
        for secret in filter(contains, self._exact):
            text = text.replace(secret, _mark("secret"))
        return _without_tokens(text) if _ANY_HINT.within(text) else text

    def begun(self, text: str, until: int) -> int:
        """Return where, up to `until`, a secret over several lines begins that does not end before it."""
        for begin in _PEM_BEGIN.finditer(text, max(0, until - _PEM_LIMIT), until):
            if text.find(_PEM_END, begin.end(), until) < 0:
                until = begin.start()
        for secret in self._of_several_words:
            begun = (
                size for size in range(min(len(secret) - 1, until), 0, -1) if text.endswith(secret[:size], 0, until)
            )
            until -= next(begun, 0)
        return until

    def record(self, record: Record) -> Record:
        """Return a record whose event holds no secret: the same one if there was none."""
        event = record.event
        if isinstance(event, STREAMED):
            clean = self.text(event.text)
            return record if clean == event.text else replace(record, event=replace(event, text=clean))
        event = self.of(event)
        return record if event is record.event else replace(record, event=event)

    def of(self, value: Value) -> Value:
        """Return a value with all its texts redacted: the same object if there was nothing to redact."""
        changed = {}
        kind: Any = type(value)
        for name in _fields_of(kind):
            old = getattr(value, name)
            new = self._any(old)
            if new is not old:
                changed[name] = new
        return replace(value, **changed) if changed else value  # type: ignore[type-var]

    def _any(self, value: Any) -> Any:
        if type(value) is str:
            clean = self.text(value)
            return value if clean == value else clean
        if type(value) is tuple:
            items = tuple(map(self._any, value))
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return self.of(value)


@cache
def _fields_of(kind: Any) -> tuple[str, ...]:
    """The names of a frozen value's fields, none for any other type."""
    return kind.__struct_fields__ if issubclass(kind, Struct) else ()


def _base64(value: str) -> str:
    return base64.b64encode(value.encode("utf-8", "replace")).decode()


def _as_json(value: str) -> tuple[str, str]:
    """The forms that a value can have within JSON. Hints need none: no character of theirs is ever escaped."""
    return json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(value)[1:-1]


def _without_tokens(text: str) -> str:
    for hints, pattern, replacement in _COMPILED:
        if any(hint in text for hint in hints):
            text = pattern.sub(replacement, text)
    return _without_keys(text) if _PEM_END in text else text


def _without_keys(text: str) -> str:
    """Blank private keys in PEM form; one that does not end loses what follows its head."""
    parts, at = [], 0
    while begin := _PEM_BEGIN.search(text, at):
        end = text.find(_PEM_END, begin.end(), begin.end() + _PEM_LIMIT)
        stop = min(begin.end() + _PEM_LIMIT, len(text)) if end < 0 else end + len(_PEM_END)
        parts += [text[at : begin.start()], _mark("private key")]
        at = stop
    return "".join([*parts, text[at:]])


_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


def exporter(environment: Mapping[str, str] | None = None, more: Iterable[str] = ()) -> Redactor:
    """Return a redactor that also knows the secrets of this environment, and `more` exact ones."""
    found = os.environ if environment is None else environment
    named = (value for name, value in found.items() if any(part in name.upper() for part in _SECRET_NAMES))
    return Redactor((*named, *more))
