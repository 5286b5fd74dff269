import asyncio

import pytest
from textual.app import ComposeResult
from textual.events import Click
from textual.widget import Widget

from obra_tui.core import commands as c
from obra_tui.core import events as e
from obra_tui.core.errors import AlreadyOwned, ConfigError, StoreError
from obra_tui.ui.launch import UiResult
from obra_tui.ui.ports import Backend
from obra_tui.ui.recovery import MOST, crash_sentence, save_crash
from obra_tui.ui.screens.dialogs.questions import ChoiceDialog
from obra_tui.ui.screens.live.screen import LiveScreen
from obra_tui.ui.screens.registry import FirstScreen
from tests.fakes.engine import FakeEngine
from tests.ui import stories
from tests.ui.stage import FakeReader, Stage, settled

SECRET = "sk-ant-not-for-your-eyes"


async def test_the_first_paint_comes_before_the_engine():
    opened = []
    stage = Stage(open_backend=lambda: opened.append(1) or Backend(engine=FakeEngine(), reader=None, history=None))
    async with stage.app.run_test() as pilot:
        assert isinstance(stage.screen, FirstScreen | LiveScreen)
        await settled(pilot, lambda: opened and stage.services.engine)


async def test_what_cannot_start_says_what_where_and_what_next():
    def refuse():
        raise AlreadyOwned("Another obra (pid 4711) works here.", where="/data", fix="Close it, or look on with it.")

    stage = Stage(open_backend=refuse)
    async with stage.open() as pilot:
        await settled(pilot, lambda: "pid 4711" in stage.text())
        for part in ("Another obra (pid 4711) works here.", "/data", "Close it"):
            assert part in stage.text()
        for key in ("2", "4", "5"):
            await stage.press(pilot, key)
            await settled(pilot, lambda: "could not start: 1 says why" in stage.text())
        assert stage.app.is_running


async def test_an_unexpected_error_at_the_start_becomes_a_file_and_a_sentence(tmp_path):
    def burst():
        token = SECRET
        raise RuntimeError(f"boom {len(token)}")

    stage = Stage(open_backend=burst, data_dir=str(tmp_path))
    async with stage.open() as pilot:
        await settled(pilot, lambda: "error in Obra itself" in stage.text())
    files = list((tmp_path / "crashes").iterdir())
    assert len(files) == 1
    assert "RuntimeError: boom" in files[0].read_text()
    assert SECRET not in files[0].read_text().replace("token = SECRET", "")


async def test_keys_that_cannot_be_are_refused_before_anything_is_drawn():
    with pytest.raises(ConfigError, match="says yes"):
        Stage(keys={"review.approve": "enter"})


async def test_a_key_can_be_moved():
    stage = Stage(stories.at_gate(), keys={"live.review_gate": "ctrl+g"})
    async with stage.open() as pilot:
        assert "Press ^g to review" in stage.text()
        await stage.press(pilot, "ctrl+g")
        assert "GATE" in stage.text()


async def test_quitting_without_work_asks_nothing_and_stops_the_engine():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "ctrl+q")
        await settled(pilot, lambda: stage.app.return_value is not None)
    assert stage.app.return_value == UiResult()
    assert stage.engine.stopped == 1


async def test_quitting_during_a_run_asks_with_the_focus_on_staying():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "ctrl+q")
        assert isinstance(stage.screen, ChoiceDialog)
        await stage.press(pilot, "enter")
        assert stage.engine.stopped == 0
        assert stage.engine.submitted == []


async def test_stop_now_and_quit_keeps_the_work():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "ctrl+q", "j", "j", "enter")
        await settled(pilot, lambda: stage.app.return_value is not None)
    assert stage.engine.asked(c.StopRun)[0].mode == "now"
    assert stage.engine.stopped == 1


async def test_stop_after_this_stage_then_quit_waits_for_the_stage():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.press(pilot, "ctrl+q", "j", "enter")
        await settled(pilot, lambda: stage.engine.asked(c.StopRun))
        assert stage.app.return_value is None
        stage.play(lambda s: s.claude_done().checks_started().checks_done().judge_streams().verdict().scored().asks())
        await settled(pilot, lambda: stage.app.return_value is not None)


class Bursting(Widget):
    def compose(self) -> ComposeResult:
        token = SECRET
        raise RuntimeError(f"boom {len(token)}")
        yield


class Failing(Widget):
    def on_click(self) -> None:
        token = SECRET
        raise RuntimeError(f"boom {len(token)}")


@pytest.mark.parametrize("kind", [Bursting, Failing])
async def test_a_broken_widget_takes_its_screen_and_not_the_app(kind, tmp_path):
    stage = Stage(stories.streaming(), data_dir=str(tmp_path))
    async with stage.open() as pilot:
        broken, widget = stage.screen, kind()
        await broken.mount(widget)
        widget.post_message(Click(widget, 0, 0, 0, 0, 1, False, False, False))
        # The pilot would wait for the broken widget to answer.
        while stage.screen is broken or not isinstance(stage.screen, LiveScreen):
            await asyncio.sleep(0.005)
        await settled(pilot, lambda: "This screen had an error" in stage.text())
        await settled(pilot, lambda: "four operations" in stage.text())
        await stage.press(pilot, "p")
        await settled(pilot, lambda: stage.engine.asked(c.Pause))
    written = "".join(path.read_text() for path in (tmp_path / "crashes").iterdir())
    assert SECRET not in written.replace("token = SECRET", "")


