"""The text of `config.toml`: every setting with its default and its docstring."""

import textwrap
from collections.abc import Iterator
from typing import Any

from obra_tui.config.project import is_personal
from obra_tui.config.schema import CheckSettings, Section, Settings
from obra_tui.config.showing import shown, values
from obra_tui.config.wording import words_of

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
