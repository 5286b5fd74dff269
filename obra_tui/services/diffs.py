"""Diffs and files of past attempts, read on request from the database and from git. Blocking, for worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from obra_tui.core.errors import UnknownId
from obra_tui.core.ids import AttemptId, GateId, SessionId
from obra_tui.core.model import Decision, DecisionKind, Diff, Finding
from obra_tui.engine.prompts import changes_prompt
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace
from obra_tui.system.git import GitCall, GitStopped, run_blocking
from obra_tui.ui.ports import HEAD, Head

if TYPE_CHECKING:
    from obra_tui.core.records.history import History

_TIMEOUT_S = 30

NextPrompt = Callable[[GateId, str, tuple[Finding, ...]], str]
"""Gate, note and chosen findings → the prompt that *request changes* would send."""


class DiffReader:
    """Implements the screen's role `Reader`, beside the engine of this process or of another one."""

    def __init__(
        self, history: History, workspace_of: Callable[[SessionId], GitWorkspace], next_prompt: NextPrompt
    ) -> None:
        self._history = history
        self._workspace_of = workspace_of
        self.next_prompt = next_prompt

    def files_of(
        self, attempt: AttemptId, path: str, since: AttemptId | Head | None = None
    ) -> tuple[str | None, str | None]:
        diff = self._history.attempt(attempt).diff
        if diff is None:
            return None, None
        workspace = self._workspace_of(self._history.attempt(attempt).summary.session)
        if since is not None:
            base = asyncio.run(workspace.head()) if since == HEAD else self._diff_of(AttemptId(since)).tree
            diff = replace(diff, base_commit=base)
        return asyncio.run(workspace.files_of(diff, path))

    def changes_since(self, attempt: AttemptId, earlier: AttemptId | Head) -> Diff:
        workspace = self._workspace_of(self._history.attempt(attempt).summary.session)
        if earlier == HEAD:
            return asyncio.run(workspace.changes_from_head(self._diff_of(attempt)))
        return asyncio.run(workspace.changes_between(self._diff_of(AttemptId(earlier)), self._diff_of(attempt)))

    def work_so_far(self, session: SessionId, copy_path: str) -> Diff:
        return asyncio.run(self._workspace_of(session).look_at(copy_path))

    def _diff_of(self, attempt: AttemptId) -> Diff:
        diff = self._history.attempt(attempt).diff
        if diff is None:
            raise UnknownId(
                f"Attempt {attempt} left no work to compare with.", fix="Compare with the base of the task."
            )
        return diff


def replica_reader(history: History, data_dir: Path) -> DiffReader:
    """Return a reader that needs no engine: the project and the prompt are made from what the history holds."""

    def workspace_of(session: SessionId) -> GitWorkspace:
        project = Path(history.session(session).summary.project)
        return GitWorkspace(project=project, data_dir=data_dir, sandbox=Sandbox(data_dir=data_dir))

    def next_prompt(gate: GateId, note: str, chosen: tuple[Finding, ...]) -> str:
        attempt = history.gate(gate).attempt
        decision = Decision(kind=DecisionKind.CHANGES, by="", note=note, chosen=chosen)
        return changes_prompt(attempt.summary.number + 1, decision, attempt.checks, ())

    return DiffReader(history, workspace_of, next_prompt)


def tree_diff(repos: Path, a: str, b: str) -> str | None:
    """Return the patch from tree `a` to tree `b`; None when no repository holds both any more."""
    for repo in sorted(repos.glob("*.git")) if repos.is_dir() else ():
        if all(_run(repo, "cat-file", "-e", f"{tree}^{{tree}}") is not None for tree in (a, b)):
            return _run(repo, "diff", "--no-color", "--no-ext-diff", "--no-textconv", a, b)
    return None


def _run(repo: Path, *words: str) -> str | None:
    """Return what a reading command printed, None when it failed."""
    call = GitCall(arguments=words, options=("--git-dir", str(repo.absolute())))
    try:
        done = run_blocking(call, timeout_s=_TIMEOUT_S)
    except (OSError, GitStopped):
        return None
    return done.out.decode("utf-8", "replace") if done.code == 0 else None
