"""Documents have one place each, their links lead somewhere, and the commands they name exist."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from obra_tui.core import commands, events

ROOT = Path(__file__).parent.parent
TOP = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "AGENTS.md"}
DOCS_TOP = {"codebase-guide.md", "glossary.md", "protocol.md"}
SHELVES = {"guides", "decisions", "reports", "archive"}
NOT_OURS = {".venv", ".git", "node_modules", "scenarios", "fixtures", ".pytest_cache", ".hypothesis", "build", "dist"}
FOLDERS_WITH_OTHER_MARKDOWN = {"obra_tui", "tests"}
"""Prompts and test data are Markdown too, but no documents."""


def markdown_files():
    return sorted(
        path.relative_to(ROOT) for path in ROOT.rglob("*.md") if not NOT_OURS & set(path.relative_to(ROOT).parts)
    )


DOCUMENTS = [path for path in markdown_files() if path.parts[0] not in FOLDERS_WITH_OTHER_MARKDOWN]


def without_code_blocks(text):
    return re.sub(r"^(`{3,}|~{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def is_in_its_place(path):
    match path.parts:
        case (name,):
            return name in TOP
        case ("docs", name):
            return name in DOCS_TOP
        case ("docs", shelf, _):
            return shelf in SHELVES
        case _:
            return False


def test_every_document_is_in_its_place():
    strays = [str(path) for path in DOCUMENTS if not is_in_its_place(path)]
    assert not strays, f"documents belong into docs/{{{','.join(sorted(SHELVES))}}}: {strays}"


def test_the_documents_that_everybody_looks_for_are_there():
    names = {str(path) for path in DOCUMENTS}
    assert names >= TOP | {f"docs/{name}" for name in DOCS_TOP}


def links_of(path):
    text = without_code_blocks(read(path))
    found = re.findall(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)|<img[^>]+src=\"([^\"]+)\"", text)
    return [first or second for first, second in found]


def anchors_of(path):
    headings = re.findall(r"^#+ +(.+?) *$", without_code_blocks(read(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_relative_link_leads_somewhere(path):
    for link in links_of(path):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        place = path if not target else (ROOT / path).parent / target
        assert (ROOT / place).exists(), f"{path} links to {link}"
        if anchor:
            assert anchor in anchors_of((ROOT / place).resolve().relative_to(ROOT)), f"{path} links to {link}"


def test_every_source_file_that_the_tour_names_exists():
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    named = re.findall(r"`([\w/]+\.py)`", read("docs/codebase-guide.md"))
    assert named
    assert not [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)]


def test_every_command_and_event_says_what_it_means():
    for kind in (*get_args(commands.Command), *get_args(events.Event)):
        assert kind.__doc__, f"{kind.__name__} has no docstring"


def test_the_tables_of_the_protocol_are_those_of_the_source():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "protocol.py", "--check"], timeout=60)
    assert done.returncode == 0, "run: python scripts/protocol.py"


def make_targets():
    return set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))


def cli_commands():
    """Return every command as words, such as `config show`, with all its option names."""
    import typer

    from obra_tui.cli.app import app

    def walk(command, words):
        yield words, {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        for name, below in getattr(command, "commands", {}).items():
            yield from walk(below, (*words, name))

    return dict(walk(typer.main.get_command(app), ()))


def quoted_commands(path):
    """Return the `make …` and `obra …` lines in the code of a document."""
    text = read(path)
    inline = re.findall(r"(?<!`)`((?:make|obra) [^`\n]+)`(?!`)", text)
    blocks = "\n".join(re.findall(r"^```(?:sh|console|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    lines = blocks.replace("\\\n", " ").splitlines()  # a command may go on in the next line
    return inline + [line.lstrip("$ ").partition("  #")[0] for line in lines if line.strip()]


GUIDES = [path for path in DOCUMENTS if path.parts[:2] not in (("docs", "archive"), ("docs", "reports"))]


@pytest.mark.parametrize("path", GUIDES, ids=str)
def test_every_command_that_a_document_names_exists(path):
    targets, commands = make_targets(), cli_commands()
    for line in quoted_commands(path):
        program, *words = shlex.split(line)
        if program == "make":
            target = next((word for word in words if not word.startswith("-") and "=" not in word), "help")
            assert target in targets, f"{path}: {line}"
        elif program == "obra":
            refuse_unknown(path, line, words, commands)


def refuse_unknown(path, line, words, commands):
    command = ()
    for word in words:
        if (*command, word) not in commands:
            break
        command = (*command, word)
    rest = words[len(command) :]
    options = {word.partition("=")[0] for word in rest if word.startswith("--")}
    unknown = options - commands[command] - {"--help"}
    assert not unknown, f"{path}: {line}: no option {unknown}"
    group = any(known[: len(command)] == command and len(known) > len(command) for known in commands)
    assert not group or not rest or rest[0].startswith("-") or rest[0] == "…", f"{path}: {line}: no command {rest[0]}"


def test_the_reference_of_the_settings_is_that_of_the_source():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "settings.py", "--check"], timeout=60)
    assert done.returncode == 0, "run: python scripts/settings.py"


NAMED_KEYS = {
    "esc": "escape", "?": "question_mark", "/": "slash", ":": "colon", "+": "plus", "-": "minus", ".": "full_stop",
    "=": "equals_sign", "!": "exclamation_mark", "[": "left_square_bracket", "]": "right_square_bracket",
    "{": "left_curly_bracket", "}": "right_curly_bracket",
}  # fmt: skip
A_KEY = re.compile(r"[A-Za-z0-9?/:=+\-\[\]{}!.]|ctrl\+\w|f\d+|esc|enter|space|tab|shift\+tab|backspace|home")
NO_KEY = {"docs/guides/plans.md": {"T"}, "docs/guides/configuration.md": set("0123456789")}
"""Single letters in code that are none: the first of a task's key, values of settings."""


def keys_that_do_something():
    from obra_tui.ui.keys import KEYS
    from widgets.lists.choice_list import ChoiceList
    from widgets.log_view.view import LogPane

    bound = [key.keys for key in KEYS] + [binding.key for kind in (LogPane, ChoiceList) for binding in kind.BINDINGS]
    return {name for keys in bound for name in keys.split(",")} | {"enter", "space"}


@pytest.mark.parametrize("path", [path for path in GUIDES if path.parts[:2] == ("docs", "guides")], ids=str)
def test_every_key_that_a_guide_names_does_something(path):
    named = {text for text in re.findall(r"(?<!`)`([^`\s]{1,9})`(?!`)", read(path)) if A_KEY.fullmatch(text)}
    known = keys_that_do_something()
    assert {name for name in named - NO_KEY.get(str(path), set()) if NAMED_KEYS.get(name, name) not in known} == set()


def test_every_key_of_ones_own_that_a_document_shows_can_be_set():
    from obra_tui.ui.keys import check_overrides

    shown = re.findall(r'"(\w+\.\w+)" = "([^"]+)"', "\n".join(read(path) for path in GUIDES) + read("config.toml"))
    assert shown
    for name, keys in shown:
        assert check_overrides({name: keys}) == {name: keys}
