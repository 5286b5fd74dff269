"""A change is shown at once, file by file, hunk by hunk, and what was seen is told."""

import asyncio

from tests.widgets.screen import showing, text
from widgets import samples
from widgets.diff.colours import DiffColours
from widgets.diff.diff_pane import DiffPane
from widgets.diff.patch import FileDiff, patch_rows, patch_styler, row_text, side_rows, split_patch, with_comments

PATCH = """diff --git a/x.py b/x.py
index 1..2 100644
--- a/x.py
+++ b/x.py
@@ -1,3 +1,4 @@ def f
 one
-two
+TWO
+three
 four
\\ No newline at end of file
"""


def test_rows_carry_old_and_new_numbers_and_signs():
    made = patch_rows(PATCH)
    assert made.rows[0][11] == "@"
    assert [row[:13] for row in made.rows[1:6]] == [
        "    1    1   ",
        "    2      - ",
        "         2 + ",
        "         3 + ",
        "    3    4   ",
    ]
    assert made.hunks == [0]
    assert made.rows[made.places[3]].endswith("three")


def test_a_row_is_styled_by_its_sign():
    styles = [patch_styler(row).style for row in patch_rows(PATCH).rows]
    assert styles == ["hunk", "", "removed", "added", "added", "", "dim"]


def test_a_whole_diff_is_split_into_files():
    new = "diff --git a/n.py b/n.py\nnew file mode 100644\n--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+x\n"
    moved = "diff --git a/a b/b\nsimilarity index 100%\nrename from a\nrename to b\n"
    binary = "diff --git a/i.png b/i.png\nindex 1..2\nBinary files a/i.png and b/i.png differ\n"
    gone = "diff --git a/g b/g\ndeleted file mode 100644\n--- a/g\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    files = split_patch(PATCH + new + moved + binary + gone)
    assert [(f.status, f.path, f.added, f.removed, f.note) for f in files] == [
        ("M", "x.py", 2, 1, ""),
        ("A", "n.py", 1, 0, ""),
        ("R", "b", 0, 0, ""),
        ("M", "i.png", 0, 0, "binary"),
        ("D", "g", 0, 1, ""),
    ]
    assert files[2].old_path == "a"


async def until(pilot, condition):
    for _ in range(300):
        await pilot.pause(0.01)
        if condition():
            return
    raise AssertionError("it did not happen")


async def test_keys_go_from_file_to_file_and_hunk_to_hunk():
    pane = DiffPane(rich=False)
    async with showing(pane, size=(80, 20), hear=(DiffPane.Shown, DiffPane.Seen)) as pilot:
        pane.show(samples.file_diffs())
        pane.patch.focus()
        await pilot.pause()
        assert "file 1/3" in text(pilot.app)
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert "hunk 1/1" in text(pilot.app)
        await pilot.press("n")
        await pilot.pause()
        assert "tests/test_client.py" in text(pilot.app)
        await pilot.press("N")
        await pilot.pause()
        assert pane.current.path == "shop/client.py"
        assert [m.path for m in pilot.app.heard if isinstance(m, DiffPane.Shown)][:2] == [
            "shop/client.py",
            "tests/test_client.py",
        ]


async def test_a_file_is_seen_when_its_end_was_on_screen():
    pane = DiffPane(rich=False)
    async with showing(pane, size=(80, 20), hear=(DiffPane.Seen,)) as pilot:
        pane.show(samples.file_diffs(), index=1)
        pane.patch.focus()
        await pilot.pause()
        assert pilot.app.heard == []
        await pilot.press("G")
        await pilot.pause()
        assert [m.path for m in pilot.app.heard] == ["tests/test_client.py"]


async def test_a_place_can_be_jumped_to():
    pane = DiffPane(rich=False)
    async with showing(pane, size=(80, 20)) as pilot:
        pane.show(samples.file_diffs())
        assert pane.jump("tests/test_client.py", 61)
        await pilot.pause()
        assert "def test_30" in text(pilot.app)
        assert not pane.jump("nowhere.py", 1)


