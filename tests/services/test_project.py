"""Which repository a folder belongs to, and what is said when git does not like it."""

import subprocess
from pathlib import Path

import pytest

from obra_tui.core.errors import ConfigError, ProjectError
from obra_tui.services.project import project_root, refuse_data_inside

IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *IDENTITY, *words], cwd=folder, check=True, capture_output=True)


def repository(folder: Path, *, commit: bool = True) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    if commit:
        git(folder, "commit", "-q", "--allow-empty", "-m", "Start")
    return folder


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.delenv(name, raising=False)


def refusal(folder: Path) -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        project_root(folder)
    return caught.value


@pytest.mark.parametrize("name", ["plain", "with space", "with\nnewline", "with\n\nlines\n", "ümläut"])
def test_the_root_is_found_whatever_the_folder_is_called(tmp_path, name):
    root = repository(tmp_path / name)
    (root / "below").mkdir()
    assert project_root(root / "below").samefile(root)


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_NAMESPACE", "GIT_INDEX_FILE"])
def test_variables_of_a_hook_or_an_alias_lead_to_no_other_repository(tmp_path, monkeypatch, variable):
    other, named = repository(tmp_path / "other"), repository(tmp_path / "named")
    monkeypatch.setenv(variable, str(other if variable == "GIT_WORK_TREE" else other / ".git"))
    assert project_root(named).samefile(named)


def test_a_repository_without_a_commit_is_told_so(tmp_path):
    assert refusal(repository(tmp_path / "new", commit=False)).what == "The repository has no commit yet."


def test_a_folder_of_no_repository_is_told_so_in_any_language(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    assert refusal(tmp_path).what == "This is no git repository."


def test_a_bare_repository_is_told_to_name_a_clone(tmp_path):
    bare = tmp_path / "bare.git"
    bare.mkdir()
    git(bare, "init", "-q", "--bare")
    assert "bare repository" in refusal(bare).what


def test_a_broken_configuration_of_the_person_is_told_in_gits_words(tmp_path):
    root = repository(tmp_path / "project")
    (tmp_path / "home" / ".gitconfig").write_text("[user\nname = x\n")
    error = refusal(root)
    assert "bad config line 1 in file" in error.what
    assert ".gitconfig" in error.what
    assert "no commit" not in error.what


def test_a_broken_configuration_of_the_repository_is_told_in_gits_words(tmp_path):
    root = repository(tmp_path / "project")
    (root / ".git" / "config").write_text("[core\n")
    assert "bad config line 1 in file" in refusal(root).what


def test_a_repository_of_a_later_format_is_told_in_gits_words(tmp_path):
    root = repository(tmp_path / "project")
    git(root, "config", "core.repositoryformatversion", "99")
    assert "99" in refusal(root).what


def test_a_worktree_whose_repository_is_gone_is_told_in_gits_words(tmp_path):
    folder = tmp_path / "worktree"
    folder.mkdir()
    (folder / ".git").write_text("gitdir: /nowhere/.git/worktrees/x\n")
    assert "/nowhere/.git/worktrees/x" in refusal(folder).what


def test_a_damaged_head_is_no_repository_without_a_commit(tmp_path):
    root = repository(tmp_path / "project")
    head = (root / ".git" / "HEAD").read_text().removeprefix("ref: ").strip()
    (root / ".git" / head).write_text("garbage\n")
    assert "no commit" not in refusal(root).what


@pytest.mark.parametrize("place", [".", "data", "deep/er/data"])
def test_a_data_directory_in_the_project_is_refused_before_anything_is_made(tmp_path, place):
    root = repository(tmp_path / "project")
    with pytest.raises(ConfigError, match="OBRA_DATA_DIR"):
        refuse_data_inside(root, root / place)
    assert [path.name for path in root.iterdir()] == [".git"]


def test_a_data_directory_in_the_project_by_a_link_is_refused(tmp_path):
    root = repository(tmp_path / "project")
    (tmp_path / "data").symlink_to(root / ".git")
    with pytest.raises(ConfigError, match="inside the project"):
        refuse_data_inside(root, tmp_path / "data")


def test_a_data_directory_beside_the_project_is_taken(tmp_path):
    refuse_data_inside(repository(tmp_path / "project"), tmp_path / "project data")
