"""Issues as tasks."""

import json

import pytest

from obra_tui.core.errors import PlanError
from obra_tui.core.plans.issues import looks_like_issues, plan_of_issues


def test_an_issue_becomes_a_task_with_its_checkboxes_as_criteria():
    body = "It crashes.\r\n\r\n- [ ] does not crash\r\n- [x] known\r\n"
    text = json.dumps(
        [{"number": 12, "title": "Crash", "body": body, "url": "https://x/12"}, {"number": 3, "title": "B"}]
    )
    first, second = plan_of_issues(text, "issues.json").tasks
    assert (first.key, first.title, first.acceptance) == ("GH12", "Crash", ("does not crash",))
    assert first.prompt.endswith("https://x/12")
    assert (second.key, second.prompt) == ("GH3", "B")
    assert looks_like_issues(f"\n{text}")


@pytest.mark.parametrize("text", ["[", "[]", "{}", '[{"title": "no number"}]', "[1]", '[{"number":1,"title":" "}]'])
def test_what_is_no_list_of_issues_is_refused_with_the_command_that_makes_one(text):
    with pytest.raises(PlanError) as refused:
        plan_of_issues(text, "issues.json")
    assert "gh issue list --json" in refused.value.fix
