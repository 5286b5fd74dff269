"""How the command of a check is started so that its tests have names: under the witness, with a report, or as it is.

Only what is plainly one start of a known runner is changed. Nothing is run here.
"""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from obra_tui.core.model import CheckSpec, Stage
from obra_tui.evidence.check_workspace import Stand
from obra_tui.evidence.witness.command import PytestCommand, pytest_command

Kind = Literal["witness", "go", "file", "plain"]
_MOST_MANIFEST = 1 << 20
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_NODE_TEST = re.compile(r"^node (?:\S+ )*--test\b")
_RUNS_TEST = re.compile(r"^(?:npm|pnpm|yarn|bun)(?: run)?(?: -\S+)* (?:test|t)$")
_TAKES_REPORTERS = {
    "jest": "--json --outputFile={0}",
    "vitest": "--reporter=default --reporter=json --outputFile={0}",
    "mocha": "--reporter json --reporter-option output={0}",
}


class Start(Struct, frozen=True, kw_only=True):
    """What is started for a check."""

    kind: Kind
    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    pytest: PytestCommand | None = None


def start_of(spec: CheckSpec, stand: Stand, report: Path) -> Start:
    """Return how the command is started. A report that is asked for is written to `report`."""
    if spec.stage is not Stage.TESTING:
        return _plain(spec)
    if found := pytest_command(spec.run, str(report), lambda program: _python_of(program, stand)):
        return Start(kind="witness", pytest=found)
    if spec.junit:
        return _plain(spec)
    words = _words(spec.run)
    given: list[str] = []
    while words and _ASSIGNMENT.match(words[0]):
        given.append(words.pop(0))
    match words:
        case ["go", "test", *rest] if "-json" not in rest:
            return Start(kind="go", argv=("go", "test", "-json", *rest))
        case [python, "-m", "unittest", *rest] if "python" in python and "-v" not in rest:
            return Start(kind="plain", argv=(python, "-m", "unittest", "-v", *rest), environment=_pairs(given))
        case [python, "-m", "django", "test", *rest] if "python" in python and not _tells_names(rest):
            argv = (python, "-m", "django", "test", "-v", "2", *rest)
            return Start(kind="plain", argv=argv, environment=_pairs(given))
        case [python, manage, "test", *rest] if manage.endswith("manage.py") and not _tells_names(rest):
            return Start(kind="plain", argv=(python, manage, "test", "-v", "2", *rest), environment=_pairs(given))
    if given:
        return _plain(spec)
    return _node(spec, words, stand, report) or _plain(spec)


def _pairs(given: list[str]) -> dict[str, str]:
    return dict(entry.partition("=")[::2] for entry in given)


def _tells_names(options: list[str]) -> bool:
    return any(re.match(r"-v|--verbosity", option) for option in options)


def _plain(spec: CheckSpec) -> Start:
    return Start(kind="plain", argv=("sh", "-c", spec.run))


def _words(run: str) -> list[str]:
    """Return the words of a command line without any shell in it, else nothing."""
    if set(";|&<>()$`*?{}\n~!") & set(run):
        return []
    try:
        return shlex.split(run)
    except ValueError:
        return []


def _node(spec: CheckSpec, words: list[str], stand: Stand, report: Path) -> Start | None:
    """Ask a runner of JavaScript tests for a report beside what it prints."""
    script, through_script = " ".join(words), False
    if _RUNS_TEST.match(script):
        script, through_script = _test_script(stand.files), True
    script = script.removeprefix("npx ").strip()
    if set(";|&") & set(script):
        return None
    if _NODE_TEST.match(script):
        options = (
            "--test-reporter=spec --test-reporter-destination=stdout "
            f"--test-reporter=tap --test-reporter-destination={report}"
        )
        return Start(kind="file", argv=("sh", "-c", spec.run), environment={"NODE_OPTIONS": options})
    runner = script.partition(" ")[0].rpartition("/")[2]
    if runner not in _TAKES_REPORTERS or "--reporter" in script or "--json" in script:
        return None
    asked = _TAKES_REPORTERS[runner].format(report)
    return Start(kind="file", argv=("sh", "-c", f"{spec.run} {'-- ' if through_script else ''}{asked}"))


def script_behind(run: str, files: Path) -> str:
    """Return the text of the script that a command of a package tool runs; of any other command the command itself."""
    return _test_script(files) if _RUNS_TEST.match(run) else run


def _test_script(files: Path) -> str:
    package = manifest(files / "package.json")
    scripts = package.get("scripts")
    test = scripts.get("test") if isinstance(scripts, dict) else None
    return test if isinstance(test, str) else ""


def manifest(path: Path) -> dict[str, object]:
    """Return a JSON manifest; what is no regular file, too large or no object says nothing."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_MANIFEST:
            return {}
        found = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _python_of(program: str, stand: Stand) -> str:
    """Return the interpreter that a `pytest` program belongs to, or an empty text."""
    if "/" in program:
        beside = f"{program.rpartition('/')[0]}/python"
        return beside if program.startswith((".venv/", "venv/")) else _of_script(Path(program))
    for folder in (".venv", "venv"):
        if stand.look(f"{folder}/bin/{program}").exists():
            return f"{folder}/bin/python"
    found = shutil.which(program) or shutil.which(program, path=str(Path(sys.executable).parent))
    return _of_script(Path(found)) if found else ""


def _of_script(path: Path) -> str:
    try:
        with path.open("rb") as file:
            first = file.readline(500).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    python = first.removeprefix("#!").strip()
    if first.startswith("#!") and " " not in python and "python" in python:
        return python
    beside = path.parent / "python3"  # a version manager starts both in one way
    return str(beside) if beside.exists() else ""
