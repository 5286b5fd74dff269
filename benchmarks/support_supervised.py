"""A rehearsed task twice: through `obra run --headless`, and by hand with the same programs one after another.

The scripted models run in this process for both, so that neither pays for them. By hand means: the same Claude Code
program with the same prompt in the repository itself, the same checks, the same request to the judge.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import ROOT
from obra_tui.agents.claude_code import bundled_program
from obra_tui.rehearsal import Stage, load_scenario, materialise
from obra_tui.rehearsal.scenario import SCENARIOS

RIGHT = '''\
"""A pocket calculator: four functions of two numbers."""


def add(a: float, b: float) -> float:
    """Return the sum of two numbers."""
    return a + b


def subtract(a: float, b: float) -> float:
    """Return the first number less the second."""
    return a - b


def multiply(a: float, b: float) -> float:
    """Return the product of two numbers."""
    return a * b


def divide(a: float, b: float) -> float:
    """Return the first number divided by the second; dividing by zero raises an error."""
    if b == 0:
        raise ZeroDivisionError("cannot divide by zero")
    return a / b
'''

TEST = '''\
"""Every module that is there adds."""

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.parent.glob("calculator_*.py")), ids=lambda p: p.stem)
def test_it_adds(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.add(2, 3) == 5
'''


def calculator_in_one(folder: Path) -> Path:
    """The calculator rehearsal whose first attempt is right."""
    shutil.copytree(SCENARIOS / "calculator", folder)
    (folder / "work" / "first.py").write_text(RIGHT)
    return folder


def many_calculators(folder: Path, tasks: int) -> Path:
    """A rehearsal of so many tasks of the same size, each with a module of its own."""
    shutil.copytree(SCENARIOS / "calculator" / "repo", folder / "repo")
    (folder / "work").mkdir()
    (folder / "work" / "module.py").write_text(RIGHT)
    (folder / "repo" / "tests" / "test_calculator.py").write_text(TEST)
    numbers = [f"{number:02d}" for number in range(1, tasks + 1)]
    (folder / "plan.md").write_text("# Calculators\n\n" + "".join(_task(number) for number in numbers))
    told = (SCENARIOS / "calculator" / "scenario.toml").read_text()
    checks = told[told.index("[[checks]]") : told.index("[expect]")]
    scripts = "".join(_script(number) for number in numbers)
    (folder / "scenario.toml").write_text(f'title = "Calculators"\n\n{checks}\n{scripts}')
    return folder


def _task(number: str) -> str:
    return (
        f"- [ ] Write calculator module {number}\n"
        f"  Create `calculator_{number}.py` with `add`, `subtract`, `multiply` and `divide`, each of two numbers.\n"
        "  - Every function has a docstring\n"
    )


def _script(number: str) -> str:
    return f"""\
[[scripts]]
name = "calculator-{number}"
match = ["Write calculator module {number}"]
[[scripts.turns]]
[[scripts.turns.replies]]
say = "I read what the tests ask for."
use = [{{ read = "tests/test_calculator.py" }}]
[[scripts.turns.replies]]
say = "I write the module."
use = [{{ write = "calculator_{number}.py", from = "work/module.py" }}]
[[scripts.turns.replies]]
say = "`calculator_{number}.py` is there."
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """A request to the judge, as Obra sent it."""

    route: str
    body: bytes


class Workshop:
    """An open rehearsal with a home for the programs; makes runs of both kinds and tells how long they took."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        self._folder = folder
        self._stage = stage
        self._runs = 0
        self.accepted = 0
        (folder / "tmp").mkdir(parents=True)
        settings = folder / ".config" / "obra" / "config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text("".join(self._check_tables()))

    def supervised(self, *, jobs: int = 1) -> float:
        """Seconds of `obra run PLAN --headless`, from the start of the process to its end."""
        repository = self._repository()
        command = [sys.executable, "-m", "obra_tui", "run", str(self._stage.scenario.plan), "-C", str(repository)]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, "--headless", "--json", "--policy", "autonomous", "--jobs", str(jobs)],
            env=self._environment() | self._settings(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        took = time.perf_counter() - began
        summary = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
        if done.returncode or summary.get("attempts") != summary.get("tasks"):
            raise RuntimeError(f"obra did not accept everything at the first attempt: {done.stderr or summary}")
        self.accepted = int(summary["accepted"])
        return took

    def by_hand(self) -> float:
        """Seconds of the bare programs one after another, on the same work as the last supervised run."""
        repository = self._repository()
        prompt, judged = self._stage.claude.prompts[-1], self._judged()
        began = time.perf_counter()
        self._bare_claude(repository, prompt)
        for check in self._stage.scenario.checks:
            self._bare_check(check.spec(sys.executable).run, repository)
        self._bare_judge(judged)
        return time.perf_counter() - began

    def _repository(self) -> Path:
        self._runs += 1
        return materialise(self._stage.scenario, self._folder / f"repository-{self._runs}")

    def _judged(self) -> Judged:
        raw = self._stage.judge.requests[-1].raw
        return Judged(raw.route, raw.body)

    def _bare_claude(self, repository: Path, prompt: str) -> None:
        program = bundled_program()
        if program is None:
            raise RuntimeError("there is no Claude Code program")
        options = ("-p", "--output-format", "stream-json", "--verbose", "--include-partial-messages")
        done = subprocess.run(
            [str(program), *options, "--permission-mode", "acceptEdits", prompt],
            cwd=repository,
            env=self._environment() | {"ANTHROPIC_API_KEY": "dummy", "ANTHROPIC_BASE_URL": self._stage.claude_base_url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        result = json.loads(done.stdout.splitlines()[-1])
        if result.get("is_error") or not list(repository.glob("calculator*.py")):
            raise RuntimeError("the bare Claude Code program did not do the work")

    def _bare_check(self, command: str, repository: Path) -> None:
        report = str(self._folder / "tmp" / f"junit-{self._runs}.xml")
        env = self._environment() | {"OBRA_JUNIT": report, "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run(["sh", "-c", command], cwd=repository, env=env, capture_output=True, check=True)

    def _bare_judge(self, judged: Judged) -> None:
        request = urllib.request.Request(
            self._stage.judge_base_url + judged.route, data=judged.body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "CLAUDE_CONFIG_DIR": str(self._folder / "claude"),
            "TMPDIR": str(self._folder / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "IS_SANDBOX": "1",
        }

    def _settings(self) -> dict[str, str]:
        return {
            "OBRA_DATA_DIR": str(self._folder / "data"),
            "OBRA_CLAUDE__BASE_URL": self._stage.claude_base_url,
            "OBRA_CLAUDE__API_KEY": "dummy",
            "OBRA_CLAUDE__CONFIG_DIR": str(self._folder / "claude"),
            "OBRA_JUDGE__BASE_URL": self._stage.judge_base_url,
            "OBRA_JUDGE__MODEL": self._stage.judge_model,
        }

    def _check_tables(self) -> Iterator[str]:
        for check in self._stage.scenario.checks:
            spec = check.spec(sys.executable)
            yield f"[[checks]]\nname = {json.dumps(spec.name)}\nrun = {json.dumps(spec.run)}\n"
            yield f'stage = "{spec.stage.value}"\n'


@contextlib.contextmanager
def workshop(scenario: Path, folder: Path, *, pace: float = 0.0) -> Iterator[Workshop]:
    """Open the servers of a scenario, at full speed unless a pace is given."""
    with Stage.open(load_scenario(scenario), pace=pace) as stage:
        yield Workshop(folder, stage)
