"""What the scripted Claude says and does, as values.

It exists so that a scenario is data: scripts hold turns (one a prompt), turns hold replies (one an API answer),
replies hold text, thinking and tool calls. It must not know HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.rehearsal.conversation import Prompt, RequestPrompts
from obra_tui.rehearsal.faults import Fault, FaultKind

# What only evidence contains: it marks feedback even as the first prompt of a fresh conversation.
FEEDBACK = r"\bFAILED \S+|\bAssertionError\b|DID NOT RAISE"

_EMPTY: Mapping[str, Any] = MappingProxyType({})


class ScriptError(ValueError):
    """A scenario's script cannot be understood."""


class Think(Struct, frozen=True, kw_only=True):
    """A block of thinking."""

    text: str


class Say(Struct, frozen=True, kw_only=True):
    """A block of text."""

    text: str


class Use(Struct, frozen=True, kw_only=True):
    """A tool call. `{cwd}` in any string of the input, and relative `file_path`s, become the working folder."""

    tool: str
    input: Mapping[str, Any]


Block = Think | Say | Use


class Response(Struct, frozen=True, kw_only=True):
    """One answer of the API."""

    blocks: tuple[Block, ...]
    stop: str | None = None
    usage: Mapping[str, int] = field(default_factory=lambda: _EMPTY)
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    delay: float | None = None
    """Seconds before the first piece at pace 1; nothing = the usual."""
    pause: float | None = None
    """Seconds between pieces whatever the pace: for work that must take long enough to be stopped."""
    only_if: str = ""
    fault: Fault | None = None

    @property
    def stop_reason(self) -> str:
        """What ends the message: the script's word, or what follows from the blocks."""
        return self.stop or ("tool_use" if any(isinstance(b, Use) for b in self.blocks) else "end_turn")


class Turn(Struct, frozen=True, kw_only=True):
    """The answers to one prompt. `on` is a prompt number, or `feedback`, or nothing: then the place counts."""

    responses: tuple[Response, ...]
    on: int | str | None = None

    def for_prompt(self, text: str) -> tuple[Response, ...]:
        """The answers that this prompt calls for: an answer may depend on what the prompt names."""
        return tuple(r for r in self.responses if not r.only_if or re.search(r.only_if, text))


class Script(Struct, frozen=True, kw_only=True):
    """What Claude does with one task."""

    name: str
    turns: tuple[Turn, ...]
    match: tuple[str, ...] = ()

    def wanted_by(self, text: str) -> bool:
        """Whether a prompt carries this script's marker or one of its titles."""
        return f"[[script:{self.name}]]" in text or any(title in text for title in self.match)

    def turn(self, number: int, text: str) -> Turn:
        """The turn for the `number`-th prompt (from 1). Feedback in a fresh conversation also finds its turn."""
        if not self.turns:
            return Turn(responses=())
        exact = [t for t in self.turns if t.on == number]
        if exact:
            return exact[0]
        feedback = [t for t in self.turns if t.on == "feedback"]
        if feedback and (number > 1 or re.search(FEEDBACK, text)):
            return feedback[0]
        placed = [t for t in self.turns if t.on is None]
        return placed[min(number, len(placed)) - 1] if placed else self.turns[-1]


class Cue(Struct, frozen=True, kw_only=True):
    """Where a conversation stands in a script, and what comes next."""

    script: str
    prompt_number: int
    step: int
    response: Response


def choose_script(scripts: Sequence[Script], conversation: RequestPrompts) -> Script | None:
    """By marker, then by title (the newest prompt that names one, the longest title), else the only script."""
    by_name = {s.name: s for s in scripts}
    marker = conversation.marker()
    if marker is not None:
        return by_name.get(marker)
    for prompt in reversed(conversation.prompts):
        hits = [(len(t), s) for s in scripts for t in s.match if _names(prompt.text, t)]
        if hits:
            return max(hits, key=lambda hit: hit[0])[1]
    return scripts[0] if len(scripts) == 1 else None


def next_cue(scripts: Sequence[Script], conversation: RequestPrompts) -> Cue | None:
    """What the stand-in says now; nothing when no script is meant."""
    script = choose_script(scripts, conversation)
    if script is None:
        return None
    mine = conversation.since([script.wanted_by(p.text) for p in conversation.prompts])
    prompt = mine[-1] if mine else conversation.current
    turn = script.turn(max(len(mine), 1), prompt.text)
    step = prompt.answers - 2 * prompt.recoveries + (prompt.unread is not None)
    response = _recovery(prompt) or _at(turn.for_prompt(prompt.text), step)
    return Cue(script=script.name, prompt_number=max(len(mine), 1), step=step, response=_heed(response, prompt))


