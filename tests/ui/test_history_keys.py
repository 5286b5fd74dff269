"""Pinning, tagging, copying, exporting, finding alike and importing from the history."""

import threading

import pytest
from msgspec.structs import replace

from obra_tui.core.events import PromptSent
from obra_tui.core.ids import ClaudeSessionId
from obra_tui.core.model import ConversationReason
from obra_tui.core.records.history import StoredConversation
from obra_tui.ui.ports import ImportResult
from obra_tui.ui.screens.attempt.screen import AttemptScreen
from obra_tui.ui.screens.history.export_dialog import ExportDialog, file_stem
from obra_tui.ui.screens.history.import_dialog import ImportDialog
from obra_tui.ui.screens.history.listing import Selection
from obra_tui.ui.screens.history.screen import HistoryScreen
from obra_tui.ui.screens.history.tag_dialog import TagDialog, completed_tags, tags_in
from tests.ui import stories
from tests.ui.fake_archive import SECRET, FakeArchive
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled


def the_past(**archive):
    kept = FakeArchive(**archive)
    return Stage(stories.at_gate(), history=FakeHistory.sample(), archive=kept), kept


async def in_history(stage, pilot):
    await stage.press(pilot, "4")
    await settled(pilot, lambda: "3 sessions" in stage.text())


async def test_a_star_pins_a_session_and_lets_it_go_again():
    stage, kept = the_past()
    async with stage.open() as pilot:
        await in_history(stage, pilot)
        await stage.press(pilot, "asterisk")
        await settled(pilot, lambda: "* Calculator" in stage.text())
        assert kept.labels() == {stories.SESSION: ("pinned",)}
        await stage.press(pilot, "asterisk")
        await settled(pilot, lambda: "* Calculator" not in stage.text())
        assert kept.labels() == {}


async def test_tags_are_completed_from_the_known_ones_and_taken_off_by_leaving_them_out():
    stage, kept = the_past(labels={"s2": ["good example"], stories.SESSION: ["slow"]})
    async with stage.open() as pilot:
        await in_history(stage, pilot)
        await stage.press(pilot, "t")
        await settled(pilot, lambda: isinstance(stage.screen, TagDialog))
        await stage.press(pilot, "ctrl+u", *"new, go", "tab")
        assert "new, good example" in stage.text()
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "#new" in stage.text())
        assert kept.labels()[stories.SESSION] == ("good example", "new")


@pytest.mark.parametrize(("line", "tags"), [("", ()), ("Good  One,#two,, good one", ("good one", "two")), (" , #", ())])
def test_a_line_of_tags_is_read_whatever_it_is(line, tags):
    assert tags_in(line) == tags


def test_only_the_last_tag_is_completed():
    assert completed_tags("slow, go", ["good", "gone", "slow"]) == "slow, good"
    assert completed_tags("slow, x", ["good"]) == "slow, x"


async def test_a_copy_is_chosen_from_a_menu_and_holds_no_secret():
    stage, _ = the_past()
    history = stage.app._open_backend().history
    (detail,) = history._attempts.values()
    talk = StoredConversation(
        id=ClaudeSessionId("c1"), reason=ConversationReason.FIRST, reported=True, model="", version=""
    )
    prompt = PromptSent(kind="task", text=f"Use {SECRET}", by="policy")
    history._attempts[detail.summary.id] = replace(detail, conversations=(talk,), prompts=(prompt,))
    async with stage.open((120, 50)) as pilot:
        await in_history(stage, pilot)
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "Attempts of" in stage.text())
        await stage.press(pilot, "y")
        await settled(pilot, lambda: "claude --resume c1" in stage.text())
        await stage.press(pilot, "down", "down", "down", "enter")
        await settled(pilot, lambda: isinstance(stage.screen, HistoryScreen))
        assert stage.app.clipboard == "Use [redacted: github token]"
        await settled(pilot, lambda: "A secret was left out" in stage.text())


async def test_no_way_of_copying_lets_a_secret_out():
    stage, _ = the_past()
    async with stage.open() as pilot:
        await in_history(stage, pilot)
        stage.app.copy_to_clipboard(f"a {SECRET} b")
        assert stage.app.clipboard == "a [redacted: github token] b"


