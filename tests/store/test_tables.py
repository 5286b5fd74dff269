"""The tables as they are made, on SQLite and on PostgreSQL."""

import subprocess
import sys

from sqlalchemy import create_mock_engine

from obra_tui.store.tables import metadata

_LOADED = "import sys, obra_tui.store.journal; print('sqlalchemy.dialects.postgresql' in sys.modules)"


def _statements(address: str) -> list[str]:
    made: list[str] = []
    engine = create_mock_engine(address, lambda statement, *_, **__: made.append(str(statement.compile(engine))))
    metadata.create_all(engine, checkfirst=False)
    return made


def test_an_index_of_some_rows_says_which_on_either_database():
    for address, kept in (("postgresql+psycopg://", "NOT streamed"), ("sqlite://", "streamed = 0")):
        made = _statements(address)
        assert any("ix_event_kept" in line and f"WHERE {kept}" in line for line in made)
        assert any("uq_decision_gate" in line and "WHERE gate IS NOT NULL" in line for line in made)


def test_what_sqlalchemy_knows_of_postgresql_is_not_loaded_for_a_file():
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