def _names(text: str, title: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(title)}(?!\w)", text) is not None


def _at(responses: Sequence[Response], step: int) -> Response:
    if 0 <= step < len(responses):
        return responses[step]
    return Response(blocks=(Say(text="That is all I had to do here."),))


def _recovery(prompt: Prompt) -> Response | None:
    if prompt.unread is None:
        return None
    say = Say(text=f"I have to read {PurePosixPath(prompt.unread).name} before I change it.")
    return Response(blocks=(say, Use(tool="Read", input={"file_path": prompt.unread})))


def _heed(response: Response, prompt: Prompt) -> Response:
    if not prompt.steers:
        return response
    heard = Say(text=f"You said: “{prompt.steers[-1]}”. This is a rehearsal, so I note it and keep to my script.\n\n")
    return replace(response, blocks=(heard, *response.blocks))


# --- from TOML


def parse_scripts(tables: Sequence[Mapping[str, Any]], folder: Path) -> tuple[Script, ...]:
    """Build scripts from the `[[scripts]]` tables of a scenario; `from` names files beside it."""
    return tuple(_script(table, folder) for table in tables)


def _script(table: Mapping[str, Any], folder: Path) -> Script:
    name = str(table.get("name", ""))
    if not name:
        raise ScriptError(f"a script in {folder} has no name")
    _only(table, {"name", "match", "turns"}, f"script {name}")
    turns = tuple(_turn(t, folder, f"script {name}, turn {i}") for i, t in enumerate(table.get("turns", []), 1))
    return Script(name=name, match=tuple(table.get("match", ())), turns=turns)


def _turn(table: Mapping[str, Any], folder: Path, where: str) -> Turn:
    _only(table, {"on", "replies"}, where)
    on = table.get("on")
    if on is not None and on != "feedback" and not isinstance(on, int):
        raise ScriptError(f'{where}: on = {on!r} is neither a number nor "feedback"')
    return Turn(on=on, responses=tuple(_response(r, folder, where) for r in table.get("replies", [])))


def _response(table: Mapping[str, Any], folder: Path, where: str) -> Response:
    _only(
        table, {"think", "say", "use", "then", "stop", "usage", "headers", "delay", "pause", "only_if", "fault"}, where
    )
    blocks: list[Block] = []
    if "think" in table:
        blocks.append(Think(text=table["think"].strip()))
    if "say" in table:
        blocks.append(Say(text=table["say"].strip()))
    blocks += [parse_use(u, folder, where) for u in table.get("use", [])]
    if "then" in table:
        blocks.append(Say(text=table["then"].strip()))
    return Response(
        blocks=tuple(blocks),
        stop=table.get("stop"),
        usage=MappingProxyType(dict(table.get("usage", {}))),
        headers=MappingProxyType({k: str(v) for k, v in table.get("headers", {}).items()}),
        delay=table.get("delay"),
        pause=table.get("pause"),
        only_if=table.get("only_if", ""),
        fault=parse_fault(table["fault"]) if "fault" in table else None,
    )


def parse_use(table: Mapping[str, Any], folder: Path, where: str) -> Use:
    """Read a tool call: one of the short forms (write, read, edit, bash) or `tool` with `input`."""
    match table:
        case {"write": str(path), "from": str(source)}:
            return Use(tool="Write", input={"file_path": path, "content": (folder / source).read_text("utf-8")})
        case {"write": str(path), "content": str(content)}:
            return Use(tool="Write", input={"file_path": path, "content": content})
        case {"read": str(path)}:
            return Use(tool="Read", input={"file_path": path})
        case {"edit": str(path), "old": str(old), "new": str(new)}:
            return Use(tool="Edit", input={"file_path": path, "old_string": old, "new_string": new})
        case {"bash": str(command)}:
            return Use(tool="Bash", input={"command": command, "description": table.get("why", command)})
        case {"tool": str(tool), "input": dict(given)}:
            return Use(tool=tool, input=given)
        case _:
            raise ScriptError(f"{where}: {dict(table)!r} is no tool call")


def parse_fault(table: Mapping[str, Any]) -> Fault:
    """Read a fault; `kind` is required, the rest has defaults."""
    try:
        given = dict(table)
        return Fault(kind=FaultKind(given.pop("kind")), **given)
    except (KeyError, TypeError, ValueError) as error:
        raise ScriptError(f"{dict(table)!r} is no fault: {error}") from error


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise ScriptError(f"{where}: unknown key {', '.join(unknown)}")
