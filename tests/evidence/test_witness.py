"""What pytest says of tests comes through the witness, and what tries to speak in its place is found out."""

import pytest

from obra_tui.core.model import CaseOutcome, CheckSpec, CheckStatus, Stage
from tests.evidence.scene import make_scene

PYTEST = CheckSpec(name="pytest", run="python3 -m pytest -q", stage=Stage.TESTING)
TESTS = (
    "import calc\n\n\ndef test_add():\n    assert calc.add(2, 3) == 5\n\n\n"
    "def test_zero():\n    assert calc.add(0, 0) == 0\n"
)
GOOD = "def add(a, b):\n    return a + b\n"
BAD = "def add(a, b):\n    return a - b - 1\n"


@pytest.fixture
def run(tmp_path):
    async def of(files, spec=PYTEST):
        scene = make_scene(tmp_path)
        copy, _ = await scene.work(files)
        return await scene.checks().run(spec, copy, lambda _: None)

    return of


async def test_every_test_has_a_name_and_an_outcome(run):
    tests = (
        "import pytest\n\ndef test_good(): pass\n\ndef test_bad(): assert 0\n\n"
        "@pytest.mark.skip\ndef test_not(): pass\n"
        "\n@pytest.mark.xfail\ndef test_known(): assert 0\n\n@pytest.fixture\ndef broken(): raise ValueError\n"
        "\ndef test_setup(broken): pass\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_n(n): pass\n"
    )
    result = await run({"test_a.py": tests})
    assert dict(result.cases.items()) == {
        "test_a.py::test_good": CaseOutcome.PASSED,
        "test_a.py::test_bad": CaseOutcome.FAILED,
        "test_a.py::test_not": CaseOutcome.SKIPPED,
        "test_a.py::test_known": CaseOutcome.SKIPPED,
        "test_a.py::test_setup": CaseOutcome.ERROR,
        "test_a.py::test_n[1]": CaseOutcome.PASSED,
        "test_a.py::test_n[2]": CaseOutcome.PASSED,
    }
    assert (result.reported_by, result.passed, result.failed, result.skipped) == ("witness", 3, 2, 2)


async def test_the_tests_that_must_fail_are_not_seen_in_the_output_nor_counted(run):
    result = await run({"calc.py": GOOD, "test_calc.py": TESTS})
    assert result.status is CheckStatus.PASSED and "2 passed" in result.output and "fail" not in result.output


async def test_addopts_for_the_cache_do_no_harm(run):
    files = {"calc.py": GOOD, "test_calc.py": TESTS, "pytest.ini": "[pytest]\naddopts = --ff -p no:cacheprovider\n"}
    assert (await run({**files, "pytest.ini": "[pytest]\naddopts = --ff\n"})).status is CheckStatus.PASSED


TAMPERING = {
    "ends with success": "import os\nos._exit(0)\n",
    "ends with success in the test": GOOD + "import os\nadd = lambda a, b: os._exit(0)\n",
    "asks pytest to end with success": BAD + "import pytest\ndef add(a, b): pytest.exit('done', returncode=0)\n",
    "leaves with success": BAD + "def add(a, b): raise SystemExit(0)\n",
    "skips from inside": "import pytest\ndef add(a, b): pytest.skip('later')\n",
    "replaces how a test is called": BAD + "import _pytest.python as p\np.Function.runtest = lambda self: None\n",
    "replaces what a report says": BAD + "import _pytest.reports as r\nold = r.TestReport.from_item_and_call.__func__\n"
    "def new(cls, item, call):\n    report = old(cls, item, call)\n    report.outcome = 'passed'\n"
    "    report.longrepr = None\n    return report\nr.TestReport.from_item_and_call = classmethod(new)\n",
    "replaces it for the tests that it knows": BAD
    + "import _pytest.reports as r\nold = r.TestReport.from_item_and_call.__func__\n"
    "def new(cls, item, call):\n    report = old(cls, item, call)\n"
    "    if item.nodeid == 'test_calc.py::test_add':\n"
    "        report.outcome = 'passed'\n        report.longrepr = None\n"
    "    return report\nr.TestReport.from_item_and_call = classmethod(new)\n",
    "replaces how an exception is kept": BAD + "import _pytest.runner as r\nold = r.CallInfo.from_call\n"
    "def new(func, when, reraise=None):\n    return old(lambda: None, when, reraise)\nr.CallInfo.from_call = new\n",
    "registers a plugin": BAD + "import gc, pytest\nfrom _pytest.config import Config\n"
    "class P:\n    @pytest.hookimpl(tryfirst=True)\n    def pytest_pyfunc_call(self, pyfuncitem): return True\n"
    "[c for c in gc.get_objects() if isinstance(c, Config)][0].pluginmanager.register(P())\n",
    "writes into every descriptor": BAD
    + "import os\nfor n in range(3, 1024):\n    try:\n        os.write(n, b'{\"result\": 1}\\n')\n"
    "    except OSError:\n        pass\n",
    "takes the tests away": BAD + "import gc\nfrom _pytest.main import Session\n"
    "def add(a, b):\n    for s in gc.get_objects():\n"
    "        if isinstance(s, Session): s.items.clear()\n    return a + b\n",
}


