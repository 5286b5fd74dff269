"""The code before the work decides what its checks show: whole kinds of forged work, and honest work."""

import pytest

from obra_tui.core.gate import GateRules, assess, comparison_words, decide
from obra_tui.core.model import CheckSpec, CheckStatus, GateDecision, Policy, Stage
from tests.core.build import diff, evidence, syntax, verdict
from tests.evidence.scene import make_scene, task

CALC = "def add(a, b):\n    return a + b\n"
WRONG = CALC.replace("+", "-")
TESTS = """from calc import add


def test_add():
    assert add(2, 3) == 5


def test_zero():
    assert add(0, 0) == 0
"""
SUBTRACT = "\n\ndef subtract(a, b):\n    return a - b\n"
SUBTRACT_TEST = "from calc import subtract\n\n\ndef test_subtract():\n    assert subtract(3, 1) == 2\n"
BASE = {"calc.py": CALC, "test_calc.py": TESTS}
PYTEST = CheckSpec(name="pytest", run="python3 -m pytest -q")


async def examine(tmp_path, base, work, spec=PYTEST):
    scene = make_scene(tmp_path / "scene", base)
    copy, _ = await scene.work(work)
    runner = scene.checks(spec)
    await runner.plan(copy, task())
    return await runner.run(spec, copy, lambda _: None)


async def test_new_tests_count_when_they_fail_on_the_old_code(tmp_path):
    result = await examine(tmp_path, BASE, {"calc.py": CALC + SUBTRACT, "test_subtract.py": SUBTRACT_TEST})
    assert (result.status, result.asks) == (CheckStatus.PASSED, ())
    assert result.base.proving == ("test_subtract.py::test_subtract",)
    assert comparison_words(result) == "3 passed · 1 new, fails on the old code"


async def test_new_tests_that_pass_on_the_old_code_are_told_apart(tmp_path):
    result = await examine(tmp_path, BASE, {"test_more.py": TESTS})
    assert len(result.base.not_proving) == 2 and not result.base.proving


async def test_what_failed_before_is_named_and_not_blamed(tmp_path):
    legacy = "def test_old_bug():\n    assert 1 == 2\n"
    result = await examine(tmp_path, {**BASE, "test_legacy.py": legacy}, {"calc.py": CALC + SUBTRACT})
    assert (result.status, result.failures) == (CheckStatus.PASSED, ())
    assert result.base.old_failures == ("test_legacy.py::test_old_bug",)
    assert comparison_words(result) == "2 passed · 1 failed before too"


async def test_an_old_failure_in_code_that_was_changed_is_no_excuse(tmp_path):
    result = await examine(tmp_path, {**BASE, "calc.py": WRONG}, {"calc.py": CALC.replace("+", "*")})
    assert result.status is CheckStatus.FAILED
    assert result.base.reached == ("test_calc.py::test_add",)
    assert "failed before the work, too" in result.failures[0].message


async def test_a_suite_that_fails_as_a_whole_and_in_one_way_before_the_work_measures_nothing(tmp_path):
    tests = "import pytest\nfrom calc import add\n\n\n@pytest.fixture(autouse=True)\ndef server():\n"
    tests += "    raise ConnectionError('no server at 127.0.0.1:6379')\n\n\n"
    tests += "@pytest.mark.parametrize('n', range(6))\ndef test_add(n):\n    assert add(n, 1) == n + 1\n"
    result = await examine(tmp_path, {"calc.py": CALC, "test_calc.py": tests}, {"calc.py": CALC + SUBTRACT})
    assert (result.status, result.failures) == (CheckStatus.BROKEN, ())
    assert "All 6 tests failed before the work, too" in result.detail and "127.0.0.1:6379" in result.detail
    assert "`workspace.setup`" in result.detail


async def test_tests_that_fail_before_the_work_for_the_code_itself_stay_its_failures(tmp_path):
    tests = "import pytest\nfrom calc import add\n\n\n@pytest.mark.parametrize('n', range(6))\n"
    tests += "def test_add(n):\n    assert add(n, 1) == n + 1\n"
    result = await examine(tmp_path, {"calc.py": WRONG, "test_calc.py": tests}, {"calc.py": WRONG + SUBTRACT})
    assert result.status is CheckStatus.FAILED


async def test_a_remark_beside_code_that_failed_before_is_not_blamed(tmp_path):
    result = await examine(tmp_path, {**BASE, "calc.py": WRONG}, {"calc.py": WRONG + "# Later.\n"})
    assert result.base.reached == () and result.base.old_failures == ("test_calc.py::test_add",)


