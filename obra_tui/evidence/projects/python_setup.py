"""How the environment of a Python project is made, by its lock file, its manifest or its requirements.

What tests need beside the package itself stands in groups, extras, requirement files or tox; what nobody names but
their own options ask for, such as a plugin of pytest, is added by name.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator

from obra_tui.evidence.projects.proposing import Proposal
from obra_tui.evidence.projects.reading import Project, table, texts
from obra_tui.evidence.projects.requirements import FOR_TESTS, Wanted, name_of, of_tables, without_repeats
from obra_tui.evidence.projects.witnesses import Witness, installed_for_tests

Has = Callable[[str], bool]
_REQUIREMENTS = re.compile(
    r"(?:requirements?/)?(?:(?:tests?|testing|dev|ci|development)[-_.])?"
    r"(?:requirements?|tests?|testing|dev|ci|development|pip)(?:[-_.](?:tests?|testing|dev|ci|development))?\.txt",
    re.I,
)
_PLUGINS = (
    (r"--cov\b|--cov=|--no-cov", "pytest-cov"),
    (r"(?:^|\s)-n[ =]?(?:\d|auto|logical)|--numprocesses|--dist\b", "pytest-xdist"),
    (r"asyncio_mode|asyncio_default", "pytest-asyncio"),
    (r"(?m)(?:^|\s)timeout\s*=\s*\"?\d|--timeout\b", "pytest-timeout"),
    (r"--mypy", "pytest-mypy"),
    (r"--benchmark", "pytest-benchmark"),
    (r"DJANGO_SETTINGS_MODULE", "pytest-django"),
    (r"--randomly|-p randomly", "pytest-randomly"),
)


def python_setup(project: Project, has: Has, found: Iterable[Witness]) -> Proposal | None:
    """Return the set-up of a Python project; None if it is none, or needs nothing."""
    managed = _locked(project, has)
    if managed is not None:
        return managed
    if not _is_python(project):
        return None
    wanted, because = _to_install(project, tuple(found))
    by_tool = _unlocked(project, has)
    if by_tool is not None and (not wanted or not by_tool.setup[0].startswith("uvx ")):
        return by_tool
    if not wanted:
        return None
    if has("uv"):
        commands = ("uv venv .venv", f"uv pip install {wanted}")
    else:
        pip = ".venv/bin/pip install"
        newer = f"{pip} --upgrade pip && " if "--group" in wanted else ""
        commands = ("python3 -m venv .venv", f"{newer}{pip} {wanted}")
    return Proposal(setup=commands, because=because)


def _is_python(project: Project) -> bool:
    manifests = ("pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "tox.ini")
    return project.has(*manifests) or bool(_requirement_files(project))


def _locked(project: Project, has: Has) -> Proposal | None:
    if project.has("uv.lock"):
        return _by("uv", f"uv sync{_uv_choice(project)}", "uv.lock", has)
    if project.has("poetry.lock"):
        return _by("poetry", _poetry_command(project), "poetry.lock", has)
    if project.has("pdm.lock"):
        return _by("pdm", "pdm install -G :all", "pdm.lock", has)
    if project.has("Pipfile"):
        return _by("pipenv", "pipenv install --dev", "Pipfile", has)
    return None


def _unlocked(project: Project, has: Has) -> Proposal | None:
    """Return the command of a tool whose tables are there and its lock file is not: it would have to look for versions.

    Where the tool is not installed, pip does the same by what the tables name.
    """
    tool = table(project.pyproject, "tool")
    if "poetry" in tool:
        return _by("poetry", _poetry_command(project), "pyproject.toml", has)
    if "pdm" in tool:
        return _by("pdm", "pdm install -G :all", "pyproject.toml", has)
    return None


def _poetry_command(project: Project) -> str:
    tool = table(project.pyproject, "tool")
    groups = ",".join(name for name in table(tool, "poetry", "group") if FOR_TESTS.fullmatch(name))
    extras = "".join(f" -E {name}" for name in table(tool, "poetry", "extras") if FOR_TESTS.fullmatch(name))
    return f"poetry install{f' --with {groups}' if groups else ''}{extras}"


def _by(program: str, command: str, source: str, has: Has) -> Proposal:
    """Return the command of a package tool; uv can fetch one that is not there."""
    if has(program):
        return Proposal(setup=(command,), because=source)
    if program != "uv" and has("uv"):
        return Proposal(setup=(f"uvx {command}",), because=source)
    return Proposal(setup=(command,), because=source, missing=(program,))


def _uv_choice(project: Project) -> str:
    groups = table(project.pyproject, "dependency-groups")
    default = texts(table(project.pyproject, "tool", "uv").get("default-groups")) or ("dev",)
    extras = table(project.pyproject, "project", "optional-dependencies")
    chosen = [f" --group {name}" for name in groups if name not in default and FOR_TESTS.fullmatch(name)]
    chosen += [f" --extra {name}" for name in extras if FOR_TESTS.fullmatch(name)]
    return "".join(chosen)


def _to_install(project: Project, found: tuple[Witness, ...]) -> tuple[str, str]:
    """Return what pip installs, as words of a command line, and which file says so."""
    wanted = installed_for_tests(project) | of_tables(project)
    files = _requirement_files(project, wanted.files)
    extras = _extras(project, found, wanted)
    groups = [
        name
        for name in table(project.pyproject, "dependency-groups")
        if FOR_TESTS.fullmatch(name) or name in wanted.groups
    ]
    words: list[str] = []
    because = files[0] if files else ""
    if manifest := next((name for name in ("pyproject.toml", "setup.py", "setup.cfg") if _builds(project, name)), ""):
        words.append("-e " + shlex.quote(f".[{','.join(extras)}]" if extras else "."))
        because = manifest
    words += [f"--group {shlex.quote(name)}" for name in groups]
    words += [f"-r {shlex.quote(name)}" for name in files]
    named = _named_text(project, files, extras, groups)
    known = [name_of(line) for line in named.splitlines()]
    names = without_repeats(wanted.names, [*known, _own_name(project)])
    words += [shlex.quote(line) for line in names]
    words += [shlex.quote(name) for name in _asked_for(project, found, f"{named} {' '.join(names)}".casefold())]
    return " ".join(words), because or "tests"


def _own_name(project: Project) -> str:
    tables = (table(project.pyproject, "project"), table(project.pyproject, "tool", "poetry"))
    told = next((str(entry["name"]) for entry in tables if "name" in entry), "")
    return name_of(told or project.ini("setup.cfg").get("metadata", {}).get("name", ""))


def _builds(project: Project, name: str) -> bool:
    match name:
        case "pyproject.toml":
            if table(project.pyproject, "tool", "poetry").get("package-mode") is False:
                return False
            return "project" in project.pyproject or (
                "build-system" in project.pyproject and not project.has("setup.py")
            )
        case "setup.cfg":
            return "metadata" in project.ini("setup.cfg")
        case _:
            return project.has(name)


def _extras(project: Project, found: tuple[Witness, ...], wanted: Wanted) -> tuple[str, ...]:
    """Return the extras for tests: by their name, and those that CI, tox and nox install."""
    known = list(table(project.pyproject, "project", "optional-dependencies"))
    known += list(table(project.pyproject, "tool", "poetry", "extras"))
    known += list(table(project.pyproject, "tool", "flit", "metadata", "requires-extra"))
    known += list(project.ini("setup.cfg").get("options.extras_require", {}))
    block = re.search(r"(?is)extras_require\w*\s*[=:]\s*\{(.*?)\n\s*\}", project.text("setup.py"))
    known += re.findall(r"[\"']([\w-]+)[\"']\s*:", block[1]) if block else []
    used = {
        name for item in found for group in re.findall(r"\.\[([\w,\s-]+)\]", item.command) for name in group.split(",")
    }
    used |= set(wanted.extras)
    return tuple(dict.fromkeys(name for name in known if FOR_TESTS.fullmatch(name) or name in used))


def _requirement_files(project: Project, named: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the requirement files; what one of them includes is not named twice."""
    found = [name for name in project.files if name.count("/") <= 1 and _REQUIREMENTS.fullmatch(name)]
    found += [name for name in project.files if re.fullmatch(r"tests?/requirements?(?:[-_]tests?)?\.txt", name)]
    if any(re.search("test", name) for name in found):  # what is for developing pins far more, often the project itself
        found = [name for name in found if re.search(r"test|(?:^|/)requirements\.txt$", name)]
    found += named
    text = "\n".join(project.text(name) for name in found)
    included = {name.rpartition("/")[2] for name in re.findall(r"(?m)^\s*(?:-r|--requirement)[ =]?(\S+)", text)}
    return tuple(dict.fromkeys(name for name in found if name.rpartition("/")[2] not in included))