async def test_an_export_names_its_file_and_never_writes_over_one():
    stage, kept = the_past()
    async with stage.open() as pilot:
        await in_history(stage, pilot)
        await stage.press(pilot, "x")
        await settled(pilot, lambda: isinstance(stage.screen, ExportDialog))
        await stage.press(pilot, "down", "down")
        path = f"/nowhere/obra/exports/{file_stem(Selection(session=stories.SESSION, name='Calculator'))}.html"
        await settled(pilot, lambda: path[-30:] in stage.text())
        kept.files[path] = ("x", "x")
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "Nothing was written" in stage.text())
        assert isinstance(stage.screen, ExportDialog)
        await stage.press(pilot, "tab", "end", "2", "enter")
        await settled(pilot, lambda: isinstance(stage.screen, HistoryScreen))
        assert kept.files[f"{path}2"] == (stories.SESSION, "html")


async def test_more_like_this_is_a_search_that_one_can_go_on_writing():
    stage, _ = the_past()
    async with stage.open() as pilot:
        await in_history(stage, pilot)
        await stage.press(pilot, "m")
        await settled(pilot, lambda: "The same task" in stage.text())
        await stage.press(pilot, "down", "down", "enter")
        await settled(pilot, lambda: stage.app.focused is not None and stage.app.focused.id == "message-input")
        assert stage.app.focused.value == "calculator"
        await settled(pilot, lambda: "1 match" in stage.text())
        await stage.press(pilot, *" is:open", "enter")
        await settled(pilot, lambda: "is open" in stage.text())
        await stage.press(pilot, "slash")
        assert stage.app.focused.value == "calculator is:open"


async def test_more_like_an_attempt_leads_back_to_the_history():
    stage, _ = the_past()
    async with stage.open() as pilot:
        await in_history(stage, pilot)
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "Attempts of" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: isinstance(stage.screen, AttemptScreen) and "attempt 1 of 1" in stage.text())
        await stage.press(pilot, "m")
        await settled(pilot, lambda: "The same files" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: isinstance(stage.screen, HistoryScreen) and stage.screen.pages.line)
        assert stage.screen.pages.line == 'task:"Write a calculator"'


async def test_claude_codes_own_sessions_are_looked_at_and_imported():
    stage, kept = the_past(sources=3)
    async with stage.open() as pilot:
        await in_history(stage, pilot)
        await stage.press(pilot, "i")
        await settled(pilot, lambda: "3 transcripts found" in stage.text() and "zebra" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "3 imported" in stage.text())
        asked = len(stage.app._open_backend().history.asked)
        await stage.press(pilot, "escape")
        await settled(pilot, lambda: isinstance(stage.screen, HistoryScreen))
        assert len(kept.brought_in) == 3
        await settled(pilot, lambda: len(stage.app._open_backend().history.asked) > asked)


async def test_an_import_that_is_stopped_keeps_what_it_has():
    stage, kept = the_past(sources=3)
    escaped = threading.Event()

    def bring_in(paths, stopped):
        for path in paths:
            kept.brought_in.append(path)
            yield ImportResult(path=path, outcome="imported")
            assert escaped.wait(30)
            if stopped():
                return

    kept.bring_in = bring_in
    async with stage.open() as pilot:
        await in_history(stage, pilot)
        await stage.press(pilot, "i")
        await settled(pilot, lambda: "3 transcripts found" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "1 of 3 · 1 imported" in stage.text())
        await stage.press(pilot, "escape")
        assert isinstance(stage.screen, ImportDialog)
        escaped.set()
        await settled(pilot, lambda: "1 imported · stopped; what was imported stays" in stage.text())
        assert len(kept.brought_in) == 1


async def test_an_empty_history_says_what_could_fill_it():
    stage = Stage(stories.at_gate(), history=FakeHistory(), archive=FakeArchive(sources=37))
    async with stage.open() as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "i imports 37 sessions of Claude Code's own" in stage.text())


async def test_two_rows_are_marked_of_one_kind_only():
    stage, _ = the_past()
    async with stage.open() as pilot:
        await in_history(stage, pilot)
        await stage.press(pilot, "space", "down", "space")
        assert "2 marked" in stage.text() and "A " in stage.text()
        await stage.press(pilot, "home", "enter")
        await settled(pilot, lambda: "Attempts of" in stage.text())
        await stage.press(pilot, "space")
        assert "1 marked" in stage.text()
