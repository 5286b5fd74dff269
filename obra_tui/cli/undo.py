"""`obra review --undo`: an answer that is held is taken back; accepted work is reverted by a commit."""

import json
from pathlib import Path

import typer
from msgspec import Struct

from obra_tui.cli.parser import refuse_unused
from obra_tui.core.commands import Command, RevertWork, UndoDecision
from obra_tui.core.errors import NotAllowed
from obra_tui.core.ids import AttemptId, GateId
from obra_tui.core.records.history import AttemptDetail, History
from obra_tui.core.text import one_line


class Answered(Struct, frozen=True, kw_only=True):
    """What is to be undone: an attempt, with its gate if a person was asked."""

    attempt: AttemptDetail
    project: Path
    gate: GateId | None


def undo_answer(typed: str, note: str, *, as_json: bool) -> int:
    """Undo what became of a gate or an attempt, as far as it went, and print what was done."""
    from obra_tui.bootstrap.client import send_command
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.system.user import person

    with open_history(load()) as history:
        answered = _find(history, typed)
    answer = send_command(load(answered.project), answered.project, _command(answered, person(), note))
    told = _told(answered, answer)
    typer.echo(json.dumps({"type": "undone", **told}) if as_json else _words(answered, told))
    return 0


def _find(history: History, typed: str) -> Answered:
    kind, found = history.resolve(typed, "gate", "attempt")
    attempt = history.gate(GateId(found)).attempt if kind == "gate" else history.attempt(AttemptId(found))
    project = Path(history.session(attempt.summary.session).summary.project)
    return Answered(attempt=attempt, project=project, gate=attempt.gate.id if attempt.gate else None)


def _command(answered: Answered, by: str, note: str) -> Command:
    summary = answered.attempt.summary
    if answered.attempt.acceptance is not None:
        return RevertWork(session=summary.session, task=summary.task, by=by, note=note)
    if answered.gate is None:
        raise NotAllowed("Nothing was decided about this attempt.", fix=f"Look at it: obra show {summary.id}")
    refuse_unused("an answer that is not carried out yet", note=note)
    return UndoDecision(gate=answered.gate, by=by)


def _told(answered: Answered, answer: object) -> dict[str, str]:
    summary, taken = answered.attempt.summary, answered.attempt.acceptance
    told = {"attempt": summary.id, "gate": answered.gate or ""}
    if taken is None:
        return {**told, "how": "taken_back"}
    return {**told, "how": "reverted", "commit": str(answer), "reverted": taken.commit, "branch": taken.branch}


def _words(answered: Answered, told: dict[str, str]) -> str:
    key = one_line(answered.attempt.summary.task_key)
    if told["how"] == "taken_back":
        return f"{key}: the answer was undone, the gate waits again"
    return f"{key}: reverted by {told['commit'][:12]} on {told['branch']}"
