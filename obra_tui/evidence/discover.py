"""Finds the checks of a project by looking at its files. Nothing of it is run here.

A project that never heard of a tool is not failed by it: such a check is not
blocking. Only the plain presence of files decides, so that the result is the same
for the same tree.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from obra_tui.core.model import CheckSpec, Stage
from obra_tui.evidence.untracked import JUNK

_MOST_NAMED_FILES = 40
_MOST_LOOKED_AT = 20_000
_ONLY_ERRORS = "--isolated --select E9,F63,F7,F82"
"""For projects without rules of their own: what cannot run, never style."""
_NO_TEST_SCRIPT = "no test specified"
_MAKE_TEST = re.compile(r"(?m)^test\s*:(?!=)")
_TEST_FILE = re.compile(r"^(?:test_.+|.+_test)\.py$")


Look = Callable[[str], Path]
"""Says where the thing is that a check will see under a name: tools may lie apart from the files."""


def find_checks(files: Path, changed: Sequence[str], look: Look | None = None) -> tuple[CheckSpec, ...]:
    """Return the checks for the tree at `files`, of which `changed` are the paths that differ from the base."""
    found = [
        *_python_checks(files, changed_python(files, changed), look or files.joinpath),
        *_node_checks(files),
        *_cargo_checks(files),
        *_go_checks(files),
    ]
    if not any(spec.stage is Stage.TESTING for spec in found):
        found.extend(_make_checks(files))
    return tuple(found)


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
        yield _pytest_check(files, look)


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
    what = "." if configured else f"{_ONLY_ERRORS} {_named(changed)}"
    command = f"{program or 'ruff'} check --no-cache {what}"
    blocking = configured and program is not None
    return CheckSpec(name="ruff", run=command, stage=Stage.SYNTAX, blocking=blocking, timeout_s=300.0)


def _configures_ruff(files: Path) -> bool:
    if (files / "ruff.toml").is_file() or (files / ".ruff.toml").is_file():
        return True
    return "ruff" in _toml(files / "pyproject.toml").get("tool", {})


def _pytest_check(files: Path, look: Look) -> CheckSpec:
    """Without an environment of its own, a project with `src/` is tested from there and not as installed elsewhere."""
    path = "PYTHONPATH=src " if (files / "src").is_dir() and not _own_python(look, "") else ""
    command = f'{path}{python_of(look, module="pytest")} -m pytest -q -o junit_family=xunit1 --junitxml="$OBRA_JUNIT"'
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
        if not (look(folder) / "bin" / "python").exists():
            continue
        if not module or any(look(folder).glob(f"lib/python3*/site-packages/{module}/__init__.py")):
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


def _tool(look: Look, name: str) -> str | None:
    for folder in (".venv", "venv"):
        if (look(folder) / "bin" / name).exists():
            return f"{folder}/bin/{name}"
    if shutil.which(name):
        return name
    beside = Path(sys.executable).parent / name
    return shlex.quote(str(beside)) if beside.exists() else None


def _toml(path: Path) -> dict[str, dict[str, object]]:
    """Return the file's tables; a file that cannot be read says nothing (its own tools will complain)."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


# --- other languages -----------------------------------------------------------------------------


def _scripts(files: Path) -> dict[str, str]:
    try:
        package = json.loads((files / "package.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    scripts = package.get("scripts") if isinstance(package, dict) else None
    return {k: v for k, v in scripts.items() if isinstance(v, str)} if isinstance(scripts, dict) else {}


def _node_checks(files: Path) -> Iterator[CheckSpec]:
    scripts = _scripts(files)
    for name in ("typecheck", "lint"):
        if name in scripts:
            yield CheckSpec(name=f"npm {name}", run=f"npm run {name}", stage=Stage.SYNTAX)
    if "test" in scripts and _NO_TEST_SCRIPT not in scripts["test"]:
        yield CheckSpec(name="npm test", run="npm test", stage=Stage.TESTING)


def _cargo_checks(files: Path) -> Iterator[CheckSpec]:
    if (files / "Cargo.toml").is_file():
        yield CheckSpec(name="cargo check", run="cargo check --offline", stage=Stage.SYNTAX)
        yield CheckSpec(name="cargo test", run="cargo test --offline", stage=Stage.TESTING, timeout_s=1200.0)


def _go_checks(files: Path) -> Iterator[CheckSpec]:
    if (files / "go.mod").is_file():
        yield CheckSpec(name="go vet", run="go vet ./...", stage=Stage.SYNTAX)
        yield CheckSpec(name="go test", run="go test ./...", stage=Stage.TESTING, timeout_s=1200.0)


def _make_checks(files: Path) -> Iterator[CheckSpec]:
    for name in ("Makefile", "makefile", "GNUmakefile"):
        path = files / name
        if path.is_file() and _MAKE_TEST.search(path.read_text("utf-8", "replace")):
            yield CheckSpec(name="make test", run="make test", stage=Stage.TESTING)
            return
