"""The first paint's look into the database."""

import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.core.errors import StoreError
from obra_tui.core.records.history import Overview
from obra_tui.store import sqlite
from obra_tui.store.journal import SqlJournal
from obra_tui.store.queries import SqlHistory
from obra_tui.store.quick import overview
from tests.store.story import Writer, finished_session, waiting_session


def test_it_gives_what_history_gives(journal: SqlJournal, history: SqlHistory, path: Path) -> None:
    for number in range(5):
        make = finished_session if number % 2 else waiting_session
        journal.append(make(f"s{number}", 1000.0 * number).records)
    empty = Writer("s9", 9000.0)
    empty.opened()
    journal.append(empty.records)
    seen = overview(path, limit=4)
    assert seen.sessions == history.sessions(limit=4).rows
    assert seen.more
    assert seen.waiting == len(history.open_gates()) == 3
    assert not overview(path, limit=6).more


def test_without_a_database_there_is_nothing(path: Path) -> None:
    assert overview(path) == Overview()


def test_a_database_of_another_schema_is_left_to_the_program_proper(path: Path) -> None:
    SqlJournal(path).close()
    connection = sqlite.driver().connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert overview(path) == Overview()


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "obra.db"
    path.write_bytes(b"x" * 5000)
    with pytest.raises(StoreError, match="no database"):
        overview(path)


@pytest.mark.parametrize("module", ["quick", "owner", "sqlite"])
def test_what_the_first_paint_needs_loads_no_library(module: str) -> None:
    code = (
        f"import sys, obra_tui.store.{module}\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'pydantic', 'textual') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_opening_a_current_database_does_not_load_the_migrations(journal: SqlJournal, path: Path) -> None:
    journal.close()
    code = (
        "import sys; from pathlib import Path; from obra_tui.store.journal import SqlJournal\n"
        "SqlJournal(Path(sys.argv[1])); SqlJournal(Path(sys.argv[1] + '.other'))\n"
        "print('alembic' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
