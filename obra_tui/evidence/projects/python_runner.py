"""Which command tests a Python project: a runner of its own where it wrote one down, and what pytest is told there.

Reads what `witnesses` found; knows nothing of interpreters, which the caller puts in.
"""

import re
import shlex

from obra_tui.evidence.projects.reading import Project, table, texts
from obra_tui.evidence.projects.witnesses import Witness, witnesses

_RUNNERS = ("runtests.py", "run_tests.py", "run-tests.py", "runtest.py")
_STARTED = re.compile(
    r"(?P<set>(?:[A-Z_][A-Z0-9_]*=\S* )*)"
    r"(?:\S*python[\d.]* (?:-[WX] \S+ |-(?!m )\S+ )*(?:-m coverage run (?:-(?!m )\S+ )*)?|"
    r"(?:\S*/)?coverage run (?:-(?!m )\S+ )*)"
    r"(?P<what>(?:-m )?\S+.*)"
)
_MODULES = re.compile(r"(?:-m )?(?:unittest|django test)\b|(?:\S+/)?manage\.py test\b")
_DEFAULT = re.compile(r"\$\$?\{\w+:-([^{}]*)\}")
_PYTEST = re.compile(r"(?m)^[^#\n]*?(?<![\w.-])py\.?test(?![\w.])")
_STARTS_PYTEST = re.compile(r"(?:\S*python[\d.]* -m |coverage run (?:-\S+ )*-m )?py\.?test\b(.*)")
_CHOOSES = ("-m", "-k", "--ignore", "--deselect", "--ignore-glob")


def own_runner(root: Project) -> str:
    """Return how a project is tested whose runner is not pytest, with `{python}` for its interpreter; else nothing."""
    named = [item for item in witnesses(root) if item.tests]
    if _names_pytest(root, named):
        return ""
    for item in named:
        text = _DEFAULT.sub(r"\1", " ".join(filter(None, (item.variables, item.command, item.arguments))))
        found = _STARTED.fullmatch(text)
        if found is None or re.search(r"[$`|;&<>]", found["what"]):
            continue
        program = found["what"].split()[0].rpartition("/")[2]
        if program in _RUNNERS or _MODULES.match(found["what"]):
            return f"{found['set']}{{python}} {found['what']}"
    return ""


def _names_pytest(project: Project, named: list[Witness]) -> bool:
    if any("pytest" in item.command or "py.test" in item.command for item in named):
        return True
    if project.has("pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py", "pytest.toml"):
        return True
    return any(
        _PYTEST.search(project.text(name))
        for name in ("pyproject.toml", "setup.cfg", "tox.ini", "setup.py", "requirements-dev.txt")
    )


def chosen_by_project(project: Project) -> str:
    """Return the folders and choices that the project gives pytest where it tests itself, as words.

    Only where its configuration names no folders: what CI starts is then more than a list of options.
    """
    if _configures_paths(project):
        return ""
    for item in witnesses(project):
        found = _STARTS_PYTEST.fullmatch(" ".join(filter(None, (item.command, item.arguments))))
        if found and not re.search(r"[$`|;&<>(){}*]", found[1]):
            return _choices(project, found[1])
    return ""


def _configures_paths(project: Project) -> bool:
    sections = (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
    if any("testpaths" in project.ini(name).get(section, {}) for name, section in sections):
        return True
    return bool(texts(table(project.pyproject, "tool", "pytest", "ini_options").get("testpaths")))


def _choices(project: Project, arguments: str) -> str:
    try:
        words = shlex.split(arguments)
    except ValueError:
        return ""
    chosen: list[str] = []
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        if before in _CHOOSES and not word.startswith("-"):
            chosen += [before, word]
        elif word.startswith(("--ignore=", "--deselect=", "--ignore-glob=")) or _is_folder(project, word):
            chosen.append(word)
    return shlex.join(chosen)


def _is_folder(project: Project, word: str) -> bool:
    return not word.startswith("-") and ".." not in word and (project.root / word).is_dir()
