"""Where a Claude Code conversation stands, read from one request of the Messages API.

Every request repeats the whole conversation, so the stand-in needs no memory of its own: resume, retry, fork and
parallel sessions all work because the place in the script is counted here. It must not know the scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

MARKER = re.compile(r"\[\[script:([A-Za-z0-9_.-]+)\]\]")

_CWD = re.compile(r"^\s*(?:-\s*)?(?:Primary working directory|Working directory|cwd):\s*(.+?)\s*$", re.MULTILINE)
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
_INTERRUPTED = "[Request interrupted by user"
_NOT_READ = re.compile(r"has not been read yet|has been (?:unexpectedly )?modified since")
# What Claude Code itself writes into the user's place; none of it is a prompt.
_HOUSEKEEPING = (
    "Output token limit hit",
    "Continue from where you left off",
    "Stop hook feedback",
    "<local-command",
    "<command-",
    "<task-notification",
    "Caveat: The messages below",
    "[Tool call interrupted",
)
_GO_ON = re.compile(r"(?i)^(you were interrupted|(please )?(continue|go on))\b")
_SYNTHETIC_ANSWERS = ("No response requested.", "(no content)")


class Prompt(Struct, frozen=True, kw_only=True):
    """One thing the person (or Obra for the person) said, and what has happened since."""

    text: str
    interrupted: bool = False
    answers: int = 0
    unread: str | None = None
    recoveries: int = 0
    steers: tuple[str, ...] = ()


class RequestPrompts(Struct, frozen=True, kw_only=True):
    """The prompts of one request, oldest first, and the folder that Claude Code works in."""

    prompts: tuple[Prompt, ...]
    cwd: str
    session: str
    model: str

    @property
    def current(self) -> Prompt:
        """The prompt that is being answered now."""
        return self.prompts[-1] if self.prompts else Prompt(text="")

    def marker(self) -> str | None:
        """The script that the newest marked prompt asks for."""
        return next((m[1] for p in reversed(self.prompts) if (m := MARKER.search(p.text))), None)

    def since(self, belongs: Sequence[bool]) -> tuple[Prompt, ...]:
        """The prompts from the first one that belongs to the script on.

        A prompt that was cut short is one with the prompt that takes it up again: its words still count, and what
        it asked for is done from the start.
        """
        start = next((i for i, mine in enumerate(belongs) if mine), 0)
        told: list[Prompt] = []
        for prompt in self.prompts[start:]:
            if told and (told[-1].interrupted or _GO_ON.match(prompt.text)):
                prompt = replace(prompt, text=f"{told.pop().text}\n{prompt.text}")
            told.append(prompt)
        return tuple(told)


def read_conversation(body: Mapping[str, Any], headers: Mapping[str, str]) -> RequestPrompts:
    """Read the conversation out of a request to `/v1/messages`."""
    messages = [m for m in body.get("messages", []) if isinstance(m, dict)]
    prompts: list[_OpenPrompt] = []
    for message in messages:
        match message.get("role"):
            case "assistant":
                _assistant(prompts, message)
            case "user":
                _user(prompts, message)
            case _:
                continue
    return RequestPrompts(
        prompts=tuple(p.frozen() for p in prompts),
        cwd=_find_cwd(body, messages),
        session=headers.get("x-claude-code-session-id", ""),
        model=str(body.get("model", "")),
    )


class _OpenPrompt(Struct):
    """A prompt while it is being read."""

    text: str
    interrupted: bool = False
    answers: int = 0
    pending: dict[str, str] | None = None  # tool_use id -> file, of the newest answer
    unread: str | None = None
    recoveries: int = 0
    steers: list[str] | None = None

    def frozen(self) -> Prompt:
        return Prompt(
            text=self.text,
            interrupted=self.interrupted,
            answers=self.answers,
            unread=self.unread,
            recoveries=self.recoveries,
            steers=tuple(self.steers or ()),
        )


def _assistant(prompts: list[_OpenPrompt], message: Mapping[str, Any]) -> None:
    if not prompts or _text(message) in _SYNTHETIC_ANSWERS:
        return
    now = prompts[-1]
    now.answers += 1
    now.unread = None
    now.steers = None
    now.pending = {str(b.get("id")): str(b.get("input", {}).get("file_path", "")) for b in _blocks(message, "tool_use")}


def _user(prompts: list[_OpenPrompt], message: Mapping[str, Any]) -> None:
    results = list(_blocks(message, "tool_result"))
    if prompts and results:
        _note_unread(prompts[-1], results)
    halted = False
    said: list[str] = []
    for block in _blocks(message, "text"):
        text = _REMINDER.sub("", str(block.get("text", ""))).strip()
        if text.startswith(_INTERRUPTED):
            halted = True
            if prompts:
                prompts[-1].interrupted = True
        elif text and not text.startswith(_HOUSEKEEPING):
            said.append(text)
    if said and results and not halted and prompts:
        prompts[-1].steers = [*(prompts[-1].steers or ()), *said]
    elif said:
        prompts.append(_OpenPrompt("\n".join(said)))


def _note_unread(now: _OpenPrompt, results: Sequence[Mapping[str, Any]]) -> None:
    """Claude Code refuses to overwrite a file that this process has not read; the stand-in then reads it first."""
    for result in results:
        if result.get("is_error") and _NOT_READ.search(_flat(result.get("content"))):
            now.unread = (now.pending or {}).get(str(result.get("tool_use_id"))) or None
    now.recoveries += now.unread is not None


def _blocks(message: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and block.get("type") == kind:
            yield block


def _text(message: Mapping[str, Any]) -> str:
    return "\n".join(str(b.get("text", "")) for b in _blocks(message, "text")).strip()


def _flat(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(b.get("text", "")) for b in content if isinstance(b, dict))
    return ""


def _find_cwd(body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> str:
    """The newest folder named in a system text: a conversation that was resumed elsewhere names several."""
    system = [_flat(body.get("system"))] + [_flat(m.get("content")) for m in messages if m.get("role") == "system"]
    reminders = [_text(m) for m in messages if m.get("role") == "user"][:1]
    for texts in (system, reminders):
        found = [m[1] for text in texts for m in _CWD.finditer(text)]
        if found:
            return found[-1]
    return ""
