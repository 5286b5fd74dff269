"""One attempt in its pages: jumping, finding, neighbours, very much text, and work that goes on."""

import pytest
from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.ids import AttemptId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import CheckStatus
from obra_tui.ui.screens.attempt.pages import PAGES, page_lines, places
from obra_tui.ui.screens.attempt.past_attempt import PastAttempt
from obra_tui.ui.screens.attempt.screen import AttemptScreen
from obra_tui.ui.screens.attempt.transcript import AT_ONCE
from tests.ui import stories
from tests.ui.fake_archive import FakeArchive
from tests.ui.fake_history import FakeHistory, attempt_summary
from tests.ui.stage import Stage, settled
from widgets.log_view.view import LogPane

MEGABYTE = "x" * 1_000_000


def past(story=None):
    """A history of one session with three attempts; the records are those of the story's last attempt, for each."""
    story = story or stories.at_gate()
    history = FakeHistory.sample()
    session = history._details[stories.SESSION]
    (opened,) = history._attempts.values()
    said = [record for record in story.records if record.attempt]
    ids = [opened.summary.id, AttemptId("a2"), AttemptId("a3")]
    attempts = []
    for number, name in enumerate(ids, 1):
        attempts.append(replace(opened.summary, id=name, number=number))
        history._attempts[name] = replace(opened, summary=attempts[-1])
    history._details[stories.SESSION] = replace(session, attempts=tuple(attempts))
    history._records = tuple(replace(record, attempt=name) for name in ids for record in said)
    return Stage(story, history=history, archive=FakeArchive()), ids


async def opened(stage, pilot, attempt, page="Transcript"):
    stage.app.push_screen(AttemptScreen(attempt, page))
    await settled(pilot, lambda: "of 3" in stage.text())


def pane(stage):
    return stage.screen.query_one("#page", LogPane)


async def test_the_neighbours_are_on_the_same_page_and_the_way_there_is_said():
    stage, ids = past()
    async with stage.open() as pilot:
        await opened(stage, pilot, ids[1], "Scores")
        assert "HISTORY › Calculator" in stage.text() and "› attempt 2 of 3" in stage.text()
        await stage.press(pilot, "right_square_bracket")
        await settled(pilot, lambda: "› attempt 3 of 3" in stage.text() and "[Scores]" in stage.text())
        await stage.press(pilot, "right_square_bracket")
        await settled(pilot, lambda: "This is the last attempt" in stage.text())
        await stage.press(pilot, "left_square_bracket")
        await settled(pilot, lambda: "› attempt 2 of 3" in stage.text())


async def test_prompts_and_errors_of_the_transcript_are_jumped_to():
    story = stories.at_gate()
    stage, ids = past(story)
    history = stage.app._open_backend().history
    last = history._records[-1].seq
    extra = (
        e.ToolStarted(call="t9", tool="Bash", title="git push", input_json='{"command": "git push"}'),
        e.ToolFinished(call="t9", output="denied", is_error=True, duration_s=0.1),
        *(e.TextFinished(block=f"b{n}", text=f"Thought number {n}.") for n in range(60)),
        e.PromptSent(kind="retry", text="Try again.\nWith care.", by="policy"),
    )
    more = [
        e.Record(seq=last + n, at=story.at + 60 + n, session=stories.SESSION, task=None, attempt=ids[0], event=event)
        for n, event in enumerate(extra, 1)
    ]
    history._records = (*history._records, *more)
    async with stage.open((120, 24)) as pilot:
        await opened(stage, pilot, ids[0])
        await stage.press(pilot, "u")
        first = pane(stage).cursor_key
        await stage.press(pilot, "u")
        assert pane(stage).cursor_key != first and ":prompt:" in pane(stage).cursor_key
        assert "Try again." in stage.text()
        await stage.press(pilot, "U")
        assert pane(stage).cursor_key == first
        await stage.press(pilot, "exclamation_mark")
        assert pane(stage).cursor_key == f"{ids[0]}:t9"
        assert "denied" in stage.text()


async def test_a_page_without_errors_says_so():
    stage, ids = past()
    async with stage.open() as pilot:
        await opened(stage, pilot, ids[0], "Prompt")
        await stage.press(pilot, "exclamation_mark")
        await settled(pilot, lambda: "There is no error on this page" in stage.text())


async def test_the_text_of_a_page_is_searched():
    stage, ids = past()
    async with stage.open() as pilot:
        await opened(stage, pilot, ids[0])
        await stage.press(pilot, "slash")
        await settled(pilot, lambda: stage.app.focused.id == "message-input")
        await stage.press(pilot, *"calculator [y!")
        assert stage.app.focused.value == "calculator [y!"
        await stage.press(pilot, *["backspace"] * 4, "enter")
        assert pane(stage).find_next()


async def test_a_long_transcript_is_written_bit_by_bit_and_only_while_it_is_shown():
    stage, ids = past()
    history = stage.app._open_backend().history
    said = [e.TextFinished(block=f"b{n}", text=f"Thought number {n}.") for n in range(3 * AT_ONCE)]
    history._records = tuple(
        e.Record(seq=n, at=stories.START, session=stories.SESSION, task=None, attempt=ids[0], event=event)
        for n, event in enumerate(said, 1)
    )
    async with stage.open() as pilot:
        await opened(stage, pilot, ids[0])
        await settled(pilot, lambda: pane(stage).line_count == len(said))
        stage.screen.pages.turn_to("Transcript")
        assert pane(stage).line_count == AT_ONCE
        stage.screen.pages.turn_to("Gate")
        await settled(pilot, lambda: "Nothing was recorded here" in stage.text())
        await pilot.pause(0.01)
        assert pane(stage).line_count == 1


