"""A database in a temporary folder, opened as the program opens it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from obra_tui.store.journal import SqlJournal
from obra_tui.store.queries import SqlHistory


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "obra.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqlJournal]:
    opened = SqlJournal(path)
    yield opened
    opened.close()


@pytest.fixture
def history(journal: SqlJournal, path: Path) -> Iterator[SqlHistory]:
    opened = SqlHistory(path)
    yield opened
    opened.close()