CODE = """diff --git a/x.py b/x.py
--- a/x.py
+++ b/x.py
@@ -1,4 +1,4 @@
 def total(items):
-    return sum(items)
+    return sum(items, 0)
+    # nothing else
 import os
-gone = "forever"
"""


def styles(colours, row):
    return {row[13:][span.start : span.end]: span.style for span in colours.spans(row)}


def test_a_row_has_the_colours_of_its_language_and_the_words_that_changed():
    rows = patch_rows(CODE)
    colours = DiffColours("x.py", rows)
    assert styles(colours, rows.rows[1])["def"] == "tok-keyword"
    assert styles(colours, rows.rows[6])["forever"] == "tok-string"
    changed = styles(colours, rows.rows[3])
    assert changed["return"] == "tok-keyword"
    assert changed["0"] == "tok-number changed-word"
    assert not any("changed-word" in style for style in styles(colours, rows.rows[4]).values())


def test_whole_texts_tell_a_string_from_code():
    patch = """--- a/x.py
+++ b/x.py
@@ -3,2 +3,2 @@
 def of a sentence
-import nothing
+import everything
"""
    before = 'text = """\n\ndef of a sentence\nimport nothing\n"""\n'
    rows = patch_rows(patch)
    colours = DiffColours("x.py", rows)
    assert styles(colours, rows.rows[1])["def"] == "tok-keyword"
    colours.use(colours.learn(before, before.replace("nothing", "everything")))
    assert set(styles(colours, rows.rows[1]).values()) == {"tok-string"}


def test_two_columns_have_as_many_rows_and_what_belongs_together_is_beside_it():
    old, new = side_rows(patch_rows(CODE))
    assert len(old.rows) == len(new.rows)
    pairs = [(row_text(left), row_text(right)) for left, right in zip(old.rows, new.rows, strict=True)]
    assert pairs[2] == ("    return sum(items)", "    return sum(items, 0)")
    assert pairs[3] == ("", "    # nothing else")
    assert pairs[5] == ('gone = "forever"', "")
    assert new.places[3] == old.places[3] == 3
    assert old.hunks == new.hunks == [0]


def ground_of(pane, word):
    """The grounds of the rows that show a word."""
    return [segment.style.bgcolor for strip in pane.rows.shown for segment in strip if word in segment.text]


async def test_a_file_is_coloured_without_its_texts_and_in_one_column_or_two():
    pane = DiffPane()
    async with showing(pane, size=(100, 24), hear=(DiffPane.Seen,)) as pilot:
        pane.show(samples.file_diffs())
        pane.patch.focus()
        await until(pilot, lambda: pilot.app.heard)
        assert len({str(ground) for ground in ground_of(pane.patch, "retry")}) == 1
        assert "@@ -1,9" in text(pilot.app)
        await pilot.press("t")
        await until(pilot, lambda: pane.view.old_side.line_count == pane.patch.line_count > 0)
        await pilot.pause()
        assert pane.view.old_side.region.width > 40
        await pilot.press("t")
        await pilot.pause()
        assert not pane.view.old_side.region
        assert pane.patch.has_focus


async def test_two_columns_move_together_down_and_sideways():
    body = "".join(f" line {n} {'x' * 200} end\n" for n in range(200))
    pane = DiffPane(split=True)
    async with showing(pane, size=(120, 20)) as pilot:
        pane.show([FileDiff("x.txt", patch=f"--- a/x.txt\n+++ b/x.txt\n@@ -1,201 +1,200 @@\n{body}-gone\n")])
        pane.patch.focus()
        await pilot.press("ctrl+d", "ctrl+d", "right", "right")
        await until(pilot, lambda: pane.view.old_side.shown_range == pane.patch.shown_range)
        assert pane.patch.shown_range.start > 0
        assert pane.view.old_side.model.shift == pane.patch.model.shift > 0
        pane.view.old_side.scroll_rows(5)
        await until(pilot, lambda: pane.view.old_side.shown_range == pane.patch.shown_range)
        await pilot.press("w", "g")
        await until(pilot, lambda: pane.view.old_side.shown_range.start == 0)
        assert pane.patch.wrap and pane.view.old_side.wrap


