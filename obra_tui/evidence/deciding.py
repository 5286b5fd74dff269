"""Runs one check on the work so that the code before it decides: its tests, its runner, its configuration.

Four runs at most: on the code before the work (kept for the whole session), on the work with the tests of before, on
the work as it is where it changed tests, and of its new tests on the old code. What they show is put together in
`comparing`, which files belong to the tests is said in `governing`.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.model import CheckResult, CheckSpec, CheckStatus, SandboxLevel, Stage, WorkCopy
from obra_tui.evidence.check_workspace import Stand, stand_for
from obra_tui.evidence.commands import manifest
from obra_tui.evidence.comparing import Runs, bad, compare, file_of, new_tests, passing, sides_changed
from obra_tui.evidence.executing import Executor, Way
from obra_tui.evidence.governing import (
    NAMED,
    READ,
    RUNNER,
    SHADOW,
    TEST,
    Role,
    concerns_tests,
    inline_tests,
    is_a_test,
    only_adds,
)
from obra_tui.evidence.must_fail import nearest, planted
from obra_tui.evidence.reading import Execution
from obra_tui.evidence.run_cache import RunCache, key_of_run
from obra_tui.evidence.running import Printed
from obra_tui.evidence.serving_tests import may_serve_tests, serves_tests, word_of
from obra_tui.evidence.touched_code import Lines, touched_lines
from obra_tui.evidence.trees import Change, Trees
from obra_tui.evidence.witness.channel import Group

_MOST_REPEATED = 50
_MOST_LOOKED_AT = 200
_MOST_LIKE = 5
_MOST_LOADED = 20
_SALT = secrets.token_bytes(16)
"""What is checked must not know beforehand how a test that must fail is called."""
_UNNOTICED = "a test that must fail was laid beside the others, and passed."
_REPEATS = 3
_MOST_ASKS = 8
_OTHER_CIRCUMSTANCES = (
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati"},
    {"PYTHONHASHSEED": "77", "TZ": "America/New_York"},
    {"PYTHONHASHSEED": "0", "TZ": "UTC"},
)


_ON_BASE = Way(trace=True)


class Laid(Struct, frozen=True, kw_only=True):
    """What the work changed of tests and runner, and the tree that has them as they were."""

    tree: str
    replaced: tuple[Change, ...] = ()
    moved: Mapping[str, str] = {}
    asks: tuple[str, ...] = ()


class Deciding(Struct, frozen=True, kw_only=True):
    """One check on one piece of work."""

    spec: CheckSpec
    copy: WorkCopy
    executor: Executor
    trees: Trees
    cache: RunCache
    level: SandboxLevel
    base: str
    """Tree before the work."""
    work: str
    """Tree of the work."""
    environment: str
    changes: tuple[Change, ...]
    printed: Printed

    async def result(self) -> CheckResult:
        if self.spec.stage is not Stage.TESTING:
            return await self._of_tool()
        as_is = await self._run(self.work, self.printed)
        if as_is.status is CheckStatus.TIMED_OUT:
            return compare(Runs(spec=self.spec, tree=self.base, base=None, deciding=as_is))
        base = await self._on_base()
        laid = await self.lay(base)
        is_laid = laid.tree != self.work
        deciding = await self._run(laid.tree, self._quiet) if is_laid else as_is
        deciding = await self._with_reached(base, deciding, laid.tree)
        runs = Runs(
            spec=self.spec,
            tree=self.base,
            base=base,
            deciding=deciding,
            as_is=as_is if is_laid else None,
            replaced=tuple(change.path for change in laid.replaced),
            moved=laid.moved,
            changed=await self._changed() if deciding.reached else {},
            asks=(*laid.asks, *_speaks_for_tests(base, deciding, as_is)),
        )
        runs = await self._repeated(runs, laid)
        if not await self._notices_failures(deciding, laid.tree):
            runs = replace(runs, asks=(f"{self.spec.name} cannot be believed with this work: {_UNNOTICED}", *runs.asks))
        return compare(replace(runs, on_old_code=await self._on_old_code(runs, laid)))

    async def _of_tool(self) -> CheckResult:
        """A linter, compiler or type checker: it looks at new files, by the configuration of before."""
        as_is = await self._run(self.work, self.printed)
        laid = await self.lay(None)
        is_laid = laid.tree != self.work
        deciding = await self._run(laid.tree, self._quiet) if is_laid else as_is
        failed = CheckStatus.FAILED in (deciding.status, as_is.status)
        runs = Runs(
            spec=self.spec,
            tree=self.base,
            base=await self._on_base() if failed else None,
            deciding=deciding,
            as_is=as_is if is_laid else None,
            replaced=tuple(change.path for change in laid.replaced),
            asks=laid.asks,
        )
        return compare(runs)

    # --- the runs ---

    async def _on_base(self) -> Execution:
        return await self._run(self.base, self._quiet, _ON_BASE, keep_failed=True)

    def known_base(self) -> Execution | None:
        """Return what the check showed on the code before the work, if it ran there before."""
        return self.cache.get(self._key(self.base, _ON_BASE)) if self.level is SandboxLevel.BWRAP else None

    def _key(self, tree: str, way: Way | None) -> str:
        return key_of_run(self.spec, tree, self.level, self.environment, repr(way or Way()))

    async def _run(
        self, tree: str, printed: Printed, way: Way | None = None, *, keep_failed: bool = False
    ) -> Execution:
        """Run the check on a tree, or return what it showed there before."""
        key = self._key(tree, way)
        known = self.cache.get(key) if self.level is SandboxLevel.BWRAP else None
        if known is not None and (keep_failed or known.status is CheckStatus.PASSED):
            if known.output:
                printed(known.output)
            return known
        run = await self.executor.run(self.spec, await self.stand(tree), self.level, printed, way)
        if self.level is SandboxLevel.BWRAP and (keep_failed or run.status is CheckStatus.PASSED):
            self.cache.put(key, run)
        return run

    async def _with_reached(self, base: Execution, run: Execution, tree: str) -> Execution:
        """Look what the tests call that failed before and fail now: it may be what the work changed."""
        old = tuple(sorted(bad(base.cases) & bad(run.cases)))[:_MOST_REPEATED]
        if not old or run.source != "witness":
            return run
        way = Way(groups=(Group(only=old, watch=old),))
        again = await self.executor.run(self.spec, await self.stand(tree), self.level, self._quiet, way)
        return replace(run, reached=again.reached)

    async def _changed(self) -> dict[str, tuple[Lines, ...] | None]:
        return {
            change.path: touched_lines(
                change.path, await self.trees.text(change.old), await self.trees.text(change.new)
            )
            for change in self.changes
        }

    async def _notices_failures(self, deciding: Execution, tree: str) -> bool:
        """Lay tests that must fail beside those of before: with them a runner that can be believed does not pass."""
        if deciding.source in ("", "witness") or deciding.status is not CheckStatus.PASSED:
            return True
        mark = f"k{hashlib.sha256(_SALT + self.work.encode()).hexdigest()[:10]}"
        laid = await self._planted(tree, mark)
        if not laid:
            return True
        on_work = await self._run(await self.trees.with_texts(tree, laid), self._quiet, keep_failed=True)
        if any(mark in name.casefold() for name in passing(on_work.cases)):
            return False
        if on_work.status is not CheckStatus.PASSED:
            return True
        on_base = await self._run(await self.trees.with_texts(self.base, laid), self._quiet, keep_failed=True)
        return on_base.status is CheckStatus.PASSED  # it never looks at such a file

    async def _planted(self, tree: str, mark: str) -> list[tuple[str, str]]:
        changed = [change.path for change in self.changes if change.new.is_there]
        tests = nearest([path for path in await self.trees.files(self.base) if is_a_test(path)], changed)
        texts: dict[str, str] = {}
        for at, paths in ((self.base, tests[:_MOST_LIKE]), (tree, changed[:_MOST_LOADED])):
            for path in paths:
                if (text := await self.trees.text_at(at, path)) is not None:
                    texts[path] = text
        return [(item.path, item.text) for item in planted(tests, texts, changed, mark)]

    async def stand(self, tree: str) -> Stand:
        return await stand_for(self.copy, self.executor.data_dir, fresh=False, tree="" if tree == self.work else tree)

    @staticmethod
    def _quiet(_: str) -> None:
        """What runs beside the deciding one is not shown while it runs."""

    # --- what is laid over the work ---

    async def lay(self, base: Execution | None) -> Laid:
        role = await self._role(base)
        had_tests = base is None or base.status is not CheckStatus.BROKEN
        moved = _moved_files(self.changes)
        replaced: list[Change] = []
        asks: list[str] = []
        for change in self.changes:
            old, new = await self.trees.text(change.old), await self.trees.text(change.new)
            reason = role.of(change.path, None if change.is_new else old or "")
            if self.spec.stage is not Stage.TESTING and not self._configures_tool(change.path, reason):
                continue
            if change.is_new and reason != SHADOW and not had_tests:
                continue  # nothing was there that they could speak for
            if reason and _is_replaced(change, reason, old, new):
                replaced.append(change)
                if _is_asked(change, reason, old, new, moved):
                    asks.append(_ask(change, reason))
            elif not reason and not _keeps_inline_tests(change, old, new):
                asks.append(f"The work changes tests that stand among the code of {change.path}.")
        tree = await self.trees.laid_over(self.work, [(change.name, change.old) for change in replaced])
        return Laid(tree=tree, replaced=tuple(replaced), moved=moved, asks=tuple(asks[:_MOST_ASKS]))

    def _configures_tool(self, path: str, reason: str) -> bool:
        """What a linter or compiler looks at is no part of it, even if its command names the file."""
        if reason == NAMED:
            return self.spec.origin != "found" and path.endswith((".sh", ".bash"))
        return reason == SHADOW or (reason == RUNNER and not path.endswith(".py"))

    async def _role(self, base: Execution | None) -> Role:
        stand = await self.stand(self.base)
        scripts = await asyncio.to_thread(_scripts_of, stand, self.spec.run)
        cases = base.cases or {} if base else {}
        return Role(
            command=self.spec.run,
            read=frozenset(base.read if base else ()),
            collected=frozenset(file_of(name) for name in cases if "::" in name),
            scripts=scripts,
            serving=await self._serving(frozenset(file_of(name) for name in cases if "::" in name)),
        )

    async def _serving(self, collected: frozenset[str]) -> frozenset[str]:
        """Return which of the changed files only tests use, whatever they are called."""
        found = set()
        tests: frozenset[str] | None = None
        for change in self.changes[:_MOST_LOOKED_AT]:
            if change.is_new or not may_serve_tests(change.path, await self.trees.text(change.old)):
                continue
            if tests is None:
                tests = collected | {path for path in await self.trees.files(self.base) if is_a_test(path)}
            if serves_tests(await self.trees.mentions(self.base, word_of(change.path)), tests, change.path):
                found.add(change.path)
        return frozenset(found)

    # --- tests that gave another answer than before ---

    async def _repeated(self, runs: Runs, laid: Laid) -> Runs:
        """Repeat the tests that changed sides, in other circumstances; those with both answers are flaky."""
        if runs.deciding.source != "witness" or runs.base is None:
            return runs
        turned = sides_changed(runs.base, runs.deciding)[:_MOST_REPEATED]
        if not turned:
            return runs
        answers = runs.deciding.cases or {}
        flaky = await self.with_both_answers(laid.tree, turned, {name: answers[name].is_bad for name in turned})
        before = runs.base.cases or {}
        flaky_before = await self.with_both_answers(
            self.base, tuple(sorted(flaky)), {name: before[name].is_bad for name in flaky}
        )
        return replace(runs, flaky=frozenset(flaky), flaky_before=frozenset(flaky_before))

    async def with_both_answers(
        self, tree: str, names: Sequence[str], answers: Mapping[str, bool], repeats: int = _REPEATS
    ) -> set[str]:
        found: set[str] = set()
        for number in range(repeats):
            left = tuple(name for name in names if name not in found)
            if not left:
                break
            way = Way(
                groups=(Group(only=left, reverse=number % 2 == 0),),
                environment=_OTHER_CIRCUMSTANCES[number],
                without=("CI",) if number == 0 else (),
            )
            again = await self.executor.run(self.spec, await self.stand(tree), self.level, self._quiet, way)
            cases = again.cases or {}
            found |= {name for name in left if name in cases and cases[name].is_bad != answers[name]}
        return found

    async def _on_old_code(self, runs: Runs, laid: Laid) -> Execution | None:
        """Run the new tests on the code before the work: what they prove, they do not show there."""
        fresh = new_tests(runs) & passing(runs.last.cases)
        tests = [change for change in laid.replaced if change.new.is_there]
        if not fresh or not tests:
            return None
        tree = await self.trees.laid_over(self.base, [(change.name, change.new) for change in tests])
        only = tuple(sorted(fresh)) if runs.last.source == "witness" else ()
        return await self._run(tree, self._quiet, Way(groups=(Group(only=only),)), keep_failed=True)


def _speaks_for_tests(base: Execution, *runs: Execution | None) -> list[str]:
    """Say which parts of the test runner the work replaces, and the code before it did not."""
    names = {name for run in runs if run is not None for name in run.replaced} - set(base.replaced)
    asked = sorted(name for name in names if " by " in name)
    parts = sorted(names - set(asked))
    replaced = f"The work replaces parts of the test runner while the tests run: {', '.join(parts[:3])}."
    reached = f"The work looks into the test runner while the tests run: {', '.join(asked[:3])}."
    return [*([replaced] if parts else []), *([reached] if asked else [])]


def _moved_files(changes: Sequence[Change]) -> dict[str, str]:
    """Return which files were only renamed."""
    gone = {change.old.blob: change.path for change in changes if not change.new.is_there}
    return {gone[change.new.blob]: change.path for change in changes if change.is_new and change.new.blob in gone}


def _is_replaced(change: Change, reason: str, old: str | None, new: str | None) -> bool:
    """Tell whether the run that decides has this file as it was. New data may belong to the code; it stays."""
    if reason == RUNNER:
        return concerns_tests(change.path, old, new if change.new.is_there else None)
    return not (change.is_new and reason == READ)


def _is_asked(change: Change, reason: str, old: str | None, new: str | None, moved: Mapping[str, str]) -> bool:
    """New tests, more tests in a file and files under another name are no reason to ask."""
    if reason != TEST:
        return True
    if change.is_new or moved.get(change.path):
        return False
    return change.old.mode != change.new.mode or not only_adds(change.path, old, new)


def _ask(change: Change, reason: str) -> str:
    done = "adds" if change.is_new else "changes" if change.new.is_there else "removes"
    kept = "left out" if change.is_new else "taken as it was before"
    return f"The work {done} {change.path}, which {reason}; for the run that decides it was {kept}."


def _keeps_inline_tests(change: Change, old: str | None, new: str | None) -> bool:
    before = inline_tests(change.path, old).rstrip("}")
    return not before or inline_tests(change.path, new).startswith(before)


def _behind_tests(scripts: Mapping[str, object]) -> list[str]:
    """Return the scripts that have to do with tests, and those that they run; a linter only looks at what it names."""
    texts = {name: text for name, text in scripts.items() if isinstance(text, str)}
    wanted = {name for name in texts if "test" in name}
    called = {name for name in texts for test in wanted if f"run {name}" in texts[test]}
    return [texts[name] for name in sorted(wanted | called)]


def _scripts_of(stand: Stand, command: str) -> str:
    """Return the text of the scripts behind a command, as far as manifests name them."""
    scripts = manifest(stand.files / "package.json").get("scripts")
    texts = _behind_tests(scripts) if isinstance(scripts, dict) else []
    for name in ("Makefile", "makefile", "GNUmakefile", "justfile"):
        path = stand.files / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20:
            texts.append(path.read_text("utf-8", "replace"))
    for word in command.replace("'", " ").replace('"', " ").split():
        path = stand.files / word.removeprefix("./")
        if not word.startswith("/") and ".." not in word and path.is_file() and not path.is_symlink():
            texts.append(word.removeprefix("./"))
            if path.stat().st_size < 1 << 20:
                texts.append(path.read_text("utf-8", "replace"))
    return "\n".join(texts)
