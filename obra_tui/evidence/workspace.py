"""The isolated copies of one project: made, read, kept, taken in and removed.

Implements `core.ports.Workspace`. A copy is a repository of its own for Claude
Code, with no way back to the person's; the supervisor reads its files through
another git directory, so that nothing planted in the copy can run in Obra.
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec.structs import replace

from obra_tui.core.errors import WorkspaceError
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.model import Acceptance, Diff, Reversal, WorkCopy
from obra_tui.evidence.acceptance import Accepting, fast_forward
from obra_tui.evidence.branch import branch_of, refuse_taken_name, tip_of, with_trailers
from obra_tui.evidence.checkout import check_out
from obra_tui.evidence.copies import (
    Place,
    Prepared,
    Taken,
    disk_faults,
    make_private,
    place_of_copy,
    place_of_task,
    remove_tree,
    repository_path,
    setup_place,
)
from obra_tui.evidence.environments import Environment, Environments, give
from obra_tui.evidence.git import Git, together
from obra_tui.evidence.names import raw
from obra_tui.evidence.projects.lacks import lacks_of
from obra_tui.evidence.protect import rules_with
from obra_tui.evidence.repository import Identity, OwnRepository, base_ref, first_commit, open_project
from obra_tui.evidence.reverting import Reverting
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.setup_inputs import setup_rules
from obra_tui.evidence.snapshot import DiffLimits, Reader, Snapshot
from obra_tui.evidence.taken_along import take_along
from obra_tui.system.git import SLOW_S

__all__ = ["DiffLimits", "GitWorkspace", "Identity", "fast_forward", "open_project"]


class GitWorkspace:
    """Copies of `project` under `data_dir`."""

    def __init__(
        self,
        *,
        project: Path,
        data_dir: Path,
        sandbox: Sandbox,
        setup: tuple[str, ...] = (),
        setup_timeout_s: float = 900.0,
        protected: tuple[str, ...] = (),
        include: tuple[str, ...] = (),
        identity: Identity | None = None,
        limits: DiffLimits | None = None,
        looks_for_checks: bool = True,
        is_mirror: bool = False,
    ) -> None:
        """`looks_for_checks`: none are configured, so those that are found must be runnable.

        `is_mirror`: nobody works in the project, it holds commits alone, so copies lack nothing beside a checkout.
        """
        self.project = project.resolve()
        self._data_dir = data_dir.resolve()
        self.identity = identity or Identity()
        self._include = include
        self._setup = setup
        self._looks_for_checks = looks_for_checks
        self._is_mirror = is_mirror
        self._told: set[SessionId] = set()
        """Sessions in which was said what copies lack."""
        self.repository = OwnRepository(self.project, repository_path(self._data_dir, self.project))
        self._environments = Environments(
            data_dir=self._data_dir,
            repository=self.repository,
            sandbox=sandbox,
            commands=setup,
            timeout_s=setup_timeout_s,
        )
        self._reader = Reader(self.repository, limits or DiffLimits(), (*rules_with(protected), *setup_rules(setup)))
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def head(self) -> str:
        commit = await first_commit(self.project)
        await refuse_taken_name(self.project)
        return commit

    async def tip(self, session: SessionId) -> str | None:
        return await tip_of(self.project, branch_of(session))

    async def prepare(self, session: SessionId, task: TaskId, base: str) -> WorkCopy:
        """Return the copy of the task; one that was never finished is made anew."""
        place = place_of_task(self._data_dir, task)
        self._refuse_inside_project(place)
        async with self._alone(place):
            prepared = place.prepared()
            lacks: tuple[str, ...] = ()
            if prepared is None or not place.work.is_dir():
                lacks = await self._lacks(session)
                prepared = await self._make(place, base)
        return WorkCopy(
            path=str(place.work), base_commit=prepared.base_commit, setup_ran=prepared.setup_ran, lacks=lacks
        )

    async def _lacks(self, session: SessionId) -> tuple[str, ...]:
        """Return what copies lack, the first time that somebody asks in a session."""
        if session in self._told or self._is_mirror:
            return ()
        self._told.add(session)
        found = await lacks_of(self.project, self._include, self._setup, looks_for_checks=self._looks_for_checks)
        return tuple(f"{lack.what}. {lack.fix}" for lack in found)

    @contextlib.asynccontextmanager
    async def _alone(self, place: Place) -> AsyncIterator[None]:
        """Work on a copy alone; what the disk refuses becomes a `WorkspaceError`."""
        async with self._one_at_a_time[place.task]:
            with disk_faults(place.root):
                yield

    def _refuse_inside_project(self, place: Place) -> None:
        if place.root.is_relative_to(self.project):
            raise WorkspaceError(
                "The data directory lies inside the project, so a copy would contain itself.",
                where=str(self._data_dir),
                fix="Set OBRA_DATA_DIR, or data_dir in your settings, to a folder outside of the project.",
            )

    async def _make(self, place: Place, base: str) -> Prepared:
        await self.repository.bring(base, base_ref(base))
        await self.repository.keep_tags()
        if os.path.lexists(place.root):
            await asyncio.to_thread(remove_tree, place.root)
        make_private(place.root)
        place.work.mkdir(mode=0o700)
        checking_out = check_out(self.repository, place.work, self._index(place), base)
        _, environment = await together(checking_out, self._environments.of(base))
        if environment is not None:
            await asyncio.to_thread(give, environment, self._data_dir, place)
        taken_along = await take_along(self.repository, place, base, self._include)
        return self._note(place, base, environment, taken_along)

    def _note(self, place: Place, base: str, environment: Environment | None, taken_along: str) -> Prepared:
        prepared = Prepared(
            project=str(self.project),
            repository=str(self.repository.directory),
            base_commit=base,
            setup_ran=environment is not None,
            products=environment.products if environment else (),
            environment=environment.key if environment else "",
            taken_along=taken_along,
        )
        place.note_prepared(prepared)
        return prepared

    def _index(self, place: Place) -> Path:
        return self.repository.indexes / place.task

    async def take_diff(self, copy: WorkCopy) -> Diff:
        place = await self.place_at(copy.path)
        async with self._alone(place):
            taken = await self._reader.snapshot(
                place.work, self._index(place), copy.base_commit, place.leftovers if place.leftovers.is_file() else None
            )
            place.note_taken(Taken(base=copy.base_commit, tree=taken.tree))
            left_out, ignored_there = place.left_out()
            diff = await self._reader.compare(copy.base_commit, _with_left_out(taken, left_out))
            ignored = await self._ignored(place)
            return replace(diff, ignored=tuple(sorted({*ignored, *ignored_there})))

    async def ignored(self, path: str) -> tuple[str, ...]:
        """Return what git ignores of the work in a copy."""
        return await self._ignored(await self.place_at(path))

    async def _ignored(self, place: Place) -> tuple[str, ...]:
        ignored = await self._reader.ignored(place.work, self._index(place))
        return await asyncio.to_thread(self._of_the_work, place, ignored)

    def _of_the_work(self, place: Place, ignored: tuple[str, ...]) -> tuple[str, ...]:
        """Leave out what was there before the work: of the set-up, and files that were taken along."""
        prepared = place.prepared()
        made = prepared.environment if prepared is not None else ""
        before = (place.taken_along, *((setup_place(self._data_dir, made).work,) if made else ()))
        known = [(name, os.fsdecode(raw(name.rstrip("/")))) for name in ignored]
        return tuple(name for name, path in known if not any(os.path.lexists(root / path) for root in before))

    async def snapshot(self, path: str) -> Snapshot:
        """Return the tree of a copy as it is now, without noting it as taken for evidence."""
        place = await self.place_at(path)
        prepared = place.prepared()
        async with self._alone(place):
            return await self._reader.snapshot(
                place.work,
                self._index(place),
                prepared.base_commit if prepared is not None else "",
                place.leftovers if place.leftovers.is_file() else None,
            )

    async def show_tree(
        self, path: str, tree: str, *, left_out: tuple[str, ...] = (), ignored: tuple[str, ...] = ()
    ) -> None:
        """Make the files of a copy those of a tree of ours; what git ignores stays.

        `left_out` tells what the tree lacks of the place where it was taken, and `ignored` what git ignored there: both
        are told with every later diff.
        """
        place = await self.place_at(path)
        await self.snapshot(path)  # what is there and not in the tree goes, which git does for what it knows alone
        async with self._alone(place):
            reading = self.repository.reading(place.work, self._index(place))
            await reading.run("read-tree", "--reset", "-u", tree, timeout_s=SLOW_S)
            place.note_left_out(left_out, ignored)

    async def take_commit(self, copy: WorkCopy, commit: str) -> Diff:
        """Take a commit of the person's repository as the work of a copy; checks then run on exactly that tree."""
        place = await self.place_at(copy.path)
        async with self._alone(place):
            await self.repository.bring(commit, base_ref(commit))
            tree = await self.repository.tree_of(commit)
            place.note_taken(Taken(base=copy.base_commit, tree=tree))
            return await self._reader.compare(copy.base_commit, Snapshot(tree=tree, notes=(), complete=True))

    async def look_at(self, path: str) -> Diff:
        """Return what changed in a copy so far, without waiting for whoever works in it, and without noting it.

        It is for the eye alone: what is checked and decided on is taken by `take_diff`.
        """
        place = await self.place_at(path)
        prepared = place.prepared()
        base = prepared.base_commit if prepared is not None else ""
        ignored = place.leftovers if place.leftovers.is_file() else None
        with disk_faults(place.root), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            index = Path(folder) / "index"
            if self._index(place).is_file():
                await asyncio.to_thread(shutil.copyfile, self._index(place), index)
            return await self._reader.compare(base, await self._reader.snapshot(place.work, index, base, ignored))

    async def place_at(self, path: str) -> Place:
        """Refuse a path that is not a copy of ours, or that git would take for a part of something else."""
        place = place_of_copy(self._data_dir, path)
        if place is None or place.work.is_symlink() or not place.work.is_dir() or place.prepared() is None:
            raise WorkspaceError(
                "This is not a copy that Obra made.", where=path, fix="Start the task again; it gets a new copy."
            )
        git = Git(options=("-C", path), where=path)
        answer = await git.run(
            "rev-parse", "--show-toplevel", good=(0, 128), env={"GIT_DISCOVERY_ACROSS_FILESYSTEM": "0"}
        )
        if answer.code or Path(answer.text) != place.work:
            raise WorkspaceError(
                f"Git takes the copy for a part of {answer.text or 'nothing'}: its .git was removed or redirected.",
                where=path,
                fix="The files are still there. Look at them, then cancel the task or start it again.",
            )
        return place

    async def files_of(self, diff: Diff, path: str) -> tuple[str | None, str | None]:
        """Return both texts; a renamed file's earlier text is that of its old name. None above 5 MB, too."""
        change = next((change for change in diff.files if change.path == path), None)
        old_path = (change.old_path if change else "") or path
        before = await self._reader.blob_at(diff.base_commit, old_path)
        after = await self._reader.blob_at(diff.tree, path)
        return await self._reader.text(before or ""), await self._reader.text(after or "")

    async def changes_between(self, earlier: Diff, later: Diff) -> Diff:
        """Return what changed from the work of one attempt to that of a later one; `files_of` reads its texts."""
        taken = Snapshot(tree=later.tree, notes=later.notes, complete=True)
        return await self._reader.compare(earlier.tree, taken)

    async def changes_from_head(self, later: Diff) -> Diff:
        """Return what differs between what the person has checked out, as it is committed, and the work."""
        head = await self.head()
        await self.repository.bring(head, "refs/obra/heads/compared")
        taken = Snapshot(tree=later.tree, notes=later.notes, complete=True)
        return await self._reader.compare(head, taken)

    async def keep(self, attempt: AttemptId, copy: WorkCopy, diff: Diff, message: str) -> tuple[str, str]:
        name = f"refs/obra/attempts/{attempt}"
        text = with_trailers(message, Obra_Attempt=attempt)
        commit = await self.repository.commit(diff.tree, diff.base_commit, text, self.identity)
        if not await self.repository.point_new(name, commit):
            there = await self.repository.find(name)
            if there and await self.repository.tree_of(there) == diff.tree:
                return name, there
            await self.repository.point(name, commit)
        return name, commit

    async def accept(self, session: SessionId, attempt: AttemptId, diff: Diff, message: str) -> Acceptance:
        accepting = Accepting(
            repository=self.repository,
            identity=self.identity,
            session=session,
            attempt=attempt,
            diff=diff,
            message=message,
        )
        async with self._one_at_a_time[session]:
            return await accepting.accept()

    async def revert(self, session: SessionId, commit: str, message: str) -> Reversal:
        reverting = Reverting(
            repository=self.repository, identity=self.identity, session=session, commit=commit, message=message
        )
        async with self._one_at_a_time[session]:
            return await reverting.revert()

    async def rebase(self, session: SessionId, task: TaskId, diff: Diff, tip: str) -> WorkCopy:
        place = place_of_task(self._data_dir, task)
        self._refuse_inside_project(place)
        async with self._alone(place):
            await self.repository.bring(tip, f"refs/obra/tips/{session}", base_ref(tip))
            index = self._index(place)
            spare = index.with_name(f"{index.name}.fitting")
            tree = await self.repository.fitting(tip, diff.base_commit, diff.tree, self.identity, spare)
            prepared = await self._make(place, tip)
            await self.repository.reading(place.work, index).run("read-tree", "--reset", "-u", tree, timeout_s=SLOW_S)
        return WorkCopy(path=str(place.work), base_commit=tip, setup_ran=prepared.setup_ran)

    async def discard(self, task: TaskId) -> None:
        place = place_of_task(self._data_dir, task)
        async with self._alone(place):
            (place.root / "prepared.json").unlink(missing_ok=True)
            await asyncio.to_thread(remove_tree, place.root)
            self._index(place).unlink(missing_ok=True)


def _with_left_out(taken: Snapshot, left_out: tuple[str, ...]) -> Snapshot:
    if not left_out:
        return taken
    return Snapshot(tree=taken.tree, notes=(*taken.notes, *left_out), complete=False)
