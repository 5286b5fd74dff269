"""The plan files of a project: found, read under the name that the person knows, and watched."""

import threading

import pytest

from obra_tui.bootstrap.start import absolute_source
from obra_tui.core.errors import PlanError
from obra_tui.services.plans import PlanFiles, watch_file


@pytest.fixture
def files(tmp_path):
    (tmp_path / "tasks.md").write_text("- [ ] T001 Write it\n")
    (tmp_path / "specs" / "001-parser").mkdir(parents=True)
    (tmp_path / "specs" / "001-parser" / "tasks.md").write_text("- [ ] T001 Parse it\n")
    (tmp_path / "issues.json").write_text('[{"number": 7, "title": "It fails", "body": "- [ ] It works"}]')
    (tmp_path / "notes.md").write_text("- [ ] no plan by its name\n")
    return PlanFiles(tmp_path)


def test_the_usual_files_are_found_and_named_from_the_project(files):
    assert files.found() == ("tasks.md", "issues.json", "specs/001-parser/tasks.md")


def test_a_file_is_read_and_its_tasks_say_where_they_are_from(files, tmp_path):
    assert files.read("specs/001-parser/tasks.md").tasks[0].source == "specs/001-parser/tasks.md:1"
    (issue,) = files.read("issues.json").tasks
    assert (issue.key, issue.acceptance) == ("GH7", ("It works",))
    assert files.read(str(tmp_path / "notes.md")).source == str(tmp_path / "notes.md")
    with pytest.raises(PlanError, match="cannot be read: No such file"):
        files.read("nowhere.md")
    (tmp_path / "odd.md").write_bytes(b"- [ ] caf\xe9\n")
    with pytest.raises(PlanError, match="not UTF-8"):
        files.read("odd.md")


def test_whoever_watches_is_told_of_another_file_and_of_nothing_else(tmp_path):
    path, news = tmp_path / "tasks.md", threading.Event()
    path.write_text("- [ ] One\n")
    leave = watch_file(path, news.set, every_s=0.01)
    assert not news.wait(0.1), "nothing changed"
    fresh = tmp_path / "fresh"
    fresh.write_text("- [ ] One\n- [ ] Two\n")
    fresh.replace(path)
    assert news.wait(5), "an editor that writes a new file is noticed"
    news.clear()
    path.unlink()
    assert news.wait(5)
    leave()
    news.clear()
    path.write_text("- [ ] One\n")
    assert not news.wait(0.1)


def test_a_plan_is_found_again_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks.md").write_text("- [ ] One\n")
    assert absolute_source("tasks.md") == str(tmp_path / "tasks.md")
    assert absolute_source("standard input") == "standard input"
