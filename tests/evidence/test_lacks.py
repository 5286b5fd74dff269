"""What a copy has of the person's checkout beside the commit, and what is said of the rest."""

import hashlib
import shutil
from pathlib import Path

import pytest

from obra_tui.core.ids import new_session_id, new_task_id
from obra_tui.core.model import CheckSpec, CheckStatus
from obra_tui.evidence.projects import versions
from obra_tui.evidence.projects.lacks import lacks_of
from obra_tui.evidence.projects.reading import Project
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


async def told(project, **options):
    return [f"{lack.what}. {lack.fix}" for lack in await lacks_of(project, (), **options)]


async def test_what_copies_lack_is_said_with_the_first_copy_of_a_session_and_once(tmp_path):
    scene = make_scene(tmp_path, {".gitattributes": "*.bat eol=crlf\n", "b.bat": "b\n"})
    session = new_session_id()
    copies = [await scene.workspace.prepare(session, new_task_id(), await scene.workspace.head()) for _ in range(2)]
    assert "without conversion: b.bat" in copies[0].lacks[0] and copies[1].lacks == ()


async def test_an_ignored_file_is_named_where_a_file_of_the_project_names_it(tmp_path):
    project = make_project(tmp_path / "p", {".gitignore": "*.key\n*.cache\nout/\n", "a.py": "open('conf/dev.key')\n"})
    for name in ("conf/dev.key", "conf/other.key", "x.cache", "out/dev.key"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("1")
    [said] = await told(project)
    assert 'conf/dev.key. If tests read them, set workspace.include = ["conf/dev.key"]' in said
    assert await lacks_of(project, ("conf/*.key",)) == ()


async def test_programs_of_the_set_up_and_of_found_checks_that_are_not_here_are_named(tmp_path):
    project = make_project(tmp_path / "p", {"justfile": "test:\n  ./t\n", ".nvmrc": "v4.1\n"})
    setup = ("cd x && no-such-tool install", "A=1 true", "./own.sh")
    said = await told(project, setup=setup, looks_for_checks=True)
    assert said[0].startswith("the set-up needs programs that are not installed: no-such-tool.")
    assert any(text.startswith(".nvmrc asks for 4.1; node here is") for text in said) or not shutil.which("node")
    assert any("`just test` needs `just`" in text for text in said) or shutil.which("just")


async def test_a_sparse_checkout_and_what_a_partial_clone_never_fetched_are_said(tmp_path):
    origin = make_project(tmp_path / "origin", {"a/x": "1", "b/y": "2"})
    git(origin, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{origin}", str(clone))
    git(clone, "sparse-checkout", "set", "a")
    git(clone, "checkout", "-q")
    said = await told(clone)
    assert "checkout is sparse" in said[0]
    assert "clone is partial: 1 files" in said[1] and "git fetch --refetch" in said[1]


@pytest.mark.parametrize(
    ("files", "notes"),
    [
        ({".tool-versions": "nodejs 4.2.0\npython 3.12.1\n"}, [".tool-versions asks for 4.2.0; node here is 20.1"]),
        (
            {"mise.toml": "[tools]\nnode = '20'\ngo = {version = '1.2'}\n"},
            ["mise.toml asks for go 1.2; it is not here"],
        ),
        ({"go.mod": "module x\n\ngo 1.22.1\n"}, ["go.mod asks for go 1.22; it is not here"]),
        (
            {"rust-toolchain.toml": "[toolchain]\nchannel = '1.60'\n"},
            ["rust-toolchain.toml asks for 1.60; rust here is 1.80"],
        ),
        ({"rust-toolchain": "stable\n", ".nvmrc": "lts/iron\n"}, []),
        ({"package.json": '{"engines": {"node": ">=22.3"}}'}, ["package.json asks for node 22; here is 20.1"]),
        ({"package.json": '{"engines": {"node": ">=4"}}', ".python-version": "3.9\n"}, []),
    ],
)
def test_a_version_that_is_asked_for_and_not_here_is_said(tmp_path, monkeypatch, files, notes):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    here = {"node": "20.1", "rust": "1.80"}
    monkeypatch.setattr(versions, "version_here", lambda name: here.get(name, ""))
    assert list(versions.version_notes(Project(tmp_path), lambda _: True)) == notes


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", '{"name": "x",, "scripts": {}}'),
        ("package.json", "[]"),
        ("pyproject.toml", "[project\nname=1\n"),
    ],
)
async def test_a_manifest_that_cannot_be_read_is_said_before_it_seems_that_there_are_no_checks(tmp_path, name, text):
    project = make_project(tmp_path / "project", {name: text})
    (lack,) = await lacks_of(project, ())
    assert lack.what.startswith(f"{name} cannot be read (") and name in lack.fix


async def test_a_manifest_that_begins_with_a_byte_order_mark_can_be_read(tmp_path):
    project = make_project(tmp_path / "project", {"package.json": '\ufeff{"name": "x"}'})
    assert await lacks_of(project, ()) == ()


async def test_changes_since_the_last_commit_are_said_not_to_be_in_a_copy(tmp_path):
    project = make_project(tmp_path / "project", {"a b.txt": "a\n", "c.txt": "c\n"})
    (project / "new.txt").write_text("not mine to tell\n")
    assert await lacks_of(project, ()) == ()
    (project / "a b.txt").write_text("changed\n")
    git(project, "rm", "--quiet", "c.txt")
    (lack,) = await lacks_of(project, ())
    assert lack.what.endswith("without your changes since then: a b.txt, c.txt")


async def test_checks_have_the_files_of_lfs_from_the_persons_store_and_nobody_is_blamed_for_them(tmp_path):
    oid = hashlib.sha256(b"the whole file\n").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 15\n"
    other = pointer.replace(oid, "0" * 64)
    scene = make_scene(tmp_path, {".gitattributes": "*.bin filter=lfs\n", "a.bin": pointer, "d/b.bin": other})
    kept = scene.project / ".git/lfs/objects" / oid[:2] / oid[2:4] / oid
    kept.parent.mkdir(parents=True)
    kept.write_text("the whole file\n")
    (scene.project / "a.bin").write_text("the whole file\n")
    copy, diff = await scene.work({"c.txt": "c\n"})
    assert [change.path for change in diff.files] == ["c.txt"]
    see = CheckSpec(name="see", run="cat a.bin; head -1 d/b.bin")
    result = await scene.checks().run(see, copy, lambda _: None)
    assert (result.status, result.output) == (
        CheckStatus.PASSED,
        "the whole file\nversion https://git-lfs.github.com/spec/v1\n",
    )
    [said] = [text for text in await told(scene.project) if "Git LFS" in text]
    assert "1 of 2 files in Git LFS were never fetched: d/b.bin. Run `git lfs pull`" in said
