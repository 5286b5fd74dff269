"""Finds the checks of a project by looking at its files. Nothing of it is run here.

A project that never heard of a tool is not failed by it: such a check is not
blocking. Only the plain presence of files decides, so that the result is the same
for the same tree.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from msgspec.structs import replace

from obra_tui.core.model import CheckSpec, Stage
from obra_tui.evidence.discover_languages import (
    make_checks,
    other_checks,
    touched_packages,
)
from obra_tui.evidence.discover_syntax import syntax_checks
from obra_tui.evidence.projects.python_runner import chosen_by_project, own_runner
from obra_tui.evidence.projects.reading import Project
from obra_tui.evidence.untracked import JUNK

_MOST_NAMED_FILES = 40
_MOST_LOOKED_AT = 20_000
_ONLY_ERRORS = "--isolated --select E9,F63,F7,F82"
"""For projects without rules of their own: what cannot run, never style."""
_TEST_FILE = re.compile(r"^(?:test_.+|.+_test)\.py$")


Look = Callable[[str], Path]
"""Says where the thing is that a check will see under a name: tools may lie apart from the files."""


def find_checks(
    files: Path, changed: Sequence[str], look: Look | None = None, work: Path | None = None
) -> tuple[CheckSpec, ...]:
    """Return the checks for the tree at `files`.

    `changed` are the paths that the work changed; they lie at `work`, which is the same tree if it is not given.
    """
    see = look or files.joinpath
    found = _of_project(files, changed, see, work or files)
    return (*found, *syntax_checks(work or files, changed, _readers(found, see)))


def checks_of_work(
    before: Path, look: Look, work: Path, look_now: Look, changed: Sequence[str]
) -> tuple[CheckSpec, ...]:
    """Return the checks of the tree before the work, then those that only the work brought.

    A changed file that one of either reads as a whole is not read once more by itself.
    """
    there = _of_project(before, changed, look, work)
    known = {spec.name for spec in there}
    now = [spec for spec in _of_project(work, changed, look_now, work) if spec.name not in known]
    read = [*_readers(there, look), *_readers(now, look_now)]
    return (*there, *now, *syntax_checks(work, changed, read))


def _of_project(files: Path, changed: Sequence[str], see: Look, work: Path) -> list[CheckSpec]:
    """Return what manifests and files of the tree ask for, without what reads single changed files."""
    found = [*_python_checks(files, changed_python(work, changed), see), *other_checks(files, changed, see)]
    if not any(spec.stage is Stage.TESTING for spec in found):
        found.extend(make_checks(files))
    return found


def _readers(found: Sequence[CheckSpec], see: Look) -> list[str]:
    """Return the names of the checks that can be run and read a language as a whole."""
    return [spec.name for spec in found if spec.stage is Stage.SYNTAX and _can_be_run(spec, see)]


def _can_be_run(spec: CheckSpec, see: Look) -> bool:
    program = next((word for word in spec.run.rpartition("&& ")[2].split() if "=" not in word), "")
    return "/" in program or shutil.which(program) is not None or see(program).exists()


def python_files(root: Path) -> list[str]:
    """Return the Python files of a tree, junk folders left out, up to a limit."""
    found: list[str] = []
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in JUNK and not name.startswith(".")]
        inner = Path(folder).relative_to(root)
        found.extend(str(inner / name) for name in files if name.endswith(".py"))
        if len(found) > _MOST_LOOKED_AT:
            break
    return sorted(found)


def changed_python(root: Path, changed: Sequence[str]) -> list[str]:
    return [path for path in changed if path.endswith(".py") and (root / path).is_file()]


# --- Python --------------------------------------------------------------------------------------


def _python_checks(files: Path, changed: list[str], look: Look) -> Iterator[CheckSpec]:
    sources = python_files(files)
    if not sources:
        return
    yield _compile_check(changed, look)
    if lint := _ruff_check(files, changed, look):
        yield lint
    if any(_TEST_FILE.match(Path(path).name) for path in sources):
        yield from _test_checks(files, changed, look)


def _named(paths: list[str]) -> str:
    """Return the paths for a command line, or the whole tree if there are none or too many."""
    if not paths or len(paths) > _MOST_NAMED_FILES:
        return "."
    return " ".join(shlex.quote(path if not path.startswith("-") else f"./{path}") for path in paths)


def _compile_check(changed: list[str], look: Look) -> CheckSpec:
    """Compile what was changed; without that, everything, which then decides nothing on its own."""
    command = f"{python_of(look)} -m compileall -q -f {_named(changed)}"
    return CheckSpec(name="compile", run=command, stage=Stage.SYNTAX, blocking=bool(changed), timeout_s=300.0)


def _ruff_check(files: Path, changed: list[str], look: Look) -> CheckSpec | None:
    configured = _configures_ruff(files)
    program = _tool(look, "ruff")
    if program is None and not configured:
        return None
    theirs = program in _of_the_project("ruff") or program == "ruff"
    by_rules = configured and (theirs or program is None)
    what = "." if by_rules else f"{_ONLY_ERRORS} {_named(changed)}"
    command = f"{program or 'ruff'} check --no-fix --no-cache {what}"
    blocking = by_rules and program is not None
    return CheckSpec(name="ruff", run=command, stage=Stage.SYNTAX, blocking=blocking, timeout_s=300.0)


def _configures_ruff(files: Path) -> bool:
    if (files / "ruff.toml").is_file() or (files / ".ruff.toml").is_file():
        return True
    return "ruff" in _toml(files / "pyproject.toml").get("tool", {})


def _test_checks(files: Path, changed: list[str], look: Look) -> Iterator[CheckSpec]:
    """Return the project's own runner, or pytest: at the root, or in each touched package where that says nothing."""
    project = Project(files)
    if command := own_runner(project):
        yield CheckSpec(name="tests", run=command.replace("{python}", python_of(look)), stage=Stage.TESTING)
        return
    at_root = ("pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tox.ini", "conftest.py")
    packages = [] if project.has(*at_root) else touched_packages(project, changed, "pyproject.toml")
    packages = [folder for folder in packages if _has_tests(files / folder)]
    if not packages:
        yield _pytest_check(files, look)
    for folder in packages:
        spec = _pytest_check(files / folder, lambda name, inner=folder: look(f"{inner}/{name}"))  # type: ignore[misc]
        run = f"cd {shlex.quote(folder)} && {spec.run}"
        yield replace(spec, name=f"pytest in {folder}", run=run)


