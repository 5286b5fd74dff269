"""A database in a temporary folder, opened as the program opens it; for some modules also one on a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.store.labels import LABELS

PRODUCTS = ("sqlite", "postgresql")


@pytest.fixture
def product() -> str:
    """Modules whose tests hold for every database say so by a fixture of this name with `PRODUCTS`."""
    return "sqlite"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "obra.db"


@pytest.fixture
def target(product: str, path: Path, request: Any) -> Path | str:
    if product == "sqlite":
        return path
    path.parent.mkdir(mode=0o700)
    url: str = request.getfixturevalue("postgresql").new_database()
    return url


@pytest.fixture
def journal(target: Path | str) -> Iterator[SqlJournal]:
    opened = SqlJournal(target)
    yield opened
    opened.close()


@pytest.fixture
def history(journal: SqlJournal, target: Path | str, path: Path) -> Iterator[SqlHistory]:
    opened = SqlHistory(target, labels=path.with_name(LABELS))
    yield opened
    opened.close()
