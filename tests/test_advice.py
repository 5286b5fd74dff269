"""What errors and screens advise exists: every command, option, variable and setting that a text names."""

import ast
import functools
import re
import shlex
from pathlib import Path

import pytest

from obra_tui.config.schema import Settings, leaves
from tests.test_documents import cli_commands, refuse_unknown

ROOT = Path(__file__).parent.parent
SOURCES = [
    path
    for path in sorted((ROOT / "obra_tui").rglob("*.py"))
    if "scenarios" not in path.parts and "migrations" not in path.parts
]
NOT_SETTINGS = {"OBRA_JUNIT", "OBRA_NOTICE", "OBRA_NOTICE_KIND", "OBRA_ATTEMPT", "OBRA_CWD", "OBRA_CRASH_AT"}
"""Variables that Obra sets itself."""
OTHER_PROGRAMS = re.compile(
    r"\b(git|claude|apt|pip|uv|npm|npx|node|chmod|kill|psql|pg_dump|ulimit|sysctl|pytest|ruff|mypy|bwrap|setpriv|mount)\b"
)
EXAMPLES = {"Add a --verbose flag to the command line…"}
"""Words of an imagined task."""


def texts(path):
    """Return the sentences of a module: its strings with a blank in them, what is filled in as `X`, no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in said or id(node) in parts:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
        else:
            continue
        if " " in text.strip():
            yield node.lineno, text


def is_sentence(text):
    """Whether it is written for people: it begins like a sentence, or a word of it is no part of a command or query."""
    return re.match(r"[`'A-Z][\w'`.-]+,? [\w'`-]+", text) and not re.search(r"\b(FROM|SELECT|JOIN|WHERE)\b", text)


@functools.cache
def known_commands():
    return cli_commands()


@functools.cache
def known_options():
    return set().union(*known_commands().values(), {"--help"})


@functools.cache
def known_settings():
    return {key for key, _ in leaves(Settings())}


def unknown_options(text):
    """Return the options in sentences of ours that no command has; in another program's line any may stand."""
    if OTHER_PROGRAMS.search(text) or text in EXAMPLES or not is_sentence(text):
        return set()
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - known_options()


def unknown_settings(text):
    settings = known_settings()
    tables = {key.partition(".")[0] for key in settings if "." in key}
    for name in re.findall(r"\bOBRA_[A-Z_]+[A-Z]", text):
        head = name.removeprefix("OBRA_").split("__")[0].lower()
        if name not in NOT_SETTINGS and head not in Settings.__struct_fields__:
            yield name
    if is_sentence(text):
        for table, name in re.findall(r"(?<![\w./])([a-z]+)\.([a-z_]+)\b(?![(./])", text):
            whole = f"{table}.{name}"
            known = whole in settings or any(key.startswith(f"{whole}.") for key in settings)
            if table in tables and not known and not name.endswith(("py", "toml")):
                yield whole


def test_every_command_option_variable_and_setting_that_a_text_names_exists():
    wrong = []
    for path in SOURCES:
        for line, text in texts(path):
            where = f"{path.relative_to(ROOT)}:{line}"
            for quoted in re.findall(r"`(obra [^`]+)`|^(?:run|Ask for it): (obra .*)", text):
                words = shlex.split((quoted[0] or quoted[1]).rstrip("."))[1:]
                refuse_unknown(where, text, words, known_commands())
            wrong += [f"{where}: {name}" for name in (*unknown_options(text), *unknown_settings(text))]
    assert wrong == []


def files_named(text):
    """Return the names of files of Obra's or its project's that a sentence sends people to."""
    return set(re.findall(r"(?<![\w/{])((?:docs/|scripts/|tests/)[\w./-]*\w|\.obra/[\w./-]*\w|[A-Z]{4,}\.md)\b", text))


def test_every_file_that_a_text_sends_people_to_exists():
    made_by_people = {
        ".obra/config.toml",
        ".obra/rubric.md",
        "TODO.md",
        "PRD.md",
        "PLAN.md",
        "TASKS.md",
        "CLAUDE.md",
        "README.md",
    }
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in SOURCES
        for line, text in texts(path)
        if is_sentence(text)
        for name in files_named(text)
        if name not in made_by_people and not (ROOT / name).exists()
    ]
    assert wrong == []


def test_a_file_that_is_not_there_is_found():
    assert files_named("Read docs/guides/nothing.md, or .obra/nothing.toml.") == {
        "docs/guides/nothing.md",
        ".obra/nothing.toml",
    }


@pytest.mark.parametrize("text", ["Name another one: --data-dir.", "Set it with `--nothing` beside."])
def test_an_option_that_no_command_has_is_found(text):
    assert unknown_options(text)


@pytest.mark.parametrize("text", ["Set OBRA_DATADIR to another folder.", "Raise judge.max_parts, or split the task."])
def test_a_setting_that_does_not_exist_is_found(text):
    assert list(unknown_settings(text))


def test_a_resumed_run_is_advised_with_the_session_that_it_needs():
    for path in SOURCES:
        for line, text in texts(path):
            assert "--resume`" not in text, f"{path.name}:{line}"
