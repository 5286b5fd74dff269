"""The commands by which a project tests itself, as it wrote them down: in CI, tox, nox, hatch, make, just and task.

A command counts as it stands; what is built from variables of the tool is left out, because it would be guessed.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from obra_tui.evidence.projects.reading import Project, lines_of, table, texts

_RUN = re.compile(r"^(\s*)(?:- )?run:\s*(.*)$")
_BLOCK = re.compile(r"[|>][+-]?\d?\s*$")
_VARIABLE = re.compile(r"\$\{\{|\{\{")
_PLACEHOLDERS = re.compile(r"\{posargs(?::[^{}]*)?\}|\{toxinidir\}/|\{envbindir\}/")
_MAKE_TARGET = re.compile(r"(?m)^(test|tests|check)\s*:(?!=)([^\n]*)\n((?:[\t ][^\n]*\n?)*)")
_JUST_RECIPE = re.compile(r"(?m)^(test|tests|check)\b[^\n:]*:(?!=)[^\n]*\n((?:[\t ]+[^\n]*\n?)+)")
_TESTS = re.compile(
    r"\b(?:py\.?test|unittest|(?:npm|pnpm|yarn|bun)(?: run)?(?: -\S+)* (?:t|test\S*)|tox|nox|nosetests|trial|stestr|"
    r"cargo (?:test|nextest)|go test|mvn\b.*\b(?:test|verify)|gradlew?\b.*\b(?:test|check)|ctest|jest|vitest|mocha|"
    r"(?:make|just|task) (?:test\S*|check)|manage\.py test|runtests\.py|run_tests\.py|django test|hatch (?:test|run))\b"
)


class Witness(Struct, frozen=True, kw_only=True):
    """A command, and where it is written."""

    command: str
    source: str

    @property
    def tests(self) -> bool:
        return _TESTS.search(self.command) is not None


def witnesses(project: Project) -> tuple[Witness, ...]:
    """Return all commands that the project names, the better witnesses first."""
    found = (*_workflows(project), *_tox(project), *_hatch(project), *_make(project), *_just(project))
    return tuple(dict.fromkeys(found))


def _workflows(project: Project) -> Iterator[Witness]:
    names = [name for name in project.files if re.fullmatch(r"\.github/workflows/[^/]+\.ya?ml", name)]
    for name in sorted(names, key=lambda name: (not re.search(r"test|ci|main|build|check", name), name)):
        text = project.text(name)
        if re.search(r"\b(?:push|pull_request|workflow_call)\b", text):
            yield from (Witness(command=line, source=name) for line in _run_lines(text))


def _run_lines(text: str) -> Iterator[str]:
    """Yield the lines of the `run` steps of a workflow."""
    rows = text.splitlines()
    at = 0
    while at < len(rows):
        step = _RUN.match(rows[at])
        at += 1
        if step is None:
            continue
        if not _BLOCK.match(step[2]):
            yield from _plain(step[2].strip("'\""))
            continue
        body = []
        while at < len(rows) and (not rows[at].strip() or len(rows[at]) - len(rows[at].lstrip()) > len(step[1])):
            body.append(rows[at])
            at += 1
        yield from _plain("\n".join(body))


def _plain(text: str) -> Iterator[str]:
    yield from (line for line in lines_of(text) if not _VARIABLE.search(line))


def _tox(project: Project) -> Iterator[Witness]:
    for name, prefix in (("tox.ini", ""), ("setup.cfg", "tox:")):
        commands = project.ini(name).get(f"{prefix}testenv", {}).get("commands", "")
        for line in lines_of(commands):
            command = _PLACEHOLDERS.sub("", line.lstrip("- ").replace("{envpython}", "python")).strip()
            if "{" not in command and not re.match(r"[\w,!-]+:\s", command):
                yield Witness(command=" ".join(command.split()), source=name)
    tox = table(project.pyproject, "tool", "tox")
    legacy = tox.get("legacy_tox_ini")
    if isinstance(legacy, str):
        section = re.search(r"(?ms)^\[testenv\]\n.*?^commands\s*=(.*?)(?=^\S|\Z)", legacy)
        yield from (Witness(command=line, source="tox") for line in lines_of(section[1] if section else ""))
    for command in (tox.get("env_run_base") or {}).get("commands") or ():
        if words := [word for word in texts(command) if "{" not in word]:
            yield Witness(command=" ".join(words), source="pyproject.toml")


def _hatch(project: Project) -> Iterator[Witness]:
    for env in table(project.pyproject, "tool", "hatch", "envs").values():
        for name, script in table(env, "scripts").items():
            if name.startswith(("test", "cov")):
                for line in (script,) if isinstance(script, str) else texts(script):
                    command = re.sub(r"\{args(?::([^{}]*))?\}", r"\1", line).strip()
                    if "{" not in command:
                        yield Witness(command=command, source="pyproject.toml")


def _make(project: Project) -> Iterator[Witness]:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if project.has(name):
            for target in _MAKE_TARGET.finditer(project.text(name)):
                yield Witness(command=f"make {target[1]}", source=name)
                lines = lines_of(target[3])
                yield from (Witness(command=line.lstrip("@-+ "), source=name) for line in lines if "$(" not in line)
            return


def _just(project: Project) -> Iterator[Witness]:
    for name in ("justfile", "Justfile", ".justfile"):
        for recipe in _JUST_RECIPE.finditer(project.text(name)):
            yield Witness(command=f"just {recipe[1]}", source=name)
            yield from (Witness(command=line.lstrip("@- "), source=name) for line in _plain(recipe[2]))
    for name in ("Taskfile.yml", "Taskfile.yaml"):
        if re.search(r"(?m)^  test:", project.text(name)):
            yield Witness(command="task test", source=name)
