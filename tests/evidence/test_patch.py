import pytest

from obra_tui.core.patch import unquote
from obra_tui.evidence.patch import added_lines

PATCH = """\
diff --git a/a.py b/a.py
index 1111111..2222222 100644
--- a/a.py
+++ b/a.py
@@ -1,3 +1,4 @@
 one
--- two
+++ three
+four
 five
@@ -10 +11,0 @@ def f():
-gone
diff --git a/new file.py b/new file.py
new file mode 100644
--- /dev/null
+++ b/new file.py\t
@@ -0,0 +1 @@
+only
\\ No newline at end of file
diff --git "a/na\\nme" "b/na\\nme"
--- /dev/null
+++ "b/na\\nme"
@@ -0,0 +1 @@
+x
"""


def test_added_lines_come_with_file_and_line_even_if_they_look_like_headers():
    assert list(added_lines(PATCH)) == [
        ("a.py", 2, "++ three"),
        ("a.py", 3, "four"),
        ("new file.py", 1, "only"),
        ("na\nme", 1, "x"),
    ]


@pytest.mark.parametrize(
    ("quoted", "name"), [("b/plain", "b/plain"), ('"a\\tb"', "a\tb"), ('"q\\"\\\\"', 'q"\\'), ('"\\033["', "\x1b[")]
)
def test_quoting_of_names_is_undone(quoted, name):
    assert unquote(quoted) == name


def test_a_patch_that_was_cut_in_the_middle_gives_what_is_there():
    assert list(added_lines(PATCH[: PATCH.index("+four")])) == [("a.py", 2, "++ three")]