async def test_hostile_names_and_texts_are_literal():
    pane = DiffPane()
    evil = "[/bold] \x1b[2J\u202e [@click=app.quit]x[/]"
    async with showing(pane, size=(100, 20), safe=False) as pilot:
        pane.show([FileDiff(evil, patch="@@ -1 +1 @@\n+" + evil, before="", after=evil, note=evil, old_path=evil)])
        await pilot.pause()
        assert "\x1b" not in text(pilot.app)
        assert "[/bold] ␛[2J<U+202E> [@click=app.quit]x[/]" in text(pilot.app)


async def test_no_changes_are_said_to_be_none():
    pane = DiffPane()
    async with showing(pane) as pilot:
        pane.show([])
        await pilot.press("n", "t", "v")
        await pilot.pause()
        assert "no changes" in text(pilot.app)


async def test_a_file_is_not_seen_because_the_empty_pane_before_it_was():
    pane = DiffPane(rich=False)
    async with showing(pane, size=(80, 12), hear=(DiffPane.Seen,)) as pilot:
        for _ in range(3):
            pane.show([])
            pane.patch.rows.sync()
            pane.show(samples.file_diffs(), index=1)
        await pilot.pause()
        assert pilot.app.heard == []


async def test_a_file_that_fits_is_seen_when_its_pane_appears():
    pane = DiffPane(rich=False)
    pane.display = False
    async with showing(pane, size=(80, 30), hear=(DiffPane.Seen,)) as pilot:
        pane.show(samples.file_diffs())
        await pilot.pause()
        assert pilot.app.heard == []
        pane.display = True
        await until(pilot, lambda: pilot.app.heard)
        assert [m.path for m in pilot.app.heard] == ["shop/client.py"]


async def test_a_large_patch_shows_its_beginning_at_once_and_then_all_of_it():
    body = "".join(f"+line {n}\n" for n in range(20_000))
    file = FileDiff("big.py", patch=f"--- /dev/null\n+++ b/big.py\n@@ -0,0 +1,20000 @@\n{body}", added=20_000)
    pane = DiffPane()
    async with showing(pane) as pilot:
        pane.show([file])
        assert 100 < pane.patch.line_count < 10_000
        pane.jump("big.py", 19_999)
        async with asyncio.timeout(10):
            while pane.patch.line_count < 20_001:
                await pilot.pause()
        await pilot.pause()
        assert "line 19998" in text(pane)


async def test_the_place_of_the_cursor_is_a_line_of_the_new_text():
    pane = DiffPane(rich=False)
    async with showing(pane) as pilot:
        pane.show(split_patch(PATCH))
        await pilot.pause()
        assert pane.place() == ("x.py", 1)
        assert pane.jump("x.py", 3)
        assert pane.place() == ("x.py", 3)
        pane.patch.show_index(2)
        assert pane.place() == ("x.py", 2), "a removed line has the line that stands in its place"


async def test_the_place_stays_when_one_column_becomes_two():
    pane = DiffPane()
    async with showing(pane, size=(100, 20)) as pilot:
        pane.show(samples.file_diffs(), index=1)
        assert pane.jump("tests/test_client.py", 61)
        await pilot.pause()
        pane.set_split(True)
        await pilot.pause()
        assert pane.place() == ("tests/test_client.py", 61)


def test_comments_stand_below_their_lines_and_places_move_with_them():
    made = with_comments(patch_rows(PATCH), {2: ["Why?\nReally?"], 4: ["Fine."], 99: ["Nowhere."]})
    assert [row[11:] for row in made.rows[3:8]] == ["+ TWO", "# Why?", "# Really?", "+ three", "  four"]
    assert made.rows[8][11:] == "# Fine."
    assert {line: row_text(made.rows[at]) for line, at in made.places.items()} == {
        1: "one", 2: "TWO", 3: "three", 4: "four",
    }  # fmt: skip
    assert patch_styler(made.rows[4]).style == "person"
    old, new = side_rows(made)
    assert len(old.rows) == len(new.rows)
