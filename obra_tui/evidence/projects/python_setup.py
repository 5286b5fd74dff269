"""How the environment of a Python project is made, by its lock file, its manifest or its requirements.

What tests need beside the package itself stands in groups, extras, requirement files or tox; what nobody names but
their own options ask for, such as a plugin of pytest, is added by name.
"""

import re
import shlex
from collections.abc import Callable, Iterable

from obra_tui.evidence.projects.proposing import Proposal
from obra_tui.evidence.projects.reading import Project, lines_of, table, texts
from obra_tui.evidence.projects.witnesses import Witness

Has = Callable[[str], bool]
_FOR_TESTS = re.compile(
    r"(?:unit[-_]?)?(?:tests?|testing|dev|develop|development|ci|tests?[-_](?:deps|requirements))", re.I
)
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
    tool = table(project.pyproject, "tool")
    if project.has("uv.lock"):
        return _by("uv", f"uv sync{_uv_choice(project)}", "uv.lock", has)
    if project.has("poetry.lock") or "poetry" in tool:
        groups = ",".join(name for name in table(tool, "poetry", "group") if _FOR_TESTS.fullmatch(name))
        extras = "".join(f" -E {name}" for name in table(tool, "poetry", "extras") if _FOR_TESTS.fullmatch(name))
        command = f"poetry install{f' --with {groups}' if groups else ''}{extras}"
        return _by("poetry", command, "poetry.lock" if project.has("poetry.lock") else "pyproject.toml", has)
    if project.has("pdm.lock") or "pdm" in tool:
        return _by("pdm", "pdm install -G :all", "pdm.lock" if project.has("pdm.lock") else "pyproject.toml", has)
    if project.has("Pipfile"):
        return _by("pipenv", "pipenv install --dev", "Pipfile", has)
    return None


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
    chosen = [f" --group {name}" for name in groups if name not in default and _FOR_TESTS.fullmatch(name)]
    chosen += [f" --extra {name}" for name in extras if _FOR_TESTS.fullmatch(name)]
    return "".join(chosen)


def _to_install(project: Project, found: tuple[Witness, ...]) -> tuple[str, str]:
    """Return what pip installs, as words of a command line, and which file says so."""
    words: list[str] = []
    files = _requirement_files(project)
    because = files[0] if files else ""
    extras = _extras(project, found)
    if manifest := next((name for name in ("pyproject.toml", "setup.py", "setup.cfg") if _builds(project, name)), ""):
        words.append("-e " + shlex.quote(f".[{','.join(extras)}]" if extras else "."))
        because = manifest
    groups = table(project.pyproject, "dependency-groups")
    words += [f"--group {shlex.quote(name)}" for name in groups if _FOR_TESTS.fullmatch(name)]
    words += [f"-r {shlex.quote(name)}" for name in files]
    named = _named_text(project, files, extras)
    tox = [line for line in _tox_requirements(project) if line not in files]
    words += [shlex.quote(line) for line in tox]
    words += [shlex.quote(name) for name in _asked_for(project, found, f"{named} {' '.join(tox)}".casefold())]
    return " ".join(words), because or "tests"


def _builds(project: Project, name: str) -> bool:
    match name:
        case "pyproject.toml":
            return "project" in project.pyproject or (
                "build-system" in project.pyproject and not project.has("setup.py")
            )
        case "setup.cfg":
            return "metadata" in project.ini("setup.cfg")
        case _:
            return project.has(name)


def _extras(project: Project, found: tuple[Witness, ...]) -> tuple[str, ...]:
    """Return the extras for tests: by their name, and those that CI installs."""
    known = list(table(project.pyproject, "project", "optional-dependencies"))
    known += list(project.ini("setup.cfg").get("options.extras_require", {}))
    block = re.search(r"(?is)extras_require\w*\s*[=:]\s*\{(.*?)\n\s*\}", project.text("setup.py"))
    known += re.findall(r"[\"']([\w-]+)[\"']\s*:", block[1]) if block else []
    used = {
        name for item in found for group in re.findall(r"\.\[([\w,\s-]+)\]", item.command) for name in group.split(",")
    }
    tox = project.ini("tox.ini").get("testenv", {}).get("extras", "")
    used |= {name for line in lines_of(tox) for name in re.split(r"[,\s]+", line)}
    return tuple(dict.fromkeys(name for name in known if _FOR_TESTS.fullmatch(name) or name in used))


def _requirement_files(project: Project) -> tuple[str, ...]:
    """Return the requirement files; what one of them includes is not named twice."""
    found = [name for name in project.files if name.count("/") <= 1 and _REQUIREMENTS.fullmatch(name)]
    found += [name for name in project.files if re.fullmatch(r"tests?/requirements?(?:[-_]tests?)?\.txt", name)]
    if any(re.search("test", name) for name in found):  # what is for developing pins far more, often the project itself
        found = [name for name in found if re.search(r"test|(?:^|/)requirements\.txt$", name)]
    text = "\n".join(project.text(name) for name in found)
    included = {name.rpartition("/")[2] for name in re.findall(r"(?m)^\s*(?:-r|--requirement)[ =]?(\S+)", text)}
    return tuple(dict.fromkeys(name for name in found if name.rpartition("/")[2] not in included))


def _named_text(project: Project, files: Iterable[str], extras: Iterable[str]) -> str:
    """Return all that is installed by name: of requirement files, and of the groups and extras that were chosen."""
    known = table(project.pyproject, "project", "optional-dependencies")
    groups = table(project.pyproject, "dependency-groups")
    chosen = [*(known.get(name) for name in extras), *(groups[name] for name in groups if _FOR_TESTS.fullmatch(name))]
    old = [project.ini("setup.cfg").get("options.extras_require", {}).get(name, "") for name in extras]
    return "\n".join([*map(project.text, files), *map(str, chosen), *old])


def _tox_requirements(project: Project) -> list[str]:
    deps = lines_of(project.ini("tox.ini").get("testenv", {}).get("deps", ""))
    plain = [line for line in deps if not re.search(r"[{}]|^\s*-|^[\w,!.-]+:\s", line)]
    return [line for line in plain if re.match(r"[A-Za-z]", line)]


def _asked_for(project: Project, found: Iterable[Witness], named: str) -> list[str]:
    """Return pytest and those of its plugins that the project's options ask for and nothing names."""
    commands = " ".join(item.command for item in found if "pytest" in item.command)
    options = table(project.pyproject, "tool", "pytest")
    asked = f"{_options_text(project)} {options} {commands}"
    plugins = [name for sign, name in _PLUGINS if re.search(sign, asked)]
    tests = any(re.search(r"(?:^|/)(?:test_[^/]+|[^/]+_test)\.py$", name) for name in project.files)
    wanted = ["pytest"] if tests or plugins else []
    return [name for name in (*wanted, *plugins) if not re.search(rf"(?<![\w-]){name}(?![\w-])", named)]


def _options_text(project: Project) -> str:
    return "\n".join(
        part
        for name, section in (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
        for part in (f"{key} = {value}" for key, value in project.ini(name).get(section, {}).items())
    )
