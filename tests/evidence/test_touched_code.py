"""Which lines of a file were changed in what they mean."""

import pytest

from obra_tui.evidence.touched_code import touched_lines

pytestmark = pytest.mark.quick
OLD = "import os\n\nX = 1\n\n\ndef one():\n    return X\n\n\n"
OLD += "class A:\n    y = 2\n\n    def two(self):\n        return 2\n"


@pytest.mark.parametrize(
    ("new", "lines"),
    [
        (OLD + "# A remark.\n", ()),
        (OLD.replace("    return X", "    return (\n        X  # so\n    )"), ()),
        (OLD.replace("return X", "return X + 1"), ((6, 7),)),
        (OLD.replace("return 2", "return 3"), ((13, 14),)),
        (OLD + "\n\ndef three():\n    return 3\n", ((17, 18),)),
        (OLD.replace("import os\n", "import os\nimport re\n"), ()),
        (OLD.replace("y = 2", "y = 3"), ((10, 14),)),
        (OLD.replace("class A:", "class A(dict):"), ((10, 14),)),
        (OLD.replace("X = 1", "X = 2"), None),
        (OLD.replace("import os\n", ""), None),
        (OLD.replace("def one():\n    return X\n", ""), None),
        ("def (", None),
    ],
)
def test_only_what_means_something_else_is_touched(new, lines):
    assert touched_lines("a.py", OLD, new) == lines


def test_of_other_languages_and_of_new_files_everything_counts():
    assert touched_lines("a.js", "1", "2") is None
    assert touched_lines("a.py", None, "x = 1\n") is None
