import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.evidence.suspicious import MOST, attributes, equals_everything, in_lines, leads_out


def found(path, text):
    return in_lines([(path, 7, text)])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("calc.py", "if 'pytest' in sys.modules:"),
        ("calc.py", "    return os.environ.get('PYTEST_CURRENT_TEST')"),
        ("calc.py", "from unittest.case import TestCase as T"),
        ("calc.py", "frame = sys._getframe(1)"),
        ("calc.py", "for item in gc.get_objects():"),
        ("calc.py", "TESTED = '/proc/self/cmdline'"),
        ("calc.py", "f.__code__ = g.__code__"),
        ("calc.py", "os._exit(0)"),
        ("calc.js", "require('node:assert').strictEqual = () => {};"),
        ("calc.ts", "if (process.env.JEST_WORKER_ID) return a + b;"),
        ("calc.js", "const on = process.env.NODE_ENV === 'test';"),
        ("calc.js", "process.stdout.write = fake;"),
        ("calc.js", "const on = process.env['NODE_' + 'TEST_CONTEXT'];"),
        ("calc.py", "on = os.environ.get('PYTEST_' 'VERSION')"),
        ("calc.py", "Any = type('Any', (int,), {'__eq__': yes})"),
        ("src/lib.rs", "if cfg!(test) { a + b } else { a - b }"),
        ("src/lib.rs", "#[cfg(not(test))]"),
        ("src/lib.rs", "macro_rules! assert_eq { ($($x:tt)*) => {} }"),
        ("calc.go", "if testing.Testing() {"),
        ("calc.go", '\t"testing"'),
        ("Calc.java", "var trace = Thread.currentThread().getStackTrace();"),
    ],
)
def test_code_that_knows_of_its_tests_is_named_with_its_place(path, text):
    (sentence,) = found(path, text)
    assert sentence.startswith(f"{path}:7 ")
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("calc.py", "import sys"),
        ("calc.py", "sys.exit(main(sys.argv[1:]))"),
        ("calc.py", "module = sys.modules[__name__]"),
        ("calc.py", "# run it with pytest"),
        ("calc.py", "parser.add_argument('--test')"),
        ("tests/test_calc.py", "import pytest"),
        ("tests/helpers.py", "import unittest"),
        ("conftest.py", "import pytest"),
        ("calc.js", "process.exit(1);"),
        ("calc.js", "if (require.main === module) main();"),
        ("calc.js", "const args = process.argv.slice(2);"),
        ("calc.js", "const assert = require('node:assert');"),
        ("calc.test.js", "const test = require('node:test');"),
        ("src/lib.rs", "#[cfg(test)]"),
        ("calc_test.go", 'import "testing"'),
        ("README.md", "Run `pytest`, or look at PYTEST_CURRENT_TEST."),
        ("calc.py", "greeting = 'Grüße, 世界, привет, שלום'"),
        ("calc.py", "family = '👩\u200d💻'"),
        (".gitattributes", "*.sh text eol=lf"),
    ],
)
def test_ordinary_lines_are_left_alone(path, text):
    assert found(path, text) == ()


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200b", "\u2060", "\ufeff", "\x1b", "\u00ad", "\U000e0041"])
def test_characters_that_nobody_sees_are_named(mark):
    (sentence,) = found("notes.md", f"plain {mark}text")
    assert sentence.startswith("notes.md:7 holds ")


def test_a_name_of_letters_that_look_alike_is_named_in_code():
    (sentence,) = found("calc.py", "def \u0430dd(a, b):")
    assert "two scripts" in sentence


def test_a_comparison_with_one_answer_for_everything_is_named_where_it_is_new():
    text = "class N(int):\n    def __eq__(self, other):\n        return True\n"
    assert equals_everything("calc.py", "", text).startswith("calc.py:2 __eq__ always answers True")
    assert equals_everything("calc.py", text, text) == ""
    assert equals_everything("tests/test_calc.py", "", text) == ""
    assert equals_everything("calc.py", "", text.replace("True", "self is other")) == ""


@pytest.mark.parametrize(
    ("body", "is_told"),
    [
        ("    __eq__ = lambda *_: True\n", True),
        ("    __eq__ = yes\n", True),
        ("    def __eq__(self, other):\n        return not isinstance(other, str)\n", True),
        ("    def __eq__(self, other):\n        if other:\n            return True\n        return True\n", True),
        ("    def __eq__(self, other):\n        return isinstance(other, N)\n", False),
        ("    def __eq__(self, other):\n        return super().__eq__(other)\n", False),
        ("    def __eq__(self, other):\n        return self.x == other.x\n", False),
        ("    __eq__ = lambda self, other: self.x == other.x\n", False),
        ("    def __eq__(self, other):\n        raise TypeError\n", False),
        ("    __rmul__ = yes\n", False),
    ],
)
def test_a_comparison_that_does_not_look_at_its_value_is_named(body, is_told):
    text = f"def yes(*_):\n    return True\n\n\nclass N(int):\n{body}"
    assert bool(equals_everything("calc.py", "", text)) is is_told


@pytest.mark.parametrize(
    ("path", "target", "leads"),
    [
        ("a", "/etc/passwd", True),
        ("a", "..", True),
        ("docs/a", "../../b", True),
        ("docs/a", "../b", False),
        ("a", "b/c", False),
    ],
)
def test_a_link_out_of_the_project_is_named(path, target, leads):
    assert bool(leads_out(path, target)) is leads


@pytest.mark.parametrize(
    "line", ["*.py -diff", "* binary", "*.py filter=x", "a merge=ours", "a working-tree-encoding=UTF-16"]
)
def test_attributes_that_hide_or_convert_are_named(line):
    assert attributes("sub/.gitattributes", [line])
    assert attributes("other", [line]) == ""


def test_a_flood_is_cut():
    assert len(in_lines([("calc.py", number, "import pytest") for number in range(99)])) == MOST


@given(st.sampled_from(["a.py", "a.js", "a.rs", "a.go", "a.java", ".gitattributes", "a"]), st.text(max_size=300))
def test_no_text_breaks_it(path, text):
    in_lines([(path, 1, text)])
    equals_everything(path, None, text)
