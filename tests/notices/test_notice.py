"""What is worth a notice, and that no more is said in it than the person allowed."""

import pytest

from obra_tui.core import events as e
from obra_tui.notices.notice import Notice, NoticeKind, NoticeReader, message_of
from tests.ui import stories

pytestmark = pytest.mark.quick


def test_a_gate_that_opens_is_a_notice_with_the_name_of_its_task_and_the_command():
    story = stories.at_gate()
    (notice,) = NoticeReader().read(story.records)
    assert notice == Notice(
        kind=NoticeKind.WAITING, text="T001 waits for your decision: obra review", session=stories.SESSION
    )


def test_a_title_leaves_the_machine_only_if_that_was_asked_for():
    story = stories.at_gate()
    title = next(record.event.spec.title for record in story.records if isinstance(record.event, e.TaskAdded))
    assert title not in NoticeReader().read(story.records)[0].text
    assert f"T001 ({title}) waits" in NoticeReader(with_titles=True).read(story.records)[0].text


def test_a_budget_is_told_from_other_problems():
    story = stories.two_tasks()
    story.tell(e.ProblemRaised(code="budget", text="secret words of a model", fix=""))
    story.tell(e.ProblemRaised(code="auth", text="secret words of a model", fix=""))
    notices = NoticeReader().read(story.records)
    assert [notice.kind for notice in notices] == [NoticeKind.BUDGET, NoticeKind.STOPPED]
    assert not any("secret" in notice.text for notice in notices)


def test_a_run_that_ends_says_what_became_of_its_tasks():
    story = stories.two_tasks()
    story.tell(e.RunFinished(accepted=1, waiting=1, rejected=0, failed=0, interrupted=0, blocked=0))
    assert NoticeReader().read(story.records)[-1].text == "the run finished: 1 accepted, 1 waiting for you"


def test_only_the_kinds_that_were_chosen_are_told():
    assert NoticeReader(kinds=frozenset({NoticeKind.FINISHED})).read(stories.at_gate().records) == []


def test_a_batch_is_one_message_that_says_first_that_a_person_is_waited_for():
    session = stories.SESSION
    done = Notice(kind=NoticeKind.FINISHED, text="the run finished", session=session)
    waits = Notice(kind=NoticeKind.WAITING, text="T002 waits", session=session)
    message = message_of([done, waits])
    assert (message.kind, message.title) == (NoticeKind.WAITING, "Obra: 2 notices, waiting for you")
    assert message.body.splitlines() == [f"the run finished [session {session}]", f"T002 waits [session {session}]"]


def test_what_happened_before_the_start_is_no_news():
    story = stories.at_gate()
    assert NoticeReader(since=story.records[-1].at + 1).read(story.records) == []


def test_where_a_browser_reaches_obra_a_notice_has_the_link_to_the_gate():
    story = stories.at_gate()
    (gate,) = (record.event.gate for record in story.records if isinstance(record.event, e.GateOpened))
    story.tell(e.RunFinished(accepted=0, waiting=1, rejected=0, failed=0, interrupted=0, blocked=0))
    waiting, ended = NoticeReader(web_url="https://obra.example.org").read(story.records)
    assert waiting.text.endswith(f"· https://obra.example.org/gates/{gate}")
    assert ended.text.endswith(f"· https://obra.example.org/sessions/{stories.SESSION}")
