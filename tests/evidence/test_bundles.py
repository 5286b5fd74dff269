"""Code on its way between hosts."""

import os
from pathlib import Path

import pytest

from obra_tui.core.errors import WorkspaceError
from obra_tui.core.ids import new_task_id
from obra_tui.evidence.bundles import Bundles, Mirror
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace
from tests.evidence.scene import commit_files, git, make_scene

FILES = {"README.md": "# Project\n", "calc.py": "def add(a, b):\n    return a + b\n", ".gitignore": "built/\n"}


class There:
    """Another host."""

    def __init__(self, root: Path) -> None:
        self.mirror = Mirror(root / "there" / "fleet" / "p.git")
        data_dir = root / "there"
        sandbox = Sandbox(data_dir=data_dir)
        workspace = GitWorkspace(project=self.mirror.directory, data_dir=data_dir, sandbox=sandbox, is_mirror=True)
        self.bundles = Bundles(workspace)

    async def copy(self, here, task, base):
        if not await self.mirror.has(base):
            await self.mirror.receive(base, await here.base_bundle(base, ()))
        return await self.bundles.prepare(task, base)


@pytest.fixture
def scene(tmp_path):
    return make_scene(tmp_path, FILES)


@pytest.fixture
def here(scene):
    return Bundles(scene.workspace)


@pytest.fixture
def there(tmp_path):
    return There(tmp_path)


async def both(scene, here, there):
    """Return copies of one task on both hosts."""
    task, base = new_task_id(), await scene.workspace.head()
    mine = await scene.workspace.prepare(scene.session, task, base)
    return mine, await there.copy(here, task, base)


def files(copy):
    root = Path(copy.path)
    there = (path for path in root.rglob("*") if path.is_file() and ".git/" not in str(path))
    return {str(path.relative_to(root)): path.read_text() for path in there}


