"""What the screen does with what was, on real files and a real database."""

import json

import pytest

from obra_tui.config.load import load
from obra_tui.core.errors import NotAllowed, ObraError
from obra_tui.services.archive import labels_of
from obra_tui.services.exports import labelled_set
from obra_tui.services.history_archive import HistoryArchive
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.store.story import finished_session

TOKEN = "ghp_" + "a1B2" * 9
KEY = "a-key-of-the-settings"


@pytest.fixture
def settings(tmp_path):
    return load(None, {"data_dir": tmp_path / "data", "claude.api_key": KEY})


@pytest.fixture
def journal(settings):
    settings.data_dir.mkdir(parents=True)
    journal = SqlJournal(settings.data_dir / "obra.db")
    yield journal
    journal.close()


@pytest.fixture
def shelf(settings, journal):
    journal.append(finished_session("s1", 1_000.0).records)
    history = SqlHistory(settings.data_dir / "obra.db")
    yield HistoryArchive(settings, history, journal)
    history.close()


def transcript(folder, name="one", prompt="Fix the zebra test"):
    path = folder / "projects" / "-home-ada" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    line = {"type": "user", "sessionId": "c1", "cwd": "/home/ada", "timestamp": "2026-03-01T10:00:00Z"}
    path.write_text(json.dumps({**line, "message": {"content": prompt}}) + "\n")
    return path


def test_a_copy_holds_neither_tokens_nor_the_keys_of_the_settings(shelf):
    assert shelf.clean(f"a {TOKEN} b {KEY} c") == "a [redacted: github token] b [redacted: secret] c"


def test_an_export_goes_into_a_folder_of_its_own_and_never_over_a_file(shelf, settings):
    target = settings.data_dir / "exports" / "one.md"
    assert shelf.export("s1", "md", str(target)) == len(target.read_text())
    assert target.stat().st_mode & 0o777 == 0o600
    before = target.read_bytes()
    with pytest.raises(ObraError, match="the file exists"):
        shelf.export("s1", "html", str(target))
    assert target.read_bytes() == before


def test_an_export_that_fails_leaves_no_file_behind(shelf, tmp_path):
    with pytest.raises(ObraError):
        shelf.export("s-unknown", "md", str(tmp_path / "x.md"))
    with pytest.raises(ObraError, match="could not be written"):
        shelf.export("s1", "md", str(tmp_path / "no such folder" / "x.md"))
    assert not (tmp_path / "x.md").exists()


def test_labels_are_told_of_all_sessions_at_once(shelf):
    assert shelf.label("s1", "Good One") == ("good one",)
    assert shelf.label("s1", "pinned") == ("good one", "pinned")
    assert shelf.labels() == {"s1": ("good one", "pinned")}
    shelf.label("s1", "good one", remove=True)
    assert shelf.labels() == {"s1": ("pinned",)}


def test_transcripts_are_imported_by_the_owner_of_the_directory_while_it_works(shelf, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    assert shelf.sources() == ()
    transcript(tmp_path / "claude", prompt=f"Fix the zebra test with {TOKEN}")
    transcript(tmp_path / "claude", "two")
    paths = [source.path for source in shelf.sources()]
    assert len(paths) == 2
    assert shelf.preview(paths[0]).folder == "/home/ada"
    assert TOKEN not in shelf.preview(str(tmp_path / "claude/projects/-home-ada/one.jsonl")).first_prompt
    asked = []
    (read,) = shelf.bring_in(paths, lambda: not asked.append(1))
    assert (read.outcome, len(asked)) == ("imported", 1)
    assert [read.outcome for read in shelf.bring_in(paths, lambda: False)] == ["unchanged", "imported"]
    history = SqlHistory(settings.data_dir / "obra.db")
    assert len(history.sessions().rows) == 3
    history.close()


def test_who_only_looks_on_imports_nothing(shelf, settings):
    onlooker = HistoryArchive(settings, shelf._history)
    with pytest.raises(NotAllowed, match="read-only viewer"):
        list(onlooker.bring_in(["x"], lambda: False))


def test_a_preference_is_a_line_of_the_labelled_set_with_both_sides(shelf, settings):
    (attempt,) = [row.id for row in shelf._history.attempts().rows][:1]
    shelf.prefer(attempt, "gone", "a", f"clearer {TOKEN}", blind=True)
    lines = [json.loads(line) for line in labelled_set(shelf._history, labels_of(settings).preferences())]
    chosen = [line for line in lines if line["type"] == "preference"]
    assert [(line["winner"], line["blind"], line["b"]) for line in chosen] == [("a", True, {"id": "gone"})]
    assert chosen[0]["a"]["id"] == attempt and chosen[0]["a"]["patch"]
    assert TOKEN not in json.dumps(chosen)
    assert {line["type"] for line in lines} == {"decision", "preference"}
