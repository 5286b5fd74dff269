"""What every widget looks like. A picture changes only on purpose."""

import pytest

from widgets.gallery import Gallery

TABS = ["tab-log", "tab-facts", "tab-diff", "tab-findings", "tab-hostile"]


def opened(tab, theme="textual-dark", keys=()):
    async def open_tab(pilot):
        pilot.app.theme = theme
        pilot.app.query_one("TabbedContent").active = tab
        pilot.app.query_one("#diff").action_rich()
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return open_tab


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_at_120_by_36(snap_compare, tab):
    assert snap_compare(Gallery(), terminal_size=(120, 36), run_before=opened(tab))


@pytest.mark.parametrize("tab", TABS[:3])
def test_the_main_tabs_at_80_by_24(snap_compare, tab):
    assert snap_compare(Gallery(), terminal_size=(80, 24), run_before=opened(tab))


@pytest.mark.parametrize("theme", ["obra-cb-dark", "obra-cb-light"])
def test_our_themes(snap_compare, theme):
    assert snap_compare(Gallery(), terminal_size=(120, 36), run_before=opened("tab-facts", theme))


def test_an_unfolded_card_with_the_cursor_and_a_search(snap_compare):
    async def look(pilot):
        await opened("tab-log")(pilot)
        pane = pilot.app.query_one("#claude")
        pane.model.follow_state._clock = lambda: __import__("datetime").datetime(2026, 1, 2, 14, 2, 25)
        pane.focus()
        pane.find("test")
        pane.goto("tool-3", unfold=True)
        await pilot.pause()

    assert snap_compare(Gallery(), terminal_size=(120, 36), run_before=look)
