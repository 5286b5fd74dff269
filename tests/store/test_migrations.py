"""Older databases are brought up to date, and the migrations make exactly the tables that the code knows."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from obra_tui.core.records.search import parse
from obra_tui.store import sqlite
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.store.schema import KNOWN_SCHEMAS, SCHEMA, alembic_config, is_compared
from obra_tui.store.tables import metadata
from tests.store.story import finished_session
from tests.store.test_queries import reverted_later


def shape(path: Path) -> dict[str, Any]:
    """Every table and index of a database as SQLite has them."""
    connection = sqlite.driver().connect(path)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables = {
        name: (
            connection.execute(f"PRAGMA table_xinfo({name})").fetchall(),
            sorted(row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({name})")),
        )
        for name in names
    }
    indexes = connection.execute(
        "SELECT name, replace(replace(sql, '\n', ''), '\t', '') FROM sqlite_master WHERE type = 'index'"
    )
    found = {"tables": tables, "indexes": dict(indexes.fetchall())}
    connection.close()
    return found


def old_database(path: Path) -> None:
    """A database of ours from before the first migration."""
    path.parent.mkdir(parents=True, mode=0o700)
    connection = sqlite.driver().connect(path)
    connection.execute(f"PRAGMA application_id={sqlite.APPLICATION_ID}")
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.commit()
    connection.close()


def test_an_older_database_becomes_the_same_as_a_new_one(tmp_path: Path) -> None:
    old, new = tmp_path / "old" / "obra.db", tmp_path / "new" / "obra.db"
    old_database(old)
    SqlJournal(old).close()
    SqlJournal(new).close()
    assert shape(old) == shape(new)


def test_the_tables_in_the_code_and_the_migrations_agree() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        from alembic import command

        command.upgrade(alembic_config(connection), "head")
        assert (
            compare_metadata(MigrationContext.configure(connection, opts={"include_name": is_compared}), metadata) == []
        )


def test_the_newest_schema_is_the_last_migration() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_current_head() == SCHEMA
    assert tuple(sorted(script.revision for script in scripts.walk_revisions())) == KNOWN_SCHEMAS


def test_a_migrated_database_can_be_used(path: Path) -> None:
    old_database(path)
    story = finished_session()
    SqlJournal(path).append(story.records)
    assert SqlHistory(path).last_seq(story.session) == len(story.records)


def test_a_kill_in_the_middle_of_a_migration_changes_nothing(path: Path) -> None:
    old_database(path)
    before = shape(path)
    code = (
        "import os, sys; from pathlib import Path; from alembic import op\n"
        "real, made = op.create_index, []\n"
        "def create_index(*given, **more):\n"
        "    made.append(real(*given, **more))\n"
        "    len(made) == 5 and os.kill(os.getpid(), 9)\n"
        "op.create_index = create_index\n"
        "from obra_tui.store.journal import SqlJournal; SqlJournal(Path(sys.argv[1]))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -signal.SIGKILL
    assert shape(path) == before
    SqlJournal(path).append(finished_session().records)


def test_a_private_copy_is_kept_of_what_was_there_before_a_migration(path: Path) -> None:
    old_database(path)
    before = shape(path)
    SqlJournal(path).close()
    copy = path.with_name(f"obra.db.before-{SCHEMA}")
    assert shape(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert SqlJournal(path).last_seq("s1") == 0


def test_what_was_stored_before_there_was_a_search_is_found(path: Path) -> None:
    journal = SqlJournal(path)
    journal.append(finished_session().records)
    before = SqlHistory(path).find(parse("calculator", 0.0)).rows
    journal.close()
    connection = sqlite.driver().connect(path)
    connection.execute("DROP TABLE search")
    connection.execute("DROP TABLE outside_usage")
    connection.execute("DROP TABLE fence")
    connection.execute("ALTER TABLE decision DROP COLUMN own_score")
    connection.execute("ALTER TABLE acceptance DROP COLUMN reverted")
    connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.commit()
    connection.close()
    SqlJournal(path).close()
    after = SqlHistory(path).find(parse("calculator", 0.0)).rows
    assert [row.hit.seq for row in after if row.hit] == [row.hit.seq for row in before if row.hit]
    assert after


def test_work_that_was_taken_back_before_there_was_a_column_is_marked(path: Path) -> None:
    story = finished_session()
    journal = SqlJournal(path)
    journal.append(story.records)
    (task,) = [item for item in SqlHistory(path).session(story.session).tasks if item.commit]
    journal.append([reverted_later(story, task.id, task.commit)])
    journal.close()
    connection = sqlite.driver().connect(path)
    connection.execute("ALTER TABLE acceptance DROP COLUMN reverted")
    connection.execute("UPDATE alembic_version SET version_num = '0007'")
    connection.commit()
    connection.close()
    SqlJournal(path).close()
    assert [item.reverted for item in SqlHistory(path).session(story.session).tasks if item.commit] == ["f" * 40]
