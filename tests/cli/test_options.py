"""Every option of every command is used, handed on, or refused: none is dropped without a word."""

import ast
import inspect
import textwrap

import pytest
import typer

from obra_tui.cli.app import app
from obra_tui.cli.entry import run
from obra_tui.cli.parser import accepts

ROOT = typer.main.get_command(app)


def leaves(command=ROOT, words=()):
    """Return each command that has no subcommands, with the words that call it."""
    below = getattr(command, "commands", {})
    return [found for name, one in below.items() for found in leaves(one, (*words, name))] or [(words, command)]


def groups(command=ROOT, words=()):
    below = getattr(command, "commands", {})
    return [(words, command)] * bool(below) + [
        found for name, one in below.items() for found in groups(one, (*words, name))
    ]


def options(command):
    """Those that do something by themselves, such as `--version`, never reach a command."""
    return [one for one in command.params if one.param_type_name == "option" and one.callback is None]


def valued(command):
    return [one for one in options(command) if not (one.is_flag or one.multiple)]


def needed(command):
    """Return the words without which a command is refused: its arguments and the options that it must have."""
    found = []
    for one in command.params:
        if one.required:
            found += ["1"] if one.param_type_name == "argument" else [one.opts[0], "1"]
    return found


def heard_by(command, line, monkeypatch):
    """Return what a line of arguments is understood as; None when it is refused."""
    heard = []
    monkeypatch.setattr(command, "callback", lambda **said: heard.append(said) or 0)
    for _, group in groups():
        monkeypatch.setattr(group, "callback", lambda **_: 0)
    monkeypatch.setattr("obra_tui.cli.app.app", lambda argv, **settings: ROOT(argv, **settings))
    code = run(list(line))
    assert (code == 0) == bool(heard), line
    return heard[0] if heard else None


NAMES = [" ".join(words) for words, _ in leaves()]


@pytest.mark.parametrize(("words", "command"), [*leaves(), *groups()], ids=[*NAMES, *(f"{w} …" for w, _ in groups())])
def test_every_option_is_used_by_the_function_of_its_command(words, command):
    if command.callback is None:
        assert not options(command)
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(command.callback))))
    function = tree.body[0]
    used = {node.id for line in function.body for node in ast.walk(line) if isinstance(node, ast.Name)}
    for one in options(command):
        assert one.name in used, f"obra {' '.join(words)} {one.opts[0]}"


@pytest.mark.parametrize(("words", "command"), leaves(), ids=NAMES)
def test_an_option_before_a_command_reaches_it_or_is_refused(words, command, monkeypatch, capsys):
    for depth, (_, group) in enumerate((found for found in groups() if found[0] == words[: len(found[0])]), start=0):
        for option in options(group):
            given = [option.opts[-1], *([] if option.is_flag else ["1"])]
            line = [*words[:depth], *given, *words[depth:], *needed(command)]
            heard = heard_by(command, line, monkeypatch)
            if accepts(command, option.name):
                assert str(heard[option.name]) in ("1", "True"), line
            else:
                assert heard is None, line
                assert option.opts[0] in capsys.readouterr().err


@pytest.mark.parametrize(("words", "command"), leaves(), ids=NAMES)
def test_an_option_that_is_given_twice_is_refused_and_not_half_used(words, command, monkeypatch, capsys):
    for option in valued(command):
        given = [option.opts[0], "1"]
        line = [*words, *needed(command), *given]
        twice = line if option.required else [*line, *given]
        assert heard_by(command, twice, monkeypatch) is None, twice
        assert "was given twice" in capsys.readouterr().err


def test_the_project_is_not_named_twice_before_and_after_the_command(capsys):
    assert run(["-C", "a", "run", "-C", "b", "--headless"]) == 2
    assert "--project / -C was given twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "review G1 --approve G2", "review --approve G1 --hand-back G1", "review --undo G1 --tree abc",
        "review --note words", "review --reject G1 --prompt p.md", "search --like A1 words", "export decisions -f html",
        "compare A1 A2 --note words", "permissions --text words", "permissions --revoke R1 --text x",
        "permissions --allow Q1 --all", "metrics --csv --sql", "demo list --jobs 3", "run --task x --update-plan",
    ],
)  # fmt: skip
def test_what_the_one_thing_that_is_asked_for_has_no_use_for_is_refused(line, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OBRA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    code = run(line.split())
    told = capsys.readouterr().err
    assert (code, "nothing beside" in told) == (2, True), told