def _has_tests(folder: Path) -> bool:
    return any(_TEST_FILE.match(Path(path).name) for path in python_files(folder))


def _pytest_check(files: Path, look: Look) -> CheckSpec:
    """Without an interpreter of its own, a project with `src/` is tested from there, not as installed elsewhere."""
    path = "PYTHONPATH=src " if (files / "src").is_dir() and not _own_python(look, "pytest") else ""
    command = f'{path}{python_of(look, module="pytest")} -m pytest -q -o junit_family=xunit1 --junitxml="$OBRA_JUNIT"'
    if chosen := chosen_by_project(Project(files)):
        command = f"{command} {chosen}"
    return CheckSpec(name="pytest", run=command, stage=Stage.TESTING, junit=True)


def python_of(look: Look, module: str = "") -> str:
    """Return the interpreter for the project: its own, the person's, else the one that runs Obra.

    With `module`, the first of them that has it; a project's own interpreter is only
    looked at, never run, because others may have changed it.
    """
    if own := _own_python(look, module):
        return own
    if not module:
        return "python3" if shutil.which("python3") else shlex.quote(sys.executable)
    if shutil.which("python3") and _python3_has(module):
        return "python3"
    return shlex.quote(sys.executable) if find_spec(module) else "python3"


def _own_python(look: Look, module: str) -> str:
    for folder in (".venv", "venv"):
        python = look(f"{folder}/bin/python")
        if not python.exists():
            continue
        if not module or any(python.parents[1].glob(f"lib/python3*/site-packages/{module}/__init__.py")):
            return f"{folder}/bin/python"
    return ""


@cache
def _python3_has(module: str) -> bool:
    """Ask the person's own python3, away from any project."""
    try:
        asked = subprocess.run(
            ["python3", "-I", "-c", f"import {module}"], cwd="/", capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _of_the_project(name: str) -> tuple[str, ...]:
    return tuple(f"{folder}/bin/{name}" for folder in (".venv", "venv"))


def _tool(look: Look, name: str) -> str | None:
    """Return a program of the project, of the person, or last the one that came with Obra, in its own version."""
    for program in _of_the_project(name):
        if look(program).exists():
            return program
    if shutil.which(name):
        return name
    beside = Path(sys.executable).parent / name
    return shlex.quote(str(beside)) if beside.exists() else None


def _toml(path: Path) -> dict[str, dict[str, object]]:
    """Return the file's tables; a file that cannot be read says nothing (its own tools will complain)."""
    return Project(path.parent).toml(path.name)