@pytest.mark.parametrize("calc", TAMPERING.values(), ids=TAMPERING)
async def test_code_under_test_cannot_make_its_tests_pass(run, calc):
    result = await run({"calc.py": calc, "test_calc.py": TESTS})
    assert result.status in (CheckStatus.BROKEN, CheckStatus.FAILED), result.output


PLANTED = {
    "a module of the runner": {"pytest.py": "def main(*a, **k): return 0\n", "_pytest/__init__.py": ""},
    "a module that the interpreter loads": {"sitecustomize.py": "import os\nos._exit(0)\n"},
    "a module that the witness needs": {"json.py": "raise SystemExit(0)\n", "socket.py": "raise SystemExit(0)\n"},
    "a plugin by its metadata": {
        "evil-1.dist-info/entry_points.txt": "[pytest11]\nevil = evil\n",
        "evil-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1\n",
        "evil.py": "import os\nos._exit(0)\n",
    },
}


@pytest.mark.parametrize("files", PLANTED.values(), ids=PLANTED)
async def test_what_lies_in_the_tree_is_not_taken_for_the_runner(run, files):
    result = await run({"calc.py": BAD, "test_calc.py": TESTS, **files})
    assert result.status in (CheckStatus.BROKEN, CheckStatus.FAILED), result.output


@pytest.mark.parametrize(
    "command",
    [
        "PYTHONPATH=src python3 -m pytest -q",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest -q --junitxml=\"$OBRA_JUNIT\" -o 'addopts='",
        "python3 -m pytest -q -p no:cacheprovider tests/test_own.py::test_it",
        "pytest -q tests",
    ],
)
async def test_a_command_line_keeps_its_meaning(run, command):
    files = {
        "src/own/__init__.py": "WHAT = 1\n",
        "tests/test_own.py": "from own import WHAT\n\n\ndef test_it():\n    assert WHAT == 1\n",
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\n',
    }
    result = await run(files, CheckSpec(name="pytest", run=command))
    assert (result.status, result.reported_by) == (CheckStatus.PASSED, "witness"), result.output


async def test_a_command_with_more_than_pytest_in_it_runs_as_it_is_and_names_no_tests(run):
    result = await run(
        {"calc.py": GOOD, "test_calc.py": TESTS}, CheckSpec(name="t", run="cd . && python3 -m pytest -q")
    )
    assert (result.status, result.cases, result.is_weak) == (CheckStatus.PASSED, None, True)


async def test_tests_that_ran_on_another_copy_of_the_project_show_nothing(tmp_path):
    """Installed without `-e`, a project with `src/` is tested as it was when the set-up ran."""
    site = ".venv/lib/python3.1/site-packages"
    setup = (
        f"mkdir -p {site}/own && echo WHAT = 1 > {site}/own/__init__.py && mkdir .venv/bin && touch .venv/bin/x",
        f'printf "import sys; sys.path.append(\'%s\')\n" "$PWD/{site}" > .venv/conftest_path.py',
    )
    scene = make_scene(tmp_path, {"a.txt": ""}, setup=setup)
    files = {
        "src/own/__init__.py": "WHAT = 2\n",
        "conftest.py": f"import sys, os\nsys.path.append(os.path.abspath('{site}'))\n",
        "test_own.py": "import own\n\n\ndef test_it():\n    assert own.WHAT\n",
    }
    copy, _ = await scene.work(files)
    result = await scene.checks().run(PYTEST, copy, lambda _: None)
    assert result.status is CheckStatus.BROKEN
    assert "other code than the project's: own (" in result.detail and "`-e`" in result.detail
