"""The checks of languages other than Python, for the packages that a change touches and those that build on them.

A manifest at the root speaks for the whole project. Where there is none, each package that was touched is checked in
its own folder, and so is every other one whose manifest names it.
"""

import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from obra_tui.core.model import CheckSpec, Stage
from obra_tui.evidence.projects.reading import Project

Look = Callable[[str], Path]

_NO_TEST_SCRIPT = "no test specified"
_NEEDS_NETWORK = re.compile(r"\b(?:audit|aud|publish)\b|\bnpx (?:--?\w+ )*['\"]?\S*@")
_ONLY_LOOKS = re.compile(r"(?:npm (?:run )?(?:-\S+ )*(?:lint|readme|docs?|format\S*|prettier|typecheck)(?: && |$))*")
_REPAIRS = re.compile(r"\s--(?:fix|write)\b")
_MAKE_TEST = re.compile(r"(?m)^(test|check)\s*:(?!=)")
_MOST_PACKAGES = 12
_LOCKS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun"))


def other_checks(files: Path, changed: Sequence[str], look: Look) -> list[CheckSpec]:
    """Return the checks that manifests at the root, or else those of touched packages, ask for."""
    project = Project(files)
    return [
        *_of_packages(project, changed, "package.json", lambda at, folder: _node(at, folder, look)),
        *_of_packages(project, changed, "Cargo.toml", _cargo),
        *_of_packages(project, changed, "go.mod", _go),
        *_of_packages(project, changed, "pom.xml", _maven),
        *_c(project, changed),
    ]


def make_checks(files: Path) -> Iterator[CheckSpec]:
    """Return what make, just or task run as tests: for projects where nothing else was found."""
    project = Project(files)
    if "enable_testing" in project.text("CMakeLists.txt") or "include(CTest" in project.text("CMakeLists.txt"):
        yield CheckSpec(name="ctest", run=f'{_CMAKE} && ctest --test-dir "$TMPDIR/build" --output-on-failure')
        return
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if found := _MAKE_TEST.search(project.text(name)):
            yield CheckSpec(name=f"make {found[1]}", run=f"make {found[1]}", stage=Stage.TESTING)
            return
    for name in ("justfile", "Justfile", ".justfile"):
        if re.search(r"(?m)^test\b[^\n:]*:(?!=)", project.text(name)):
            yield CheckSpec(name="just test", run="just test", stage=Stage.TESTING)
            return
    if re.search(r"(?m)^  test:", project.text("Taskfile.yml") + project.text("Taskfile.yaml")):
        yield CheckSpec(name="task test", run="task test", stage=Stage.TESTING)


# --- packages ------------------------------------------------------------------------------------

Checks = Callable[[Project, str], Iterator[CheckSpec]]
"""Given a package and its folder, empty at the root."""


def _of_packages(project: Project, changed: Sequence[str], manifest: str, checks: Checks) -> Iterator[CheckSpec]:
    if project.has(manifest):
        found = list(checks(project, ""))
        yield from found
        if manifest != "package.json" or any(spec.stage is Stage.TESTING for spec in found):
            return
    for folder in touched_packages(project, changed, manifest):
        yield from checks(Project(project.root / folder), folder)


def touched_packages(project: Project, changed: Sequence[str], manifest: str) -> list[str]:
    """Return the folders of the packages that hold a changed file, and of those whose manifest names one of them."""
    folders = [name.rpartition("/")[0] for name in project.files if name.rpartition("/")[2] == manifest]
    inner = sorted((folder for folder in folders if folder), key=len, reverse=True)
    touched = {folder for path in changed if (folder := _nearest(path, inner))}
    texts = {folder: project.text(f"{folder}/{manifest}") for folder in inner}
    names = {folder: _name_in(texts[folder]) or folder.rpartition("/")[2] for folder in inner}
    waiting = sorted(touched)
    while waiting:
        name = names[waiting.pop()]
        for folder in inner:
            if folder not in touched and re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w-])", texts[folder]):
                touched.add(folder)
                waiting.append(folder)
    return sorted(touched)[:_MOST_PACKAGES]


def _nearest(path: str, folders: Sequence[str]) -> str:
    return next((folder for folder in folders if path.startswith(f"{folder}/")), "")


def _name_in(text: str) -> str:
    found = re.search(r'(?m)(?:^|[{,])\s*"?name"?\s*[:=]\s*"([^"]+)"|^module\s+(\S+)|<artifactId>([^<]+)<', text)
    return next((part for part in found.groups() if part), "") if found else ""


