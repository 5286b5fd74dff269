"""What is shown of a tool call: one line that says what it acts on, and its texts cut to a bounded length.

Pure. Knows the names of Claude Code's tools; an unknown tool shows its first telling value.
"""

import json
import os
from collections.abc import Iterable
from json.encoder import encode_basestring
from typing import Any

from obra_tui.agents.messages import Frame, objects, string

MAX_INPUT_TEXT = 64_000
_encode = json.JSONEncoder(ensure_ascii=False).encode


def bounded(text: str, limit: int) -> str:
    """Cut out the middle of a text over the limit and say so."""
    if len(text) <= limit:
        return text
    head, tail = limit * 3 // 4, limit // 4
    return f"{text[:head]}\n… {len(text) - head - tail} characters left out …\n{text[-tail:]}"


def input_json(given: Frame) -> str:
    """Return what a call was given; texts in it are cut when all together is too long."""
    whole = _object(given)
    return whole if len(whole) <= MAX_INPUT_TEXT else _encode(_shortened(given))


def _object(given: Frame) -> str:
    """Return what `_encode` does; most calls are given texts and numbers alone, which costs a third of that then."""
    members = [f"{encode_basestring(name)}: {_member(value)}" for name, value in given.items()]
    return f"{{{', '.join(members)}}}"


def _member(value: object) -> str:
    if type(value) is str:
        return encode_basestring(value)
    return str(value) if type(value) is int else _encode(value)


def _shortened(value: Any) -> Any:
    match value:
        case str():
            return bounded(value, MAX_INPUT_TEXT)
        case dict():
            return {key: _shortened(item) for key, item in value.items()}
        case list():
            return [_shortened(item) for item in value]
        case _:
            return value


MAX_TITLE = 200
_PATH_KEYS = ("file_path", "notebook_path", "path")
_TEXT_KEYS = ("command", "pattern", "query", "url", "skill", "description", "subject", "prompt", "name", "task_id")


def title_of(tool: str, given: Frame, cwd: str) -> str:
    """Return the title of a call, such as `calculator.py`, `pytest -q` or `"def add" in src`."""
    match tool:
        case "Grep" | "Glob":
            return _search(given, cwd)
        case "Task" | "Agent":
            kind = _text(given, "subagent_type")
            return one_line(f"{kind}: {_text(given, 'description')}" if kind else _text(given, "description"))
        case "AskUserQuestion":
            return one_line(first_question(given))
        case "TodoWrite":
            return _todos(given)
        case "ExitPlanMode":
            return "shows its plan"
        case _:
            return _first(given, cwd)


def inside(path: str, cwd: str) -> str:
    """Return `path` as seen from `cwd`, unchanged when it is elsewhere."""
    if cwd and (path == cwd or path.startswith(cwd.rstrip("/") + "/")):
        return os.path.relpath(path, cwd)
    return path


def first_question(given: Frame) -> str:
    """Return the text of the first question of an AskUserQuestion call."""
    return next((string(item.get("question")) for item in objects(given.get("questions"))), "")


def one_line(text: str) -> str:
    """Return `text` in one line of bounded length."""
    flat = " ".join(text[: 4 * MAX_TITLE].split())
    return flat if len(flat) <= MAX_TITLE else flat[: MAX_TITLE - 1] + "…"


def _search(given: Frame, cwd: str) -> str:
    where = _text(given, "path")
    place = f" in {inside(where, cwd)}" if where else ""
    return one_line(f'"{_text(given, "pattern")}"{place}')


def _todos(given: Frame) -> str:
    todos = objects(given.get("todos"))
    done = sum(item.get("status") == "completed" for item in todos)
    doing = next((str(item.get("content", "")) for item in todos if item.get("status") == "in_progress"), "")
    return one_line(f"{done}/{len(todos)} done" + (f", now: {doing}" if doing else ""))


def _first(given: Frame, cwd: str) -> str:
    path = _first_of(given, _PATH_KEYS)
    if path:
        return one_line(inside(path, cwd))
    return one_line(_first_of(given, _TEXT_KEYS) or _first_of(given, given))


def _first_of(given: Frame, keys: Iterable[str]) -> str:
    for key in keys:
        if text := _text(given, key):
            return text
    return ""


def _text(given: Frame, key: str) -> str:
    return string(given.get(key))
