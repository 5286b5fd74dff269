"""A unified diff from Claude Code's structured result of an edit.

Pure. The whole file that travels with the result (`originalFile`) is never kept.
"""

from collections.abc import Iterable

from msgspec import Struct

from obra_tui.agents.messages import Frame, count, objects, strings

MAX_PATCH = 64_000


class Patch(Struct, frozen=True, kw_only=True):
    text: str = ""
    added: int = 0
    removed: int = 0


def patch_of(result: Frame, shown_path: str) -> Patch:
    """Return the patch of an Edit or Write result; an empty one when there is none."""
    hunks = objects(result.get("structuredPatch"))
    if not hunks and result.get("type") == "create" and isinstance(result.get("content"), str):
        return _created(str(result["content"]), shown_path)
    if not hunks:
        return Patch()
    lines = [line for hunk in hunks for line in _hunk(hunk)]
    body = [line for line in lines if not line.startswith("@@")]
    return _patch(lines, body, f"a/{shown_path}", f"b/{shown_path}")


def _created(content: str, shown_path: str) -> Patch:
    body = [f"+{line}" for line in content.splitlines()]
    return _patch([f"@@ -0,0 +1,{len(body)} @@", *body], body, "/dev/null", f"b/{shown_path}")


def _patch(lines: list[str], body: list[str], before: str, after: str) -> Patch:
    return Patch(
        text=_bounded([f"--- {before}", f"+++ {after}", *lines]),
        added=sum(line.startswith("+") for line in body),
        removed=sum(line.startswith("-") for line in body),
    )


def _hunk(hunk: Frame) -> Iterable[str]:
    yield f"@@ -{_span(hunk, 'old')} +{_span(hunk, 'new')} @@"
    yield from strings(hunk.get("lines"))


def _span(hunk: Frame, side: str) -> str:
    return f"{count(hunk.get(side + 'Start'))},{count(hunk.get(side + 'Lines'))}"


def _bounded(lines: list[str]) -> str:
    text = "\n".join(lines) + "\n"
    if len(text) <= MAX_PATCH:
        return text
    cut = text.rfind("\n", 0, MAX_PATCH) + 1
    return text[:cut] + f"\\ {len(text) - cut} more characters are not shown\n"
