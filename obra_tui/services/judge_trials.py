"""Asks a judge about cases with known truth, beside the work: what it may cost, the questions, what came of them.

Nothing is run anew for it: a case is shown from the stored evidence. Old verdicts stay as they are; answers become
trials. Writing them is the caller's affair, so that whoever owns the data does it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from obra_tui.core.errors import ConfigError, ObraError
from obra_tui.core.events import CaseKept, Event, Judging, TrialDone
from obra_tui.core.gate import GateRules
from obra_tui.core.judging.book import CaseBook, cases_of, wrong_tasks
from obra_tui.core.judging.showing import request_of, trial_of
from obra_tui.core.model import Finding, JudgeCase, JudgeRequest, Trial
from obra_tui.judge import QwenJudge
from obra_tui.judge.template import load_rubric, parse_rubric
from obra_tui.services.models import judge_config
from obra_tui.system.lane import PriorityLane

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.ports import Judge
    from obra_tui.core.records.history import AttemptSummary
    from obra_tui.judge.template import Rubric
    from obra_tui.store.history import SqlHistory

CaseSet = Literal["exam", "holdout", "all"]
LANE = "judge.lane"
"""The file's name in the data directory."""


class ShownCase(Struct, frozen=True, kw_only=True):
    case: JudgeCase
    request: JudgeRequest
    is_new: bool
    """It is not kept yet."""


class TrialPlan(Struct, frozen=True, kw_only=True):
    """What would be asked, and what it costs."""

    shown: tuple[ShownCase, ...]
    left_out: tuple[tuple[str, int], ...] = ()
    """Why cases cannot be shown, and how many."""
    seconds_each: float | None = None
    """As measured with this model; None before anything was."""


def lane_of(settings: Settings) -> PriorityLane:
    return PriorityLane(settings.data_dir / LANE)


def all_cases(history: SqlHistory, project: str, *, rehearsal: bool = False) -> tuple[dict[str, JudgeCase], CaseBook]:
    """Return every case that counts, those that past work is and those that were kept; and the book of the project."""
    book = history.judge_book(project, rehearsal=rehearsal)
    past = history.past_work(project, rehearsal=rehearsal)
    made = [*cases_of(past, (label for _, label in book.labels)), *wrong_tasks(past)]
    found = {case.id: case for case in made if case.id not in book.retired}
    return {**found, **book.counting}, book


def chosen(cases: Mapping[str, JudgeCase], which: CaseSet, kind: str = "") -> list[JudgeCase]:
    """Return the cases of a set, those of one pair beside each other, so that a short look has whole pairs."""
    wanted = [case for case in cases.values() if which == "all" or case.is_holdout == (which == "holdout")]
    wanted = [case for case in wanted if kind in ("", case.kind, case.source.value)]
    order = {base: index for index, base in enumerate(dict.fromkeys(case.base for case in wanted))}
    return sorted(wanted, key=lambda case: (order[case.base], case.truth.value, case.id))


def prepared(
    history: SqlHistory, cases: Sequence[JudgeCase], kept: Mapping[str, JudgeCase], model: str, limit: int
) -> TrialPlan:
    """Read what the judge is shown of each case; what cannot be shown is counted with its reason."""
    shown: list[ShownCase] = []
    left_out: dict[str, int] = {}
    for case in cases:
        if len(shown) == limit:
            break
        request = _request(history, case)
        if isinstance(request, str):
            left_out[request] = left_out.get(request, 0) + 1
        else:
            shown.append(ShownCase(case=case, request=request, is_new=case.id not in kept))
    return TrialPlan(shown=tuple(shown), left_out=tuple(left_out.items()), seconds_each=history.judge_seconds(model))


def _request(history: SqlHistory, case: JudgeCase) -> JudgeRequest | str:
    try:
        detail = history.attempt(case.attempt) if case.attempt else None
        other = history.attempt(case.task_of).spec if case.task_of else None
        previous = _previous(history, detail.summary) if detail else ()
    except ObraError:
        return "its session was pruned"
    return request_of(case, detail, other, previous)


def _previous(history: SqlHistory, of: AttemptSummary) -> tuple[Finding, ...]:
    """Findings of the attempt before, which the judge was shown then."""
    if of.number == 1:
        return ()
    attempts = history.session(of.session).attempts
    before = next((item.id for item in attempts if item.task == of.task and item.number == of.number - 1), None)
    quality = history.attempt(before).quality if before else None
    return quality.findings if quality else ()


def rules_of(settings: Settings) -> GateRules:
    """Return the gate's rule, as far as the judge has a part in it."""
    gate = settings.gate
    return GateRules(threshold=gate.threshold, judged_floor=gate.judged_floor, weights=gate.weights.pairs())


def judge_of(settings: Settings, *, model: str = "", rubric: Path | None = None) -> QwenJudge:
    """Return the configured judge, or another model, or the same one with another rubric. Raises `ConfigError`."""
    config = judge_config(settings)
    if model:
        config = dataclasses.replace(config, model=model)
    return QwenJudge(config, rubric=_rubric(rubric))


def _rubric(path: Path | None) -> Rubric:
    if path is None:
        return load_rubric()
    try:
        return parse_rubric(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"The rubric cannot be read: {error}.",
            where=str(path),
            fix="It names name, version, kinds and max_findings, and [[criteria]] with id, stage, weight and anchors.",
        ) from error


def _unheard(_: Event) -> None:
    """Nobody follows a trial."""


async def asked(
    judge: Judge, shown: Sequence[ShownCase], rules: GateRules, lane: PriorityLane
) -> AsyncIterator[tuple[ShownCase, Trial]]:
    """Ask about one case after the other; a question that work got in the way of is asked again afterwards."""
    for item in shown:
        verdict = None
        while verdict is None:
            verdict = await lane.beside(partial(judge.review, item.request, _unheard))
        yield item, trial_of(item.case, verdict, rules)


def events_of(done: Sequence[tuple[ShownCase, Trial]], kept: Collection[str]) -> Iterator[Judging]:
    """Yield what is to be written of answers: new cases before the trials that are about them."""
    written = set(kept)
    for item, trial in done:
        if item.is_new and item.case.id not in written:
            written.add(item.case.id)
            yield CaseKept(case=item.case)
        yield TrialDone(trial=trial)
