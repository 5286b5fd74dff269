"""The diff as the judge gets it: real git writes it, every line arrives once, with its number in the new file."""

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obra_tui.core.model import ChangeKind
from obra_tui.judge.errors import DiffUnreadable, DoesNotFit
from obra_tui.judge.parts import cost, one_line, pack, read_hunks, unquote
from obra_tui.judge.tokens import at_least, estimate
from tests.judge.story import change, diff, new_file

pytestmark = pytest.mark.quick


def test_lines_carry_the_number_they_have_in_the_new_file():
    added, changed = read_hunks(diff())
    assert (added.file, changed.file) == ("calculator.py", "README.md")
    assert [line.shown for line in changed.lines] == [
        "    10 | one",
        "       |-two",
        "    11 |+zwei",
        "    12 |+drei",
        "    13 | four",
    ]
    assert changed.heading == "file: README.md\n@@ hunk 2 of 2, new lines 10-13"
    assert (added.changed, changed.changed) == (6, 3)
    assert changed.numbers == {10, 11, 12, 13}


def test_a_diff_that_was_cut_is_not_judged():
    with pytest.raises(DiffUnreadable, match="too large to be kept whole"):
        read_hunks(diff(truncated=True))


def test_a_patch_that_ends_in_the_middle_of_a_hunk_is_not_judged():
    with pytest.raises(DiffUnreadable, match="could not be taken apart"):
        read_hunks(diff(diff().patch[:-20]))


def test_a_counted_change_without_its_hunk_is_not_judged():
    with pytest.raises(DiffUnreadable, match=r"no hunk of lost\.py"):
        read_hunks(diff(diff().patch, change("calculator.py", 6), change("lost.py", 1)))


def git(folder, *words):
    command = ["git", "-c", "core.quotePath=false", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout


@pytest.fixture
def repo(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "old.txt").write_text("".join(f"{number}\n" for number in range(30)))
    (tmp_path / "gone.txt").write_text("away\n")
    (tmp_path / "run.sh").write_text("echo\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def patch_of(folder):
    git(folder, "add", "-A")
    return git(folder, "diff", "--cached", "-M", "--full-index").decode("utf-8", "replace")


def test_every_kind_of_change_that_git_writes_is_read(repo):
    (repo / "gone.txt").unlink()
    (repo / "run.sh").chmod(0o755)
    (repo / "old.txt").rename(repo / "new name.txt")
    (repo / "new name.txt").write_text("".join(f"{number}\n" for number in range(29)) + "end")
    (repo / "picture.png").write_bytes(b"\0\1\2")
    (repo / 'quo"te\ttab.py').write_text("a = 1\r\nb = 2\n--- c\n+++ d\n@@ -1 +1 @@\n")
    (repo / "link").symlink_to("run.sh")
    text = patch_of(repo)
    files = (
        change("gone.txt", 0, 1, kind=ChangeKind.DELETED),
        change("run.sh", 0, kind=ChangeKind.MODE),
        change("new name.txt", 1, 1, kind=ChangeKind.RENAMED, old_path="old.txt"),
        change("picture.png", 0, binary=True, kind=ChangeKind.ADDED),
        change('quo"te\ttab.py', 5, kind=ChangeKind.ADDED),
        change("link", 1, kind=ChangeKind.ADDED),
    )
    found = {hunk.file: hunk for hunk in read_hunks(diff(text, *files))}
    assert set(found) == {"gone.txt", "new name.txt", 'quo"te\ttab.py', "link"}
    assert found["gone.txt"].numbers == frozenset()
    odd = found['quo"te\ttab.py']
    assert [line.text for line in odd.lines] == ["a = 1␍", "b = 2", "--- c", "+++ d", "@@ -1 +1 @@"]
    assert odd.heading.splitlines()[0] == 'file: quo"te␉tab.py'
    assert found["new name.txt"].lines[-1].shown == "       |\\ No newline at end of file"


def test_names_that_are_no_utf8_are_those_of_the_list_of_changes(repo):
    (repo / os.fsdecode(b"caf\xe9.py")).write_text("1\n")
    (found,) = read_hunks(diff(patch_of(repo), change("caf\\xe9.py", 1)))
    assert found.file == "caf\\xe9.py"


@pytest.mark.parametrize(
    ("quoted", "plain"),
    [("b/x", "b/x"), ('"b/a\\tb"', "b/a\tb"), ('"b/\\303\\244"', "b/ä"), ('"b/\\"\\\\"', 'b/"\\'), ('"', '"')],
)
def test_names_are_unquoted_as_git_quotes_them(quoted, plain):
    assert unquote(quoted) == plain


def test_a_name_cannot_break_out_of_its_line():
    assert one_line("a\n     1 |+b\x1b\ud800") == "a␊     1 |+b␛?"


# --- packing -------------------------------------------------------------------------------------


def test_small_hunks_share_a_part():
    (part,) = pack(read_hunks(diff()), 1000)
    assert (len(part.hunks), part.weight, part.finishes) == (2, 9, 2)


def test_a_long_hunk_is_cut_between_lines_and_says_so():
    parts = pack(read_hunks(new_file("big.py", [f"x{number} = {number}" for number in range(200)])), 400)
    assert len(parts) > 2
    assert parts[0].shown.startswith(f"file: big.py\n@@ hunk 1 of 1, piece 1 of {len(parts)}, new lines 1-")
    assert [part.finishes for part in parts] == [0] * (len(parts) - 1) + [1]


def test_a_line_that_fits_nowhere_is_refused_with_its_place():
    with pytest.raises(DoesNotFit, match=r"min\.js:2"):
        pack(read_hunks(new_file("min.js", ["a", "b" * 9000])), 1000)


LINES = st.lists(
    st.text(st.characters(blacklist_characters="\n\r", codec="utf-8"), max_size=60), min_size=1, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=4), st.integers(200, 900))
def test_every_line_is_in_exactly_one_part_and_every_part_fits(files, room):
    texts = [new_file(f"f{number}.py", lines) for number, lines in enumerate(files)]
    whole = diff("".join(text.patch for text in texts), *(text.files[0] for text in texts))
    hunks = read_hunks(whole)
    parts = pack(hunks, room)
    wanted = [(hunk.file, line) for hunk in hunks for line in hunk.lines]
    assert [(hunk.file, line) for part in parts for hunk in part.hunks for line in hunk.lines] == wanted
    assert len(wanted) == sum(map(len, files))
    assert sum(part.finishes for part in parts) == len(hunks)
    for part in parts:
        assert sum(map(cost, part.hunks)) <= room
        assert estimate(part.shown) <= room


# --- tokens --------------------------------------------------------------------------------------


@given(st.text())
def test_the_lower_bound_is_never_above_the_estimate(text):
    assert at_least(text) <= estimate(text)


def test_dense_text_is_estimated_at_more_than_a_token_for_three_characters():
    digits = "0123456789" * 30
    assert estimate(digits) == 300
    assert estimate("word " * 60) == 100
