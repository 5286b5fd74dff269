"""Does an added line look like a secret? Bounded patterns over bounded pieces, so that no input is slow.

Pure. What it reports is the place and the kind, never the secret itself.
"""

import re
from collections.abc import Iterable, Iterator

PIECE = 16 * 1024
_OVERLAP = 512
_MOST = 50

_KINDS: tuple[tuple[str, str], ...] = (
    ("Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{16,200}"),
    ("OpenAI key", r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,200}"),
    ("GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{40,255})"),
    ("GitLab token", r"\bgl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{18,64}"),
    ("AWS key id", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("AWS secret", r"(?i)aws.{0,20}secret.{0,20}[=:]\s{0,4}[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"),
    ("Google key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    ("Slack webhook", r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,120}"),
    ("Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{16,120}"),
    ("npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("PyPI token", r"\bpypi-[A-Za-z0-9_-]{40,300}"),
    ("Hugging Face token", r"\bhf_[A-Za-z0-9]{30,60}\b"),
    ("JSON web token", r"\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,1000}"),
    ("private key", r"-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    ("password in a URL", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"<>{}$]{1,64}:(?P<value>[^\s:/@'\"<>{}$]{3,128})@"),
    (
        "password",
        r"(?i)(?:password|passwd|pwd|secret|api_?key|access_?key|auth_?token|access_?token|client_?secret)"
        r"[\"']?\s{0,4}[:=]\s{0,4}[\"'](?P<value>[^\"'\s]{8,128})[\"']",
    ),
)
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _KINDS)

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
    value = match.groupdict().get("value")
    return value is None or not _PLACEHOLDER.match(value)


def kinds_in(text: str) -> tuple[str, ...]:
    """Return the kinds of secret that the text seems to hold."""
    return tuple(
        kind
        for kind, pattern in _PATTERNS
        if any(_is_real(match) for piece in _pieces(text) for match in pattern.finditer(piece))
    )


def places(lines: Iterable[tuple[str, int, str]]) -> tuple[str, ...]:
    """Return `path:line kind` for each of the (path, line number, text) that looks like a secret."""
    found: list[str] = []
    for path, number, text in lines:
        found.extend(f"{path}:{number} {kind}" for kind in kinds_in(text))
        if len(found) >= _MOST:
            return (*found[:_MOST], "more places were found and not listed")
    return tuple(found)
