"""Settings as text: each value with its source, its words, and all of them as `config.toml`. Secrets are masked."""

import ast
import functools
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from obra_tui.config import early, schema
from obra_tui.config.early import Section
from obra_tui.config.schema import CheckSettings, Origin, Secret, Settings, leaves, values
from obra_tui.config.sources import Layer
from obra_tui.config.trust import is_personal

_HEAD = """\
Every setting of Obra with its default. Written by `python -m obra_tui.config.load`.

Obra reads this file when it is started in this folder: as `config.toml`, or as `.obra/config.toml`,
which is then the only one. Put what is yours alone into `~/.config/obra/config.toml` (Linux). A flag wins over
the environment (`OBRA_JUDGE__MODEL=...`), that over the project's file, that over your own file. Keep only
the lines that you mean to change: what stands in a project's file hides the same line of your own.

`obra config show --origin` tells what is in force and why. An unknown key is an error. Commands, remote
servers and a gate that is less strict than your own are taken from a project only after `obra config trust`;
the screen, the keys, API keys and the place of the data are yours alone.
"""

_CHECK_EXAMPLE = """\
[[checks]]
name = "tests"
run = "python -m pytest -q --junitxml=$OBRA_JUNIT"
stage = "testing"        # or "syntax"
blocking = true          # work that fails it cannot pass
timeout_s = 600.0
"""


# --- values and their sources --------------------------------------------------------------------


def origins(settings: Settings, layers: Sequence[Layer]) -> Iterator[Origin]:
    for key, value in leaves(settings):
        path = tuple(key.split("."))
        layer = next((layer for layer in layers if _has(layer.values, path)), None)
        yield Origin(key=key, value=shown(value), source="default" if layer is None else layer.place(path))


def _has(values: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True


def shown(value: Any) -> str:
    match value:
        case Secret():
            return '"********"' if value.get_secret_value() else '""'
        case str():
            return json.dumps(re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:********@", str(value)), ensure_ascii=False)
        case Path():
            return json.dumps(str(value), ensure_ascii=False)
        case bool():
            return str(value).lower()
        case tuple():
            return f"[{', '.join(shown(item) for item in value)}]"
        case dict():
            return _table(value)
        case CheckSettings():
            return _table(dict(leaves(value)))
        case _:
            return str(value)


def _table(values: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)} = {shown(item)}" for key, item in values.items()) + "}"


# --- words ---------------------------------------------------------------------------------------


def words_of(model: type, name: str) -> str:
    """Return the docstring of a setting as one line; empty when there is none.

    It is read from the source, and only when somebody wants it.
    """
    return " ".join(_words().get(model.__name__, {}).get(name, "").split())


@functools.cache
def _words() -> Mapping[str, Mapping[str, str]]:
    sources = (inspect.getsource(module) for module in (early, schema))
    classes = (node for text in sources for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
    return {node.name: dict(_below_each(node.body)) for node in classes}


def _below_each(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, text


# --- config.toml ---------------------------------------------------------------------------------


def template() -> str:
    """Return the text of `config.toml`."""
    return "\n".join((_comment(_HEAD), "", *_template_of(Settings(), ""))) + "\n"


def _comment(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.strip("\n").splitlines())


def _template_of(section: Section, table: str) -> Iterator[str]:
    for name, value in values(section):
        words = words_of(type(section), name)
        key = f"{table}.{name}" if table else name
        if isinstance(value, Section):
            yield f"\n{_comment(type(value).__doc__ or '')}\n[{key}]"
            yield from _template_of(value, key)
        elif key == "checks":
            yield f"\n{_comment(CheckSettings.__doc__ or '')}\n{_comment(_CHECK_EXAMPLE)}"
        elif key == "keys":
            yield f"\n{_wrapped(words)}\n[keys]"
        else:
            yield from _template_line(name, key, value, words)


def _template_line(name: str, key: str, value: Any, words: str) -> Iterator[str]:
    if words:
        yield _wrapped(words)
    text = '"~/.local/share/obra"' if key == "data_dir" else shown(value)
    yield f"# {name} = {text}" if is_personal(key) and not key.startswith("ui.") else f"{name} = {text}"


def _wrapped(words: str) -> str:
    return textwrap.fill(words, 110, initial_indent="# ", subsequent_indent="# ")
