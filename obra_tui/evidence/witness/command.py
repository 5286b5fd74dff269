"""Knows a command line that starts pytest when it sees one, and how the witness is started in its place. Pure."""

import re
import shlex
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct, field

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.\d+)?)?")
_SHELL = frozenset(";|&<>()$`*?{}\n~!")
_LAUNCHERS = ("uv", "poetry", "pdm", "pipenv", "rye", "hatch")
_FLAGS = ("--frozen", "--locked", "--offline", "--no-sync", "--quiet", "-q", "--isolated")
_BOOT = (
    "import sys; sys.path[:] = [p for p in sys.path if p not in ('', '.')]; "
    "exec(compile(sys.argv.pop(), '<obra>', 'exec', dont_inherit=True))"
)


class PytestCommand(Struct, frozen=True, kw_only=True):
    """A pytest command line in its parts."""

    launch: tuple[str, ...]
    """What starts the interpreter: `python3`, or `uv run python`."""
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_module: bool = True
    """Started by `-m`, which makes the root importable."""


def pytest_command(run: str, report: str, resolve: Callable[[str], str]) -> PytestCommand | None:
    """Take a command line apart; None if it is something else than one plain start of pytest.

    `resolve` names the interpreter of a `pytest` program, or returns an empty text.
    """
    plain = run.replace('"$OBRA_JUNIT"', report).replace("${OBRA_JUNIT}", report).replace("$OBRA_JUNIT", report)
    if _SHELL & set(re.sub(r"'[^']*'", "", plain)):
        return None
    try:
        words = shlex.split(plain)
    except ValueError:
        return None
    environment: dict[str, str] = {}
    while words and _ASSIGNMENT.match(words[0]):
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    launcher: list[str] = []
    if len(words) > 2 and words[0] in _LAUNCHERS and words[1] == "run":
        launcher, words = words[:2], words[2:]
        while words and words[0] in _FLAGS:
            launcher.append(words.pop(0))
    return _of_words(launcher, words, environment, resolve)


def _of_words(
    launcher: list[str], words: list[str], environment: dict[str, str], resolve: Callable[[str], str]
) -> PytestCommand | None:
    match words:
        case [python, "-m", "pytest" | "py.test", *arguments] if _PYTHON.fullmatch(python):
            launch, is_module = (*launcher, python), True
        case [program, *arguments] if program.rpartition("/")[2] in ("pytest", "py.test"):
            python = "python" if launcher else resolve(program)
            if not python:
                return None
            launch, is_module = (*launcher, python), False
        case _:
            return None
    kept = tuple(arguments)
    for at, word in enumerate(kept):
        if word == "-p" and kept[at + 1 : at + 2] == ("no:cacheprovider",):
            kept = (*kept[:at], *kept[at + 2 :])
            break
    return PytestCommand(launch=launch, arguments=kept, environment=environment, is_module=is_module)


def witness_argv(launch: tuple[str, ...], number: int) -> tuple[str, ...]:
    """Return the start of the witness, which finds its channel under `number`."""
    return (*launch, "-c", _BOOT, str(number), program())


@cache
def program() -> str:
    """Return the witness as one text that needs nothing of Obra."""
    folder = Path(__file__).parent
    lines = [line for name in ("looking.py", "program.py") for line in (folder / name).read_text("utf-8").splitlines()]
    own = ("from __future__", "from obra_tui")
    return "\n".join(["from __future__ import annotations", *(line for line in lines if not line.startswith(own)), ""])
