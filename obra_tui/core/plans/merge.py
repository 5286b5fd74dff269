"""A plan file against the plan of a session: what is new in it, what was changed there, here, or on both sides.

Pure. A task of the file is the task of the plan that has its id and title; else the one with its title; else, from
the same file, the one with its id. Ids that a file does not name are given by place, so a line put in at the top
renames them all: the title goes first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.commands import AddTasks, EditTask, MoveTask, PlanChange, RemoveTask
from obra_tui.core.errors import PlanError
from obra_tui.core.ids import SessionId
from obra_tui.core.model import Plan, TaskSpec
from obra_tui.core.plans.fields import free_key
from obra_tui.core.plans.parse import order


class MergeStatus(StrEnum):
    """What becomes of a task when the file is taken in."""

    NEW = "new"
    SAME = "same"
    """Nothing to do: alike, or changed here alone."""
    CHANGED = "changed"
    GONE = "gone"
    """Ticked or deleted in the file, and not started here."""
    STARTED = "started"
    """Changed in the file, but Claude was told already."""
    NEEDED = "needed"
    """Gone from the file, but others wait for it."""
    CONFLICT = "conflict"
    """Changed here and in the file."""


class PlanTask(Protocol):
    """A task of the plan as it stands."""

    @property
    def spec(self) -> TaskSpec: ...
    @property
    def original(self) -> TaskSpec:
        """What the file said when it was last taken in."""
        ...

    @property
    def changeable(self) -> bool:
        """Nobody was told of it yet."""
        ...

    @property
    def over(self) -> bool: ...


class Difference(Struct, frozen=True, kw_only=True):
    fate: MergeStatus
    mine: TaskSpec | None = None
    """As it is in the plan; None for a new one."""
    theirs: TaskSpec | None = None
    """As the file says it, with the id and the dependencies of the plan; None when it is gone."""

    @property
    def spec(self) -> TaskSpec:
        found = self.theirs or self.mine
        assert found is not None
        return found


def differences(file: Plan, plan: Sequence[PlanTask]) -> tuple[Difference, ...]:
    """Return one entry per open task of the file in its order, then those that are gone from it."""
    matches = _matches(file, plan)
    keys = _keys(file, plan, matches)
    done = {item.spec.key for item in plan if item.over}
    found = []
    for task in file.tasks:
        mine = matches.get(task.key)
        theirs = _translated(task, keys, mine)
        found.append(Difference(fate=MergeStatus.NEW, theirs=theirs) if mine is None else _compared(mine, theirs, done))
    matched = {item.spec.key for item in matches.values()}
    gone = [item for item in plan if item.spec.key not in matched and _gone(item, file)]
    return (*found, *_gone_ones(gone, plan, found))


def merging(
    taken: Iterable[Difference], plan: Sequence[PlanTask], session: SessionId, by: str, file_order: Sequence[Difference]
) -> tuple[PlanChange, ...]:
    """Return what takes these differences in. A new task gets the place that it has in the file."""
    taken = tuple(taken)
    new = [item.spec for item in taken if item.fate is MergeStatus.NEW]
    edits = [item.theirs for item in taken if item.theirs is not None and item.mine is not None]
    gone = [item.mine for item in taken if item.theirs is None and item.mine is not None]
    changes: list[PlanChange] = []
    if new:
        changes.append(AddTasks(session=session, tasks=tuple(new)))
    changes += [EditTask(task=spec.id, spec=spec, by=by) for spec in edits]
    changes += [RemoveTask(task=spec.id, by=by) for spec in reversed(order(gone))]
    left = [item.spec for item in plan if item.spec not in gone]
    return (*changes, *_moves(left, new, file_order, by))


def same_file(one: str, other: str) -> bool:
    """Whether two names can be one file: a plan may have been named from another folder."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def file_of(source: str) -> str:
    """Return the name in a `TaskSpec.source`, without the line."""
    name, _, line = source.rpartition(":")
    return name if name and line.isdigit() else source


# --- which is which ------------------------------------------------------------------------------


def _matches(file: Plan, plan: Sequence[PlanTask]) -> Mapping[str, PlanTask]:
    """Return the task of the plan for each key of the file that has one."""
    found: dict[str, PlanTask] = {}
    left = list(plan)

    def take(fits: Sequence[PlanTask], key: str) -> None:
        if len(fits) == 1:
            found[key] = fits[0]
            left.remove(fits[0])

    for task in file.tasks:
        take([item for item in left if (item.spec.key, item.spec.title) == (task.key, task.title)], task.key)
    for task in file.tasks:
        if task.key not in found:
            take([item for item in left if task.title in (item.spec.title, item.original.title)], task.key)
    for task in file.tasks:
        if task.key not in found:
            take([item for item in left if item.spec.key == task.key and _from(item, file)], task.key)
    return found


def _from(item: PlanTask, file: Plan) -> bool:
    return same_file(file_of(item.original.source), file.source)


