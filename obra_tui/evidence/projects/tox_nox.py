"""What tox and nox install for the tests and run as tests. Files are read, and never run: a noxfile is a program."""

import ast
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from obra_tui.evidence.projects.reading import Project, lines_of, sections_of, table, texts
from obra_tui.evidence.projects.requirements import Wanted, of_pip

_PLACEHOLDER = re.compile(r"\{toxinidir\}/|\{tox_root\}/|\{envbindir\}/|\{env_bin_dir\}/")
_POSITIONAL = re.compile(r"\{posargs(?::((?:[^{}]|\{[^{}]*\})*))?\}|\{\[tox\][^{}]*\}")
_FACTOR = re.compile(r"^([\w,!.{}-]+):\s+(.*)$")
_TEST_FACTOR = re.compile(r"!.*|(?:unit)?tests?|pytest|unit|py|py3|cov(?:er(?:age)?)?")
_RUNS_TESTS = re.compile(
    r"\b(?:py\.?test|unittest|nosetests|trial|manage\.py test|django test|runtests\.py|run_tests\.py)\b"
)
_OF_TESTS = re.compile(r"(?:unit_?)?tests?(?:_\w+)?|pytest|unit|py", re.I)


class RunnerCommand(Struct, frozen=True):
    """A command, and the arguments that it has when nobody gives it any."""

    text: str
    arguments: str = ""


class Found(Struct, frozen=True, kw_only=True):
    """The environment that runs the tests."""

    source: str
    commands: tuple[RunnerCommand, ...] = ()
    wanted: Wanted = Wanted()
    variables: tuple[tuple[str, str], ...] = ()
    """What it sets for them."""


def of_tox(project: Project) -> Iterator[Found]:
    """Yield the first environment of each file of tox that runs tests."""
    for name, prefix in (("tox.ini", ""), ("setup.cfg", "tox:")):
        sections = project.ini(name)
        own = {key.removeprefix(prefix): dict(value) for key, value in sections.items()}
        if found := _first(name, own):
            yield found
    tox = table(project.pyproject, "tool", "tox")
    legacy = tox.get("legacy_tox_ini")
    if isinstance(legacy, str) and (found := _first("pyproject.toml", sections_of(legacy))):
        yield found
    native = tox or project.toml("tox.toml")
    if found := _native(native, "pyproject.toml" if tox else "tox.toml"):
        yield found


def _first(source: str, sections: Mapping[str, Mapping[str, str]]) -> Found | None:
    base = sections.get("testenv", {})
    own = [{**base, **section} for name, section in sections.items() if name.startswith("testenv:")]
    candidates = [_environment(source, section) for section in (base, *own) if section]
    return next((one for one in candidates if _tests(one.commands)), None) or next(iter(candidates), None)


def _environment(source: str, section: Mapping[str, str]) -> Found:
    def get(*names: str) -> str:
        return next((section[name] for name in names if name in section), "")

    wanted = Wanted()
    for line in _for_tests(get("deps")):
        wanted |= of_pip(line if line.startswith("-") or re.match(r"\.(\[|$)", line) else shlex.quote(line))
    extras = [name for line in _for_tests(get("extras")) for name in re.split(r"[,\s]+", line) if name]
    groups = [name for line in _for_tests(get("dependency_groups")) for name in re.split(r"[,\s]+", line) if name]
    variables = [
        (key.strip(), value.strip())
        for key, equals, value in (line.partition("=") for line in _for_tests(get("setenv", "set_env")))
        if equals and "{" not in value
    ]
    return Found(
        source=source,
        commands=tuple(found for line in _for_tests(get("commands")) if (found := _command(line)).text),
        wanted=wanted | Wanted(extras=tuple(extras), groups=tuple(groups)),
        variables=tuple(variables),
    )


def _for_tests(value: str) -> Iterator[str]:
    """Yield the lines that count for tests: without a condition, or with one that tests fulfil."""
    for line in lines_of(value):
        if found := _FACTOR.match(line):
            alternatives = [part.split("-") for part in found[1].strip("{}").split(",")]
            if not any(all(_TEST_FACTOR.fullmatch(factor) for factor in factors) for factors in alternatives):
                continue
            line = found[2]
        yield _PLACEHOLDER.sub("", line).replace("{envpython}", "python").replace("{toxinidir}", ".")


def _command(line: str) -> RunnerCommand:
    """Return a command without what the tool puts in; nothing where it hangs on variables."""
    plain = line.lstrip("- ")
    defaults = " ".join(found[1] or "" for found in _POSITIONAL.finditer(plain))
    text = " ".join(_POSITIONAL.sub("", plain).split())
    return RunnerCommand("") if "{" in text else RunnerCommand(text, "" if "{" in defaults else defaults.strip())


def _tests(commands: Iterable[RunnerCommand]) -> bool:
    return any(_RUNS_TESTS.search(one.text) for one in commands)


def _native(tox: Mapping[str, object], source: str) -> Found | None:
    """Read the tables of tox 4."""
    base = table(tox, "env_run_base")
    for section in (base, *({**base, **one} for one in table(tox, "env").values() if isinstance(one, dict))):
        lists = section.get("commands")
        commands = [_of_list(words) for words in lists] if isinstance(lists, list) else []
        if _tests(commands):
            wanted = Wanted(
                extras=texts(section.get("extras")),
                groups=texts(section.get("dependency_groups")),
            )
            for line in texts(section.get("deps")):
                wanted |= of_pip(line if line.startswith("-") else shlex.quote(line))
            return Found(source=source, commands=tuple(commands), wanted=wanted)
    return None


def _of_list(words: object) -> RunnerCommand:
    """Return a command that is written as a list of words."""
    given = words if isinstance(words, list) else []
    plain = [word for word in given if isinstance(word, str) and "{" not in word]
    references = [word for word in given if isinstance(word, dict) and word.get("replace") == "posargs"]
    return RunnerCommand(" ".join(plain), " ".join(word for one in references for word in texts(one.get("default"))))


# --- nox -------------------------------------------------------------------------------------------


def of_nox(project: Project) -> Found | None:
    """Return what the sessions of a noxfile that run tests install and run, as far as it is written there in words."""
    text = project.text("noxfile.py")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and _is_session(function):
            calls = list(_calls(function))
            commands = [RunnerCommand(shlex.join(words)) for method, words in calls if method == "run" and words]
            if _OF_TESTS.fullmatch(function.name) and _tests(commands):
                wanted = Wanted()
                for method, words in calls:
                    if method == "install":
                        wanted |= of_pip(shlex.join(words))
                return Found(source="noxfile.py", commands=tuple(commands), wanted=wanted)
    return None


def _is_session(function: ast.FunctionDef) -> bool:
    found = (item.func if isinstance(item, ast.Call) else item for item in function.decorator_list)
    return any(getattr(item, "attr", getattr(item, "id", "")) == "session" for item in found)


def _calls(function: ast.FunctionDef) -> Iterator[tuple[str, list[str]]]:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    for call in sorted(calls, key=lambda node: node.lineno):
        method = call.func.attr  # type: ignore[attr-defined]
        if method in ("install", "run"):
            words = [item.value for item in call.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
            yield method, words
