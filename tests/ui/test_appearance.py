"""How the app looks is the person's to say: symbols, colours, motion."""

import ast
import os
from pathlib import Path
from typing import get_args

import pytest
from rich.cells import cell_len

import widgets
from obra_tui import ui
from obra_tui.config.early import Theme
from obra_tui.ui.app import ObraApp
from obra_tui.ui.keys import KEYS
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled
from widgets.glyphs import ASCII, in_ascii

SHOWN_ON_PURPOSE = {"samples.py", "text.py"}
"""The gallery's difficult texts, and the table of what is never shown."""


def drawn_symbols(package):
    """Every character beyond ASCII in the strings of a package, but for docstrings."""
    for path in Path(package.__path__[0]).rglob("*.py"):
        if path.name in SHOWN_ON_PURPOSE:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                yield from ((letter, path.name) for letter in node.value if not letter.isascii())


@pytest.mark.parametrize("package", [widgets, ui], ids=["widgets", "ui"])
def test_every_symbol_that_the_source_draws_has_a_character_in_ascii(package):
    assert {(symbol, name) for symbol, name in drawn_symbols(package) if symbol not in ASCII} == set()


def test_what_stands_for_a_symbol_is_ascii_and_as_wide():
    assert all(cell_len(symbol) == len(plain) == 1 and plain.isascii() for symbol, plain in ASCII.items())


def test_letters_of_any_language_stay():
    assert in_ascii("✓ naïve 漢字 → 3/4…") == "+ naïve 漢字 > 3/4~"


@pytest.mark.parametrize(
    "screen", ["show_live", "show_tasks", "show_gates", "show_history", "show_metrics", "show_setup"]
)
async def test_no_screen_draws_a_symbol_when_they_are_not_wanted(screen):
    stage = Stage(stories.at_gate(), history=FakeHistory(), open_demo=lambda: None, ascii_glyphs=True)
    key = next(key.keys for key in KEYS if key.action == screen)
    async with stage.open(size=(160, 50)) as pilot:
        await stage.press(pilot, key)
        await settled(pilot, lambda: "…" not in stage.text())
        assert stage.text().isascii(), {letter for letter in stage.text() if not letter.isascii()}


@pytest.mark.parametrize("keys", [("g",), ("question_mark",), ("ctrl+p",), ("1", "s")])
async def test_nothing_that_opens_draws_a_symbol_when_they_are_not_wanted(keys):
    stage = Stage(stories.at_gate(), ascii_glyphs=True)
    async with stage.open() as pilot:
        await stage.press(pilot, *keys)
        await pilot.pause()
        assert stage.text().isascii(), {letter for letter in stage.text() if not letter.isascii()}


async def test_the_marks_have_words_of_their_own_in_ascii():
    stage = Stage(stories.at_gate(), ascii_glyphs=True)
    async with stage.open() as pilot:
        await settled(pilot, lambda: "[??] gate" in stage.text())
        assert "[ok] implement" in stage.text()


def test_what_we_start_still_sees_that_no_colour_is_wanted(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    stage = Stage()
    assert os.environ["NO_COLOR"] == "1"
    assert stage.app.no_color


def test_the_themes_of_the_settings_are_those_that_there_are():
    assert set(get_args(Theme)) == set(Stage().app.available_themes)


def test_a_theme_is_taken_from_the_settings():
    assert Stage(theme="gruvbox").app.theme == "gruvbox"
    assert isinstance(Stage().app, ObraApp)


def test_nothing_moves_when_motion_is_not_wanted():
    assert Stage(reduce_motion=True).app.animation_level == "none"


async def test_a_terminal_that_is_too_small_is_told_so_until_it_is_large_enough():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await pilot.resize_terminal(52, 14)
        await settled(pilot, lambda: "60×16 needed, you have 52×14" in stage.text())
        assert "Write a calculator" not in stage.text()
        await pilot.resize_terminal(60, 16)
        await settled(pilot, lambda: "Write a calculator" in stage.text())
        assert "needed" not in stage.text()
