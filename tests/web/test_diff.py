"""A patch as files of coloured lines: complete, numbered, and nothing in it is markup."""

import re
from html import unescape

import pytest
from msgspec.structs import replace

from obra_tui.core.model import ChangeKind, FileChange
from obra_tui.web.diff import MOST_LINES, files_of
from tests.store.story import DIFF

pytestmark = pytest.mark.quick

PATCH = '''\
diff --git a/calc.py b/calc.py
index 1..2 100644
--- a/calc.py
+++ b/calc.py
@@ -1,3 +1,4 @@ def add
 def add(a, b):
-    """Old
+    """New <b>
+    lines"""
     return a + b
diff --git "a/\\303\\274.txt" "b/\\303\\274.txt"
new file mode 100644
--- /dev/null
+++ b/notes.txt
@@ -0,0 +1 @@
+--- a/not a header
\\ No newline at end of file
diff --git a/old.py b/new.py
similarity index 100%
rename from old.py
rename to new.py
'''


def change(path, kind=ChangeKind.MODIFIED, **more):
    return FileChange(path=path, kind=kind, added=more.pop("added", 1), removed=more.pop("removed", 0), **more)


FILES = (
    change("calc.py", added=2, removed=1),
    change("notes.txt", ChangeKind.ADDED),
    change("new.py", ChangeKind.RENAMED, added=0, old_path="old.py"),
    change("picture.png", ChangeKind.ADDED, added=0, binary=True),
)


def plain(line):
    return unescape(re.sub(r"</?span[^>]*>", "", line.text))


def test_each_file_has_its_lines_with_the_numbers_of_both_sides():
    calc, notes, renamed, picture = files_of(replace(DIFF, patch=PATCH, files=FILES))
    assert [(line.kind, line.old, line.new, plain(line)) for line in calc.lines] == [
        ("hunk", None, None, "@@ -1,3 +1,4 @@ def add"),
        ("same", 1, 1, "def add(a, b):"),
        ("del", 2, None, '    """Old'),
        ("add", None, 2, '    """New <b>'),
        ("add", None, 3, '    lines"""'),
        ("same", 3, 4, "    return a + b"),
    ]
    assert [plain(line) for line in notes.lines] == ["@@ -0,0 +1 @@", "--- a/not a header", "No newline at end of file"]
    assert "renamed from old.py" in plain(renamed.lines[0])
    assert "binary" in plain(picture.lines[0])
    assert not any(file.cut for file in (calc, notes, renamed, picture))


def test_colours_are_classes_and_text_is_escaped():
    calc, *_ = files_of(replace(DIFF, patch=PATCH, files=FILES))
    assert '<span class="c-k">def</span>' in calc.lines[1].text
    assert "&lt;b&gt;" in calc.lines[3].text


def test_what_is_too_long_is_cut_and_says_so():
    body = "".join(f"+line {n}\n" for n in range(MOST_LINES + 5))
    patch = f"diff --git a/a.txt b/a.txt\n--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1,{MOST_LINES + 5} @@\n{body}"
    first, second = files_of(replace(DIFF, patch=patch, files=(change("a.txt"), change("b.txt", added=3))))
    assert first.cut
    assert len(first.lines) == MOST_LINES
    assert second.cut


def test_a_patch_that_was_cut_in_the_middle_is_shown_as_far_as_it_goes():
    for end in range(0, len(PATCH), 7):
        files_of(replace(DIFF, patch=PATCH[:end], files=FILES))


@pytest.mark.parametrize("name", ["a.py", "a.js", "a.html", "Makefile", "a.rs", "a.unknown", "a.c\udcff", "x" * 300])
def test_no_file_name_and_no_line_break_of_another_kind_loses_a_line(name):
    body = "+a\x0bb\n+\x0c\n+\u2028x\n+\r\n+'''\n"
    patch = f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n@@ -0,0 +1,5 @@\n{body}"
    (file,) = files_of(replace(DIFF, patch=patch, files=(change(name),)))
    assert len(file.lines) == 6
