"""What a person sees and does in a pane: following, holding still, opening, searching, selecting, copying."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.widget import Widget

from tests.widgets.screen import rows, showing, text
from tests.widgets.test_text import harmless
from widgets import samples
from widgets.lines import LogLine
from widgets.log_view.view import LogPane


def numbered(count, start=0):
    return [f"line {number:05d}" for number in range(start, start + count)]


def pane(**options):
    return LogPane(clock=lambda: datetime(2026, 1, 2, 14, 2, 25), **options)


def inside(app):
    """The rows between the borders."""
    return [row.strip("┃│").rstrip("█ ").rstrip() for row in rows(app)[1:-1]]


async def test_the_end_is_followed_while_lines_arrive():
    log = pane()
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(numbered(50))
        await pilot.pause()
        assert inside(pilot.app)[-1] == "line 00049"
        log.append("the last")
        await pilot.pause()
        assert inside(pilot.app)[-1] == "the last"


async def test_lines_written_before_the_pane_is_mounted_are_shown():
    log = pane()
    log.extend(["early"])
    async with showing(log) as pilot:
        assert "early" in text(pilot.app)


async def test_a_person_who_scrolls_up_is_never_moved_and_is_told_what_came():
    log = pane()
    async with showing(log, size=(60, 10)) as pilot:
        log.extend(numbered(50))
        await pilot.press("pageup")
        await pilot.pause()
        before = inside(pilot.app)
        log.extend(numbered(38, 50))
        await pilot.pause()
        assert inside(pilot.app) == before
        assert "paused at 14:02:25 · 38 new · end follows" in rows(pilot.app)[-1]


async def test_end_follows_again():
    log = pane(hint="LIVE")
    async with showing(log, size=(60, 10), hear=(LogPane.FollowChanged,)) as pilot:
        log.extend(numbered(50))
        await pilot.press("g", "end")
        await pilot.pause()
        assert inside(pilot.app)[-1] == "line 00049"
        assert "LIVE" in rows(pilot.app)[-1]
        assert [message.following for message in pilot.app.heard] == [False, True]


async def test_scrolling_down_to_the_end_follows_again():
    log = pane()
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(numbered(50))
        await pilot.press("pageup", "pagedown")
        assert log.following


async def test_what_a_person_reads_is_not_dropped_at_the_cap():
    log = pane(cap=50)
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(numbered(50))
        await pilot.press("g")
        await pilot.pause()
        log.extend(numbered(500, 50))
        await pilot.pause()
        assert inside(pilot.app)[0] == "line 00000"
        await pilot.press("G")
        await pilot.pause()
        assert inside(pilot.app)[-1] == "line 00549"
        assert log.line_count <= 51


async def test_streamed_text_grows_its_last_line_and_repaints_only_that_row(monkeypatch):
    log = pane()
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(numbered(3))
        await pilot.pause()
        asked = []
        refresh = LogPane.refresh
        monkeypatch.setattr(
            LogPane, "refresh", lambda self, *regions, **kw: asked.append(regions) or refresh(self, *regions, **kw)
        )
        log.append_chunk("hel")
        log.append_chunk("lo")
        await pilot.pause()
        assert inside(pilot.app)[3] == "hello"
        assert [(r.y, r.height) for regions in asked for r in regions] == [(3, 1)]
        log.append_chunk(" you\nand")
        await pilot.pause()
        assert inside(pilot.app)[3:5] == ["hello you", "and"]


async def test_other_lines_close_an_open_one():
    log = pane()
    async with showing(log, size=(40, 10)) as pilot:
        log.append_chunk("open")
        log.append("card")
        log.append_chunk("again")
        await pilot.pause()
        assert inside(pilot.app)[:3] == ["open", "card", "again"]


async def test_text_then_cards_then_text_share_one_pane():
    log = pane()
    async with showing(log, size=(60, 12)) as pilot:
        log.begin_stream("a", time="10:00:00", glyph="»")
        log.append_stream("a", "I will **read**")
        log.append(LogLine("Read  x.py", time="10:00:01", glyph="▸", key="t1"))
        log.append_stream("a", " it first.")
        log.append_stream("b", "Done.")
        await pilot.pause()
        assert inside(pilot.app)[:3] == ["10:00:00 » I will read it first.", "10:00:01 ▸ Read  x.py", "Done."]


async def test_the_text_of_a_dead_message_is_dropped():
    log = pane()
    async with showing(log, size=(60, 12)) as pilot:
        log.append("before")
        log.append_stream("a", "half a sen")
        log.append(LogLine("card", key="k"))
        log.drop_stream("a")
        await pilot.pause()
        assert inside(pilot.app)[:3] == ["before", "card", ""]
        assert log.replace("k", LogLine("card: done", key="k"))
        await pilot.pause()
        assert inside(pilot.app)[1] == "card: done"


async def test_a_dead_message_is_dropped_also_while_it_waits_below_a_reader():
    log = pane(cap=10)
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(numbered(10))
        await pilot.press("g")
        log.extend(numbered(15, 10))
        log.append_stream("a", "dead text")
        log.drop_stream("a")
        await pilot.press("G")
        await pilot.pause()
        assert "dead text" not in text(pilot.app)
        assert inside(pilot.app)[-1] == "line 00024"


async def test_a_finished_stream_takes_no_more_text():
    log = pane()
    async with showing(log, size=(60, 12)) as pilot:
        log.append_stream("a", "all")
        log.end_stream("a")
        log.append_stream("a", "a new block")
        await pilot.pause()
        assert inside(pilot.app)[:2] == ["all", "a new block"]


async def test_enter_unfolds_the_card_under_the_cursor_and_says_so():
    log = pane()
    async with showing(log, size=(60, 12), hear=(LogPane.Opened,)) as pilot:
        log.extend(samples.TOOLS)
        await pilot.pause()
        await pilot.press("k", "k", "enter")
        await pilot.pause()
        assert [(m.key, m.unfolded) for m in pilot.app.heard] == [("tool-3", True)]
        assert "test_0 PASSED" in text(pilot.app)
        await pilot.press("enter")
        await pilot.pause()
        assert "test_0 PASSED" not in text(pilot.app)


async def test_a_click_opens_a_card_and_a_double_click_opens_it_once():
    log = pane()
    async with showing(log, size=(60, 12), hear=(LogPane.Opened,)) as pilot:
        log.extend(samples.TOOLS)
        await pilot.pause()
        await pilot.click(LogPane, offset=(20, 4), times=2)
        await pilot.pause()
        assert [m.key for m in pilot.app.heard] == ["tool-4"]
        assert [m.unfolded for m in pilot.app.heard] == [None]


async def test_lines_can_be_added_below_a_card():
    log = pane()
    async with showing(log, size=(60, 12)) as pilot:
        log.append(LogLine("pytest", key="c", glyph="●", unfolded=True))
        log.extend_detail("c", [LogLine("test one")])
        log.extend_detail("c", [LogLine("test two")])
        await pilot.pause()
        assert inside(pilot.app)[:3] == ["● pytest", "  │ test one", "  │ test two"]
        assert not log.extend_detail("gone", [LogLine("x")])


async def test_wrapping_can_be_turned_off_and_long_lines_shifted():
    log = pane()
    async with showing(log, size=(30, 8)) as pilot:
        log.append("abcdefgh ijklmnop qrstuvwx yz012345 6789")
        await pilot.pause()
        assert inside(pilot.app)[1] != ""
        await pilot.press("w")
        await pilot.pause()
        assert inside(pilot.app)[1] == ""
        await pilot.press("right")
        await pilot.pause()
        assert inside(pilot.app)[0].startswith(" ijklmnop")


async def test_the_first_visible_line_stays_when_the_width_changes():
    log = pane()
    async with showing(log, size=(60, 10)) as pilot:
        log.extend([f"{i:03d} " + "word " * 20 for i in range(40)])
        await pilot.press("g", "pagedown", "pagedown")
        await pilot.pause()
        first = inside(pilot.app)[0]
        await pilot.resize_terminal(90, 10)
        await pilot.pause()
        shown = "\n".join(inside(pilot.app))
        assert first[:3].strip() == "" or first[:3] in shown


async def test_search_goes_to_matches_and_around():
    log = pane()
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(numbered(200))
        assert log.find("line 0001") == 10
        await pilot.pause()
        assert "line 00010" in text(pilot.app)
        await pilot.press("n")
        assert log.model.search.current.serial == 11
        await pilot.press("N", "N")
        assert log.model.search.current.serial == 19
        assert log.find("nowhere") == 0
        log.find("")
        assert not log.find_next()


async def test_keys_of_a_search_stay_free_while_nothing_is_searched():
    log = pane()
    async with showing(log):
        assert not log.check_action("pane", ("find_next",))
        log.extend(["a"])
        log.find("a")
        assert log.check_action("pane", ("find_next",))


async def test_text_is_selected_with_the_mouse_and_copied():
    log = pane()
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(["first line", "second line", "third line"])
        await pilot.pause()
        await pilot.mouse_down(log, offset=(7, 1))
        await pilot.hover(log, offset=(6, 2))
        await pilot.mouse_up(log, offset=(6, 2))
        await pilot.pause()
        await pilot.press("ctrl+c")
        assert pilot.app.copied == ["line\nsecond"]


async def test_a_selection_stays_on_its_words_while_lines_arrive():
    log = pane(cap=20)
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(numbered(20))
        await pilot.pause()
        await pilot.mouse_down(log, offset=(1, 2))
        await pilot.hover(log, offset=(10, 2))
        await pilot.mouse_up(log, offset=(10, 2))
        log.extend(numbered(5, 20))
        await pilot.pause()
        assert not log.following
        await pilot.press("y")
        assert pilot.app.copied == ["line 00013"]


async def test_selecting_in_the_gutter_takes_the_text_not_the_time():
    log = pane()
    async with showing(log, size=(60, 10)) as pilot:
        log.append(LogLine("Read x.py", time="10:00:00", glyph="▸"))
        await pilot.pause()
        await pilot.mouse_down(log, offset=(3, 1))
        await pilot.hover(log, offset=(50, 1))
        await pilot.mouse_up(log, offset=(50, 1))
        await pilot.press("ctrl+c")
        assert pilot.app.copied == ["Read x.py"]


async def test_the_scrollbar_can_be_dragged():
    log = pane()
    async with showing(log, size=(40, 12)) as pilot:
        log.extend(numbered(1000))
        await pilot.pause()
        await pilot.mouse_down(log, offset=(38, 10))
        await pilot.hover(log, offset=(38, 1))
        await pilot.mouse_up(log, offset=(38, 1))
        await pilot.pause()
        assert inside(pilot.app)[0] == "line 00000"
        assert log.text_selection is None


async def test_the_wheel_scrolls():
    log = pane()
    async with showing(log, size=(40, 12)) as pilot:
        log.extend(numbered(100))
        await pilot.pause()
        await pilot._post_mouse_events([__import__("textual.events").events.MouseScrollUp], log, offset=(5, 5))
        await pilot.pause()
        assert inside(pilot.app)[0] == "line 00087"


async def test_a_web_link_is_reported_when_clicked():
    log = pane()
    async with showing(log, size=(60, 10), hear=(LogPane.LinkClicked,)) as pilot:
        log.append("see https://example.org/a. for more")
        await pilot.pause()
        await pilot.click(log, offset=(10, 1))
        await pilot.pause()
        assert [m.url for m in pilot.app.heard] == ["https://example.org/a"]


async def test_a_reading_pane_starts_at_the_top_and_never_says_paused():
    log = pane(follow=False)
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(numbered(50))
        await pilot.pause()
        assert inside(pilot.app)[0] == "line 00000"
        await pilot.press("pagedown", "pageup", "G")
        await pilot.pause()
        assert "paused" not in text(pilot.app)
        assert inside(pilot.app)[-1] == "line 00049"


async def test_goto_puts_the_cursor_on_a_line_with_a_key():
    log = pane()
    async with showing(log, size=(40, 10), hear=(LogPane.CursorMoved,)) as pilot:
        log.extend([*numbered(50), LogLine("here", key="k"), *numbered(50)])
        assert log.goto("k")
        await pilot.pause()
        assert "here" in text(pilot.app)
        assert log.cursor_key == "k"
        assert pilot.app.heard[-1].key == "k"
        assert not log.goto("nothing")


async def test_clear_forgets_everything():
    log = pane()
    async with showing(log, size=(40, 10)) as pilot:
        log.extend(numbered(50))
        await pilot.press("g")
        log.clear()
        log.append("new")
        await pilot.pause()
        assert inside(pilot.app)[:2] == ["new", ""]
        assert log.following


@pytest.mark.parametrize("size", [(20, 5), (3, 2), (1, 1), (200, 60)])
async def test_any_size_of_terminal_is_survived(size):
    log = pane()
    async with showing(log, size=(80, 24)) as pilot:
        samples.fill_claude_pane(log)
        log.extend(samples.hostile())
        for _ in range(2):
            await pilot.resize_terminal(*size)
            await pilot.press("g", "j", "j", "enter", "G", "w")
            await pilot.resize_terminal(80, 24)
        assert "result: success" in text(pilot.app) or rows(pilot.app)


KEYS = [
    "j",
    "k",
    "g",
    "G",
    "w",
    "f",
    "enter",
    "pageup",
    "pagedown",
    "ctrl+u",
    "ctrl+d",
    "n",
    "N",
    "escape",
    "left",
    "right",
]


@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from(samples.hostile())), min_size=1, max_size=8))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_raises_or_reaches_the_terminal_with_a_control_byte(texts):
    import asyncio

    asyncio.run(_show_hostile(texts))


async def _show_hostile(texts):
    log = pane(cap=40)
    async with showing(log, size=(50, 14), safe=False) as pilot:
        for piece in texts:
            log.append(piece)
            log.append_chunk(piece)
            log.append_stream("s", piece)
            log.append(
                LogLine(piece, time=piece[:9], glyph=piece[:1], aside=piece[:5], key=piece, detail=(LogLine(piece),))
            )
            log.find(piece[:3])
            log.set_hint(piece)
            log.scroller.line(-1)
            log.open()
        await pilot.press(*KEYS[::3])
        await pilot.pause()
        for row in rows(pilot.app):
            assert harmless(row)


async def test_nothing_ticks_when_nothing_happens():
    log = pane()
    async with showing(log) as pilot:
        log.extend(numbered(10))
        await pilot.pause()
        assert not log._timers
        assert Widget.is_running.fget(log)
