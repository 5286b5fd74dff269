"""A rehearsed task twice: through `obra run --headless`, and by hand with the same programs one after another.

The scripted models run in this process for both, so that neither pays for them. By hand means: the same Claude Code
program with the same prompt in the repository itself, the same checks, the same request to the judge.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import ROOT, TICKS, memory_mb
from obra_tui.agents.claude_code import bundled_program
from obra_tui.rehearsal import RehearsalServers, load_scenario, materialise
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumed:
    """What one run cost: Obra's own process, and with Claude Code, git and the checks."""

    own_cpu_s: float
    whole_cpu_s: float
    own_mb: float
    """Most resident memory of Obra's own process."""
    jobs: int


class Meter:
    """Looks at one process now and then: its CPU so far, its most memory. What it did after the last look is lost."""

    def __init__(self, pid: int, every_s: float = 0.1) -> None:
        self._pid = pid
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.cpu_s = self.most_mb = 0.0

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(self._every_s):
            with contextlib.suppress(OSError, IndexError):
                # The whole process, ended threads included.
                fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(") ")[2].split()
                self.cpu_s = max(self.cpu_s, (int(fields[11]) + int(fields[12])) / TICKS)
                self.most_mb = max(self.most_mb, memory_mb(self._pid))


def _children_cpu() -> float:
    """CPU of the children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Workshop:
    """An open rehearsal with a home for the programs; makes runs of both kinds and tells how long they took."""

    def __init__(self, folder: Path, stage: RehearsalServers) -> None:
        self._folder = folder
        self._stage = stage
        self._runs = 0
        self.accepted = 0
        self.printed = ""
        """The records of the last supervised run, one in JSON a line."""
        self.consumed: list[Consumed] = []
        (folder / "tmp").mkdir(parents=True)
        settings = folder / ".config" / "obra" / "config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text("".join(self._check_tables()))

    def set_up(self, command: str) -> None:
        """Let every project be set up by a command."""
        with (self._folder / ".config" / "obra" / "config.toml").open("a") as settings:
            settings.write(f"\n[workspace]\nsetup = [{json.dumps(command)}]\n")

    def supervised(self, *, jobs: int = 1) -> float:
        """Seconds of `obra run PLAN --headless`, from the start of the process to its end."""
        repository = self._repository()
        command = [sys.executable, "-m", "obra_tui", "run", str(self._stage.scenario.plan), "-C", str(repository)]
        before = _children_cpu()
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--headless", "--json", "--policy", "autonomous", "--jobs", str(jobs)],
            env=self._environment() | self._settings(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        with Meter(process.pid) as meter:
            out, err = process.communicate()
        took = time.perf_counter() - began
        self.printed = out
        summary = json.loads(out.splitlines()[-1]) if out else {}
        if process.returncode or summary.get("attempts") != summary.get("tasks"):
            raise RuntimeError(f"obra did not accept everything at the first attempt: {err or summary}")
        self.consumed.append(
            Consumed(own_cpu_s=meter.cpu_s, whole_cpu_s=_children_cpu() - before, own_mb=meter.most_mb, jobs=jobs)
        )
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
    with RehearsalServers.open(load_scenario(scenario), pace=pace) as stage:
        yield Workshop(folder, stage)
