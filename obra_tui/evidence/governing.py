"""Which files of a project decide what its checks show: tests, what runs them, and what they read. Pure.

A list of names is only the beginning: what the run of the base collected and read, and what the command of a check
names, counts as well. For manifests that say many things, only the parts that concern tests count.
"""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from obra_tui.evidence.protect import is_test

RUNNER = "decides how the checks are run"
TEST = "is a test"
SUPPORT = "helps the tests"
READ = "is read by the tests"
NAMED = "is named by the check"
SHADOW = "stands in place of a module that the runner uses"

_PYTHON = (
    *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "tox.toml", "setup.cfg"),
    *("pyproject.toml", "noxfile.py", ".coveragerc", "mypy.ini", ".mypy.ini", "ruff.toml", ".ruff.toml", ".flake8"),
    *(".pylintrc", "pyrightconfig.json", "sitecustomize.py", "usercustomize.py", "*.pth", "*.pyc", "entry_points.txt"),
    *("setup.py", ".python-version"),
)
_NODE = (
    *("package.json", ".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs", "pnpm-workspace.yaml", ".mocharc*"),
    *("jest.*", "vitest.*", "vite.config.*", "karma.conf.*", "babel.config.*", ".babelrc*", ".swcrc", "ava.config.*"),
    *("tsconfig*.json", "jsconfig.json", ".eslintrc*", "eslint.config.*", ".eslintignore", "biome.json*", "turbo.json"),
    *("playwright.config.*", "cypress.config.*", "bunfig.toml", ".nvmrc", ".node-version", ".c8rc*", ".nycrc*"),
    "deno.json*",
)
_RUST = (
    *("Cargo.toml", "build.rs", "rust-toolchain", "rust-toolchain.toml", "clippy.toml", ".clippy.toml", "nextest.toml"),
)
_GO = ("go.mod", "go.work", ".golangci.*")
_MAKE = (
    *("Makefile", "makefile", "GNUmakefile", "*.mk", "justfile", ".justfile", "Taskfile.y*ml", "Rakefile", ".rspec"),
    *("CMakeLists.txt", "*.cmake", "meson.build", "meson.options", "configure", "configure.ac", "Makefile.*"),
)
_JVM = ("pom.xml", "*.gradle", "*.gradle.kts", "gradle.properties", "gradlew", "mvnw", "libs.versions.toml")
_ALWAYS = (".env", ".envrc", ".tool-versions", "mise.toml", ".mise.toml", "phpunit.xml*", "Gemfile", "composer.json")
_FAMILIES = (_PYTHON, _NODE, _RUST, _GO, _MAKE, _JVM)
_BY_TOOL: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"\b(?:npm|npx|pnpm|yarn|bun|node|deno|jest|vitest|mocha|tsc|eslint)\b"), (*_NODE, *_MAKE)),
    (re.compile(r"\b(?:pytest|py\.test|python[\d.]*|ruff|mypy|pyright|tox|nox)\b"), _PYTHON),
    (re.compile(r"\b(?:cargo|rustc)\b"), _RUST),
    (re.compile(r"^go (?:test|vet|build)\b"), _GO),
    (re.compile(r"\b(?:mvn|mvnw|gradle|gradlew|javac)\b"), _JVM),
)
_FOLDERS = (".cargo/", ".mvn/", "gradle/wrapper/", "__mocks__/", "node_modules/", ".venv/", "venv/", "__pycache__/")
_DATA = ("testdata/", "fixtures/", "golden/", "__snapshots__/", "snapshots/", "expected/", "__fixtures__/")
_MORE_TESTS = ("*_test.go", "*_test.rs", "*Test.java", "*Tests.java", "*IT.java", "*.snap", "*_spec.rb", "*.bats")
_HELPER = re.compile(r"(?:^|[_.-])(?:test|tests|testing|testutils?|fixtures?|helpers?|mocks?|stubs?|fakes?|asserts?)")
_USES_RUNNER = re.compile(
    r"""^\s*(?:from|import)\s+(?:pytest|unittest|hypothesis|nose)\b"""
    r"""|(?:from|require\()\s*['"](?:vitest|@jest/\w+|node:test|node:assert\S*|assert|chai|mocha|ava|tape)['"]""",
    re.MULTILINE,
)
_RUNNERS = frozenset(
    (
        *("pytest", "_pytest", "pluggy", "iniconfig", "xdist", "execnet", "nose", "nose2"),
        *("hypothesis", "coverage", "pytest_cov", "exceptiongroup"),
    )
)


