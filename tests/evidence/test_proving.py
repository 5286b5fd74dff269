"""Planted faults are proved by the project's own tests, or thrown away."""

import time
from collections import Counter

import pytest

from obra_tui.core.model import CheckSpec
from obra_tui.evidence.planting import faults_in, with_comment
from obra_tui.evidence.proving import Bench
from tests.evidence.scene import git, make_scene, task

WORK = """def grade(points, limit):
    if points >= limit:
        return "good"
    return "poor"


def total(prices):
    result = 0
    for price in prices:
        result += price
    return result


def unseen(a, b):
    return a * b
"""
TESTS = """from shop import grade, total


def test_grade():
    assert grade(5, 5) == "good"
    assert grade(4, 5) == "poor"


def test_total():
    assert total([1, 2]) == 3
"""
PYTEST = CheckSpec(name="pytest", run="python3 -m pytest -q")


async def bench(tmp_path, work=WORK, spec=PYTEST):
    scene = make_scene(tmp_path / "scene", {"README.md": "# Shop\n"})
    _, diff = await scene.work({"shop.py": work, "tests/test_shop.py": TESTS, "conftest.py": ""})
    accepted = await scene.accept(diff)
    return scene, Bench(scene.workspace, scene.checks(spec), task(), accepted.commit, diff), diff


@pytest.mark.timeout(600)
async def test_a_fault_is_kept_with_the_tests_that_find_it_and_shown_as_the_whole_change(tmp_path):
    scene, planting, shown = await bench(tmp_path)
    planted = await planting.prove_faults(1, Counter(), time.monotonic() + 500)
    assert planted.refused == ""
    assert len([item for item in planted.proved if not item.is_injected]) == 1
    for item in planted.proved:
        assert item.proof.tests and item.proof.runs == 2 and item.proof.base_runs == 2
        assert item.diff.base_commit == shown.base_commit
        assert {change.path for change in item.diff.files} == {change.path for change in shown.files}
        assert item.diff.patch != shown.patch
        assert item.fault.path == "shop.py" and item.fault.line not in (14, 15)
    (injected,) = [item for item in planted.proved if item.is_injected]
    assert "Reviewer:" in injected.diff.patch
    assert git(scene.project, "status", "--porcelain") == ""


@pytest.mark.timeout(600)
async def test_a_base_whose_checks_do_not_pass_any_more_is_said_and_gives_nothing(tmp_path):
    _, planting, _ = await bench(tmp_path, WORK.replace(">=", ">"))
    planted = await planting.prove_faults(3, Counter(), time.monotonic() + 300)
    assert planted.proved == ()
    assert "its own checks do not pass any more (pytest)" in planted.refused


async def test_without_a_check_that_runs_tests_nothing_is_planted(tmp_path):
    _, planting, _ = await bench(tmp_path, spec=CheckSpec(name="compile", run="true", stage="syntax"))
    assert "no check runs its tests" in (await planting.prove_faults(3, Counter(), time.monotonic() + 60)).refused


CODE = {
    "a.py": ("if a < 1:\n    b(c, d)\n", {"boundary", "constant", "omitted call", "swapped arguments", "condition"}),
    "a.js": ("if (a < 1) { b(c, d); }\n", {"boundary", "constant", "omitted call", "swapped arguments", "condition"}),
    "a.go": ("package a\nfunc f(a int) bool {\n\treturn a == 1 && true\n}\n", {"comparison", "constant", "logic"}),
    "a.rs": ("fn f(a: i32) -> bool { a == 1 && true }\n", {"comparison", "constant", "logic"}),
    "A.java": ("class A { boolean f(int a) { return a == 1 && true; } }\n", {"comparison", "constant", "logic"}),
    "a.kt": ("fun f(a: Int) = a == 1 && true\n", {"comparison", "constant", "logic"}),
    "a.rb": ("def f(a) a < 1 end\n", {"boundary", "constant"}),
}


@pytest.mark.quick
@pytest.mark.parametrize("path", CODE)
def test_faults_are_found_in_every_language_and_leave_text_that_can_be_read(path):
    text, kinds = CODE[path]
    found = list(faults_in(path, text, range(1, 20)))
    assert kinds <= {fault.kind for fault in found}
    assert all(fault.text != text and fault.text.count("\n") >= text.count("\n") - 1 for fault in found)


@pytest.mark.quick
def test_only_lines_of_the_change_are_touched_and_generics_are_no_comparison():
    text = "let a: Vec<u8> = b;\nlet c = d < 1;\n"
    found = list(faults_in("x.rs", f"fn f() {{\n{text}}}\n", [2]))
    assert found == []


@pytest.mark.quick
def test_what_cannot_be_parsed_gets_no_faults():
    assert list(faults_in("x.py", "def (:\n    1 + 2\n", [1, 2])) == []


@pytest.mark.quick
def test_an_order_stands_in_a_comment_of_the_language():
    assert with_comment("x.py", "a = 1\nb = 2", 1, "hello") == "a = 1  # hello\nb = 2"
    assert with_comment("x.rs", "let a = 1;", 1, "hello") == "let a = 1;  // hello"
