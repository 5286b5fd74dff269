"""The questions that a person is asked, from what Claude Code wants to do. Pure but for the id."""

import json

from obra_tui.agents.messages import Frame, objects
from obra_tui.agents.policy import FILE_WRITERS, SHELLS, Ruling
from obra_tui.agents.titles import inside, one_line, title_of
from obra_tui.core.ids import QuestionId, new_id
from obra_tui.core.model import PermissionKind, PermissionQuestion


def tool_question(tool: str, given: Frame, ruling: Ruling, cwd: str) -> PermissionQuestion:
    """Return the question whether a tool may be used, with its whole input."""
    return PermissionQuestion(
        id=_new_id(),
        kind=PermissionKind.TOOL,
        tool=tool,
        title=call_title(tool, given, cwd),
        detail=_detail(tool, given, cwd),
        why=ruling.why,
        dangers=ruling.dangers,
        session_rule=ruling.session_rule,
    )


def call_title(tool: str, given: Frame, cwd: str) -> str:
    """Return a call in one line: the exact command, or the tool and what it is used on."""
    title = title_of(tool, given, cwd)
    return title if tool in SHELLS else one_line(f"{tool} {title}")


def plan_question(given: Frame, written: str = "") -> PermissionQuestion:
    """Return the question whether Claude's plan is good."""
    return PermissionQuestion(
        id=_new_id(),
        kind=PermissionKind.PLAN,
        tool="ExitPlanMode",
        title="Claude made a plan and wants to carry it out",
        detail=str(given.get("plan") or written or "The plan was not written down; see Claude's last message."),
        why="Claude asks you.",
    )


def text_question(item: Frame) -> PermissionQuestion:
    """Return one of Claude's own questions with the answers it offers."""
    offered = objects(item.get("options"))
    lines = [f"{option.get('label', '')}: {option.get('description', '')}".rstrip(": ") for option in offered]
    several = ["Several answers may be given."] if item.get("multiSelect") else []
    asked = str(item.get("question", ""))
    return PermissionQuestion(
        id=_new_id(),
        kind=PermissionKind.QUESTION,
        tool="AskUserQuestion",
        title=one_line(asked),
        detail="\n".join([asked, "", *lines, *several]).rstrip(),
        why="Claude asks you.",
        options=tuple(str(option.get("label", "")) for option in offered),
        several=bool(item.get("multiSelect")),
    )


def _detail(tool: str, given: Frame, cwd: str) -> str:
    if tool in SHELLS:
        said = str(given.get("description") or "")
        command = str(given.get("command", ""))
        return f"{command}\n\n# {said}" if said and said != command else command
    if tool in FILE_WRITERS:
        return _edit(given, cwd)
    return _json(given)


def _edit(given: Frame, cwd: str) -> str:
    path = inside(str(given.get("file_path") or given.get("notebook_path") or ""), cwd)
    if isinstance(given.get("content"), str):
        return f"{path}\n\n{given['content']}"
    before, after = str(given.get("old_string", "")), str(given.get("new_string", ""))
    if not (before or after):
        return f"{path}\n\n{_json(given)}"
    from difflib import unified_diff  # most work asks for none

    changes = unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm="", n=3)
    return "\n".join(changes)


def _json(given: Frame) -> str:
    return json.dumps(given, indent=2, ensure_ascii=False, default=str)


def _new_id() -> QuestionId:
    return QuestionId(new_id("q"))