async def test_work_travels_there_and_back_with_what_was_changed_made_and_deleted(scene, here, there):
    mine, theirs = await both(scene, here, there)
    root = Path(theirs.path)
    (root / "calc.py").write_text("changed = True\n")
    (root / "README.md").unlink()
    (root / "new").mkdir()
    (root / "new" / "file.txt").write_text("new\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("calc.py")
    parcel = await there.bundles.pack(theirs.path)
    assert await here.unpack(mine.path, parcel.data, parcel.commit) == parcel.tree
    assert files(mine) == files(theirs)
    assert os.access(Path(mine.path, "run.sh"), os.X_OK)
    assert Path(mine.path, "link").readlink() == Path("calc.py")
    diff = await scene.workspace.take_diff(mine)
    assert diff.tree == parcel.tree


async def test_what_is_there_and_not_in_the_parcel_goes_and_what_git_ignores_stays(scene, here, there):
    mine, theirs = await both(scene, here, there)
    Path(mine.path, "stray.txt").write_text("stray\n")
    Path(mine.path, "built").mkdir()
    Path(mine.path, "built", "cache").write_text("kept\n")
    parcel = await there.bundles.pack(theirs.path)
    await here.unpack(mine.path, parcel.data, parcel.commit)
    assert not Path(mine.path, "stray.txt").exists()
    assert Path(mine.path, "built", "cache").read_text() == "kept\n"


async def test_a_parcel_is_thin(scene, here, there):
    _, theirs = await both(scene, here, there)
    Path(theirs.path, "new.txt").write_text("new\n")
    parcel = await there.bundles.pack(theirs.path)
    assert len(parcel.data) < 1500
    assert f"-{theirs.base_commit}".encode() in parcel.data


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
async def test_a_damaged_bundle_is_refused_and_changes_nothing(scene, here, there, damage):
    mine, theirs = await both(scene, here, there)
    Path(theirs.path, "new.txt").write_text("new\n" * 100)
    parcel = await there.bundles.pack(theirs.path)
    data = {
        "cut": parcel.data[:-30],
        "flipped": parcel.data[:-25] + bytes([parcel.data[-25] ^ 255]) + parcel.data[-24:],
        "empty": b"",
        "text": b"this is no bundle\n",
    }[damage]
    before = files(mine)
    with pytest.raises(WorkspaceError, match="does not verify"):
        await here.unpack(mine.path, data, parcel.commit)
    assert files(mine) == before


async def test_another_commit_than_was_announced_is_refused(scene, here, there):
    mine, theirs = await both(scene, here, there)
    Path(theirs.path, "new.txt").write_text("one\n")
    first = await there.bundles.pack(theirs.path)
    Path(theirs.path, "new.txt").write_text("two\n")
    second = await there.bundles.pack(theirs.path)
    with pytest.raises(WorkspaceError, match="another commit"):
        await here.unpack(mine.path, second.data, first.commit)
    with pytest.raises(WorkspaceError, match="another commit"):
        await here.unpack(mine.path, second.data, mine.base_commit)
    assert "new.txt" not in files(mine)


async def test_work_that_does_not_follow_the_base_at_once_is_refused(scene, here, there):
    mine, theirs = await both(scene, here, there)
    Path(theirs.path, "new.txt").write_text("one\n")
    first = await there.bundles.pack(theirs.path)
    repository = there.bundles._workspace.repository
    tree = await repository.tree_of(first.commit)
    deeper = await repository.commit(tree, first.commit, "Deeper", there.bundles._workspace.identity)
    name = f"refs/obra/sent/{Path(mine.path).parent.name}"
    await repository.point(name, deeper)
    bundle = await repository.git.run("bundle", "create", "-", name, f"^{mine.base_commit}")
    with pytest.raises(WorkspaceError, match="another commit"):
        await here.unpack(mine.path, bundle.out, deeper)


async def test_objects_that_git_finds_fault_with_are_refused(scene, here, there):
    """A tree with a file called `.git` would be a repository of somebody's own in the copy."""
    mine, theirs = await both(scene, here, there)
    repository = there.bundles._workspace.repository
    blob = (await repository.git.run("hash-object", "-w", "--stdin", stdin=b"evil\n")).text
    raw = b"100644 .git\0" + bytes.fromhex(blob)
    tree = (await repository.git.run("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=raw)).text
    commit = await repository.commit(tree, theirs.base_commit, "Evil", there.bundles._workspace.identity)
    name = f"refs/obra/sent/{Path(mine.path).parent.name}"
    await repository.point(name, commit)
    bundle = await repository.git.run("bundle", "create", "-", name, f"^{mine.base_commit}")
    with pytest.raises(WorkspaceError, match="does not verify"):
        await here.unpack(mine.path, bundle.out, commit)


async def test_what_could_not_be_taken_there_is_told_with_the_diff_here(scene, here, there):
    mine, theirs = await both(scene, here, there)
    nested = Path(theirs.path, "nested")
    nested.mkdir()
    git(nested, "init", "--quiet")
    Path(theirs.path, "new.txt").write_text("new\n")
    parcel = await there.bundles.pack(theirs.path)
    assert parcel.left_out
    await here.unpack(mine.path, parcel.data, parcel.commit, left_out=parcel.left_out)
    diff = await scene.workspace.take_diff(mine)
    assert diff.truncated
    assert set(parcel.left_out) <= set(diff.notes)
    await here.unpack(mine.path, parcel.data, parcel.commit)
    assert not (await scene.workspace.take_diff(mine)).truncated


async def test_the_tree_that_was_taken_travels_whatever_became_of_the_copy_since(scene, here, there):
    mine, theirs = await both(scene, here, there)
    assert await here.pack_taken(mine.path) is None
    Path(mine.path, "new.txt").write_text("taken\n")
    diff = await scene.workspace.take_diff(mine)
    Path(mine.path, "new.txt").write_text("later\n")
    parcel = await here.pack_taken(mine.path)
    assert parcel.tree == diff.tree
    await there.bundles.unpack(theirs.path, parcel.data, parcel.commit)
    assert Path(theirs.path, "new.txt").read_text() == "taken\n"


async def test_a_later_base_follows_an_earlier_one_and_needs_only_what_is_new(scene, here, there):
    first = await scene.workspace.head()
    task = new_task_id()
    await there.copy(here, task, first)
    second = commit_files(scene.project, {"more.py": "more = 1\n"}, "More")
    data = await here.base_bundle(second, (first,))
    assert f"-{first}".encode() in data
    await there.mirror.receive(second, data)
    copy = await there.bundles.prepare(task, second)
    assert copy.base_commit == second
    assert Path(copy.path, "more.py").exists()


async def test_a_base_whose_history_is_missing_is_refused(scene, here, there):
    first = await scene.workspace.head()
    second = commit_files(scene.project, {"more.py": "more = 1\n"}, "More")
    await scene.workspace.prepare(scene.session, new_task_id(), second)
    with pytest.raises(WorkspaceError, match="does not verify"):
        await there.mirror.receive(second, await here.base_bundle(second, (first,)))


async def test_what_git_ignored_there_is_told_with_the_diff_here(scene, here, there):
    mine, theirs = await both(scene, here, there)
    Path(theirs.path, "built").mkdir()
    Path(theirs.path, "built", "out.bin").write_text("out\n")
    Path(theirs.path, "new.txt").write_text("new\n")
    parcel = await there.bundles.pack(theirs.path)
    assert parcel.ignored
    await here.unpack(mine.path, parcel.data, parcel.commit, ignored=parcel.ignored)
    diff = await scene.workspace.take_diff(mine)
    assert diff.ignored == parcel.ignored
    assert not diff.truncated
