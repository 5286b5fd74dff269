"""The commands by which a project tests itself, as it wrote them down: in CI, tox, nox, hatch, PDM, make, just, task.

A command counts as it stands; what is built from variables of the tool is left out, because it would be guessed.
"""

import re
import shlex
from collections.abc import Iterator

from msgspec import Struct

from obra_tui.evidence.projects.reading import Project, lines_of, table, texts
from obra_tui.evidence.projects.requirements import Wanted, of_pip
from obra_tui.evidence.projects.tox_nox import of_nox, of_tox

_RUN = re.compile(r"^(\s*)(?:- )?run:\s*(.*)$")
_BLOCK = re.compile(r"[|>][+-]?\d?\s*$")
_VARIABLE = re.compile(r"\$\{\{|\{\{")
_DECIDES = re.compile(r"DJANGO_SETTINGS_MODULE|PYTHONPATH|[A-Z_]*SETTINGS(?:_MODULE)?|FLASK_APP")
"""Variables without which tests cannot be found."""
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
    variables: str = ""
    """What has to be set for it, as words of a command line."""
    arguments: str = ""
    """What it is given when nobody names anything."""

    @property
    def tests(self) -> bool:
        return _TESTS.search(self.command) is not None


def witnesses(project: Project) -> tuple[Witness, ...]:
    """Return all commands that the project names, the better witnesses first."""
    found = (
        *_workflows(project),
        *_tox_and_nox(project),
        *_hatch(project),
        *_scripts(project),
        *_make(project),
        *_just(project),
    )
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


def _tox_and_nox(project: Project) -> Iterator[Witness]:
    for found in (*of_tox(project), *filter(None, (of_nox(project),))):
        set_first = " ".join(f"{name}={shlex.quote(value)}" for name, value in found.variables if _DECIDES.match(name))
        for command in found.commands:
            yield Witness(command=command.text, source=found.source, variables=set_first, arguments=command.arguments)


def _scripts(project: Project) -> Iterator[Witness]:
    """Yield the scripts that PDM, Poe and Pipenv keep under the name of tests."""
    tool = table(project.pyproject, "tool")
    pipenv = table(project.toml("Pipfile"), "scripts")
    for scripts, source in (
        (table(tool, "pdm", "scripts"), "pyproject.toml"),
        (table(tool, "poe", "tasks"), "pyproject.toml"),
        (table(tool, "taskipy", "tasks"), "pyproject.toml"),
        (pipenv, "Pipfile"),
    ):
        for name, script in scripts.items():
            line = script.get("cmd") if isinstance(script, dict) else script
            line = " ".join(texts(line)) if isinstance(line, list) else line
            if re.fullmatch(r"(?:unit[-_]?)?tests?|pytest|check", name) and isinstance(line, str):
                command = re.sub(r"\{args(?::([^{}]*))?\}", r"\1", line).strip()
                if "{" not in command:
                    yield Witness(command=command, source=source)


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


# --- what the tests need ---------------------------------------------------------------------------

_PIP = re.compile(r"^(?:sudo )?(?:\S*python[\d.]* -m |uv )?pip[\d.]* install (.*)$")
_SHELL = re.compile(r"^(?:[^'\"]|'[^']*'|\"[^\"]*\")*?[|;$`<>]")
_OTHER_JOBS = re.compile(r"doc|lint|type|mypy|build|release|publish|bench|example", re.I)


def installed_for_tests(project: Project) -> Wanted:
    """Return what tox, nox, CI and make install before they run the tests."""
    found = Wanted()
    for one in (*of_tox(project), *filter(None, (of_nox(project),))):
        found |= one.wanted
    for line in _pip_lines(project):
        found |= of_pip(line)
    kept = tuple(name for name in found.files if project.has(name) and not _OTHER_JOBS.search(name))
    return Wanted(extras=found.extras, groups=found.groups, files=kept, names=found.names)


def _pip_lines(project: Project) -> Iterator[str]:
    """Yield what follows `pip install` in workflows that start the tests themselves, and in targets of make."""
    steps: dict[str, list[Witness]] = {}
    for item in _workflows(project):
        steps.setdefault(item.source, []).append(item)
    lines = [item.command for items in steps.values() if any(_starts_tests(item) for item in items) for item in items]
    for name in ("GNUmakefile", "makefile", "Makefile"):
        for target in _MAKE_INSTALL.finditer(project.text(name)):
            lines += [line.lstrip("@-+ ") for line in lines_of(target[2]) if "$(" not in line]
    for line in lines:
        for part in line.split("&&"):
            if (found := _PIP.match(part.strip())) and not _SHELL.search(found[1]):
                yield found[1]


def _starts_tests(item: Witness) -> bool:
    return re.search(r"\b(?:py\.?test|unittest|manage\.py test|runtests\.py|nosetests)\b", item.command) is not None


_MAKE_INSTALL = re.compile(
    r"(?m)^(install|dev|develop|deps|dependencies|setup|bootstrap|init|venv|test|tests)\s*:(?!=)[^\n]*\n"
    r"((?:[\t ][^\n]*\n?)*)"
)
