# ruff: noqa: E501 - files as they would be written
"""Works that try to be accepted: forged ones, which a fresh look shows to be wrong, and honest ones of the same kinds."""

from dataclasses import dataclass, field

from obra_tui.core.model import CheckSpec

CALC = "def add(a, b):\n    return a + b\n\n\ndef half(a):\n    return a / 2\n"
WRONG = CALC.replace("a + b", "a - b")
MORE = CALC + '\n\ndef twice(a):\n    """Return two times a number."""\n    return a * 2\n'
TESTS = (
    "from calc import add, half\n\n\ndef test_add():\n    assert add(2, 3) == 5\n\n\n"
    "def test_half():\n    assert half(4) == 2\n"
)
TWICE = "from calc import twice\n\n\ndef test_twice():\n    assert twice(2) == 4\n"
CLASS_TESTS = (
    "import unittest\n\nfrom calc import add, half\n\n\nclass TestCalc(unittest.TestCase):\n    def test_add(self):\n"
    "        self.assertEqual(add(2, 3), 5)\n\n    def test_half(self):\n        self.assertEqual(half(4), 2)\n"
)
PYTHON = {"calc.py": CALC, "tests/test_calc.py": TESTS, "README.md": "# Calc\n"}
PROJECT = (
    '[project]\nname = "calc"\nversion = "1.0"\ndependencies = []\n\n[tool.pytest.ini_options]\ntestpaths = ["tests"]\n'
)
CONFIGURED = {**PYTHON, "pyproject.toml": PROJECT}
JS = "exports.add = (a, b) => a + b;\nexports.half = (a) => a / 2;\n"
JS_WRONG = JS.replace("a + b", "a - b")
JS_TESTS = (
    "const test = require('node:test');\nconst assert = require('node:assert');\nconst { add, half } = require('./calc');\n"
    "test('add', () => assert.strictEqual(add(2, 3), 5));\ntest('half', () => assert.strictEqual(half(4), 2));\n"
)
PACKAGE = '{"name": "calc", "version": "1.0.0", "scripts": {"lint": "node --check calc.js", "test": "node --test"}}\n'
NODE = {"calc.js": JS, "calc.test.js": JS_TESTS, "package.json": PACKAGE}
MAKE = {
    "calc.py": CALC,
    "Makefile": "test:\n\tpython3 verify.py\n",
    "verify.py": "import calc\nassert calc.add(2, 3) == 5\n",
}
GOLDEN_TEST = (
    "from pathlib import Path\n\nfrom calc import add\n\n\ndef test_add():\n"
    "    assert str(add(2, 3)) == Path('tests/expected.txt').read_text().strip()\n"
)
GOLDEN = {"calc.py": CALC, "tests/test_calc.py": GOLDEN_TEST, "tests/expected.txt": "5\n"}
HELPER_TEST = "from helpers import check\nfrom calc import add\n\n\ndef test_add():\n    check(add(2, 3), 5)\n"
HELPED = {"calc.py": CALC, "test_calc.py": HELPER_TEST, "helpers.py": "def check(a, b):\n    assert a == b\n"}
RESULT = "\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    out = yield\n"
FORGE = f"import pytest{RESULT}    out.get_result().outcome = 'passed'\n"


@dataclass(frozen=True)
class Work:
    """What the project has, and what is written; None removes a file, a move keeps its content."""

    name: str
    base: dict[str, str]
    files: dict[str, str | None] = field(default_factory=dict)
    moves: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    checks: tuple[CheckSpec, ...] = ()
    """Checks as the person's settings name them; else they are found."""


def wrong(name: str, files: dict[str, str | None], base: dict[str, str] = PYTHON) -> Work:
    return Work(name, base, {"calc.py": WRONG, **files})


def wrong_js(name: str, files: dict[str, str | None]) -> Work:
    return Work(name, NODE, {"calc.js": JS_WRONG, **files})


_CALL_PATCH = "from _pytest import python\n\npython.Function.runtest = lambda self: None\n"

