"""Taking work in: once, on a branch of its own, and never into the person's hands."""

import asyncio
import os
from pathlib import Path

import pytest

from obra_tui.core.errors import BranchMoved, ProjectError, WorkspaceError
from obra_tui.core.ids import new_attempt_id, new_session_id
from obra_tui.evidence.acceptance import with_trailers
from obra_tui.evidence.repository import Identity
from obra_tui.evidence.workspace import GitWorkspace, fast_forward
from tests.evidence.scene import commit_files, commit_on_branch, git, make_scene


def picture(project):
    """Everything of the person's that acceptance must leave as it is."""
    files = {
        str(path.relative_to(project)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in project.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    inner = {name: (project / ".git" / name).read_bytes() for name in ("HEAD", "index", "config")}
    loose = sorted(path.name for path in (project / ".git").iterdir())
    return files, inner, loose, git(project, "rev-parse", "main")


async def test_the_commit_says_who_when_and_for_which_attempt(tmp_path):
    scene = make_scene(tmp_path, identity=Identity(name="Robot", email="robot@example.org"))
    _, diff = await scene.work({"new.txt": "new\n"})
    attempt = new_attempt_id()
    accepted = await scene.workspace.accept(scene.session, attempt, diff, "Add new\n\nObra-Attempt: forged\n\nEnd.")
    show = ("show", "--no-patch", "--format=%an <%ae>|%cn|%s|%(trailers:only,unfold,separator=;)|%P", accepted.commit)
    base = git(scene.project, "rev-parse", "main")
    trailers = f"Obra-Session: {scene.session};Obra-Attempt: {attempt}"
    assert git(scene.project, *show) == f"Robot <robot@example.org>|Robot|Add new|{trailers}|{base}"
    assert git(scene.project, "show", f"{scene.branch}:new.txt") == "new"


async def test_the_persons_checkout_index_and_branch_stay_as_they_are(scene):
    (scene.project / "README.md").write_text("half-written\n")
    (scene.project / "untracked.txt").write_text("mine\n")
    git(scene.project, "add", "untracked.txt")
    _, diff = await scene.work({"README.md": "changed\n", "new.txt": "new\n"})
    before = picture(scene.project)
    await scene.accept(diff)
    files, inner, loose, main = picture(scene.project)
    assert (files, inner, main) == (before[0], before[1], before[3])
    assert set(loose) <= {*before[2], "logs"}


async def test_a_message_cannot_pass_for_another_attempt(scene):
    """Only the last block of a message is read as trailers."""
    other = new_attempt_id()
    _, first = await scene.work({"one.txt": "1\n"})
    sly = await scene.accept(first, f"Sly\n\nObra-Attempt: {other}")
    _, second = await scene.work({"two.txt": "2\n"}, sly.commit)
    accepted = await scene.workspace.accept(scene.session, other, second, "Honest")
    assert not accepted.repeated


async def test_an_acceptance_that_was_cut_off_after_the_commit_is_found_again(scene):
    """After a crash the same call comes again from a new process with new objects."""
    _, diff = await scene.work({"new.txt": "new\n"})
    attempt = new_attempt_id()
    first = await scene.workspace.accept(scene.session, attempt, diff, "Work")
    commit_on_branch(scene.project, scene.branch, {"later.txt": "later\n"})
    again = make_again(scene)
    repeated = await again.accept(scene.session, attempt, diff, "Work")
    assert (repeated.commit, repeated.repeated) == (first.commit, True)
    assert git(scene.project, "rev-list", "--count", f"main..{scene.branch}") == "2"


async def test_an_acceptance_below_later_ones_is_found_again(scene):
    """Repeated by the same process, which remembers what it took in."""
    _, diff = await scene.work({"one.txt": "1\n"})
    attempt = new_attempt_id()
    first = await scene.workspace.accept(scene.session, attempt, diff, "One")
    _, later = await scene.work({"two.txt": "2\n"}, first.commit)
    second = await scene.accept(later)
    repeated = await scene.workspace.accept(scene.session, attempt, diff, "One")
    assert (repeated.commit, repeated.repeated, second.repeated) == (first.commit, True, False)


async def test_work_that_never_was_taken_in_is_not_found_among_what_was(scene):
    _, diff = await scene.work({"one.txt": "1\n"})
    _, other = await scene.work({"two.txt": "2\n"})
    first = await scene.accept(other)
    with pytest.raises(BranchMoved) as moved:
        await scene.accept(diff)
    assert (moved.value.tip, moved.value.conflicts) == (first.commit, ())


def make_again(scene):
    from obra_tui.evidence.workspace import GitWorkspace

    return GitWorkspace(project=scene.project, data_dir=scene.data_dir, sandbox=scene.sandbox)


async def test_many_acceptances_at_once_lose_nothing(scene):
    works = [await scene.work({f"f{number}.txt": "x\n"}) for number in range(6)]
    other = make_again(scene)

    async def take_in(number):
        (copy, diff), attempt = works[number], new_attempt_id()
        workspace = scene.workspace if number % 2 else other
        while True:
            try:
                return await workspace.accept(scene.session, attempt, diff, f"Work {number}")
            except BranchMoved as moved:
                copy = await workspace.rebase(scene.session, Path(copy.path).parent.name, diff, moved.tip)
                diff = await workspace.take_diff(copy)

    await asyncio.gather(*(take_in(number) for number in range(6)))
    names = git(scene.project, "ls-tree", "--name-only", scene.branch).split()
    assert names == ["README.md", *(f"f{number}.txt" for number in range(6))]
    assert git(scene.project, "rev-list", "--count", f"main..{scene.branch}") == "6"


async def test_a_branch_that_the_person_has_checked_out_is_not_moved(scene):
    _, first = await scene.work({"one.txt": "1\n"})
    await scene.accept(first)
    git(scene.project, "switch", "--quiet", scene.branch)
    _, second = await scene.work({"two.txt": "2\n"})
    with pytest.raises(BranchMoved, match="is checked out"):
        await scene.accept(second)
    git(scene.project, "switch", "--quiet", "main")
    await scene.accept(second)


async def test_a_branch_checked_out_in_another_worktree_is_not_moved_either(scene, tmp_path):
    _, first = await scene.work({"one.txt": "1\n"})
    await scene.accept(first)
    git(scene.project, "worktree", "add", "--quiet", str(tmp_path / "wt"), scene.branch)
    _, second = await scene.work({"two.txt": "2\n"})
    with pytest.raises(BranchMoved) as caught:
        await scene.accept(second)
    assert caught.value.where == str(tmp_path / "wt")


async def test_a_branch_named_obra_is_named_as_the_obstacle(scene):
    _, diff = await scene.work({"new.txt": "new\n"})
    git(scene.project, "branch", "obra")
    with pytest.raises(WorkspaceError) as caught:
        await scene.accept(diff)
    assert "Rename your branch `obra`" in caught.value.fix


async def test_unrelated_history_on_the_branch_is_a_moved_branch(scene):
    _, diff = await scene.work({"new.txt": "new\n"})
    empty = git(scene.project, "write-tree")
    orphan = git(scene.project, "commit-tree", empty, "-m", "elsewhere")
    git(scene.project, "update-ref", f"refs/heads/{scene.branch}", orphan)
    with pytest.raises(BranchMoved, match="shares no history"):
        await scene.accept(diff)
    assert git(scene.project, "rev-parse", scene.branch) == orphan


async def test_no_merge_markers_ever_reach_the_branch(tmp_path):
    scene = make_scene(tmp_path, {"a.txt": "one\n"})
    _, mine = await scene.work({"a.txt": "mine\n"})
    _, theirs = await scene.work({"a.txt": "theirs\n"})
    await scene.accept(theirs)
    with pytest.raises(BranchMoved, match=r"both changed a\.txt") as caught:
        await scene.accept(mine)
    assert "Nothing was overwritten" in caught.value.fix
    assert git(scene.project, "show", f"{scene.branch}:a.txt") == "theirs"


async def test_kept_work_is_in_our_repository_only_and_keeping_twice_is_one_commit(scene):
    copy, diff = await scene.work({"new.txt": "new\n"})
    attempt = new_attempt_id()
    ref, commit = await scene.workspace.keep(attempt, copy, diff, "Rejected")
    assert await scene.workspace.keep(attempt, copy, diff, "Rejected") == (ref, commit)
    await scene.workspace.discard(Path(copy.path).parent.name)
    [ours] = (scene.data_dir / "repos").glob("*.git")
    assert git(ours, "show", f"{ref}:new.txt") == "new"
    assert git(scene.project, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


async def test_kept_work_survives_when_the_person_rewrites_their_history(scene):
    copy, diff = await scene.work({"new.txt": "new\n"})
    ref, _ = await scene.workspace.keep(new_attempt_id(), copy, diff, "Rejected")
    git(scene.project, "commit", "--quiet", "--amend", "--message", "Other")
    git(scene.project, "reflog", "expire", "--expire=now", "--all")
    git(scene.project, "gc", "--quiet", "--prune=now")
    [ours] = (scene.data_dir / "repos").glob("*.git")
    git(ours, "fsck", "--strict", "--no-dangling")
    assert git(ours, "show", f"{ref}:README.md") == "# Project"
    assert not (await scene.workspace.take_diff(copy)).empty


def test_a_message_of_nothing_still_has_a_subject():
    assert with_trailers("  ", Obra_Attempt="a1") == "Work accepted by Obra\n\nObra-Attempt: a1\n"


# --- obra merge ----------------------------------------------------------------------------------


async def test_merging_moves_the_persons_branch_and_files_forward(scene):
    _, diff = await scene.work({"new.txt": "new\n"})
    accepted = await scene.accept(diff)
    (scene.project / "untracked.txt").write_text("mine\n")
    moved = await fast_forward(scene.project, scene.branch)
    assert (moved.onto, moved.after) == ("main", accepted.commit)
    assert (scene.project / "new.txt").read_text() == "new\n"
    assert git(scene.project, "status", "--porcelain") == "?? untracked.txt"


async def test_merging_uses_the_persons_own_settings_such_as_filters_of_large_files(tmp_path):
    scene = make_scene(tmp_path, {".gitattributes": "*.bin filter=large\n"})
    git(scene.project, "config", "--global", "filter.large.smudge", "sed s/pointer/content/")
    git(scene.project, "config", "--global", "filter.large.clean", "sed s/content/pointer/")
    _, diff = await scene.work({"a.bin": "pointer\n"})
    await scene.accept(diff)
    await fast_forward(scene.project, scene.branch)
    assert (scene.project / "a.bin").read_text() == "content\n"
    assert git(scene.project, "status", "--porcelain") == ""


async def test_merging_is_refused_over_uncommitted_changes(scene):
    _, diff = await scene.work({"new.txt": "new\n"})
    await scene.accept(diff)
    (scene.project / "README.md").write_text("half-written\n")
    with pytest.raises(ProjectError, match="uncommitted changes"):
        await fast_forward(scene.project, scene.branch)
    assert not (scene.project / "new.txt").exists()


async def test_merging_is_refused_when_it_would_not_be_a_fast_forward(scene):
    _, diff = await scene.work({"new.txt": "new\n"})
    await scene.accept(diff)
    head = commit_files(scene.project, {"own.txt": "own\n"}, "Own")
    with pytest.raises(ProjectError, match="cannot be moved forward"):
        await fast_forward(scene.project, scene.branch)
    assert git(scene.project, "rev-parse", "HEAD") == head


async def test_merging_an_unknown_branch_or_on_no_branch_is_refused(scene):
    with pytest.raises(ProjectError, match="There is no branch"):
        await fast_forward(scene.project, f"obra/{new_session_id()}")
    git(scene.project, "switch", "--quiet", "--detach")
    with pytest.raises(ProjectError, match="on no branch"):
        await fast_forward(scene.project, "main")


async def test_rebasing_keeps_what_the_tip_deleted_deleted(scene):
    copy, diff = await scene.work({"README.md": "mine\n", "new.txt": "new\n"})
    await scene.accept((await scene.work({"one.txt": "1\n"}))[1])
    tree = Path(scene.project, "..", "theirs")
    git(scene.project, "worktree", "add", "--quiet", "--detach", str(tree), scene.branch)
    git(tree, "rm", "--quiet", "README.md")
    git(tree, "-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet", "-m", "Delete")
    tip = git(tree, "rev-parse", "HEAD")
    task = Path(copy.path).parent.name
    again = await scene.workspace.rebase(scene.session, task, diff, tip)
    assert sorted(path.name for path in Path(again.path).iterdir() if path.name != ".git") == ["new.txt", "one.txt"]


@pytest.mark.fault(42)
@pytest.mark.parametrize("linked", [False, True], ids=["repository", "linked work tree"])
async def test_the_names_of_an_acceptance_are_synced_and_not_only_its_files(tmp_path, monkeypatch, linked):
    scene = make_scene(tmp_path)
    if linked:
        git(scene.project, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
        scene.workspace = GitWorkspace(project=tmp_path / "side", data_dir=scene.data_dir, sandbox=scene.sandbox)
    _, diff = await scene.work({"new.txt": "new\n"})
    synced, fsync = set(), os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda opened: (synced.add(str(Path(f"/proc/self/fd/{opened}").readlink())), fsync(opened))
    )
    await scene.accept(diff)
    kept = scene.project / ".git"
    assert {str(kept / "objects"), str(kept / "refs" / "heads" / "obra")} <= synced