class Role(Struct, frozen=True, kw_only=True):
    """What a check's run on the base tells of the files that it depends on."""

    command: str
    read: frozenset[str] = frozenset()
    collected: frozenset[str] = frozenset()
    """Files in which tests were found."""
    serving: frozenset[str] = frozenset()
    """Files of no telling name that only tests use."""
    scripts: str = ""
    """The text of what the command starts: scripts of the package manager, recipes."""

    def of(self, path: str, old: str | None) -> str:
        """Return why this file decides what the check shows; empty if it does not. `old` is its text at the base."""
        name = path.rpartition("/")[2]
        if _matches(name, (*self._configuration(), *_ALWAYS)) or _lies_in(path, _FOLDERS):
            return RUNNER
        if old is None and _shadows(path):
            return SHADOW
        if is_a_test(path) or path in self.collected:
            return TEST
        if path in self.read or _lies_in(path, _DATA):
            return READ
        if old is not None and _names(f"{self.command} {self.scripts}", path):
            return NAMED
        if path in self.serving:
            return SUPPORT
        if old is not None and (_USES_RUNNER.search(old) or _HELPER.search(name.partition(".")[0].casefold())):
            return SUPPORT
        return ""

    def _configuration(self) -> tuple[str, ...]:
        found = tuple(pattern for tool, family in _BY_TOOL if tool.search(self.command) for pattern in family)
        known = found and not re.search(r"[;&|]|\.sh\b|^(?:make|just|task|sh|bash)\b", self.command)
        return found if known else tuple(pattern for family in _FAMILIES for pattern in family)


def is_a_test(path: str) -> bool:
    """Tell whether a path is by its name alone a file of tests, in any language."""
    return is_test(path) or _matches(path.rpartition("/")[2], _MORE_TESTS)


