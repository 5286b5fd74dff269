"""One-line widgets, scores and the decision bar: what they say, and what they leave out when it is narrow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.widgets.screen import rows, showing, text
from widgets import samples
from widgets.bars.decision_bar import AnswerOption, DecisionBar
from widgets.bars.score_bars import Overall, ScoreBars, StageBar, bar, change, number, quality_line, sparkline
from widgets.bars.status import STATES, mark
from widgets.bars.status_line import Banner, StatusItem, StatusLine, StepStrip, StripStep, fitting_parts


async def test_the_steps_stand_on_one_line_with_glyphs():
    strip = StepStrip()
    async with showing(strip, size=(90, 5)) as pilot:
        strip.show(samples.STEPS)
        await pilot.pause()
        assert rows(pilot.app)[0] == "✓ implement 3:12 ─ ✓ checks 4/4 ─ ● judge ─ · gate ─ · accept"


async def test_a_narrow_strip_drops_notes_then_finished_steps():
    strip = StepStrip()
    async with showing(strip, size=(56, 5)) as pilot:
        strip.show(samples.STEPS)
        await pilot.pause()
        assert rows(pilot.app)[0] == "✓ implement ─ ✓ checks ─ ● judge ─ · gate ─ · accept"
        await pilot.resize_terminal(30, 5)
        await pilot.pause()
        assert rows(pilot.app)[0] == "… ● judge ─ · gate ─ · accept"


async def test_glyphs_can_be_ascii():
    strip = StepStrip(ascii=True)
    async with showing(strip) as pilot:
        strip.show([StripStep("checks", "fail")])
        await pilot.pause()
        assert rows(pilot.app)[0] == "[XX] checks"


def test_an_unknown_state_is_never_shown_as_good():
    assert mark("whatever") == "?"


def test_no_two_states_share_glyph_and_word():
    assert len({(state.glyph, state.word) for state in STATES.values()}) == len(STATES)


async def test_the_status_line_keeps_the_most_important_parts():
    line = StatusLine()
    async with showing(line, size=(62, 5)) as pilot:
        line.show(samples.PARTS)
        await pilot.pause()
        assert rows(pilot.app)[0] == " T003 Add retry to the client │ task 3/12 │ ● JUDGING 0:41"


@given(
    st.lists(st.builds(StatusItem, st.text("abc", max_size=9), priority=st.integers(0, 4)), max_size=6),
    st.integers(0, 40),
)
def test_no_part_stays_while_a_more_important_one_goes(parts, width):
    shown = fitting_parts(parts, width)
    gone = [part for part in parts if part.text and part not in shown]
    assert not gone or max(p.priority for p in shown) <= min(p.priority for p in gone)


async def test_the_banner_is_there_only_while_it_asks():
    banner = Banner()
    async with showing(banner, size=(60, 5), hear=(Banner.Pressed,)) as pilot:
        assert not banner.display
        banner.show("1 gate is waiting: a very long reason that does not fit into the line at all", key="g")
        await pilot.pause()
        assert rows(pilot.app)[0].endswith("Press g")
        await pilot.click(banner)
        assert len(pilot.app.heard) == 1
        banner.clear()
        await pilot.pause()
        assert not banner.display


async def test_a_banner_without_room_says_it_shorter_and_never_cuts_how_much_more_there_is():
    banner = Banner()
    async with showing(banner, size=(60, 5)) as pilot:
        banner.show("T001 attempt 1 scored 0.71 (needs 0.80), 6 min ago.", short="T001 0.71", more="(+2 more)", key="g")
        await pilot.pause()
        assert rows(pilot.app)[0].strip() == "? T001 0.71 (+2 more)  Press g"
        await pilot.resize_terminal(100, 5)
        assert "6 min ago. (+2 more)  Press g" in rows(pilot.app)[0]
        banner.show("a very long command " * 9, more="(+2 more)", key="g")
        await pilot.pause()
        assert rows(pilot.app)[0].rstrip().endswith("… (+2 more)  Press g")


async def test_markup_in_any_text_is_literal():
    banner, line, strip = Banner(), StatusLine(), StepStrip()
    evil = "[@click=app.quit]x[/] [/bold] [$error] \x1b[2J"
    async with showing(banner, line, strip, size=(120, 6), safe=False) as pilot:
        banner.show(evil)
        line.show([StatusItem(evil)])
        strip.show([StripStep(evil, "running", evil)])
        await pilot.pause()
        assert text(pilot.app).count("[@click=app.quit]x[/] [/bold] [$error] ␛[2J") == 4


def test_a_missing_score_is_a_dash_and_never_zero():
    assert number(None) == "–"
    assert number(0.0) == "0.00"
    assert quality_line(Overall(None)) == "Quality: – (no evidence)"


@pytest.mark.parametrize(("value", "passes", "said"), [(0.82, True, "0.82 (PASS)"), (0.54, False, "0.54 (FAIL)")])
def test_the_quality_line_reads_like_everywhere(value, passes, said):
    assert quality_line(Overall(value, passes=passes)) == f"Quality: {said}"


def test_a_change_has_a_sign_and_an_arrow():
    assert change(0.82, 0.61) == "0.61 Δ+0.21 ▲"
    assert change(0.5, 0.61) == "0.61 Δ−0.11 ▼"
    assert change(0.61, 0.61) == "0.61 Δ±0.00 ="


@given(st.floats(-1, 2), st.integers(1, 40))
def test_a_bar_is_exactly_as_wide_as_asked(value, width):
    assert len(bar(value, width)) == width


def test_a_spark_for_each_attempt():
    assert sparkline([0.0, None, 1.0]) == "▁·█"


async def test_scores_show_value_threshold_and_provenance():
    scores = ScoreBars()
    async with showing(scores, size=(100, 12)) as pilot:
        scores.show(samples.STAGES, samples.OVERALL, samples.ATTEMPTS)
        await pilot.pause()
        shown = rows(pilot.app)
        assert "0.64 ✗ judged" in shown[2]
        assert "│" in shown[2]
        assert "– – unjudged" in shown[3]
        assert "✓ Quality: 0.82 (PASS)  needs 0.70  before 0.61 Δ+0.21 ▲" in shown[4]
        assert "attempts ▅▅·▇" in shown[5]


async def test_scores_without_anything_say_so():
    scores = ScoreBars()
    async with showing(scores) as pilot:
        scores.show([StageBar("tests", None)], Overall(None))
        await pilot.pause()
        assert "no evidence" in rows(pilot.app)[0]
        scores.clear()
        await pilot.pause()
        assert "no scores yet" in rows(pilot.app)[0]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
async def test_scores_fit_any_width(width):
    scores = ScoreBars()
    async with showing(scores, size=(width, 10)) as pilot:
        scores.show(samples.STAGES, samples.OVERALL, samples.ATTEMPTS)
        await pilot.pause()
        assert "0.90" in rows(pilot.app)[1] or width < 30


async def test_the_legend_names_consequences_and_says_when_keys_are_dead():
    legend = DecisionBar()
    async with showing(legend, size=(100, 10)) as pilot:
        legend.show(
            [*samples.ANSWERS, AnswerOption("m", "Merge", "", enabled=False, why_not="not clean")], "z undoes it"
        )
        await pilot.pause()
        assert "a Approve → commit 2 files on obra/T003" in text(pilot.app)
        assert "not possible: not clean" in text(pilot.app)
        assert "wait: keys are not taken yet" in text(pilot.app)
        legend.armed = True
        await pilot.pause()
        assert "z undoes it" in text(pilot.app)
        assert "wait:" not in text(pilot.app)


async def test_the_short_legend_is_one_line_and_shows_one_consequence():
    legend = DecisionBar(short=True)
    async with showing(legend, size=(60, 10)) as pilot:
        legend.show(samples.ANSWERS)
        await pilot.pause()
        assert rows(pilot.app)[0].strip() == "a Approve  c Request changes  r Reject  l Later"
        legend.preview("r")
        await pilot.pause()
        assert rows(pilot.app)[0].strip() == "r Reject → drop attempt 2"
