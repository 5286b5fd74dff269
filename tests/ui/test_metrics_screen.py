"""Figures on the screen: what they rest on, over time, as a table, down to their rows, and as a file."""

import subprocess
import sys

from obra_tui.core.records.metrics import DEFINITIONS, Metric, Scope
from obra_tui.core.records.search import parse
from obra_tui.ui.screens.metrics.rows import curve_of, is_few, spark
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled
from widgets.plot import Plot, Point, _runs


def a_stage(**options):
    return Stage(stories.at_gate(), history=FakeHistory.sample(), **options)


def history_of(stage):
    return stage.app._open_backend().history


async def figures(stage, pilot):
    await stage.press(pilot, "5")
    await settled(pilot, lambda: "15 of 20, 53–89 %" in stage.text())


async def test_every_figure_says_what_it_means_what_it_rests_on_and_how_it_moved():
    stage = a_stage()
    async with stage.open((120, 50)) as pilot:
        await figures(stage, pilot)
        text = stage.text()
        assert all(definition.title in text for definition in DEFINITIONS)
        assert "▲ 25" in text
        await stage.press(pilot, "j")
        await settled(pilot, lambda: "Tasks that were accepted with their first attempt" in stage.text())
        await stage.press(pilot, "k", "e")
        await settled(pilot, lambda: "FROM scope" in stage.text())


async def test_the_plots_show_the_score_and_the_figure_under_the_cursor():
    stage = a_stage()
    async with stage.open((120, 36)) as pilot:
        await figures(stage, pilot)
        plots = list(stage.app.screen.query(Plot))
        assert [plot.border_title for plot in plots] == ["median score, by day", "pass rate, by day"]
        assert plots[0].curve.threshold == 0.7
        await stage.press(pilot, "G")
        await settled(pilot, lambda: plots[1].border_title == "refused above the gate, by day")


async def test_the_same_numbers_stand_in_a_table_and_a_group_opens_to_its_own_rows():
    stage = a_stage()
    async with stage.open((120, 50)) as pilot:
        await figures(stage, pilot)
        await stage.press(pilot, "d")
        await settled(pilot, lambda: "2026-03-01" in stage.text())
        await stage.press(pilot, "j", "enter")
        await settled(pilot, lambda: stage.app.current_mode == "history")
        await settled(pilot, lambda: any(kind == "find" for kind, *_ in history_of(stage).asked))
        query = next(asked[1] for asked in history_of(stage).asked if asked[0] == "find")
        assert [clause.field for clause in query.clauses] == ["figure", "since", "until", "is"]
        assert query.clauses[2].number - query.clauses[1].number == 86_400


async def test_enter_shows_the_rows_behind_a_figure():
    stage = a_stage()
    async with stage.open((120, 36)) as pilot:
        await figures(stage, pilot)
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: any(kind == "find" for kind, *_ in history_of(stage).asked))
        query = next(asked[1] for asked in history_of(stage).asked if asked[0] == "find")
        assert (query.clauses[0].field, query.clauses[0].text, query.clauses[0].state) == ("figure", "pass_rate", "yes")


async def test_a_narrow_screen_has_a_small_course_in_each_row_instead_of_plots():
    stage = a_stage()
    async with stage.open((80, 24)) as pilot:
        await figures(stage, pilot)
        assert not stage.app.screen.query_one("#plots").display
        assert "▁▂" in stage.text()
        assert "·" in stage.text()


async def test_the_numbers_are_written_to_a_new_file_and_never_over_one(tmp_path):
    stage = a_stage(data_dir=str(tmp_path))
    async with stage.open((120, 36)) as pilot:
        await figures(stage, pilot)
        for said in ("Wrote", "not written"):
            await stage.press(pilot, "x")
            await settled(pilot, lambda: "Write as CSV to" in stage.text())
            await stage.press(pilot, "enter")
            await settled(pilot, lambda said=said: any(said in told.text for told in stage.app.notices.told))
    (file,) = (tmp_path / "exports").iterdir()
    lines = file.read_text().splitlines()
    assert lines[0] == "group,figure,value,hits,of,low,high,unit"
    assert len(lines) == 1 + 9 * len(DEFINITIONS)


async def test_another_range_and_another_grouping_are_asked_for():
    stage = a_stage()
    async with stage.open((120, 36)) as pilot:
        await figures(stage, pilot)
        await stage.press(pilot, "right_square_bracket", "b")
        await settled(pilot, lambda: "last 90 days" in stage.text() and "by week" in stage.text())
        scopes = [asked[1] for asked in history_of(stage).asked if asked[0] == "measure"]
        assert scopes[-2].by == "week"
        assert scopes[-1].until == scopes[-2].since


# --- without a screen ------------------------------------------------------------------------------


def test_a_line_joins_only_days_that_follow_each_other_and_have_enough_cases():
    measured = FakeHistory.sample().measure(Scope(by="day"))
    curve = curve_of(measured, "score")
    assert [point.label for point in curve.points] == [f"03-{day:02}" for day in range(1, 11)]
    assert [place for place, point in enumerate(curve.points) if point.few] == [3]
    assert curve.points[6] == Point("03-07", None)
    assert _runs([0, 1, 2, 4, 5, 7, 8, 9]) == [range(3), range(4, 6), range(7, 10)]
    assert _runs([0, 2]) == []


def test_few_cases_are_a_dot_and_no_course():
    cases = ((0.2, 9), (1, 3), (1, 9))
    points = [Metric(name="score", title="", unit="score", value=value, of=of) for value, of in cases]
    assert is_few(points[1])
    assert spark(points) == "▂·█"


def test_whoever_never_looks_at_figures_never_loads_plotext():
    code = "import obra_tui.ui.screens.metrics.screen, sys; sys.exit('plotext' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_figure_has_a_search_line():
    assert all(parse(f"figure:{d.name}", 0.0).clauses for d in DEFINITIONS)
