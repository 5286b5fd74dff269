"""What a slow suite runs first, what it is expected to take, and which runs another copy need not repeat."""

import shutil

import pytest

from obra_tui.core.model import CheckSpec, CheckStatus, Stage
from obra_tui.evidence import early
from obra_tui.evidence.affected import affected_tests, related_command
from obra_tui.evidence.experience import Experience
from tests.evidence.scene import make_scene, task

PYTEST = CheckSpec(name="pytest", run="python3 -m pytest -q", stage=Stage.TESTING)
PARTS = ("one", "two", "three", "four")
FILES = {
    **{f"app/{name}.py": f"def answer():\n    return '{name}'\n" for name in PARTS},
    "app/__init__.py": "",
    "app/user.py": "from . import one\n\n\ndef said():\n    return one.answer()\n",
    **{
        f"tests/test_{n}.py": f"from app import {n}\n\n\ndef test_it():\n    assert {n}.answer() == '{n}'\n"
        for n in PARTS
    },
    "tests/test_user.py": "import app.user\n\n\ndef test_said():\n    assert app.user.said() == 'one'\n",
    "tests/test_lone.py": "def test_lone():\n    assert True\n",
}


@pytest.fixture
def scene(tmp_path, monkeypatch):
    if shutil.which("bwrap") is None:
        pytest.skip("what was measured before is only kept where checks run in bubblewrap")
    monkeypatch.setattr(early, "SLOW_S", 0.001)
    return make_scene(tmp_path, FILES)


async def checked(scene, files):
    copy, _ = await scene.work(files)
    runner = scene.checks(PYTEST)
    specs = await runner.plan(copy, task())
    spec = next(spec for spec in specs if spec.name == "pytest")
    printed = []
    return spec, await runner.run(spec, copy, printed.append), printed


async def test_a_failure_of_what_the_change_touches_is_told_before_the_whole_runs_and_a_pass_never_is(scene):
    first, honest, _ = await checked(scene, {"README.md": "x\n"})
    assert (first.expected_s, honest.passed) == (None, 6)
    spec, broken, _ = await checked(scene, {"app/one.py": "def answer():\n    return 'none'\n"})
    assert spec.expected_s is not None
    assert (broken.status, broken.passed, broken.failed) == (CheckStatus.FAILED, 0, 2)
    assert "4 more tests did not run" in broken.detail
    assert {case.name for case in broken.failures} == {"tests/test_one.py::test_it", "tests/test_user.py::test_said"}
    _, repaired, _ = await checked(scene, {"app/one.py": "def answer():\n    return 'o' + 'ne'\n"})
    assert (repaired.status, repaired.passed, repaired.detail) == (CheckStatus.PASSED, 6, "")


async def test_what_failed_last_is_remembered(scene):
    await checked(scene, {"README.md": "x\n"})
    _, failed, _ = await checked(scene, {"app/__init__.py": "raise ValueError\n"})
    assert failed.status is CheckStatus.FAILED
    note = next((scene.data_dir / "results").glob("experience-*.json"))
    assert "tests/test_two.py" in Experience(note).of(PYTEST).failed


async def test_a_run_before_the_work_is_not_repeated_for_another_copy(scene):
    await checked(scene, {"README.md": "x\n"})
    kept = set((scene.data_dir / "results").iterdir())
    await checked(scene, {"README.md": "x\n"})
    assert set((scene.data_dir / "results").iterdir()) == kept


async def test_ignored_files_that_were_taken_along_are_a_part_of_what_a_run_is_kept_by(tmp_path):
    scene = make_scene(tmp_path, {**FILES, ".gitignore": ".env\n"}, include=(".env",))
    for text in ("A=1\n", "A=2\n"):
        (scene.project / ".env").write_text(text)
        await checked(scene, {"README.md": "x\n"})
    assert len([path for path in (scene.data_dir / "results").iterdir() if path.suffix != ".json"]) == 4


def test_tests_are_affected_through_modules_that_load_a_changed_one(tmp_path):
    files = {
        "src/pkg/__init__.py": "from .core import f\n",
        "src/pkg/core.py": "import os\n",
        "src/pkg/other.py": "",
        "tests/test_api.py": "import pkg\n",
        "tests/test_other.py": "from pkg.other import x\n",
        "tests/helpers.py": "from pkg import core\n",
        "tests/test_by_helper.py": "from tests.helpers import y\n",
        "tests/test_broken.py": "def (\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert affected_tests(tmp_path, ["src/pkg/core.py"]) == {"tests/test_api.py", "tests/test_by_helper.py"}
    assert "tests/test_other.py" in affected_tests(tmp_path, ["src/pkg/other.py"])
    assert affected_tests(tmp_path, ["tests/test_api.py", "README.md"]) == {"tests/test_api.py"}


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("jest --coverage", "node_modules/.bin/jest --findRelatedTests 'src/a b.ts'"),
        ("npx vitest run", "node_modules/.bin/vitest related --run 'src/a b.ts'"),
        ("jest && eslint .", ""),
        ("mocha", ""),
    ],
)
def test_runners_of_javascript_that_know_which_tests_load_a_file_are_asked(script, command):
    assert related_command(script, ["src/a b.ts", "README.md"]) == command
    assert related_command(script, ["README.md"]) == ""


def test_the_middle_of_the_last_times_is_expected_and_a_broken_note_says_nothing(tmp_path):
    file = tmp_path / "note.json"
    file.write_text("{")
    assert Experience(file).of(PYTEST).expected_s is None