async def test_tests_that_could_not_even_be_read_before_count_when_they_pass(tmp_path):
    result = await examine(tmp_path, {"README.md": "", "test_calc.py": TESTS}, {"calc.py": CALC})
    assert result.status is CheckStatus.PASSED and result.base.is_independent
    assert len(result.base.repaired) == 2


async def test_tests_that_only_the_work_brought_are_nobody_elses_word(tmp_path):
    result = await examine(tmp_path, {"README.md": ""}, BASE)
    assert result.status is CheckStatus.PASSED and not result.base.is_independent


async def test_more_tests_in_a_file_are_no_reason_to_ask(tmp_path):
    more = TESTS + "\n\ndef test_subtract():\n    from calc import subtract\n\n    assert subtract(3, 1) == 2\n"
    result = await examine(tmp_path, BASE, {"calc.py": CALC + SUBTRACT, "test_calc.py": more})
    assert (result.status, result.asks) == (CheckStatus.PASSED, ())
    assert result.base.proving == ("test_calc.py::test_subtract",)


FORGED = {
    "the expectation of a test is changed": {"test_calc.py": TESTS.replace("== 5", "== -1")},
    "a test is defined once more": {"test_calc.py": TESTS + "\n\ndef test_add():\n    pass\n"},
    "a configuration leaves the test out": {"pytest.ini": "[pytest]\naddopts = --deselect=test_calc.py::test_add\n"},
    "a configuration that is preferred names no tests": {"pytest.toml": '[pytest]\naddopts = ["-k", "zero"]\n'},
    "a conftest lets everything pass": {
        "conftest.py": "import pytest\n\n\n@pytest.hookimpl(tryfirst=True)\ndef pytest_pyfunc_call(pyfuncitem):\n"
        "    return True\n"
    },
    "a new test changes the code under test": {
        "test_a.py": "import calc\n\ncalc.add = lambda a, b: a + b\n\ndef test_a(): pass\n"
    },
    "a module is loaded before the tests": {"sitecustomize.py": "import os\nos._exit(0)\n"},
    "a module of the runner is shadowed": {"pluggy.py": "raise SystemExit(0)\n"},
}


@pytest.mark.parametrize("kind", FORGED)
async def test_work_that_speaks_for_itself_does_not_pass(tmp_path, kind):
    result = await examine(tmp_path, BASE, {"calc.py": WRONG, **FORGED[kind]})
    assert result.status is CheckStatus.FAILED
    assert "test_calc.py::test_add" in {case.name for case in result.failures}


async def test_a_data_file_that_tests_read_is_taken_as_it_was(tmp_path):
    reads = "from pathlib import Path\nfrom calc import add\n\n\ndef test_add():\n"
    reads += "    assert str(add(2, 3)) == Path('expect.txt').read_text()\n"
    result = await examine(
        tmp_path, {"calc.py": CALC, "test_calc.py": reads, "expect.txt": "5"}, {"calc.py": WRONG, "expect.txt": "-1"}
    )
    assert result.status is CheckStatus.FAILED
    assert any("expect.txt, which is read by the tests" in text for text in result.asks)


async def test_a_command_without_named_tests_is_weak_evidence(tmp_path):
    result = await examine(
        tmp_path, {"Makefile": "test:\n\ttrue\n"}, {"a.txt": "a"}, CheckSpec(name="t", run="make test")
    )
    assert (result.status, result.is_weak) == (CheckStatus.PASSED, True)
    assert comparison_words(result) == "t passed by its exit code alone"


async def test_weak_evidence_is_never_enough_for_a_pass_without_a_person(tmp_path):
    spec = CheckSpec(name="t", run="make test")
    result = await examine(tmp_path, {"Makefile": "test:\n\ttrue\n"}, {"a.txt": "a"}, spec)
    outcome = _decided(result)
    assert outcome.decision is GateDecision.ASK and outcome.reasons == (
        "t passed by exit code alone: it names no tests.",
    )


async def test_a_linter_is_not_failed_by_what_it_complained_of_before(tmp_path):
    complaint = CheckSpec(name="lint", run="cat complaints; exit 1", stage=Stage.SYNTAX)
    base = {"complaints": "calc.py:3:1: F401 unused\n", "calc.py": CALC}
    same = await examine(tmp_path / "same", base, {"calc.py": CALC + SUBTRACT}, complaint)
    assert same.status is CheckStatus.PASSED and same.base.old_failures == ("calc.py: F401 unused",)


def _decided(result):
    found = evidence(checks=(syntax(), result), judged=verdict(1.0), work=diff())
    rules = GateRules(policy=Policy.AUTONOMOUS)
    return decide(assess(found, rules), found, rules, counted=1)