async def test_a_screen_that_breaks_again_and_again_ends_with_a_sentence_and_without_values(tmp_path, capsys):
    stage = Stage(data_dir=str(tmp_path))
    with pytest.raises(RuntimeError):
        async with stage.open() as pilot:
            for _ in range(MOST + 1):
                broken = stage.screen
                await broken.mount(Bursting())
                await settled(pilot, lambda broken=broken: stage.screen is not broken and stage.screen.is_mounted)
    printed = capsys.readouterr()
    assert "Nothing that was decided or recorded is lost" in printed.err
    assert SECRET not in printed.out + printed.err
    assert "Traceback" not in printed.out + printed.err


async def test_a_worker_that_fails_is_told_and_not_swallowed(tmp_path):
    stage = Stage(stories.at_gate(), data_dir=str(tmp_path), reader=FakeReader(prompt=ValueError("odd")))
    async with stage.open() as pilot:
        await stage.press(pilot, "g", "e")
        await settled(pilot, lambda: "An error in Obra itself in the background" in stage.text())


async def test_an_error_in_an_answer_does_not_end_the_screen(tmp_path):
    engine = FakeEngine(stories.streaming().records, {c.Pause: ValueError("odd")})
    stage = Stage(stories.streaming(), engine=engine, data_dir=str(tmp_path))
    async with stage.open() as pilot:
        await stage.press(pilot, "p")
        await settled(pilot, lambda: "error in Obra itself" in stage.text())
        assert stage.app.is_running


async def test_a_refused_command_says_why():
    from obra_tui.core.errors import NotAllowed

    engine = FakeEngine(stories.streaming().records, {c.Pause: NotAllowed("It is paused already.", fix="Press p.")})
    stage = Stage(stories.streaming(), engine=engine)
    async with stage.open() as pilot:
        await stage.press(pilot, "p")
        await settled(pilot, lambda: "It is paused already. Press p." in stage.text())


async def test_the_rehearsal_starts_in_the_same_screen():
    demo = FakeEngine(stories.two_tasks().opened(rehearsal="calculator").records)
    stage = Stage(
        stories.at_gate(),
        open_demo=lambda: Backend(engine=demo, reader=FakeReader(), history=None),
    )
    async with stage.open() as pilot:
        await stage.press(pilot, "6", "d")
        await settled(pilot, lambda: stage.services.engine is demo)
        await settled(pilot, lambda: "REHEARSAL calculator" in stage.text())
        assert stage.engine.stopped == 1
        assert "gate waits" not in stage.text()


async def test_a_viewer_says_whose_run_it_is():
    stage = Stage(stories.streaming(), viewer_of="pid 4711")
    async with stage.open():
        assert "viewer (pid 4711)" in stage.text()


@pytest.mark.fault(37)
async def test_a_store_that_takes_nothing_is_said_on_every_screen_until_it_does_again():
    watchers = []
    stage = Stage(stories.streaming(), watch_store=watchers.append)
    async with stage.open() as pilot:
        await settled(pilot, lambda: watchers)
        watchers[0](StoreError("The disk could not be read or written.", fix="Check the disk."))
        await settled(pilot, lambda: "READ-ONLY: The disk could not" in stage.text())
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "READ-ONLY: The disk could not" in stage.text())
        watchers[0](None)
        await settled(pilot, lambda: "READ-ONLY" not in stage.text())


async def test_lost_records_start_the_view_afresh():
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        bridge = stage.services._connection._bridge
        bridge._fact_limit = 3
        stage.story.tell(*[e.Paused(by="x"), e.Resumed(by="x")] * 5)
        stage.engine.play(stage.story.records[-10:])
        bridge._fact_limit = 10_000
        assert not stage.seen_all()
        await settled(pilot, stage.seen_all)
        assert len(stage.engine.listeners) == 1
        assert "four operations" in stage.text()


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (60, 16), (300, 80)])
async def test_no_size_of_the_terminal_breaks_a_screen(size):
    stage = Stage(stories.at_gate(), review_grace_s=0.0)
    async with stage.open((120, 36)) as pilot:
        for key in ("1", "2", "3", "6", "1"):
            await stage.press(pilot, key)
            await pilot.resize_terminal(*size)
            await pilot.resize_terminal(90, 30)
        await stage.press(pilot, "g")
        await pilot.resize_terminal(*size)
        await pilot.resize_terminal(200, 50)
        await settled(pilot, lambda: "GATE" in stage.text())


def test_a_crash_file_is_private_and_unwritable_disks_are_survived(tmp_path):
    path = save_crash(ValueError("x"), tmp_path / "crashes", "0.1.0")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").write_text("")
    assert save_crash(ValueError("x"), tmp_path / "file", "0.1.0") is None
    assert "could not be written" in crash_sentence(None)