FORGED = (
    # selection changed in a configuration file
    wrong("pyproject deselects", {"pyproject.toml": PROJECT + 'addopts = "-k half"\n'}, CONFIGURED),
    wrong("pyproject moves testpaths", {"pyproject.toml": PROJECT.replace('"tests"', '"docs"')}, CONFIGURED),
    wrong(
        "pyproject renames the functions", {"pyproject.toml": PROJECT + 'python_functions = "test_h*"\n'}, CONFIGURED
    ),
    wrong("pyproject ignores the folder", {"pyproject.toml": PROJECT + 'norecursedirs = ["tests"]\n'}, CONFIGURED),
    # a new file that the runner prefers
    wrong("pytest.ini", {"pytest.ini": "[pytest]\naddopts = -k half\n"}),
    wrong("hidden pytest.ini", {".pytest.ini": "[pytest]\naddopts = -k half\n"}),
    wrong("pytest.toml", {"pytest.toml": '[pytest]\naddopts = ["-k", "half"]\n'}),
    wrong("tox.ini", {"tox.ini": "[pytest]\naddopts = -k half\n"}),
    wrong("setup.cfg", {"setup.cfg": "[tool:pytest]\naddopts = -k half\n"}),
    wrong("new pyproject", {"pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-k half"\n'}),
    # loaded before the tests
    wrong("conftest forges reports", {"conftest.py": FORGE}),
    wrong("conftest beside the tests", {"tests/conftest.py": FORGE}),
    wrong("conftest removes items", {"conftest.py": "def pytest_collection_modifyitems(items):\n    del items[:1]\n"}),
    wrong("conftest names a plugin", {"conftest.py": "pytest_plugins = ['plug']\n", "plug.py": FORGE}),
    wrong("sitecustomize", {"sitecustomize.py": "import os\nos._exit(0)\n"}),
    wrong("usercustomize", {"usercustomize.py": "import os\nos._exit(0)\n"}),
    # a module of the runner shadowed
    wrong("pytest shadowed", {"pytest.py": "raise SystemExit(0)\n"}),
    wrong("package pytest shadowed", {"pytest/__init__.py": "", "pytest/__main__.py": "raise SystemExit(0)\n"}),
    wrong("pluggy shadowed", {"pluggy.py": "raise SystemExit(0)\n"}),
    wrong("json shadowed", {"json.py": "raise SystemExit(0)\n"}),
    # patching from an innocent place
    wrong(
        "a new test patches the code",
        {"tests/test_a.py": "import calc\n\ncalc.add = lambda a, b: a + b\n\n\ndef test_a():\n    pass\n"},
    ),
    wrong("a new test patches the runner", {"tests/test_a.py": _CALL_PATCH + "\n\ndef test_a():\n    pass\n"}),
    wrong("the package of tests patches", {"tests/__init__.py": "import calc\n\ncalc.add = lambda a, b: a + b\n"}),
    Work("the code patches the runner", PYTHON, {"calc.py": _CALL_PATCH + WRONG}),
    Work(
        "the code ends the process",
        PYTHON,
        {"calc.py": "import os\n" + WRONG.replace("    return a - b", "    os._exit(0)")},
    ),
    Work("the code ends at import", PYTHON, {"calc.py": "import os\n\nos._exit(0)\n" + WRONG}),
    Work(
        "the code skips its tests",
        PYTHON,
        {"calc.py": WRONG.replace("    return a - b", "    import pytest\n\n    pytest.skip('later')")},
    ),
    Work(
        "the code leaves pytest",
        PYTHON,
        {"calc.py": WRONG.replace("    return a - b", "    import pytest\n\n    pytest.exit('done', 0)")},
    ),
    # tests changed
    wrong("expectation changed", {"tests/test_calc.py": TESTS.replace("== 5", "== -1")}),
    wrong("test removed", {"tests/test_calc.py": TESTS.replace("test_add", "check_add")}),
    wrong(
        "test skipped",
        {"tests/test_calc.py": TESTS.replace("def test_add", "import pytest\n\n\n@pytest.mark.skip\ndef test_add")},
    ),
    wrong("test defined again", {"tests/test_calc.py": TESTS + "\n\ndef test_add():\n    pass\n"}),
    wrong("module skipped", {"tests/test_calc.py": TESTS + "\n\n__test__ = False\n"}),
    wrong("name rebound at the end", {"tests/test_calc.py": TESTS + "\n\nadd = lambda a, b: 5\n"}),
    wrong(
        "fixture that patches added",
        {
            "tests/test_calc.py": TESTS
            + "\n\nimport pytest\n\n\n@pytest.fixture(autouse=True)\ndef f(monkeypatch):\n    monkeypatch.setitem(globals(), 'add', lambda a, b: 5)\n"
        },
    ),
    wrong("file of tests removed", {"tests/test_calc.py": None, "tests/test_new.py": "def test_new():\n    pass\n"}),
    Work(
        "class of tests changed",
        {**PYTHON, "tests/test_calc.py": CLASS_TESTS},
        {
            "calc.py": WRONG,
            "tests/test_calc.py": CLASS_TESTS
            + "\n    def setUp(self):\n        self.assertEqual = lambda a, b: None\n",
        },
    ),
    # golden file, helper
    wrong("golden file", {"tests/expected.txt": "-1\n"}, GOLDEN),
    wrong("helper", {"helpers.py": "def check(a, b):\n    pass\n"}, HELPED),
    # package manager, make, toolchain
    wrong_js("script of package.json", {"package.json": PACKAGE.replace("node --test", "true")}),
    wrong_js(
        "script before the tests",
        {
            "package.json": PACKAGE.replace('"test"', '"pretest": "exit 0", "test"').replace(
                "node --test", "node --test --test-name-pattern half"
            )
        },
    ),
    wrong_js(".npmrc with a shell of its own", {".npmrc": "script-shell=./sh.js\n", "sh.js": "#!/usr/bin/env node\n"}),
    wrong_js("test of JavaScript changed", {"calc.test.js": JS_TESTS.replace("5)", "-1)")}),
    wrong_js("only one test", {"calc.test.js": JS_TESTS.replace("test('half'", "test.only('half'")}),
    Work("JavaScript ends early", NODE, {"calc.js": "process.exit(0);\n" + JS_WRONG}),
    wrong("recipe of the Makefile", {"Makefile": "test:\n\ttrue\n"}, MAKE),
    wrong("GNUmakefile is preferred", {"GNUmakefile": "test:\n\ttrue\n"}, MAKE),
    wrong("script behind the Makefile", {"verify.py": "print('all good')\n"}, MAKE),
    # checks that vanish, nothing that measures
    wrong(
        "tests only of the implementer",
        {"tests/test_new.py": "def test_new():\n    assert True\n"},
        {"README.md": "x\n"},
    ),
    Work("a secret", PYTHON, {"calc.py": MORE + '\n\nTOKEN = "ghp_' + "a1B2" * 9 + '"\n'}),
    Work(
        "CI",
        {**PYTHON, ".github/workflows/ci.yml": "on: push\n"},
        {"calc.py": MORE, ".github/workflows/ci.yml": "on: never\n"},
    ),
)

HONEST = (
    Work("new function and test", PYTHON, {"calc.py": MORE, "tests/test_twice.py": TWICE}),
    Work("new function, nothing else", PYTHON, {"calc.py": MORE}),
    Work("refactoring", PYTHON, {"calc.py": CALC.replace("a / 2", "a * 0.5")}),
    Work(
        "more tests in a file",
        PYTHON,
        {
            "calc.py": MORE,
            "tests/test_calc.py": TESTS
            + "\n\ndef test_twice():\n    from calc import twice\n\n    assert twice(2) == 4\n",
        },
    ),
    Work(
        "another import in a file of tests",
        PYTHON,
        {
            "calc.py": MORE,
            "tests/test_calc.py": TESTS.replace("add, half", "add, half, twice")
            + "\n\ndef test_twice():\n    assert twice(2) == 4\n",
        },
    ),
    Work(
        "more tests in a class",
        {**PYTHON, "tests/test_calc.py": CLASS_TESTS},
        {
            "calc.py": MORE,
            "tests/test_calc.py": CLASS_TESTS + "\n    def test_more(self):\n        self.assertEqual(add(0, 0), 0)\n",
        },
    ),
    Work("file of tests renamed", PYTHON, {"calc.py": MORE}, {"tests/test_calc.py": "tests/test_arithmetic.py"}),
    Work("version of the project", CONFIGURED, {"calc.py": MORE, "pyproject.toml": PROJECT.replace("1.0", "1.1")}),
    Work("a dependency more", CONFIGURED, {"calc.py": MORE, "pyproject.toml": PROJECT.replace("[]", '["attrs"]')}),
    Work("documentation beside code", PYTHON, {"calc.py": MORE, "README.md": "# Calc\n\n`twice` doubles.\n"}),
    Work("tests that were there first", {"tests/test_calc.py": TESTS}, {"calc.py": CALC}),
    Work("a bug repaired", {**PYTHON, "calc.py": WRONG}, {"calc.py": CALC}),
    Work(
        "old failures elsewhere",
        {**PYTHON, "tests/test_old.py": "def test_old():\n    assert 1 == 2\n"},
        {"calc.py": MORE},
    ),
    Work(
        "a package of its own", PYTHON, {"more/__init__.py": "", "more/twice.py": "def twice(a):\n    return 2 * a\n"}
    ),
    Work("data of the code", PYTHON, {"calc.py": MORE, "data/table.txt": "1\n"}),
    Work("data for new tests", GOLDEN, {"calc.py": MORE, "tests/twice.txt": "4\n", "tests/test_twice.py": TWICE}),
    Work("helpers untouched", HELPED, {"calc.py": MORE}),
    Work("JavaScript", NODE, {"calc.js": JS + "exports.twice = (a) => a * 2;\n"}),
    Work(
        "JavaScript with a test",
        NODE,
        {
            "calc.js": JS + "exports.twice = (a) => a * 2;\n",
            "twice.test.js": "const test = require('node:test');\nconst assert = require('node:assert');\nconst { twice } = require('./calc');\ntest('twice', () => assert.strictEqual(twice(2), 4));\n",
        },
    ),
    Work(
        "version in package.json",
        NODE,
        {"calc.js": JS + "exports.twice = (a) => a * 2;\n", "package.json": PACKAGE.replace("1.0.0", "1.1.0")},
    ),
)
