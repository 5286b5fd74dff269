"""What a copy has of the person's checkout beside the commit, and what is said of the rest."""

from pathlib import Path

import pytest

from obra_tui.core.model import CheckSpec, CheckStatus
from obra_tui.evidence.projects.lacks import lacks_of
from tests.evidence.scene import commit_files, git, make_project, make_scene


@pytest.fixture
def with_submodule(tmp_path):
    library = make_project(tmp_path / "library", {"lib.txt": "library\n"})
    scene = make_scene(tmp_path)
    git(scene.project, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(library), "vendor/lib")
    git(scene.project, "commit", "--quiet", "-m", "Library")
    return scene


async def test_submodules_are_in_the_copy_and_in_checks_and_are_no_change(with_submodule):
    copy, diff = await with_submodule.work({"a.txt": "a\n"})
    assert Path(copy.path, "vendor/lib/lib.txt").read_text() == "library\n"
    assert [change.path for change in diff.files] == ["a.txt"]
    assert not diff.truncated and not diff.notes
    see = CheckSpec(name="see", run="cat vendor/lib/lib.txt")
    result = await with_submodule.checks().run(see, copy, lambda _: None)
    assert (result.status, result.output) == (CheckStatus.PASSED, "library\n")
    assert await lacks_of(with_submodule.project, ()) == ()


async def test_the_set_up_finds_submodules(tmp_path):
    library = make_project(tmp_path / "library", {"lib.txt": "library\n"})
    scene = make_scene(tmp_path, setup=("cp lib/lib.txt made",))
    git(scene.project, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(library), "lib")
    git(scene.project, "commit", "--quiet", "-m", "Library")
    assert Path((await scene.copy()).path, "made").read_text() == "library\n"


async def test_a_submodule_that_was_never_fetched_is_said_with_the_command_that_fetches_it(with_submodule):
    git(with_submodule.project, "submodule", "deinit", "--force", "--all")
    [lack] = await lacks_of(with_submodule.project, ())
    assert "vendor/lib" in lack.what and "git submodule update" in lack.fix
    copy, diff = await with_submodule.work({"a.txt": "a\n"})
    assert not list(Path(copy.path, "vendor/lib").iterdir())
    assert [change.path for change in diff.files] == ["a.txt"]


async def test_ignored_files_that_the_settings_name_are_in_the_copy_and_in_checks_and_never_in_the_work(tmp_path):
    scene = make_scene(tmp_path, {".gitignore": "*.local\n"}, include=(".env", "conf/*.local"))
    (scene.project / ".env").write_text("A=1\n")
    (scene.project / "conf").mkdir()
    (scene.project / "conf/x.local").write_text("x\n")
    (scene.project / "conf/y.local").symlink_to("/etc/passwd")
    copy, diff = await scene.work({"a.txt": "a\n"})
    assert [change.path for change in diff.files] == ["a.txt"]
    see = CheckSpec(name="see", run="cat .env conf/x.local; ls conf")
    result = await scene.checks().run(see, copy, lambda _: None)
    assert result.output == "A=1\nx\nx.local\n"


async def test_what_a_checkout_has_otherwise_is_said(tmp_path):
    project = make_project(
        tmp_path / "p", {".gitattributes": "*.bin filter=lfs\n*.bat eol=crlf\n", "a.bin": "p\n", "b.bat": "b\n"}
    )
    commit_files(project, {"c.txt": "c\n"})
    (project / ".env").write_text("A=1\n")
    told = " ".join(lack.what for lack in await lacks_of(project, ()))
    assert "a.bin" in told and "b.bat" in told and ".env" in told and "c.txt" not in told
    assert not any(".env" in lack.what for lack in await lacks_of(project, (".env",)))
