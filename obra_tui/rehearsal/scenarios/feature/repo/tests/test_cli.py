import pytest

cli = pytest.importorskip("todo.cli", exc_type=ModuleNotFoundError)


def test_what_is_added_is_listed_when_it_is_due(tmp_path):
    file = str(tmp_path / "todo.json")
    cli.main(["add", file, "Write", "2026-01-05"])
    cli.main(["add", file, "Read", "2026-01-03"])
    assert cli.main(["due", file, "2026-01-05"]) == "2026-01-03 Read\n2026-01-05 Write"


def test_an_unknown_command_is_refused(tmp_path):
    with pytest.raises(SystemExit):
        cli.main(["frobnicate", str(tmp_path / "todo.json")])