def _keys(file: Plan, plan: Sequence[PlanTask], matches: Mapping[str, PlanTask]) -> Mapping[str, str]:
    """Return the key in the plan for each key of the file; a new task keeps its own if it is free."""
    taken = [item.spec.key for item in plan]
    keys = {}
    for task in file.tasks:
        match = matches.get(task.key)
        if match is not None:
            keys[task.key] = match.spec.key
        else:
            keys[task.key] = task.key if task.key not in taken else free_key(taken)
            taken.append(keys[task.key])
    return keys


def _translated(task: TaskSpec, keys: Mapping[str, str], mine: PlanTask | None) -> TaskSpec:
    depends = tuple(keys.get(key, key) for key in task.depends_on)
    return replace(task, id=mine.spec.id if mine else task.id, key=keys[task.key], depends_on=depends)


# --- what is different ---------------------------------------------------------------------------


def _compared(mine: PlanTask, theirs: TaskSpec, done: set[str]) -> Difference:
    here, there, before = (_content(spec, done) for spec in (mine.spec, theirs, mine.original))
    if there in (here, before):
        fate = MergeStatus.SAME
    elif not mine.changeable:
        fate = MergeStatus.STARTED
    elif here == before:
        fate = MergeStatus.CHANGED
    else:
        fate = MergeStatus.CONFLICT
    return Difference(fate=fate, mine=mine.spec, theirs=theirs)


def _content(spec: TaskSpec, done: set[str]) -> tuple[object, ...]:
    """What a person wrote; a dependency that is done counts as none, because a file leaves ticked ones out."""
    depends = {key for key in spec.depends_on if key not in done}
    prompt = spec.prompt if spec.prompt != spec.title else ""
    checks = tuple((check.run, check.stage, check.blocking, check.timeout_s) for check in spec.checks)
    return spec.title, prompt, spec.acceptance, depends, checks, spec.budget


def _gone(item: PlanTask, file: Plan) -> bool:
    return item.changeable and _from(item, file)


def _gone_ones(gone: Sequence[PlanTask], plan: Sequence[PlanTask], found: Sequence[Difference]) -> Iterable[Difference]:
    """A task that somebody still waits for stays; one that was changed here is asked about."""
    going = {item.spec.key for item in gone}
    staying = [item.spec for item in plan if item.spec.key not in going and not item.over]
    replaced = {item.spec.id: item.spec for item in found if item.fate is MergeStatus.CHANGED}
    needed = {key for spec in staying for key in replaced.get(spec.id, spec).depends_on}
    for item in gone:
        edited = _content(item.spec, set()) != _content(item.original, set())
        fate = MergeStatus.NEEDED if item.spec.key in needed else MergeStatus.CONFLICT if edited else MergeStatus.GONE
        yield Difference(fate=fate, mine=item.spec)


# --- where it goes -------------------------------------------------------------------------------


def _moves(
    plan: Sequence[TaskSpec], new: Sequence[TaskSpec], file_order: Sequence[Difference], by: str
) -> Sequence[MoveTask]:
    """Put each new task behind the one that is before it in the file."""
    keys = [*(spec.key for spec in plan), *(spec.key for spec in new)]
    before = {}
    previous = ""
    for item in file_order:
        if item.theirs is not None:
            before[item.theirs.key] = previous
            previous = item.theirs.key
    moves = []
    for spec in new:
        keys.remove(spec.key)
        leader = before.get(spec.key, "")
        follower = next((key for key, first in before.items() if first == spec.key and key in keys), "")
        place = keys.index(leader) + 1 if leader in keys else keys.index(follower) if follower else len(keys)
        keys.insert(place, spec.key)
        moves.append(MoveTask(task=spec.id, position=place, by=by))
    kept = _needless(plan, new, moves)
    return [move for move in moves if move not in kept]


def _needless(plan: Sequence[TaskSpec], new: Sequence[TaskSpec], moves: Sequence[MoveTask]) -> Sequence[MoveTask]:
    """All of them when the new tasks stay at the end in their order."""
    places = [move.position for move in moves]
    last = len(plan) + len(new) - 1
    return moves if all(place in (last, len(plan) + at) for at, place in enumerate(places)) else ()


def describe(found: Iterable[Difference]) -> str:
    """Return `1 added, 2 changed, 1 taken out`."""
    words = {
        MergeStatus.NEW: "added",
        MergeStatus.CHANGED: "changed",
        MergeStatus.CONFLICT: "changed",
        MergeStatus.GONE: "taken out",
    }
    counts = Counter(words[item.fate] for item in found if item.fate in words)
    return ", ".join(f"{counts[word]} {word}" for word in dict.fromkeys(words.values()) if counts[word])


def refusal_of(item: Difference) -> PlanError | None:
    """Return what a person is told of a difference that cannot be taken in."""
    match item.fate:
        case MergeStatus.STARTED:
            what = f"{item.spec.key} was changed in the file after Claude was told of it."
            return PlanError(what, where=item.spec.source, fix="Write to Claude, or ask for changes at its gate.")
        case MergeStatus.NEEDED:
            what = f"{item.spec.key} is gone from the file, but other tasks wait for it."
            return PlanError(what, where=item.spec.source, fix="Change what waits for it, or take it out here.")
        case _:
            return None