def _named_text(project: Project, files: Iterable[str], extras: Iterable[str], groups: Iterable[str]) -> str:
    """Return all that is installed by name, one a line: of requirement files, groups and extras that were chosen."""
    known = table(project.pyproject, "project", "optional-dependencies")
    in_groups = table(project.pyproject, "dependency-groups")
    chosen = [*(known.get(name) for name in extras), *(in_groups[name] for name in groups)]
    old = [project.ini("setup.cfg").get("options.extras_require", {}).get(name, "") for name in extras]
    lines = [line for entry in chosen for line in texts(entry)]
    lines += texts(table(project.pyproject, "project").get("dependencies"))
    return "\n".join([*map(project.text, files), *lines, *old, *_extras_of_setup(project, extras)])


def _extras_of_setup(project: Project, extras: Iterable[str]) -> Iterator[str]:
    for name in extras:
        if found := re.search(rf"[\"']{re.escape(name)}[\"']\s*:\s*[\[(](.*?)[\])]", project.text("setup.py"), re.S):
            yield from re.findall(r"[\"']([^\"']+)[\"']", found[1])


def _asked_for(project: Project, found: Iterable[Witness], named: str) -> list[str]:
    """Return pytest and those of its plugins that the project's options ask for and nothing names."""
    commands = " ".join(item.command for item in found if "pytest" in item.command)
    options = table(project.pyproject, "tool", "pytest")
    asked = f"{_options_text(project)} {options} {commands}"
    plugins = [name for sign, name in _PLUGINS if re.search(sign, asked)]
    tests = any(re.search(r"(?:^|/)(?:test_[^/]+|[^/]+_test)\.py$", name) for name in project.files)
    wanted = ["pytest"] if tests or plugins or commands else []
    return [name for name in (*wanted, *plugins) if not re.search(rf"(?<![\w-]){name}(?![\w-])", named)]


def _options_text(project: Project) -> str:
    return "\n".join(
        part
        for name, section in (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
        for part in (f"{key} = {value}" for key, value in project.ini(name).get(section, {}).items())
    )
