"""The diff of a tree that holds everything a tree can hold."""

import os
from pathlib import Path

import pytest

from obra_tui.core.model import ChangeKind
from obra_tui.evidence.names import raw, shown
from obra_tui.evidence.snapshot import DiffLimits
from tests.evidence.scene import commit_files, git, make_scene

SMALL_FILES = DiffLimits(file_bytes=1_000_000)


async def diff_after(scene, change):
    copy = await scene.copy()
    change(Path(copy.path))
    return await scene.workspace.take_diff(copy)


def by_path(diff):
    return {change.path: change for change in diff.files}


@pytest.mark.parametrize(
    "name",
    [
        b"new\nline.txt",
        b"tab\tand space.txt",
        b'quote".txt',
        b"esc\x1b[31m.txt",
        b"[@click=quit]a[bold].txt",
        "ünï→.txt".encode(),
        b"latin\xe9.txt",
        b"-dash.txt",
        b":(glob)magic*.txt",
        b"n" * 251 + b".txt",
        rb"back\x41slash.txt",
        rb"back\xffslash.txt",
    ],
)
async def test_an_odd_file_name_is_taken_listed_and_read_back(scene, name):
    diff = await diff_after(scene, lambda work: Path(os.fsdecode(os.fsencode(work) + b"/" + name)).write_text("odd\n"))
    [change] = diff.files
    assert (change.path, change.kind, change.added) == (shown(name), ChangeKind.ADDED, 1)
    change.path.encode("utf-8")
    assert await scene.workspace.files_of(diff, change.path) == (None, "odd\n")


@pytest.mark.parametrize("name", [b"plain", b"a\xffb\x80", "ü".encode(), b"\n", rb"\x41"])
def test_a_name_survives_being_shown(name):
    assert raw(shown(name)) == name


async def test_a_link_is_taken_as_its_text_and_never_followed(scene, tmp_path):
    (tmp_path / "secret.txt").write_text("the secret\n")
    diff = await diff_after(scene, lambda work: (work / "link").symlink_to(tmp_path / "secret.txt"))
    assert "the secret" not in diff.patch and str(tmp_path / "secret.txt") in diff.patch
    assert await scene.workspace.files_of(diff, "link") == (None, str(tmp_path / "secret.txt"))


