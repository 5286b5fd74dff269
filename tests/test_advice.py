"""What errors and screens advise exists: every command, option, variable and setting that a text of the source names."""

import ast
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
NOT_SETTINGS = {"OBRA_JUNIT", "OBRA_NOTICE", "OBRA_NOTICE_KIND", "OBRA_ATTEMPT", "OBRA_CRASH_AT"}
"""Variables that Obra sets itself."""
OTHER_PROGRAMS = re.compile(
    r"\b(git|claude|apt|pip|uv|npm|chmod|kill|psql|ulimit|sysctl|pytest|ruff|mypy|bwrap|setpriv)\b"
)


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


def known_options():
    return set().union(*cli_commands().values(), {"--help"})


def known_settings():
    return {key for key, _ in leaves(Settings())}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "obra_tui")))
def test_every_command_option_variable_and_setting_that_a_text_names_exists(path):
    commands, options, settings = cli_commands(), known_options(), known_settings()
    tables = {key.partition(".")[0] for key in settings if "." in key}
    for line, text in texts(path):
        where = f"{path.name}:{line}"
        for quoted in re.findall(r"`(obra [^`]+)`|^(?:run|Ask for it): (obra .*)", text):
            words = shlex.split((quoted[0] or quoted[1]).rstrip("."))[1:]
            refuse_unknown(where, text, words, commands)
        if not OTHER_PROGRAMS.search(text):
            assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= options, f"{where}: {text}"
        for name in re.findall(r"\bOBRA_[A-Z_]+[A-Z]", text):
            head = name.removeprefix("OBRA_").split("__")[0].lower()
            assert name in NOT_SETTINGS or head in Settings.__struct_fields__, f"{where}: {name}"
        for table, name in re.findall(r"(?<![\w./])([a-z]+)\.([a-z_]+)\b(?![(./])", text):
            if table in tables and not name.endswith(("py", "toml")):
                assert f"{table}.{name}" in settings or any(key.startswith(f"{table}.{name}.") for key in settings), (
                    f"{where}: {table}.{name}"
                )


def test_a_resumed_run_is_advised_with_the_session_that_it_needs():
    for path in SOURCES:
        for line, text in texts(path):
            assert "--resume`" not in text, f"{path.name}:{line}"
