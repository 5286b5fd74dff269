"""What every workspace keeps: the one in memory that other tests lean on, and the one on real git."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from obra_tui.core.errors import BranchMoved, WorkspaceError
from obra_tui.core.ids import SessionId, new_attempt_id, new_session_id, new_task_id
from obra_tui.core.model import ChangeKind
from obra_tui.core.ports import Workspace
from tests.evidence.scene import commit_on_branch, git, make_scene
from tests.fakes.workspace import FakeWorkspace

FILES = {"README.md": "# Project\n", "calc.py": "def add(a, b):\n    return a + b\n"}


@dataclass
class Case:
    workspace: Workspace
    write: Callable[[str, str, str], object]
    remove: Callable[[str, str], object]
    commit_on_branch: Callable[[SessionId, Mapping[str, str]], str]
    branch_files: Callable[[SessionId], Mapping[str, str]]


def fake(_: Path) -> Case:
    it = FakeWorkspace(FILES)
    return Case(it, it.write, it.remove, it.commit_on_branch, it.branch_files)


def on_git(root: Path) -> Case:
    scene = make_scene(root, FILES)

    def files(session: SessionId) -> dict[str, str]:
        names = git(scene.project, "ls-tree", "-r", "--name-only", f"obra/{session}").split()
        return {name: git(scene.project, "show", f"obra/{session}:{name}") + "\n" for name in names}

    return Case(
        scene.workspace,
        lambda copy, name, text: Path(copy, name).write_text(text),
        lambda copy, name: Path(copy, name).unlink(),
        lambda session, changed: commit_on_branch(scene.project, f"obra/{session}", dict(changed)),
        files,
    )


@pytest.fixture(params=[fake, on_git], ids=["fake", "git"])
def case(request, tmp_path):
    return request.param(tmp_path)


@pytest.fixture
def session():
    return new_session_id()


async def copy_of(case, session):
    return await case.workspace.prepare(session, new_task_id(), await case.workspace.head())


async def test_a_copy_is_made_once_and_found_again_with_what_is_in_it(case, session):
    task, head = new_task_id(), await case.workspace.head()
    copy = await case.workspace.prepare(session, task, head)
    case.write(copy.path, "new.py", "x = 1\n")
    assert await case.workspace.prepare(session, task, head) == copy
    assert [change.path for change in (await case.workspace.take_diff(copy)).files] == ["new.py"]


async def test_an_untouched_copy_gives_an_empty_diff(case, session):
    diff = await case.workspace.take_diff(await copy_of(case, session))
    assert diff.empty and not diff.patch and not diff.truncated


async def test_the_diff_names_added_changed_and_deleted_files_with_their_line_counts(case, session):
    copy = await copy_of(case, session)
    case.write(copy.path, "new.py", "x = 1\ny = 2\n")
    case.write(copy.path, "calc.py", "def add(a, b):\n    return b + a\n")
    case.remove(copy.path, "README.md")
    diff = await case.workspace.take_diff(copy)
    assert [(change.path, change.kind, change.added, change.removed) for change in diff.files] == [
        ("README.md", ChangeKind.DELETED, 0, 1),
        ("calc.py", ChangeKind.MODIFIED, 1, 1),
        ("new.py", ChangeKind.ADDED, 2, 0),
    ]
    assert "+++ b/new.py" in diff.patch and "-# Project" in diff.patch


async def test_the_same_work_has_the_same_tree_and_digest_and_other_work_has_not(case, session):
    first, second = await copy_of(case, session), await copy_of(case, session)
    for copy in (first, second):
        case.write(copy.path, "new.py", "x = 1\n")
    one, two = await case.workspace.take_diff(first), await case.workspace.take_diff(second)
    case.write(second.path, "new.py", "x = 2\n")
    three = await case.workspace.take_diff(second)
    assert (one.tree, one.digest) == (two.tree, two.digest)
    assert one.tree != three.tree and one.digest != three.digest


async def test_both_texts_of_a_file_can_be_read_back(case, session):
    copy = await copy_of(case, session)
    case.write(copy.path, "calc.py", "new text\n")
    case.write(copy.path, "new.py", "x = 1\n")
    diff = await case.workspace.take_diff(copy)
    assert await case.workspace.files_of(diff, "calc.py") == (FILES["calc.py"], "new text\n")
    assert await case.workspace.files_of(diff, "new.py") == (None, "x = 1\n")
    assert await case.workspace.files_of(diff, "never.py") == (None, None)


async def test_a_session_has_no_branch_until_something_is_accepted(case, session):
    assert await case.workspace.tip(session) is None
    copy = await copy_of(case, session)
    case.write(copy.path, "new.py", "x = 1\n")
    diff = await case.workspace.take_diff(copy)
    accepted = await case.workspace.accept(session, new_attempt_id(), diff, "Add x")
    assert accepted.branch == f"obra/{session}" and not accepted.repeated
    assert await case.workspace.tip(session) == accepted.commit
    assert case.branch_files(session) == {**FILES, "new.py": "x = 1\n"}


async def test_accepting_the_same_attempt_again_changes_nothing(case, session):
    copy, attempt = await copy_of(case, session), new_attempt_id()
    case.write(copy.path, "new.py", "x = 1\n")
    diff = await case.workspace.take_diff(copy)
    first = await case.workspace.accept(session, attempt, diff, "Add x")
    again = await case.workspace.accept(session, attempt, diff, "Add x")
    assert again == replace(first, repeated=True)
    assert await case.workspace.tip(session) == first.commit


async def test_work_that_fits_on_a_branch_that_moved_is_not_taken_in_before_the_merged_tree_was_seen(case, session):
    copy, task = await copy_of(case, session), new_task_id()
    case.write(copy.path, "one.py", "1\n")
    first = await case.workspace.accept(session, new_attempt_id(), await case.workspace.take_diff(copy), "Work")
    copy, attempt = await case.workspace.prepare(session, task, await case.workspace.head()), new_attempt_id()
    case.write(copy.path, "two.py", "2\n")
    diff = await case.workspace.take_diff(copy)
    with pytest.raises(BranchMoved) as refused:
        await case.workspace.accept(session, attempt, diff, "Work")
    assert (refused.value.conflicts, refused.value.tip) == ((), first.commit)
    assert case.branch_files(session) == {**FILES, "one.py": "1\n"}
    merged = await case.workspace.take_diff(await case.workspace.rebase(session, task, diff, first.commit))
    await case.workspace.accept(session, attempt, merged, "Work")
    assert case.branch_files(session) == {**FILES, "one.py": "1\n", "two.py": "2\n"}


async def test_work_on_the_same_lines_is_refused_when_the_branch_has_moved(case, session):
    copy = await copy_of(case, session)
    case.write(copy.path, "calc.py", "mine\n")
    diff = await case.workspace.take_diff(copy)
    theirs = case.commit_on_branch(session, {"calc.py": "theirs\n"})
    with pytest.raises(BranchMoved, match=r"calc\.py"):
        await case.workspace.accept(session, new_attempt_id(), diff, "Mine")
    assert await case.workspace.tip(session) == theirs


async def test_kept_work_has_a_name_and_a_commit_of_its_own(case, session):
    copy, attempt = await copy_of(case, session), new_attempt_id()
    case.write(copy.path, "new.py", "x = 1\n")
    diff = await case.workspace.take_diff(copy)
    ref, commit = await case.workspace.keep(attempt, copy, diff, "Not accepted")
    assert attempt in ref and commit
    assert await case.workspace.tip(session) is None


async def test_a_discarded_copy_is_gone_and_discarding_again_is_harmless(case, session):
    task, head = new_task_id(), await case.workspace.head()
    copy = await case.workspace.prepare(session, task, head)
    case.write(copy.path, "new.py", "x = 1\n")
    await case.workspace.discard(task)
    await case.workspace.discard(task)
    with pytest.raises(WorkspaceError):
        await case.workspace.take_diff(copy)
    fresh = await case.workspace.prepare(session, task, head)
    assert (await case.workspace.take_diff(fresh)).empty


async def test_a_base_that_does_not_exist_is_refused(case, session):
    with pytest.raises(WorkspaceError):
        await case.workspace.prepare(session, new_task_id(), "f" * 40)


async def test_rebased_work_stands_on_the_tip_with_what_fits_and_without_conflict_marks(case, session):
    task = new_task_id()
    copy = await case.workspace.prepare(session, task, await case.workspace.head())
    case.write(copy.path, "calc.py", "def add(a, b):\n    return b + a\n")
    case.write(copy.path, "mine.txt", "mine\n")
    diff = await case.workspace.take_diff(copy)
    tip = case.commit_on_branch(session, {"calc.py": "def add(a, b):\n    return sum((a, b))\n", "theirs.txt": "t\n"})
    with pytest.raises(BranchMoved) as refused:
        await case.workspace.accept(session, new_attempt_id(), diff, "Work")
    assert (refused.value.conflicts, refused.value.tip) == (("calc.py",), tip)
    for _ in range(2):
        again = await case.workspace.rebase(session, task, diff, tip)
        now = await case.workspace.take_diff(again)
        assert (again.path, again.base_commit) == (copy.path, tip)
        assert [(change.path, change.kind.value) for change in now.files] == [("mine.txt", "added")]
    assert (await case.workspace.files_of(now, "calc.py"))[1] == "def add(a, b):\n    return sum((a, b))\n"


async def accepted(case, session, name, text):
    copy = await copy_of(case, session)
    case.write(copy.path, name, text)
    diff = await case.workspace.take_diff(copy)
    return (await case.workspace.accept(session, new_attempt_id(), diff, f"Write {name}")).commit


async def test_reverted_work_is_gone_from_the_branch_and_what_came_later_stays(case, session):
    first = await accepted(case, session, "calc.py", "wrong\n")
    case.commit_on_branch(session, {"other.py": "right\n"})
    undone = await case.workspace.revert(session, first, "Revert it")
    assert (undone.branch, undone.reverted, undone.repeated) == (f"obra/{session}", first, False)
    assert await case.workspace.tip(session) == undone.commit
    assert case.branch_files(session) == {**FILES, "other.py": "right\n"}
    assert await case.workspace.revert(session, first, "Revert it") == replace(undone, repeated=True)
    assert await case.workspace.tip(session) == undone.commit


async def test_work_that_others_built_on_is_not_reverted(case, session):
    first = await accepted(case, session, "calc.py", "one\n")
    theirs = case.commit_on_branch(session, {"calc.py": "two\n"})
    with pytest.raises(BranchMoved, match=r"calc\.py"):
        await case.workspace.revert(session, first, "Revert it")
    assert await case.workspace.tip(session) == theirs


async def test_a_commit_that_is_not_on_the_branch_is_not_reverted(case, session):
    await accepted(case, session, "calc.py", "one\n")
    elsewhere = await accepted(case, new_session_id(), "calc.py", "two\n")
    with pytest.raises(BranchMoved, match="not on obra/"):
        await case.workspace.revert(session, "f" * 40 if isinstance(case.workspace, FakeWorkspace) else elsewhere, "No")
