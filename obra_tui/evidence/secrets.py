"""Does an added line look like a secret? Bounded patterns over bounded pieces, so that no input is slow.

Pure. What it reports is the place and the kind, never the secret itself.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

PIECE = 16 * 1024
_OVERLAP = 512
_MOST = 50

_KINDS: tuple[tuple[str, str, str], ...] = (
    ("Anthropic key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{16,200}"),
    ("OpenAI key", "sk-", r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,200}"),
    (
        "GitHub token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{40,255})",
    ),
    ("GitLab token", "glpat- gldt- glrt- glptt-", r"\bgl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{18,64}"),
    ("AWS key id", "akia asia", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("AWS secret", "aws", r"(?i)aws.{0,20}secret.{0,20}[=:]\s{0,4}[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"),
    ("Google key", "aiza", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("Slack token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    ("Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,120}"),
    ("Stripe key", "k_live_", r"\b[rs]k_live_[A-Za-z0-9]{16,120}"),
    ("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("PyPI token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{40,300}"),
    ("Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,60}\b"),
    ("JSON web token", "eyj", r"\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,1000}"),
    ("private key", "-----begin", r"-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    (
        "password in a URL",
        "://",
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"<>{}$]{1,64}:(?P<value>[^\s:/@'\"<>{}$]{3,128})@",
    ),
    (
        "login of HTTP",
        "authorization",
        r"(?i)\bauthorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?basic\s{1,4}(?P<value>[A-Za-z0-9+/]{16,400}={0,2})",
    ),
    (
        "Azure key",
        "accountkey sharedaccesskey",
        r"(?i)\b(?:AccountKey|SharedAccessKey)=(?P<value>[A-Za-z0-9+/]{40,100}={0,2})",
    ),
    ("Google token", "ya29. gocspx-", r"\b(?:ya29\.[0-9A-Za-z_-]{20,1000}|GOCSPX-[0-9A-Za-z_-]{20,60})"),
    ("DigitalOcean token", "_v1_", r"\bdo[oprt]_v1_[a-f0-9]{64}"),
    ("SendGrid key", "sg.", r"\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
    ("bearer token", "bearer", r"\b[Bb]earer (?P<value>[A-Za-z0-9._~+/-]{24,2000})"),
    (
        "password",
        "password passwd pwd secret key token",
        r"(?i)(?:password|passwd|pwd|secret|api_?key|access_?key|auth_?token|access_?token|client_?secret)"
        r"[\"']?\s{0,4}[:=]\s{0,4}[\"'](?P<value>[^\"'\s]{8,128})[\"']",
    ),
    (
        "password without quotes",
        "password passwd pwd secret key token",
        r"(?i)(?:password|passwd|pwd|secret|api_?key|access_?key|auth_?token|access_?token|client_?secret)"
        r"\s{0,4}[:=]\s{0,4}(?P<random>(?!\$)[^\s\"'()\[\]{},;<>]{12,128})\s{0,4}$",
    ),
)
"""Name, words of which one is in every such secret however its letters are cased, and what it looks like."""


class _Kind(Struct, frozen=True, kw_only=True):
    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]

    def possible(self, folded: str) -> bool:
        return any(hint in folded for hint in self.hints)


_ALL = tuple(
    _Kind(name=name, hints=tuple(hints.split()), pattern=re.compile(pattern)) for name, hints, pattern in _KINDS
)

_VERSION = re.compile(r"v?\d+(?:\.\d+)+|\d[\d_.,:-]*$|[A-Za-z_][\w]*\.[A-Za-z_]")
_PLACEHOLDER = re.compile(
    r"(?i)^(?:[<${%].{0,120}|.{0,40}(?:example|changeme|change-me|placeholder|dummy|redacted|your[-_]).{0,80}"
    r"|(?:x|\*|\.|0){3,128}|password|passwd|secret|hunter2)$"
)


def _pieces(text: str) -> Iterator[str]:
    if len(text) <= PIECE:
        yield text
        return
    for start in range(0, len(text), PIECE - _OVERLAP):
        yield text[start : start + PIECE]


def _is_real(match: re.Match[str]) -> bool:
    random = match.groupdict().get("random")
    if random is not None:
        return _is_random(random) and not _PLACEHOLDER.match(random)
    value = match.groupdict().get("value")
    return value is None or not _PLACEHOLDER.match(value)


def _is_random(value: str) -> bool:
    """Tell whether a value without quotes reads like one that a machine made: no word, name, path or call does."""
    kinds = (str.islower, str.isupper, str.isdigit, lambda letter: not letter.isalnum())
    mixed = sum(any(map(kind, value)) for kind in kinds)
    digits = sum(map(str.isdigit, value))
    return (
        mixed >= 2
        and digits >= 3
        and len(set(value)) * 2 >= min(len(value), 24)
        and "/" not in value
        and not _VERSION.match(value)
    )


def _possible(text: str) -> tuple[_Kind, ...]:
    """Return the kinds that are worth looking for: most texts hold no word of any."""
    folded = text.casefold()
    return tuple(kind for kind in _ALL if kind.possible(folded))


def kinds_in(text: str) -> tuple[str, ...]:
    """Return the kinds of secret that the text seems to hold."""
    return tuple(_found(_possible(text), text))


def _found(kinds: tuple[_Kind, ...], text: str) -> Iterator[str]:
    for kind in kinds:
        if any(_is_real(match) for piece in _pieces(text) for match in kind.pattern.finditer(piece)):
            yield kind.name


def places(lines: Iterable[tuple[str, int, str]]) -> tuple[str, ...]:
    """Return `path:line kind` for each of the (path, line number, text) that looks like a secret."""
    lines = tuple(lines)
    kinds = _possible("\n".join(text for _, _, text in lines))
    found: list[str] = []
    for path, number, text in lines if kinds else ():
        found.extend(f"{path}:{number} {name}" for name in _found(kinds, text))
        if len(found) >= _MOST:
            return (*found[:_MOST], "more places were found and not listed")
    return tuple(found)
