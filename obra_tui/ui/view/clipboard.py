"""What can be copied of a session or an attempt: each with its text, made only when it is chosen. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable

from msgspec import Struct

from obra_tui.core.plain import to_builtins
from obra_tui.core.records.history import AttemptDetail, SessionDetail
from obra_tui.ui.view.format import plural
from obra_tui.ui.view.menus import Choice


class Copy(Struct, frozen=True, kw_only=True):
    choice: Choice
    text: Callable[[], str]
    what: str = ""
    """Names a text that is too long to be shown."""


def attempt_copies(detail: AttemptDetail) -> list[Copy]:
    """Return what an attempt has to copy; what it lacks is left out."""
    found = [_short("id", "Id", str(detail.summary.id))]
    if detail.conversations:
        found.append(_short("resume", "Resume command", f"claude --resume {detail.conversations[-1].id}"))
    if detail.diff and detail.diff.patch:
        patch = detail.diff.patch
        found.append(_long("diff", "Diff", patch, f"{plural(len(detail.diff.files), 'file')}, as git apply takes it"))
    if detail.prompts:
        text = "\n\n".join(prompt.text for prompt in detail.prompts)
        found.append(_long("prompt", "Prompt", text, plural(len(text.splitlines()), "line")))
    return [*found, _json(detail, "All that is known of the attempt but its transcript")]


def session_copies(detail: SessionDetail) -> list[Copy]:
    return [
        _short("id", "Id", str(detail.summary.id)),
        _short("branch", "Branch", detail.branch),
        _json(detail, "The session with its tasks and attempts"),
    ]


def _short(name: str, label: str, text: str) -> Copy:
    return Copy(choice=Choice(id=name, label=label, effect=text or "–"), text=lambda: text)


def _long(name: str, label: str, text: str, effect: str) -> Copy:
    return Copy(choice=Choice(id=name, label=label, effect=effect), text=lambda: text, what=f"the {label.lower()}")


def _json(detail: AttemptDetail | SessionDetail, effect: str) -> Copy:
    def text() -> str:
        return json.dumps(to_builtins(detail), indent=2)

    return Copy(choice=Choice(id="json", label="JSON", effect=effect), text=text, what="the JSON")
