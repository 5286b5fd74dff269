"""Real checks on real work: what passes, what fails, and what proves nothing."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from obra_tui.core.events import CheckPrinted
from obra_tui.core.model import CheckSpec, CheckStatus, SandboxLevel, Stage, WorkCopy
from obra_tui.evidence.sandbox import Sandbox
from tests.evidence.scene import make_scene, task

PYTEST = CheckSpec(
    name="pytest",
    run=f'{sys.executable} -m pytest -q -p no:cacheprovider -o junit_family=xunit1 --junitxml="$OBRA_JUNIT"',
    junit=True,
)
CALC = "def add(a, b):\n    return a + b\n"


def quiet(_):
    """Nobody listens."""


async def run_pytest(scene, tests, calc=CALC):
    copy, _ = await scene.work({"calc.py": calc, "test_calc.py": f"from calc import add\n{tests}"})
    return await scene.checks().run(PYTEST, copy, quiet)


async def test_tests_that_pass_are_counted(scene):
    result = await run_pytest(scene, "def test_add(): assert add(2, 3) == 5\ndef test_zero(): assert add(0, 0) == 0\n")
    assert (result.status, result.exit_code) == (CheckStatus.PASSED, 0)
    assert (result.passed, result.failed, result.skipped) == (2, 0, 0)


async def test_a_failing_test_is_named_with_its_place_and_reason(scene):
    result = await run_pytest(scene, "\n\ndef test_add():\n    assert add(2, 3) == 6\n")
    assert (result.status, result.exit_code, result.failed) == (CheckStatus.FAILED, 1, 1)
    [case] = result.failures
    assert (case.name, case.file, case.line) == ("test_calc.py::test_add", "test_calc.py", 5)
    assert "assert 5 == 6" in case.message


async def test_a_test_file_that_cannot_be_read_fails(scene):
    result = await run_pytest(scene, "def test_add(:\n")
    assert result.status is CheckStatus.FAILED and "SyntaxError" in result.output


async def test_no_tests_at_all_prove_nothing(scene):
    result = await run_pytest(scene, "")
    assert result.status is CheckStatus.BROKEN and "found no tests" in result.detail


async def test_tests_that_are_all_skipped_prove_nothing(scene):
    result = await run_pytest(scene, "import pytest\n@pytest.mark.skip\ndef test_add(): assert False\n")
    assert (result.status, result.exit_code, result.skipped) == (CheckStatus.BROKEN, 0, 1)


async def test_work_that_ends_the_test_run_early_with_success_proves_nothing(scene):
    result = await run_pytest(scene, "import os\ndef test_add(): os._exit(0)\n")
    assert (result.status, result.exit_code) == (CheckStatus.BROKEN, 0)
    assert "wrote no report" in result.detail


async def test_an_exit_code_of_success_cannot_outvote_the_report(scene):
    report = '<testsuite><testcase classname="a" name="b"><failure message="no"/></testcase></testsuite>'
    copy, _ = await scene.work({"report.xml": report})
    spec = CheckSpec(name="sly", run='cp report.xml "$OBRA_JUNIT"; exit 0')
    assert (await scene.checks().run(spec, copy, quiet)).status is CheckStatus.FAILED


async def test_a_broken_conftest_is_a_failure_of_the_work_not_of_the_tool(scene):
    copy, _ = await scene.work({"conftest.py": "import nothing_of_the_kind\n", "test_a.py": "def test(): pass\n"})
    assert (await scene.checks().run(PYTEST, copy, quiet)).status is CheckStatus.FAILED


async def test_a_command_line_that_pytest_refuses_proves_nothing(scene):
    copy, _ = await scene.work({"test_a.py": "def test(): pass\n", "pytest.ini": "[pytest]\naddopts = --nonsense\n"})
    result = await scene.checks().run(PYTEST, copy, quiet)
    assert result.status is CheckStatus.BROKEN and "did not accept its command line" in result.detail


async def test_a_module_that_is_missing_is_named_with_what_to_do(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    spec = CheckSpec(
        name="tests", run="/usr/bin/env python3 -c \"raise SystemExit('/usr/bin/python3: No module named pytest')\""
    )
    result = await scene.checks().run(spec, copy, quiet)
    assert result.status is CheckStatus.BROKEN and "uv add --dev pytest" in result.detail


async def test_checks_see_exactly_the_tree_that_was_taken(scene):
    copy, _ = await scene.work({"a.txt": "taken\n"})
    Path(copy.path, "a.txt").write_text("changed afterwards\n")
    Path(copy.path, "later.txt").write_text("later\n")
    spec = CheckSpec(name="look", run="cat a.txt; ls; pwd")
    result = await scene.checks().run(spec, copy, quiet)
    assert result.output == f"taken\nREADME.md\na.txt\n{copy.path}\n"


async def test_checks_cannot_change_the_work(scene):
    copy, before = await scene.work({"a.txt": "work\n"})
    spec = CheckSpec(
        name="spoil", run="echo spoilt > a.txt; rm README.md; rm -rf .git; mkdir __pycache__; echo x > new.txt"
    )
    await scene.checks().run(spec, copy, quiet)
    after = await scene.workspace.take_diff(copy)
    assert (after.tree, after.digest) == (before.tree, before.digest)


async def test_what_a_check_writes_reaches_neither_the_next_one_nor_the_next_round(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    checks = scene.checks()
    for _ in range(2):
        await checks.plan(copy, task())
        await checks.run(CheckSpec(name="build", run="touch built; echo b > a.txt"), copy, quiet)
        seen = await checks.run(CheckSpec(name="see", run="cat a.txt; ls"), copy, quiet)
        assert seen.output == "a\nREADME.md\na.txt\n"


async def test_what_the_set_up_made_is_there_for_the_checks(tmp_path):
    setup = (
        "mkdir -p .venv/bin gen; echo g > gen/x",
        "echo 'echo from the environment' > .venv/bin/tool; chmod +x .venv/bin/tool",
    )
    scene = make_scene(tmp_path, {".gitignore": "gen/\n"}, setup=setup)
    copy, _ = await scene.work({"a.txt": "a\n"})
    result = await scene.checks().run(CheckSpec(name="use", run="tool; cat gen/x"), copy, quiet)
    assert result.output == "from the environment\ng\n"


async def test_what_the_set_up_downloaded_can_be_read_by_checks_and_not_changed(tmp_path):
    scene = make_scene(tmp_path, setup=("mkdir -p $CARGO_HOME; echo crate > $CARGO_HOME/x",))
    copy, _ = await scene.work({"a.txt": "a\n"})
    spec = CheckSpec(name="use", run="cat $CARGO_HOME/x; echo spoilt 2>/dev/null > $CARGO_HOME/x || echo read only")
    result = await scene.checks().run(spec, copy, quiet)
    assert result.output.startswith("crate\n") and result.output.endswith("read only\n")
    [kept] = (scene.data_dir / "cache").glob("*/cargo/x")
    assert kept.read_text() == "crate\n"


async def test_a_link_in_place_of_what_the_set_up_made_opens_nothing(tmp_path):
    scene = make_scene(tmp_path, {".gitignore": ".env\n"}, setup=("echo setting > .env",))
    secret = tmp_path / "data" / "obra.db"
    copy, _ = await scene.work({"a.txt": "a\n"})
    secret.write_text("the secret")
    Path(copy.path, ".env").unlink()
    Path(copy.path, ".env").symlink_to(secret)
    Path(copy.path, ".venv").symlink_to(tmp_path / "data")
    result = await scene.checks().run(CheckSpec(name="peek", run="cat .env .venv/obra.db; true"), copy, quiet)
    assert "the secret" not in result.output


async def test_git_works_for_checks_that_ask_it(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    result = await scene.checks().run(
        CheckSpec(name="log", run="git log --format=%s && git rev-parse HEAD"), copy, quiet
    )
    assert result.output == f"Start\n{copy.base_commit}\n"


async def test_a_tree_that_is_no_copy_of_ours_is_checked_where_it_is(scene, tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.txt").write_text("plain\n")
    copy = WorkCopy(path=str(tmp_path / "plain"), base_commit="b" * 40)
    result = await scene.checks().run(CheckSpec(name="look", run="cat a.txt"), copy, quiet)
    assert result.output == "plain\n"


async def test_without_a_sandbox_checks_run_in_the_copy_and_leave_no_trace_in_the_work(tmp_path, no_sandbox):
    scene = make_scene(tmp_path)
    copy, before = await scene.work({"calc.py": CALC, "test_calc.py": "from calc import add\ndef test(): add(1, 1)\n"})
    checks = scene.checks()
    for spec in await checks.plan(copy, task()):
        result = await checks.run(spec, copy, quiet)
        assert (result.sandbox, result.status) == (SandboxLevel.NONE, CheckStatus.PASSED)
    assert (await scene.workspace.take_diff(copy)).tree == before.tree
    assert not list(Path(copy.path).rglob("__pycache__"))


@pytest.fixture
def no_sandbox(monkeypatch):
    async def nothing(self):
        return SandboxLevel.NONE, "Nothing works here."

    monkeypatch.setattr(Sandbox, "probe", nothing)


async def test_a_sandbox_below_the_settings_runs_nothing(tmp_path, no_sandbox):
    sandbox = Sandbox(data_dir=tmp_path / "data", lowest=SandboxLevel.BWRAP)
    scene = make_scene(tmp_path, sandbox=sandbox)
    copy, _ = await scene.work({"a.txt": "a\n"})
    result = await scene.checks().run(CheckSpec(name="touch", run=f"touch {tmp_path}/ran"), copy, quiet)
    assert result.status is CheckStatus.BROKEN and "settings ask for" in result.detail
    assert not (tmp_path / "ran").exists()


async def test_the_persons_own_checkout_cannot_be_tested_by_mistake(tmp_path):
    """An environment of theirs may have the project installed from there."""
    sandbox = Remembering(data_dir=tmp_path / "data")
    scene = make_scene(tmp_path, {"src/own/__init__.py": "WHERE = 'person'\n"}, sandbox=sandbox)
    copy, _ = await scene.work({"src/own/__init__.py": "WHERE = 'work'\n", "test_own.py": OWN_TEST})
    checks = scene.checks()
    spec = (await checks.plan(copy, task()))[-1]
    assert spec.run.startswith("PYTHONPATH=src ")
    assert (await checks.run(spec, copy, quiet)).status is CheckStatus.PASSED
    assert sandbox.jobs[-1].hide == (scene.project,)


class Remembering(Sandbox):
    """Keeps the jobs that it launched."""

    def launch(self, level, job):
        self.jobs = [*getattr(self, "jobs", ()), job]
        return super().launch(level, job)


OWN_TEST = "import own\n\ndef test_it_is_the_work():\n    assert own.WHERE == 'work'\n"


async def test_what_an_obra_that_died_left_running_is_ended_before_the_next_round(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    mark = f"{Path(copy.path).parent.name}/check/000"
    left = subprocess.Popen(["sleep", "600"], env={"OBRA_ATTEMPT": mark, "PATH": os.environ["PATH"]})
    await scene.checks().plan(copy, task())
    assert left.wait() == -signal.SIGKILL


# --- output --------------------------------------------------------------------------------------


async def test_output_comes_while_the_check_runs(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    first = asyncio.get_running_loop().create_future()

    def heard(event):
        if "begun" in event.text and not first.done():
            first.set_result(event)

    running = asyncio.create_task(scene.checks().run(CheckSpec(name="slow", run="echo begun; sleep 600"), copy, heard))
    assert await first == CheckPrinted(name="slow", text="begun\n")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_endless_output_is_kept_as_beginning_and_end(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    heard = []
    spec = CheckSpec(name="loud", run="echo first; seq 1 900000; echo last")
    result = await scene.checks().run(spec, copy, heard.append)
    assert result.output.startswith("first\n1\n") and result.output.endswith("900000\nlast\n")
    assert "characters left out" in result.output and len(result.output) < 201_000
    assert sum(len(event.text) for event in heard) < 1_001_000
    assert "more output follows" in heard[-1].text


async def test_bytes_that_are_no_utf8_are_replaced_even_when_a_character_is_cut_by_a_read(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    spec = CheckSpec(name="bytes", run=r"printf '\303'; sleep 0.2; printf '\244 \377\n'")
    result = await scene.checks().run(spec, copy, quiet)
    assert result.output == "ä �\n"


async def test_a_nul_is_made_visible_because_databases_refuse_it(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    result = await scene.checks().run(CheckSpec(name="nul", run=r"printf 'a\000b'"), copy, quiet)
    assert result.output == "a␀b"


async def test_a_program_that_is_missing_deep_in_a_script_is_named(scene):
    copy, _ = await scene.work({"run.sh": "set -e\nvitest run\n"})
    result = await scene.checks().run(CheckSpec(name="npm test", run="sh run.sh"), copy, quiet)
    assert result.status is CheckStatus.BROKEN and result.detail.startswith("`vitest` could not be run. Install it")


async def test_a_time_limit_keeps_the_output_and_says_what_was_done(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    spec = CheckSpec(name="slow", run="echo begun; sleep 600", timeout_s=0.5)
    result = await scene.checks().run(spec, copy, quiet)
    assert (result.status, result.exit_code, result.output) == (CheckStatus.TIMED_OUT, None, "begun\n")
    assert result.detail == "Stopped after 0.5 s; all its processes were ended."


async def test_a_cancelled_check_leaves_no_process_and_no_scratch_folder(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    begun = asyncio.Event()
    spec = CheckSpec(name="stay", run="setsid sleep 61234 & echo begun; sleep 61234")
    running = asyncio.create_task(scene.checks().run(spec, copy, lambda _: begun.set()))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not [p for p in psutil.process_iter(["cmdline"]) if "61234" in (p.info["cmdline"] or [])]
    assert not list(Path(copy.path).parent.glob("scratch-*"))


# --- planning ------------------------------------------------------------------------------------


async def test_the_found_checks_of_a_python_project_run_and_pass(scene):
    copy, _ = await scene.work(
        {"calc.py": CALC, "test_calc.py": "from calc import add\n\n\ndef test_add():\n    add(1, 1)\n"}
    )
    checks = scene.checks()
    planned = await checks.plan(copy, task())
    assert [(spec.name, spec.stage) for spec in planned] == [
        ("compile", Stage.SYNTAX),
        ("ruff", Stage.SYNTAX),
        ("pytest", Stage.TESTING),
    ]
    results = [await checks.run(spec, copy, quiet) for spec in planned]
    assert [result.status for result in results] == [CheckStatus.PASSED] * 3, [r.output + r.detail for r in results]


async def test_a_syntax_error_fails_the_compile_check_and_names_the_place(scene):
    copy, _ = await scene.work({"calc.py": "def add(:\n"})
    checks = scene.checks()
    compile_check = (await checks.plan(copy, task()))[0]
    result = await checks.run(compile_check, copy, quiet)
    assert result.status is CheckStatus.FAILED and "calc.py" in result.output and compile_check.blocking


async def test_configured_checks_take_the_place_of_found_ones_and_a_task_adds_its_own(scene):
    copy, _ = await scene.work({"calc.py": CALC, "test_calc.py": "def test(): pass\n"})
    own = CheckSpec(name="mine", run="true", stage=Stage.SYNTAX)
    planned = await scene.checks(CheckSpec(name="mine", run="make check")).plan(copy, task(own))
    assert [(spec.name, spec.origin) for spec in planned] == [("mine", "configured"), ("mine (2)", "plan")]
