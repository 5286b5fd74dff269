import subprocess
import sys

import pytest

from obra_tui.evidence.must_fail import nearest, planted
from obra_tui.evidence.serving_tests import may_serve_tests, serves_tests
from tests.adversary.works import CALC, CLASS_TESTS, JS, JS_TESTS, Work
from tests.evidence.scene import make_scene, task

MARK = "kabc"


def test_a_python_test_that_must_fail_lies_beside_the_others_and_loads_the_changed_code_first():
    (found,) = planted(("tests/test_a.py",), {"src/calc.py": CALC}, ("src/calc.py",), MARK)
    assert found.path == "tests/test_kabc.py"
    assert found.text.index("import calc") < found.text.index("assertEqual")


def test_every_way_of_comparing_fails_where_nobody_touched_it(tmp_path):
    (found,) = planted(("test_a.py",), {"calc.py": CALC}, ("calc.py",), MARK)
    (tmp_path / found.path).write_text(found.text)
    (tmp_path / "calc.py").write_text(CALC)
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "-v", found.path.removesuffix(".py")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode
    assert " ... ok" not in done.stderr


@pytest.mark.parametrize(
    ("test", "text", "wanted", "name"),
    [
        ("a.test.js", "const test = require('node:test');", "require('node:test')", "kabc.test.js"),
        ("test/a.mjs", "import test from 'node:test';", "import { test } from 'node:test'", "test/kabc.mjs"),
        ("a.spec.ts", "import { it, expect } from 'vitest';\nexpect(1)", "expect(1).toBe(2)", "kabc.spec.ts"),
        ("a_test.js", "describe('x', () => {});", "globalThis.it", "kabc_test.js"),
    ],
)
def test_a_test_of_javascript_is_written_in_the_manner_of_the_others(test, text, wanted, name):
    (found,) = planted((test,), {"calc.js": JS, test: text}, ("calc.js",), MARK)
    assert found.path == name
    assert wanted in found.text


def test_go_and_rust_get_one_in_the_changed_package():
    texts = {"p/calc.go": "package p\n", "src/lib.rs": "fn a() {}\n#[test]\nfn b() {}\n"}
    go, rust = planted(("p/calc_test.go",), texts, ("p/calc.go", "src/lib.rs"), MARK)
    assert (go.path, rust.path) == ("p/kabc_test.go", "src/lib.rs")
    assert rust.text.startswith(texts["src/lib.rs"])


def test_nothing_is_laid_where_there_are_no_tests_or_no_code_was_changed():
    assert planted((), {"calc.py": CALC}, ("calc.py",), MARK) == ()
    assert planted(("test_a.py",), {"README.md": "x"}, ("README.md",), MARK) == ()


def test_the_tests_next_to_the_change_come_first():
    assert nearest(["a/test_a.py", "b/c/test_b.py"], ["b/c/calc.py"])[0] == "b/c/test_b.py"


@pytest.mark.parametrize(
    ("path", "text", "may"),
    [
        ("vectors.py", "CASES = [(1, 2)]\n", True),
        ("comparing.py", "def same(a, b):\n    assert a == b\n", True),
        ("calc.py", "def add(a, b):\n    return a + b\n", False),
        ("calc.py", "def check(a):\n    assert a\n    return a\n", False),
        ("same.js", "module.exports = (a, b) => { if (a !== b) throw new Error(); };", True),
        ("calc.js", "exports.add = (a, b) => a + b;", False),
        ("cases.json", "[]", True),
        ("greetings.py", '"""Words to greet with."""\n', False),
        ("together.py", "from calc import add\n", False),
        ("started.py", "import calc\n\ncalc.run()\n", False),
    ],
)
def test_what_a_file_consists_of_says_whether_it_may_serve_tests_alone(path, text, may):
    assert may_serve_tests(path, text) is may


def test_what_other_code_mentions_belongs_to_the_code():
    assert serves_tests(["test_a.py"], ["test_a.py"], "vectors.py")
    assert not serves_tests(["test_a.py", "calc.py"], ["test_a.py"], "vectors.py")
    assert not serves_tests([], ["test_a.py"], "vectors.py")


async def _asks(tmp_path, work):
    scene = make_scene(tmp_path, work.base)
    copy, _ = await scene.work({name: text for name, text in work.files.items() if text})
    runner = scene.checks(*work.checks)
    specs = [spec for spec in await runner.plan(copy, task()) if spec.stage == "testing"]
    return [ask for spec in specs for ask in (await runner.run(spec, copy, lambda _: None)).asks]


@pytest.mark.parametrize(
    "patch", ["", "const a = require('ass' + 'ert');\nfor (const k of Object.keys(a)) a[k] = () => {};\n"]
)
async def test_a_runner_that_passes_what_must_fail_is_not_believed(tmp_path, patch):
    package = '{"name": "calc", "version": "1.0.0", "scripts": {"test": "node --test"}}\n'
    base = {"calc.js": JS, "calc.test.js": JS_TESTS, "package.json": package}
    asks = await _asks(tmp_path, Work("", base, {"calc.js": patch + JS + "// more\n"}))
    assert [ask for ask in asks if "cannot be believed" in ask] == asks
    assert bool(asks) is bool(patch)


async def test_work_that_replaces_parts_of_unittest_is_told(tmp_path):
    base = {"calc.py": CALC, "tests/__init__.py": "", "tests/test_calc.py": CLASS_TESTS}
    patch = "import unittest\n\nsetattr(unittest.TestCase, 'assert' + 'Equal', lambda *_: None)\n"
    asks = await _asks(tmp_path, Work("", base, {"calc.py": patch + CALC}))
    assert any("unittest.case.TestCase.assertEqual" in ask for ask in asks)


async def test_work_that_looks_at_others_objects_is_told(tmp_path):
    base = {
        "calc.py": CALC,
        "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    }
    asks = await _asks(tmp_path, Work("", base, {"calc.py": "import gc\n\ngetattr(gc, 'get_' + 'objects')()\n" + CALC}))
    assert any("gc.get_objects by calc.py" in ask for ask in asks)