async def test_work_that_goes_on_is_said_to_and_grows():
    story = stories.streaming()
    history = FakeHistory.sample()
    (known,) = history._attempts.values()
    working = replace(
        attempt_summary(story), task_state=State.IMPLEMENTING, score=None, passes=None, decision=None, accepted=False
    )
    detail = replace(known, summary=replace(working, outcome=None, ended_at=None), diff=None, quality=None)
    history._attempts = {story.attempt: detail}
    history._details[stories.SESSION] = replace(history._details[stories.SESSION], attempts=(detail.summary,))
    history._records = tuple(r for r in story.records if not isinstance(r.event, e.STREAMED))
    stage = Stage(story, history=history)
    async with stage.open() as pilot:
        stage.app.push_screen(AttemptScreen(story.attempt))
        await settled(pilot, lambda: "● running" in stage.text() and pane(stage).line_count)
        stage.play(lambda told: told.tell(e.TextStreamed(block="b9", text="Half a sen")))
        await settled(pilot, lambda: "Half a sen" in stage.text())
        stage.play(lambda told: told.tell(e.TextFinished(block="b9", text="Half a sentence, now whole.")))
        await settled(pilot, lambda: "Half a sentence, now whole." in stage.text())
        assert stage.text().count("Half a sen") == 1
        history._attempts = {story.attempt: replace(detail, checks=(stories.check(stories.RUFF),))}
        stage.play(lambda told: told.tell(e.CheckFinished(result=stories.check(stories.RUFF))))
        await stage.press(pilot, "tab", "tab")
        await settled(pilot, lambda: "[Checks]" in stage.text() and "ruff" in stage.text())


def test_what_is_known_of_an_attempt_is_not_taken_twice_nor_from_another_one():
    stage, ids = past()
    history = stage.app._open_backend().history
    known = PastAttempt(
        detail=history._attempts[ids[0]],
        session=history._details[stories.SESSION],
        records=tuple(record for record in history._records if record.attempt == ids[0]),
    )
    last = known.records[-1]
    new, other = replace(last, seq=last.seq + 1), replace(last, seq=last.seq + 2, attempt=ids[1])
    assert known.news([*known.records, new, other]) == [new]
    assert known.grown([new]).records[-1] == new
    streamed = replace(new, event=e.TextStreamed(block="b", text="x"))
    assert known.grown([streamed]).records == known.records


def huge():
    """An attempt with a megabyte in every cell that could hold one."""
    story = stories.at_gate()
    check = replace(stories.check(stories.PYTEST), output=MEGABYTE, status=CheckStatus.FAILED)
    prompt = e.PromptSent(kind="task", text=MEGABYTE, by="policy")
    events = (
        prompt,
        e.TextFinished(block="b1", text=MEGABYTE),
        e.ToolStarted(call="t1", tool="Bash", title="cat " + MEGABYTE, input_json=f'{{"command": "{MEGABYTE}"}}'),
        e.ToolFinished(call="t1", output=MEGABYTE, is_error=True, duration_s=0.1),
        e.CheckFinished(result=check),
    )
    summary = attempt_summary(story)
    records = [
        e.Record(seq=n, at=story.at, session=stories.SESSION, task=None, attempt=summary.id, event=event)
        for n, event in enumerate(events, 1)
    ]
    (known,) = FakeHistory.sample()._attempts.values()
    quality = replace(
        stories.poor_quality(),
        findings=tuple(replace(f, message=MEGABYTE) for f in stories.poor_quality().findings[:1]),
    )
    return replace(known, prompts=(prompt,), checks=(check,), quality=quality), records


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("Transcript", "Diff")])
def test_a_page_is_bounded_however_large_its_texts_are(page):
    detail, records = huge()
    lines = page_lines(page, detail, records)
    assert max(len(line.text) for line in lines) < 3_000
    assert sum(len(part.text) for line in lines for part in line.detail) < 20_000
    if page != "Gate":
        assert any("more characters" in part.text for line in lines for part in (line, *line.detail))


async def test_a_megabyte_in_every_cell_is_shown_on_every_page():
    detail, records = huge()
    history = FakeHistory.sample()
    history._attempts = {detail.summary.id: detail}
    history._records = tuple(records)
    stage = Stage(stories.at_gate(), history=history)
    async with stage.open() as pilot:
        stage.app.push_screen(AttemptScreen(detail.summary.id))
        await settled(pilot, lambda: "of 1" in stage.text() and "xxx" in stage.text())
        for page in (*PAGES[2:], PAGES[0]):
            await stage.press(pilot, "tab")
            await settled(pilot, lambda page=page: f"[{page}]" in stage.text())
        await stage.press(pilot, "exclamation_mark", "end", "home")
        assert isinstance(stage.screen, AttemptScreen)


def test_the_errors_of_a_page_are_its_lines_with_that_glyph():
    detail, records = huge()
    lines = page_lines("Checks", detail, records)
    assert [lines[at].text.split(" · ")[0] for at in places(lines, "error")] == ["pytest"]
    raw = page_lines("Raw", detail, records)
    assert ["tool_finished" in raw[at].text for at in places(raw, "error")] == [True]
    assert ["prompt_sent" in raw[at].text for at in places(raw, "prompt")] == [True]
