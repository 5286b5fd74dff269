"""Who may import whom: as import-linter reads the source, and as a fresh interpreter sees it."""

import ast
import functools
import json
import os
import pkgutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import obra_tui
import widgets

ROOT = Path(__file__).parent.parent
SIBLINGS = ("agents", "engine", "evidence", "fleet", "judge", "rehearsal", "store", "ui")
FRAMEWORKS = frozenset(
    {"textual", "rich", "sqlalchemy", "alembic", "httpx", "pydantic", "pydantic_settings", "claude_agent_sdk", "typer"}
)
HEAVY = frozenset({"textual", "sqlalchemy", "alembic", "httpx", "claude_agent_sdk", "pydantic_settings"})


def all_modules():
    found = pkgutil.walk_packages(obra_tui.__path__, "obra_tui.")
    return [item.name for item in found if not {"scenarios", "migrations"} & set(item.name.split("."))]


def run_python(code):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def loaded_after(*modules):
    """Return the names in `sys.modules` after these were imported in an interpreter of their own."""
    lines = [f"import {name}" for name in modules]
    return set(json.loads(run_python("\n".join((*lines, "import sys, json; print(json.dumps(sorted(sys.modules)))")))))


def roots(names):
    return {name.partition(".")[0] for name in names}


def room(name):
    """Return the room that a module of ours lies in, or nothing."""
    parts = name.split(".")
    return parts[1] if parts[0] == "obra_tui" and len(parts) > 1 else ""


def imports_of(name, path, known):
    """Return the modules of ours that the source of a module names, also deferred and for types only."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join(filter(None, (*parts, node.module)))
            found |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names}
    return (found & known.keys()) - {name}


@functools.cache
def product_files():
    """Return the files by the names of their modules, without the projects and scripts of rehearsals."""
    known = {}
    for path in sorted(path for root in ("obra_tui", "widgets") for path in (ROOT / root).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "scenarios" not in parts:
            known[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return known


def import_graph():
    known = product_files()
    return {name: imports_of(name, path, known) for name, path in known.items()}


def reached_from(graph, start):
    seen, waiting = set(), [start]
    while waiting:
        fresh = graph[waiting.pop()] - seen
        seen |= fresh
        waiting.extend(fresh)
    return seen


def rings(graph):
    """Return the sets of modules that all reach one another, largest first."""
    reach = {name: reached_from(graph, name) for name in graph}
    found = {frozenset(other for other in seen if name in reach[other]) for name, seen in reach.items() if name in seen}
    return sorted(found, key=len, reverse=True)


def in_room(name):
    return [
        module for module in all_modules() if module == f"obra_tui.{name}" or module.startswith(f"obra_tui.{name}.")
    ]


def test_the_contracts_of_import_linter_are_kept():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_ring_of_imports_is_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a"}}
    assert rings(graph) == [frozenset("abc")]


def test_no_files_import_one_another_in_a_ring_also_when_types_and_deferred_imports_count():
    assert [sorted(ring) for ring in rings(import_graph())] == []


def classes_of(trees):
    """Return the modules that define a class at top level, by the name of the class."""
    found = defaultdict(list)
    for module, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                found[node.name].append(module)
    return found


def test_a_class_name_of_two_meanings_is_found():
    trees = {name: ast.parse(f"class {of}: pass") for name, of in (("a", "Place"), ("b", "Place"), ("c", "Answer"))}
    assert classes_of(trees)["Place"] == ["a", "b"]


def test_a_class_name_means_one_thing_in_the_whole_product():
    """Private ones too: they move between files, and a reader meets them in tracebacks."""
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in product_files().items()}
    assert {name: where for name, where in classes_of(trees).items() if len(where) > 1} == {}


@pytest.mark.parametrize("name", ["core", "engine"])
def test_core_and_engine_load_no_framework(name):
    loaded = loaded_after(*in_room(name))
    assert not roots(loaded) & (FRAMEWORKS | {"widgets"})
    assert {room(module) for module in loaded} - {""} <= {"core", "system", name}


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_room_loads_core_and_itself_and_no_sibling(name):
    loaded = loaded_after(*in_room(name))
    others = {room(module) for module in loaded} & (set(SIBLINGS) - {name})
    assert not others, f"{name} loads {others}"
    assert not {room(module) for module in loaded} & {"bootstrap", "services", "cli", "api", "config"}


@pytest.mark.parametrize("name", sorted(set(SIBLINGS) - {"ui"}))
def test_only_the_screen_loads_textual_and_the_widgets(name):
    assert not roots(loaded_after(*in_room(name))) & {"textual", "widgets"}


def test_the_widgets_load_nothing_of_obra():
    found = pkgutil.walk_packages(widgets.__path__, "widgets.")
    names = [item.name for item in found if not item.name.endswith("__main__")]
    loaded = roots(loaded_after(*names))
    assert not loaded & {"obra_tui", "sqlalchemy", "httpx", "pydantic", "claude_agent_sdk"}


def test_only_the_settings_load_pydantic_settings():
    for name in SIBLINGS:
        assert "pydantic_settings" not in loaded_after(*in_room(name)), name


def starts_git(node):
    """Whether this is a command line that begins with git, or asks for its path."""
    if isinstance(node, ast.Call):
        named = [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
        return ast.unparse(node.func).endswith("which") and named == ["git"]
    if isinstance(node, (ast.List, ast.Tuple)):
        first = node.elts[0] if node.elts else None
        return isinstance(first, ast.Constant) and first.value == "git"
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("git -")


def test_only_one_module_starts_git():
    found = {
        str(path.relative_to(ROOT))
        for folder in ("obra_tui", "widgets")
        for path in (ROOT / folder).rglob("*.py")
        if "scenarios" not in path.parts and any(map(starts_git, ast.walk(ast.parse(path.read_text("utf-8")))))
    }
    assert found == {"obra_tui/system/git.py"}


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_come_without_the_heavy_libraries(argument):
    code = f"""
import sys, json, contextlib, io
sys.argv = ["obra", "{argument}"]
from obra_tui.__main__ import main
with contextlib.redirect_stdout(io.StringIO()) as said:
    try:
        main()
    except SystemExit as stop:
        assert not stop.code, stop.code
assert said.getvalue().strip()
print(json.dumps(sorted(sys.modules)))
"""
    assert not roots(json.loads(run_python(code))) & HEAVY