async def test_a_link_to_a_folder_outside_brings_nothing_of_it(scene, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file.txt").write_text("outside\n")
    diff = await diff_after(scene, lambda work: (work / "folder").symlink_to(tmp_path / "outside"))
    assert list(by_path(diff)) == ["folder"]


async def test_a_fifo_is_skipped_with_a_note(scene):
    diff = await diff_after(scene, lambda work: os.mkfifo(work / "pipe"))
    assert diff.empty and diff.notes == ("skipped FIFO: pipe",)


async def test_a_file_that_became_a_fifo_counts_as_deleted(scene):
    def swap(work):
        (work / "README.md").unlink()
        os.mkfifo(work / "README.md")

    diff = await diff_after(scene, swap)
    assert by_path(diff)["README.md"].kind is ChangeKind.DELETED
    assert diff.notes == ("skipped FIFO: README.md",)


async def test_a_nested_repository_is_not_taken_and_said_so(scene):
    def nest(work):
        git(work, "init", "--quiet", "inner")
        (work / "inner" / "a.txt").write_text("a\n")
        git(work / "inner", "add", "--all")
        git(work / "inner", "commit", "--quiet", "--message", "inner")

    diff = await diff_after(scene, nest)
    assert diff.empty and diff.truncated
    assert diff.notes == ("nested repository, not taken: inner",)


async def test_git_init_in_a_folder_of_the_project_hides_nothing(tmp_path):
    scene = make_scene(tmp_path, {"src/app.py": "x = 1\n"})

    def nest(work):
        git(work / "src", "init", "--quiet")
        (work / "src" / "app.py").write_text("x = 2\n")
        (work / "src" / "new.py").write_text("y = 1\n")

    diff = await diff_after(scene, nest)
    assert list(by_path(diff)) == ["src/app.py", "src/new.py"]
    assert not diff.truncated
    assert diff.notes == ("nested repository inside the project, its files were taken: src",)


async def test_junk_that_tools_leave_is_no_part_of_the_work(scene):
    def run_tests(work):
        for name in (
            "__pycache__/a.pyc",
            ".pytest_cache/v",
            "src/__pycache__/b.pyc",
            ".venv/bin/x",
            "node_modules/m.js",
        ):
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text("junk\n")
        (work / ".coverage").write_text("junk\n")

    assert (await diff_after(scene, run_tests)).empty


async def test_what_the_project_tracks_is_work_even_under_the_name_of_junk(tmp_path):
    scene = make_scene(tmp_path, {"node_modules/own.js": "1\n"})
    diff = await diff_after(scene, lambda work: (work / "node_modules" / "own.js").write_text("2\n"))
    assert list(by_path(diff)) == ["node_modules/own.js"]


async def test_the_projects_gitignore_holds(tmp_path):
    scene = make_scene(tmp_path, {".gitignore": "*.log\n"})
    assert (await diff_after(scene, lambda work: (work / "a.log").write_text("log\n"))).empty


async def test_a_rename_is_one_change_with_both_names(tmp_path):
    text = "".join(f"line {number}\n" for number in range(40))
    scene = make_scene(tmp_path, {"old.py": text})

    def rename(work):
        (work / "old.py").rename(work / "new.py")
        (work / "new.py").write_text(text + "more\n")

    diff = await diff_after(scene, rename)
    [change] = diff.files
    assert (change.kind, change.old_path, change.path, change.added) == (ChangeKind.RENAMED, "old.py", "new.py", 1)
    assert await scene.workspace.files_of(diff, "new.py") == (text, text + "more\n")


async def test_a_changed_mode_is_a_change_of_its_own_kind(scene):
    diff = await diff_after(scene, lambda work: (work / "README.md").chmod(0o755))
    assert [(change.path, change.kind) for change in diff.files] == [("README.md", ChangeKind.MODE)]


async def test_a_binary_file_is_named_and_has_no_text(scene):
    diff = await diff_after(scene, lambda work: (work / "image.png").write_bytes(b"\x89PNG\0\0\1"))
    assert by_path(diff)["image.png"].binary
    assert await scene.workspace.files_of(diff, "image.png") == (None, None)


async def test_text_that_is_no_utf8_is_shown_with_replacement_characters(scene):
    diff = await diff_after(scene, lambda work: (work / "latin.txt").write_bytes(b"caf\xe9\n"))
    assert "+caf�" in diff.patch


async def test_a_large_patch_is_cut_but_its_digest_covers_all_of_it(tmp_path):
    scene = make_scene(tmp_path, limits=DiffLimits(patch_bytes=4_000))
    digests = set()
    for last in ("one\n", "two\n"):
        many = "".join(f"{number}\n" for number in range(60_000))
        copy, diff = await scene.work({"many.txt": many, "z.txt": last})
        assert diff.truncated and len(diff.patch) <= 4_000 and diff.patch.endswith("\n")
        assert by_path(diff)["many.txt"].added == 60_000
        assert (await scene.workspace.take_diff(copy)).digest == diff.digest
        digests.add(diff.digest)
    assert len(digests) == 2


async def test_more_changed_files_than_the_limit_truncate_the_list(tmp_path):
    scene = make_scene(tmp_path, limits=DiffLimits(changed_files=10))
    diff = await diff_after(scene, lambda work: [(work / f"f{n}").write_text("x") for n in range(25)])
    assert diff.truncated and len(diff.files) == 10
    assert diff.notes == ("25 files changed; only the first 10 are listed",)


async def test_a_flood_of_new_files_is_not_read_but_changed_ones_are(tmp_path):
    scene = make_scene(tmp_path, limits=DiffLimits(new_files=10))

    def flood(work):
        (work / "README.md").write_text("changed\n")
        for number in range(50):
            (work / f"f{number}").write_text("x")

    diff = await diff_after(scene, flood)
    assert diff.truncated and len(diff.files) == 11
    assert "README.md" in by_path(diff)
    assert diff.notes == ("50 new files; only the first 10 were taken",)


async def test_a_huge_file_is_left_out_and_said_so(tmp_path):
    scene = make_scene(tmp_path, limits=SMALL_FILES)
    diff = await diff_after(scene, lambda work: (work / "big.bin").write_bytes(bytes(1_000_001)))
    assert diff.truncated and diff.empty
    assert diff.notes == ("larger than 1 MB, not taken: big.bin",)


async def test_a_huge_file_of_the_project_that_nobody_changed_is_no_matter(tmp_path):
    scene = make_scene(tmp_path, {"big.txt": "x" * 1_000_001, "same.txt": "y" * 1_000_001}, limits=SMALL_FILES)
    copy = await scene.copy()
    diff = await scene.workspace.take_diff(copy)
    assert not diff.truncated and not diff.notes
    Path(copy.path, "big.txt").write_text("z" * 1_000_002)
    diff = await scene.workspace.take_diff(copy)
    assert diff.truncated and diff.notes == ("larger than 1 MB, not taken: big.txt",)


async def test_a_folder_too_deep_to_name_does_not_stop_the_supervisor(scene):
    def dig(work):
        here = Path.cwd()
        os.chdir(work)
        try:
            for _ in range(30):
                Path("d" * 200).mkdir()
                os.chdir("d" * 200)
            Path("deep.txt").write_text("deep\n")
        finally:
            os.chdir(here)

    diff = await diff_after(scene, dig)
    assert diff.truncated and diff.notes


async def test_a_lock_left_by_a_crash_does_not_stop_the_next_look(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    [index] = (scene.data_dir / "repos").glob("*.git/obra-indexes/*")
    Path(f"{index}.lock").write_text("")
    Path(copy.path, "b.txt").write_text("b\n")
    assert list(by_path(await scene.workspace.take_diff(copy))) == ["a.txt", "b.txt"]


async def test_commits_that_claude_makes_in_its_copy_are_work_like_any_other(scene):
    copy, _ = await scene.work({"a.txt": "a\n"})
    commit_files(Path(copy.path), {"b.txt": "b\n"})
    git(Path(copy.path), "checkout", "--quiet", "-b", "other")
    assert list(by_path(await scene.workspace.take_diff(copy))) == ["a.txt", "b.txt"]


async def test_places_of_secrets_are_named_and_the_secret_is_not(scene):
    token = "ghp_" + "a1B2" * 9
    _, diff = await scene.work({"config.py": f"import os\nTOKEN = '{token}'\n"})
    assert diff.secrets == ("config.py:2 GitHub token",)


async def test_existing_tests_ci_and_obras_settings_are_protected_and_new_tests_are_not(tmp_path):
    scene = make_scene(tmp_path, {"tests/test_a.py": "a\n", "src/a.py": "a\n", "config.toml": "[server]\nport = 1\n"})
    _, diff = await scene.work(
        {
            "tests/test_a.py": "changed\n",
            "tests/test_b.py": "new\n",
            "src/a.py": "changed\n",
            ".github/workflows/ci.yml": "on: push\n",
            "config.toml": "[server]\nport = 2\n",
            "pytest.ini": "[pytest]\n",
        }
    )
    assert diff.protected == (
        ".github/workflows/ci.yml (CI)",
        "pytest.ini (test configuration)",
        "tests/test_a.py (existing test)",
    )


async def test_a_config_file_that_obra_would_read_is_protected(scene):
    _, diff = await scene.work({"config.toml": "[gate]\nthreshold = 0.0\n"})
    assert diff.protected == ("config.toml (Obra's configuration)",)


async def test_a_test_moved_out_of_the_way_is_protected(tmp_path):
    text = "".join(f"def test_{number}(): assert True\n" for number in range(9))
    scene = make_scene(tmp_path, {"tests/test_a.py": text})

    def move(work):
        (work / "tests" / "test_a.py").rename(work / "tests_off.txt")

    assert (await diff_after(scene, move)).protected == ("tests_off.txt (existing test)",)


async def test_work_is_compared_with_what_the_person_has_committed_meanwhile(scene):
    _, diff = await scene.work({"new.txt": "new\n"})
    commit_files(scene.project, {"mine.txt": "mine\n"})
    head = git(scene.project, "rev-parse", "HEAD")
    compared = await scene.workspace.changes_from_head(diff)
    assert compared.base_commit == head != diff.base_commit
    assert {(item.path, item.kind) for item in compared.files} == {
        ("new.txt", ChangeKind.ADDED),
        ("mine.txt", ChangeKind.DELETED),
    }
    assert await scene.workspace.files_of(compared, "mine.txt") == ("mine\n", None)


async def test_work_in_progress_is_looked_at_without_touching_what_is_decided_on(scene):
    copy = await scene.copy()
    work = Path(copy.path)
    (work / "new.py").write_text("x = 1\n")
    place = work.parent
    before = sorted(path.name for path in place.iterdir())
    seen = await scene.workspace.look_at(copy.path)
    assert [change.path for change in seen.files] == ["new.py"] and "+x = 1" in seen.patch
    assert sorted(path.name for path in place.iterdir()) == before
    taken = await scene.workspace.take_diff(copy)
    assert taken.digest == seen.digest
    (work / "new.py").write_text("x = 2\n")
    assert "+x = 2" in (await scene.workspace.look_at(copy.path)).patch


async def test_work_in_ignored_paths_is_named_and_what_was_there_before_or_is_junk_is_not(tmp_path):
    ignored = "*.log\nbuild/\nlocal.yml\nmade.txt\n__pycache__/\nnode_modules/\n"
    scene = make_scene(tmp_path, {".gitignore": ignored}, include=("local.yml",), setup=("echo made > made.txt",))
    (scene.project / "local.yml").write_text("mine: yes\n")
    (scene.project / "old.log").write_text("of the person\n")
    work = {"build/out/report.html": "<p>", "a b.log": "x\n", "__pycache__/a.pyc": "", "node_modules/x/i.js": "1"}
    _, diff = await scene.work(work)
    assert diff.empty
    assert sorted(diff.ignored) == ["a b.log", "build/"]
    assert diff.left_out == (f"ignored by git, not taken: {', '.join(diff.ignored)}",)


async def test_a_work_without_ignored_files_says_nothing_of_them(scene):
    _, diff = await scene.work({"a.txt": "a\n"})
    assert (diff.ignored, diff.left_out) == ((), ())
