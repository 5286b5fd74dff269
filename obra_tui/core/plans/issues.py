"""Issues as `gh issue list --json number,title,body,url` prints them, as tasks."""

import json
import re
from typing import Any

from obra_tui.core.errors import PlanError
from obra_tui.core.ids import new_task_id
from obra_tui.core.model import Plan, TaskSpec

_BOX = re.compile(r"^[ \t]*[-*+][ \t]+\[ \][ \t]+(.+?)[ \t]*$", re.MULTILINE)


def looks_like_issues(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith("[")


def plan_of_issues(text: str, source: str) -> Plan:
    """Return one task per issue, in the order given; open checkboxes of the body are its criteria.

    Raises `PlanError`.
    """
    fix = "Write it with: gh issue list --json number,title,body,url"
    try:
        issues = json.loads(text.removeprefix("\ufeff"))
    except ValueError as error:
        raise PlanError(f"This is no JSON: {error}.", where=source, fix=fix) from error
    if not isinstance(issues, list) or not issues:
        raise PlanError("There is no issue in this list.", where=source, fix=fix)
    tasks = tuple(_task(issue, place, source, fix) for place, issue in enumerate(issues, start=1))
    keys = [task.key for task in tasks]
    double = next((key for key in keys if keys.count(key) > 1), None)
    if double:
        raise PlanError(f"Issue {double} is there twice.", where=source, fix="Leave one of them out.")
    return Plan(title="Issues", tasks=tasks, source=source)


def _task(issue: Any, place: int, source: str, fix: str) -> TaskSpec:
    number, title = (issue.get("number"), issue.get("title")) if isinstance(issue, dict) else (None, None)
    if not isinstance(number, int) or not isinstance(title, str) or not title.strip():
        raise PlanError(f"Entry {place} has no number or no title.", where=source, fix=fix)
    body = issue.get("body") if isinstance(issue.get("body"), str) else ""
    url = issue.get("url") if isinstance(issue.get("url"), str) else ""
    prompt = "\n\n".join(part for part in (body.replace("\r\n", "\n").strip(), url) if part)
    return TaskSpec(
        id=new_task_id(),
        key=f"GH{number}",
        title=title.strip(),
        prompt=prompt or title.strip(),
        acceptance=tuple(match.strip() for match in _BOX.findall(prompt)),
        source=url or f"{source}: issue {number}",
    )