def _matches(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _lies_in(path: str, folders: Collection[str]) -> bool:
    return any(path.startswith(folder) or f"/{folder}" in path for folder in folders)


def _shadows(path: str) -> bool:
    """Tell whether a new module at the root has the name of one that is loaded before any code of the project."""
    inner = path.removeprefix("src/").removeprefix("lib/")
    top, _, rest = inner.partition("/")
    module = top.partition(".")[0] if not rest else top
    is_module = path.endswith((".py", ".pyi", ".so", ".pyc")) or bool(rest)
    return is_module and (module in _RUNNERS or (path.endswith(".py") and module in sys.stdlib_module_names))


def _names(command: str, path: str) -> bool:
    return re.search(rf"(?:^|[\s\"'=./]){re.escape(path)}(?:$|[\s\"';&|)])", command) is not None


# --- what of a manifest concerns tests -----------------------------------------------------------

_ABOUT = frozenset(
    (
        *("name", "version", "description", "readme", "license", "license-files", "authors"),
        *("maintainers", "keywords", "classifiers", "urls", "dependencies", "optional-dependencies"),
        *("requires-python", "dynamic", "scripts", "gui-scripts"),
    )
)
_ABOUT_NODE = frozenset(
    (
        *("name", "version", "description", "keywords", "homepage", "bugs", "license", "author"),
        *("contributors", "funding", "files", "repository", "dependencies", "devDependencies"),
        *("peerDependencies", "optionalDependencies", "peerDependenciesMeta", "bundleDependencies"),
        *("private", "publishConfig", "engines", "bin", "man"),
    )
)
_ABOUT_CARGO = frozenset(
    (*("dependencies", "dev-dependencies", "build-dependencies", "package", "features", "badges"),)
)
_PACKAGE_TOOLS = frozenset(
    (
        *("uv", "pdm", "poetry", "rye", "towncrier", "bumpversion", "semantic_release"),
        *("setuptools_scm",),
    )
)


def concerns_tests(path: str, old: str | None, new: str | None) -> bool:
    """Tell whether the difference between two texts of a manifest can change what checks show."""
    name = path.rpartition("/")[2]
    readers = {"pyproject.toml": _pyproject, "package.json": _package, "Cargo.toml": _cargo, "go.mod": _go_mod}
    reader = readers.get(name)
    if reader is None or new is None:
        return True
    if old is None:
        old = "{}" if name.endswith(".json") else ""
    try:
        return reader(old) != reader(new)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return True


def _without(table: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in names}


def _pyproject(text: str) -> object:
    whole = tomllib.loads(text)
    tools = {name: value for name, value in whole.get("tool", {}).items() if name not in _PACKAGE_TOOLS}
    poetry = whole.get("tool", {}).get("poetry", {})
    rest = _without(whole, ("project", "tool", "dependency-groups", "build-system"))
    backend = whole.get("build-system", {}).get("build-backend")
    return rest, _without(whole.get("project", {}), _ABOUT), tools, poetry.get("plugins"), backend


def _package(text: str) -> object:
    return _without(json.loads(text), _ABOUT_NODE)


def _cargo(text: str) -> object:
    whole = tomllib.loads(text)
    package = whole.get("package", {})
    return _without(whole, _ABOUT_CARGO), {key: package.get(key) for key in ("build", "autotests", "links", "edition")}


def _go_mod(text: str) -> object:
    return sorted(line for line in text.splitlines() if line.strip().startswith(("replace", "toolchain", "exclude")))


# --- additions to tests --------------------------------------------------------------------------

_CHANGES_OTHERS = re.compile(
    r"\.(?:only|skip|todo|skipIf|runIf)\b|\b[fx](?:it|describe|test)\(|\b(?:jest|vi|vitest)\.\w*[mM]ock|process\.|"
    r"prototype|defineProperty|Skip(?:Now|f)?\(|os\.Exit|#\[ignore|#!\[|TestMain|beforeAll|afterAll|globalThis"
)


def only_adds(path: str, old: str | None, new: str | None) -> bool:
    """Tell whether a test file has new tests and is otherwise as it was: nothing that was there is changed by it."""
    if old is None or new is None:
        return False
    if path.endswith(".py"):
        return _only_adds_python(old, new)
    before, after = old.splitlines(), iter(new.splitlines())
    kept = all(any(line == other for other in after) for line in before)
    if not kept:
        return False
    known = set(before)
    return not any(_CHANGES_OTHERS.search(line) for line in new.splitlines() if line not in known)


def _only_adds_python(old: str, new: str) -> bool:
    try:
        before, after = ast.parse(old), ast.parse(new)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return _adds_to(before.body, after.body, _names_in(before))


def _names_in(module: ast.Module) -> frozenset[str]:
    """Return every name that the old text uses: a new definition of it could change what an old test does."""
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    used |= {node.arg for node in ast.walk(module) if isinstance(node, ast.arg)}
    return frozenset(used | {_name_of(node) for node in module.body})


def _adds_to(before: list[ast.stmt], after: list[ast.stmt], taken: frozenset[str]) -> bool:
    """Each old statement is there in its order; what is between them only defines new names."""
    waiting = list(before)
    for node in after:
        if (waiting and ast.dump(node) == ast.dump(waiting[0])) or (waiting and _extends(waiting[0], node, taken)):
            waiting.pop(0)
        elif not _defines_new(node, taken):
            return False
    return not waiting


def _extends(old: ast.stmt, new: ast.stmt, taken: frozenset[str]) -> bool:
    """A class of tests that got more of them, or an import that got more names."""
    if isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef):
        same = old.name == new.name and [*map(ast.dump, (*old.bases, *old.decorator_list))] == [
            *map(ast.dump, (*new.bases, *new.decorator_list))
        ]
        own = frozenset(_name_of(item) for item in old.body)
        return same and _adds_to(old.body, new.body, own | {"setUp", "setup_method", "setup_class", "tearDown"})
    if isinstance(old, ast.ImportFrom) and isinstance(new, ast.ImportFrom):
        was = {(item.name, item.asname) for item in old.names}
        now = {(item.name, item.asname) for item in new.names}
        fresh = {alias or name for name, alias in now - was}
        return (old.module, old.level) == (new.module, new.level) and was <= now and not fresh & taken
    return False


def _name_of(node: ast.stmt) -> str:
    return str(getattr(node, "name", ""))


def _defines_new(node: ast.stmt, taken: frozenset[str]) -> bool:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            special = node.name.startswith(("pytest_", "setup", "teardown", "setUp", "tearDown", "__", "load_tests"))
            loud = any("autouse" in ast.dump(item) or "hook" in ast.dump(item) for item in node.decorator_list)
            return node.name not in taken and not special and not loud
        case ast.ClassDef():
            return node.name not in taken
        case ast.Import() | ast.ImportFrom():
            names = {item.asname or item.name.partition(".")[0] for item in node.names}
            return "*" not in names and not names & taken
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            plain = not any(isinstance(item, (ast.Call, ast.Lambda)) for item in ast.walk(value))
            return name not in taken and plain and not name.startswith(("pytest", "collect", "__"))
        case ast.Expr(value=ast.Constant()):
            return True
        case _:
            return False


# --- tests that stand among the code -------------------------------------------------------------

_INLINE = re.compile(r"#\[(?:cfg\(test\)|(?:\w+::)*test)\b[^\]]*\]")


def inline_tests(path: str, text: str | None) -> str:
    """Return the tests inside a source file, as text without spaces; empty where the language has none."""
    if text is None or not path.endswith(".rs"):
        return ""
    found = _INLINE.search(text)
    return "".join(text[found.start() :].split()) if found else ""
