"""Judges an existing change of a project with the evidence of a run: its checks, the base, the judge, the score.

No Claude Code and no database take part, so that it works beside a running Obra, in a hook, and in CI. The project's
settings are those of the base: a change does not choose what it is measured by.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from obra_tui.config.load import load, load_as_it_was
from obra_tui.config.trust import speaks_of_obra
from obra_tui.core.gate import Evidence, GateRules, describe_check, without_judge
from obra_tui.core.ids import new_session_id, new_task_id
from obra_tui.core.model import (
    CheckResult,
    Diff,
    JudgeIdentity,
    JudgeRequest,
    Outcome,
    SandboxLevel,
    TaskSpec,
    Verdict,
    WorkCopy,
)
from obra_tui.core.records.change_report import ChangeReport, conclude
from obra_tui.evidence.checks import LocalCheckRunner
from obra_tui.evidence.existing import ExistingChange, file_at, find_change
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace
from obra_tui.judge import QwenJudge
from obra_tui.services.models import judge_config
from obra_tui.services.project import refuse_data_inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obra_tui.config.load import Settings
    from obra_tui.core.events import Event

_TASK = (
    "This change was made outside of Obra; there is no other task than what its authors say in the commit messages, "
    "which you are shown as their message. Judge whether the change does that, completely and well."
)


class GateQuestion(Struct, frozen=True, kw_only=True):
    """What is asked for on the command line."""

    project: Path
    base: str
    head: str
    task: str = ""
    """What the change is meant to do; empty = what its commit messages say."""
    is_judged: bool = True
    trusts_base: bool = False
    """Trust the project's settings at the base without having been asked, as a machine of that project may."""


Tell = Callable[[str], None]


async def judge_change(wanted: GateQuestion, flags: Mapping[str, object], tell: Tell) -> ChangeReport:
    """Take the evidence and return what the gate says. Raises `ObraError` when it cannot be taken."""
    change = await find_change(wanted.project, wanted.base, wanted.head)
    settings = await _settings_at(wanted, change.base, flags)
    refuse_data_inside(wanted.project, settings.data_dir)
    sandbox = Sandbox(
        data_dir=settings.data_dir,
        lowest=SandboxLevel.BWRAP if settings.sandbox.level == "required" else SandboxLevel.NONE,
        readable=settings.sandbox.readable_paths(),
        limits=settings.sandbox.limits(),
    )
    async with _copy_of(wanted.project, change, settings, sandbox) as (copy, diff):
        evidence = await _evidence(wanted, change, settings, sandbox, copy, diff, tell)
    rules = _rules(settings)
    return conclude(
        evidence,
        rules if wanted.is_judged else without_judge(rules),
        base=change.base,
        head=change.head,
        title=change.title,
    )


async def _settings_at(wanted: GateQuestion, base: str, flags: Mapping[str, object]) -> Settings:
    for name in (".obra/config.toml", "config.toml"):
        content = await file_at(wanted.project, base, name)
        if content is not None and (name != "config.toml" or speaks_of_obra(content)):
            file = wanted.project / name
            return load_as_it_was(wanted.project, file, content, flags, is_trusted=wanted.trusts_base)
    return load(None, flags)


@contextlib.asynccontextmanager
async def _copy_of(
    project: Path, change: ExistingChange, settings: Settings, sandbox: Sandbox
) -> AsyncIterator[tuple[WorkCopy, Diff]]:
    """Make a copy for this one look, and remove it after it."""
    workspace = GitWorkspace(
        project=project,
        data_dir=settings.data_dir,
        sandbox=sandbox,
        setup=settings.workspace.setup,
        protected=settings.workspace.protected,
        include=settings.workspace.include,
    )
    task = new_task_id()
    try:
        copy = await workspace.prepare(new_session_id(), task, change.base)
        yield copy, await workspace.take_commit(copy, change.head)
    finally:
        await workspace.discard(task)


async def _evidence(
    wanted: GateQuestion,
    change: ExistingChange,
    settings: Settings,
    sandbox: Sandbox,
    copy: WorkCopy,
    diff: Diff,
    tell: Tell,
) -> Evidence:
    title = wanted.task.strip().splitlines()[0] if wanted.task.strip() else change.title or "An existing change"
    spec = TaskSpec(id=new_task_id(), key="change", title=title, prompt=wanted.task.strip() or _TASK)
    runner = LocalCheckRunner(configured=settings.check_specs(), sandbox=sandbox, data_dir=settings.data_dir)
    results: list[CheckResult] = []
    for check in () if diff.empty else await runner.plan(copy, spec):
        tell(f"{check.name}: {check.run}")
        result = await runner.run(check, copy, _unheard)
        tell(describe_check(result))
        results.append(result)
    if diff.empty or not wanted.is_judged:
        nobody = "There is no change to judge." if diff.empty else "The judge was not to be asked."
        verdict = Verdict(identity=JudgeIdentity(model=""), unjudged=nobody)
    else:
        tell(f"{settings.judge.model} reads the change")
        verdict = await _verdict(settings, spec, change, diff, results)
    return Evidence(outcome=Outcome.COMPLETED, diff=diff, checks=tuple(results), verdict=verdict)


async def _verdict(
    settings: Settings, spec: TaskSpec, change: ExistingChange, diff: Diff, results: list[CheckResult]
) -> Verdict:
    judge = QwenJudge(judge_config(settings))
    request = JudgeRequest(
        task=spec, attempt_number=1, diff=diff, checks=tuple(results), claude_message=change.messages
    )
    try:
        return await judge.review(request, _unheard)
    finally:
        await judge.close()


def _unheard(event: Event) -> None:
    """What a screen would show while it works; here the result is enough."""


def _rules(settings: Settings) -> GateRules:
    gate = settings.gate
    return GateRules(threshold=gate.threshold, judged_floor=gate.judged_floor, weights=gate.weights.pairs())