def _at(folder: str, command: str) -> str:
    return f"cd {shlex.quote(folder)} && {command}" if folder else command


def _called(name: str, folder: str) -> str:
    return f"{name} in {folder}" if folder else name


# --- languages -----------------------------------------------------------------------------------


def _node(project: Project, folder: str, look: Look) -> Iterator[CheckSpec]:
    scripts, tool = project.scripts, _node_tool(project)
    for name in ("typecheck", "lint"):
        if name in scripts and not _REPAIRS.search(scripts[name]):
            run = _at(folder, f"{tool} run {name}{_without_what_follows(scripts, name)}")
            yield CheckSpec(name=_called(f"{tool} {name}", folder), run=run, stage=Stage.SYNTAX)
    compiler = f"{folder}/" * bool(folder) + "node_modules/.bin/tsc"
    if not {"typecheck", "lint"} & set(scripts) and project.has("tsconfig.json") and look(compiler).exists():
        run = _at(folder, "node_modules/.bin/tsc --noEmit -p .")
        yield CheckSpec(name=_called("tsc", folder), run=run, stage=Stage.SYNTAX)
    test = scripts.get("test", "")
    if test and _NO_TEST_SCRIPT not in test:
        run = _at(folder, f"{tool} test{_without_what_follows(scripts, 'test')}")
        yield CheckSpec(name=_called(f"{tool} test", folder), run=run, stage=Stage.TESTING)


def _without_what_follows(scripts: dict[str, str], name: str) -> str:
    """Leave out what runs before and after a script where that needs a network, which checks have not."""
    before, after = scripts.get(f"pre{name}", ""), scripts.get(f"post{name}", "")
    needed = _NEEDS_NETWORK.search(f"{before} {after}")
    return " --ignore-scripts" if needed and _ONLY_LOOKS.fullmatch(before) else ""


def _node_tool(project: Project) -> str:
    tool = next((tool for lock, tool in _LOCKS if project.has(lock)), "npm")
    return tool if tool == "npm" or shutil.which(tool) else "npm"


def _cargo(_: Project, folder: str) -> Iterator[CheckSpec]:
    check, test = _at(folder, "cargo check --offline"), _at(folder, "cargo test --offline")
    yield CheckSpec(name=_called("cargo check", folder), run=check, stage=Stage.SYNTAX)
    yield CheckSpec(name=_called("cargo test", folder), run=test, stage=Stage.TESTING, timeout_s=1200.0)


def _go(_: Project, folder: str) -> Iterator[CheckSpec]:
    vet, test = _at(folder, "go vet ./..."), _at(folder, "go test ./...")
    yield CheckSpec(name=_called("go vet", folder), run=vet, stage=Stage.SYNTAX)
    yield CheckSpec(name=_called("go test", folder), run=test, stage=Stage.TESTING, timeout_s=1200.0)


def _maven(_: Project, folder: str) -> Iterator[CheckSpec]:
    compiled = _at(folder, "mvn -o -q -B test-compile")
    yield CheckSpec(name=_called("mvn compile", folder), run=compiled, stage=Stage.SYNTAX, timeout_s=1800.0)
    run = _at(folder, f"mvn -o -q -B test; code=$?; {_REPORTS_OF_MAVEN}; exit $code")
    yield CheckSpec(name=_called("mvn test", folder), run=run, stage=Stage.TESTING, timeout_s=1800.0, junit=True)


_REPORTS_OF_MAVEN = (
    "{ echo '<testsuites>'; find . -path '*/target/surefire-reports/TEST-*.xml' -exec sed 's/<?xml[^>]*>//' {} +; "
    "echo '</testsuites>'; } > \"$OBRA_JUNIT\""
)


def _c(project: Project, changed: Sequence[str]) -> Iterator[CheckSpec]:
    """Build with CMake or make where C or C++ was changed: no file of it can be read alone."""
    if not any(path.endswith(_C_FILES) for path in changed):
        return
    if project.has("CMakeLists.txt"):
        yield CheckSpec(name="build", run=_CMAKE, stage=Stage.SYNTAX, timeout_s=1200.0)
    elif project.has("Makefile", "makefile", "GNUmakefile") and not project.has("setup.py", "pyproject.toml"):
        yield CheckSpec(name="build", run="make", stage=Stage.SYNTAX, timeout_s=1200.0)


_CMAKE = 'cmake -S . -B "$TMPDIR/build" && cmake --build "$TMPDIR/build"'
_C_FILES = (".c", ".h", ".cc", ".cpp", ".cxx", ".hpp")
