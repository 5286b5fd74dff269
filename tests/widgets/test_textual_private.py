"""Textual still has every private name that the project uses, and no other one is used."""

import ast
import inspect
import sys
from importlib import import_module
from pathlib import Path

import pytest
from textual.app import App
from textual.screen import Screen
from textual.widget import Widget

import widgets
from obra_tui import ui
from widgets.textual_private import PRIVATE_NAMES, Compositor

ALLOWED_ELSEWHERE = {"obra_tui/ui/app.py", "obra_tui/ui/recovery.py"}
"""These override private methods of the app, which has to be done in the app itself."""
MADE = {"App": App, "Screen": Screen, "Widget": Widget, "Compositor": Compositor}
OWNERS = tuple(MADE.values())


def has(owner, name):
    module, _, kind = owner.partition(":")
    if not kind:
        return hasattr(import_module(module), name)
    return hasattr(MADE[kind], name) or name in vars(MADE[kind]())


@pytest.mark.parametrize("private", PRIVATE_NAMES, ids=lambda private: f"{private.owner}.{private.name}")
def test_textual_has_the_private_name(private):
    assert has(private.owner, private.name), (
        f"This Textual has no {private.name} in {private.owner} any more. It is needed because: {private.reason}."
        " See widgets/textual_private.py before you raise Textual."
    )


def test_there_are_at_most_twenty_and_each_has_a_reason():
    assert len(PRIVATE_NAMES) <= 20
    assert all(private.reason for private in PRIVATE_NAMES)
    assert len({(private.owner, private.name) for private in PRIVATE_NAMES}) == len(PRIVATE_NAMES)


def private_names_of_textual():
    """Private attributes and methods of the classes that ours inherit from or reach into."""
    names = set()
    for kind in {base for owner in OWNERS for base in owner.__mro__ if base.__module__.startswith("textual")}:
        tree = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
                names |= set(defined_in(node))
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def defined_in(cls):
    for node in ast.walk(cls):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def used_in(path, private):
    """Private names of Textual in one file, for classes that inherit from Textual or objects of it."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("textual."):
            yield from (part for part in node.module.split(".") if part.startswith("_"))
        elif isinstance(node, ast.Attribute) and node.attr in private and not is_own(node):
            yield node.attr


def is_own(node):
    """`self._x`: of a class of ours, which may have any name of its own unless it is a widget."""
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


@pytest.mark.parametrize("package", [widgets, ui], ids=["widgets", "ui"])
def test_no_other_module_uses_a_private_name_of_textual(package):
    root = Path(package.__file__).parent
    private = private_names_of_textual()
    for path in root.rglob("*.py"):
        shown = path.relative_to(Path(widgets.__file__).parent.parent).as_posix()
        if shown == "widgets/textual_private.py" or shown in ALLOWED_ELSEWHERE:
            continue
        assert not set(used_in(path, private)), f"{shown} uses private names of Textual"


def all_subclasses(kind):
    for sub in kind.__subclasses__():
        yield sub
        yield from all_subclasses(sub)


def test_no_widget_of_ours_takes_a_private_name_of_textual_for_itself():
    for module in [path for path in Path(widgets.__file__).parent.rglob("*.py") if path.stem != "__main__"]:
        dotted = ".".join(module.relative_to(Path(widgets.__file__).parent.parent).with_suffix("").parts)
        import_module(dotted.removesuffix(".__init__"))
    private = private_names_of_textual()
    for kind in {sub for sub in all_subclasses(Widget) if sub.__module__.startswith("widgets.")}:
        tree = ast.parse(inspect.getsource(kind).lstrip())
        taken = {name for name in defined_in(tree.body[0]) if name in private}
        assert taken <= {private.name for private in PRIVATE_NAMES}, f"{kind.__name__} hides {taken} of Textual"
