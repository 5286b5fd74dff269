"""`obra review`, `close` and `merge`: gates and sessions without a screen."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from obra_tui.cli.options import HERE, JsonOption, ProjectOption
from obra_tui.cli.paging import echo_diff, paged
from obra_tui.cli.parser import refuse_unused
from obra_tui.cli.undo import undo_answer
from obra_tui.core.commands import CloseSession, Decide, HandBack
from obra_tui.core.decisions import decision_lines, finding_of_argument, finding_text, override_reasons
from obra_tui.core.errors import ConfigError, GateDecided, NotAllowed, StaleDecision
from obra_tui.core.ids import GateId, SessionId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import Decision, DecisionKind, Finding, QualityResult, Severity, TaskSpec
from obra_tui.core.plain import to_builtins
from obra_tui.core.records.attempt_words import DECISION_WORDS, STATE_WORDS, person_name
from obra_tui.core.records.history import AttemptSummary, GateDetail, GateSummary, History, StoredGate
from obra_tui.core.text import one_line

if TYPE_CHECKING:
    from obra_tui.config.schema import Settings


def register(app: typer.Typer) -> None:
    for command in (review, close, merge):
        app.command()(command)


def review(
    gate: Annotated[str | None, typer.Argument(help="Show this gate; without it, list the gates that wait.")] = None,
    approve: Annotated[str | None, typer.Option("--approve", metavar="GATE", help="Approve this gate.")] = None,
    changes: Annotated[str | None, typer.Option("--changes", metavar="GATE", help="Send it back with --note.")] = None,
    reject: Annotated[str | None, typer.Option("--reject", metavar="GATE", help="Reject it with --note.")] = None,
    note: Annotated[str, typer.Option("--note", help="Reason, or what Claude should change.")] = "",
    tree: Annotated[str, typer.Option("--tree", help="Refuse unless the work is this git tree.")] = "",
    finding: Annotated[
        list[str] | None,
        typer.Option("--finding", metavar="N[:NOTE]", help="With --changes: send this finding, with your note on it."),
    ] = None,
    add_finding: Annotated[
        list[str] | None,
        typer.Option("--add-finding", metavar="FILE:LINE:TEXT", help="With --changes: send a finding of your own."),
    ] = None,
    prompt: Annotated[Path | None, typer.Option("--prompt", help="With --changes: send exactly this file.")] = None,
    hand_back: Annotated[
        str | None, typer.Option("--hand-back", metavar="GATE", help="Check and judge what you changed in the copy.")
    ] = None,
    undo: Annotated[
        str | None, typer.Option("--undo", metavar="ID", help="Take an answer back, or revert what was accepted.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Show and answer the gates that wait for a person."""
    answer = ReviewOptions(
        approve=approve,
        changes=changes,
        reject=reject,
        note=note,
        tree=tree,
        findings=tuple(finding or ()),
        own=tuple(add_finding or ()),
        prompt=prompt,
    )
    _refuse_unused(gate, answer, hand_back, undo)
    if hand_back is not None or undo is not None or answer.chosen() is not None:
        _refuse_from_inside()
    if hand_back is not None:
        return _hand_back_gate(hand_back, as_json=as_json)
    if undo is not None:
        return undo_answer(undo, note, as_json=as_json)
    return _review_gates(gate, answer, as_json=as_json)


def _refuse_unused(gate: str | None, answer: "ReviewOptions", hand_back: str | None, undo: str | None) -> None:
    """Refuse what the one thing that is asked for has no use for. Raises `ConfigError`."""
    chosen = answer.chosen()
    for_changes = {"finding": answer.findings, "add_finding": answer.own, "prompt": answer.prompt}
    if hand_back is not None:
        rest = {"undo": undo, "note": answer.note, "tree": answer.tree, **for_changes}
        refuse_unused("--hand-back", GATE=gate, **_answers(answer), **rest)
    elif undo is not None:
        refuse_unused("--undo", GATE=gate, tree=answer.tree, **_answers(answer), **for_changes)
    elif chosen is None:
        refuse_unused("showing gates", note=answer.note, tree=answer.tree, **for_changes)
    elif chosen[0] is DecisionKind.CHANGES:
        refuse_unused("--changes", GATE=gate)
    else:
        refuse_unused(f"--{chosen[0].value}", GATE=gate, **for_changes)


def _refuse_from_inside() -> None:
    """An answer needs the person: whoever is judged gives none. Raises `NotAllowed`."""
    from obra_tui.system.ancestry import is_started_by_obra

    if is_started_by_obra():
        raise NotAllowed(
            "This was started by Claude Code or by a check, and an answer is yours alone.",
            fix="Answer in a terminal of your own.",
        )


def _answers(answer: "ReviewOptions") -> dict[str, object]:
    return {"approve": answer.approve, "changes": answer.changes, "reject": answer.reject}


class ReviewOptions(Struct, frozen=True, kw_only=True):
    """The options of one call; at most one of the three gates is given."""

    approve: str | None
    changes: str | None
    reject: str | None
    note: str
    tree: str
    findings: tuple[str, ...] = ()
    """Findings to send, each by its number as it is listed, with or without a note: `2` or `2:only here`."""
    own: tuple[str, ...] = ()
    """Findings of the person: `FILE:LINE:TEXT`."""
    prompt: Path | None = None

    def chosen(self) -> tuple[DecisionKind, str] | None:
        """Return the kind and the gate as it was typed. Raises `ConfigError` when there are two."""
        given = [
            (kind, gate)
            for kind, gate in (
                (DecisionKind.APPROVE, self.approve),
                (DecisionKind.CHANGES, self.changes),
                (DecisionKind.REJECT, self.reject),
            )
            if gate
        ]
        if len(given) > 1:
            raise ConfigError("More than one answer was given.", fix="Answer one gate at a time.")
        return given[0] if given else None


def _review_gates(gate: str | None, answer: ReviewOptions, *, as_json: bool) -> int:
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history

    chosen = answer.chosen()
    settings = load()
    with open_history(settings) as history:
        if chosen is not None:
            detail = find_gate(history, chosen[1])
        elif gate is not None:
            return _print_detail(find_gate(history, gate), as_json=as_json)
        else:
            return _print_list(history.gates(), as_json=as_json)
    return _decide(detail, chosen[0], answer, as_json=as_json)


def find_gate(history: History, typed: str) -> GateDetail:
    """Return the gate that was meant. Raises `UnknownId` when there is none, or more than one."""
    _, found = history.resolve(typed, "gate")
    return history.gate(GateId(found))


def _decide(detail: GateDetail, kind: DecisionKind, answer: ReviewOptions, *, as_json: bool) -> int:
    from obra_tui.bootstrap.client import decide
    from obra_tui.config.load import load
    from obra_tui.system.user import person

    gate = detail.gate
    if detail.attempt.decision is not None and not gate.open:
        at = datetime.fromtimestamp(gate.closed_at or 0.0).strftime("%Y-%m-%d %H:%M:%S")
        raise GateDecided(gate.id, detail.attempt.decision.decision.by, at)
    if answer.tree and not gate.binding.tree.startswith(answer.tree):
        raise StaleDecision(gate.id, "the tree")
    decision = _decision(detail, kind, answer, person())
    project = Path(detail.session.project)
    settings = load(project)
    command = Decide(gate=gate.id, binding=gate.binding, decision=decision)
    state = decide(settings, project, command, detail.session.id, detail.attempt.summary.task)
    told = {"gate": gate.id, "kind": kind.value, "by": decision.by, "state": state.value}
    said = {"findings": [finding_text(item) for item in decision.chosen], "overridden": decision.overridden}
    again = _gate_again(settings, detail) if state is State.AWAITING_HUMAN else None
    if again is not None:
        raise NotAllowed(
            f"{detail.attempt.summary.task_key} could not be taken in. {' '.join(again.reasons)}",
            where=gate.id,
            fix=f"Mend that, then answer the gate that waits now: obra review {again.id}",
        )
    held = " (the answer can still be undone in the app at work)" if state is State.AWAITING_HUMAN else ""
    words = f"{DECISION_WORDS[kind]}: {detail.attempt.summary.task_key} is {STATE_WORDS[state]}{held}"
    typer.echo(json.dumps({"type": "decision", **told, **said}) if as_json else words)
    return 0


def _gate_again(settings: "Settings", detail: GateDetail) -> StoredGate | None:
    """Return the gate that was opened because the work could not be taken in."""
    from obra_tui.services.archive import open_history

    task = detail.attempt.summary.task
    with open_history(settings) as history:
        fresh = [gate.id for gate in history.gates() if gate.task == task and gate.id != detail.gate.id]
        return history.gate(fresh[-1]).gate if fresh else None


def _decision(detail: GateDetail, kind: DecisionKind, answer: ReviewOptions, by: str) -> Decision:
    """What is overridden needs a note: the engine refuses an approval without it."""
    attempt = detail.attempt
    if kind is not DecisionKind.APPROVE:
        changes = kind is DecisionKind.CHANGES
        chosen = _sent_findings(detail, answer) if changes else ()
        return Decision(
            kind=kind, by=by, note=answer.note, chosen=chosen, prompt=_text(answer.prompt) if changes else ""
        )
    overridden = override_reasons(attempt.quality, attempt.checks, attempt.verdict)
    return Decision(kind=kind, by=by, note=answer.note, overridden=overridden, override=bool(overridden))


def _sent_findings(detail: GateDetail, answer: ReviewOptions) -> tuple[Finding, ...]:
    """Return the findings that go into the next prompt: the person's own, then those named, else all of the judge's."""
    files = [change.path for change in detail.attempt.diff.files] if detail.attempt.diff else []
    own = tuple(finding_of_argument(text, files) for text in answer.own)
    if answer.findings:
        return (*own, *dict.fromkeys(_named_finding(detail, text) for text in answer.findings))
    return own or (detail.attempt.verdict.findings if detail.attempt.verdict else ())


def _named_finding(detail: GateDetail, text: str) -> Finding:
    """Return one of the listed findings with its note. Raises `ConfigError` for a number that is not listed."""
    number, _, note = text.partition(":")
    listed = detail.attempt.quality.findings if detail.attempt.quality else ()
    if not number.strip().isdigit() or not 1 <= int(number) <= len(listed):
        raise ConfigError(
            f"There is no finding {number}.", fix=f"`obra review {detail.gate.id}` lists {len(listed)} of them."
        )
    return replace(listed[int(number) - 1], note=note.strip())


def _text(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The prompt cannot be read: {error}.", where=str(file), fix="Name a text file.") from error


def _hand_back_gate(typed: str, *, as_json: bool) -> int:
    """Have what the person changed in the copy checked and judged, and print the state of the task after that."""
    from obra_tui.bootstrap.client import AT_WORK, open_client, wait_for_state
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.system.user import person

    with open_history(load()) as history:
        detail = find_gate(history, typed)
    project, task = Path(detail.session.project), detail.attempt.summary.task
    with open_client(load(project), project) as client:
        changed = bool(client.send(HandBack(gate=detail.gate.id, by=person())))
        state = wait_for_state(client, detail.session.id, task, AT_WORK, timeout_s=3600.0)
    told = {"type": "handed_back", "gate": detail.gate.id, "changed": changed, "state": state.value}
    words = (
        f"{detail.attempt.summary.task_key} is {STATE_WORDS[state]}" if changed else "nothing was changed in the copy"
    )
    typer.echo(json.dumps(told) if as_json else words)
    return 0


def close(session: Annotated[str, typer.Argument(help="Id of an open session.")]) -> int:
    """Close a session; its unfinished tasks stay as they are."""
    from obra_tui.bootstrap.client import send_command
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.system.user import person

    settings = load()
    with open_history(settings) as history:
        _, found = history.resolve(session, "session")
        summary = history.session(SessionId(found)).summary
    send_command(settings, Path(summary.project), CloseSession(session=summary.id, reason=f"Closed by {person()}."))
    typer.echo(f"closed {summary.id} ({one_line(summary.title)})")
    return 0


def merge(
    session: Annotated[str, typer.Argument(help="Id of the session whose branch is taken over.")],
    project: ProjectOption = HERE,
) -> int:
    """Fast-forward the checked-out branch to `obra/<session>`; refused unless the work tree is clean."""
    from obra_tui.evidence.workspace import fast_forward
    from obra_tui.services.project import project_root

    done = asyncio.run(fast_forward(project_root(project), f"obra/{session}"))
    typer.echo(f"{done.onto}: {done.before[:12]} → {done.after[:12]}")
    return 0


# --- printing ------------------------------------------------------------------------------------


def _print_list(gates: tuple[GateSummary, ...], *, as_json: bool) -> int:
    for gate in gates:
        if as_json:
            typer.echo(json.dumps({"type": "waiting_gate", **to_builtins(gate)}))
        else:
            score = "–" if gate.score is None else f"{gate.score:.2f} ({'PASS' if gate.passes else 'FAIL'})"
            typer.echo(f"{gate.id}  {one_line(gate.task_key)} {one_line(gate.task_title, 60)}  Quality: {score}")
    if not gates and not as_json:
        typer.echo("No gate is waiting.")
    return 0


def _print_detail(detail: GateDetail, *, as_json: bool) -> int:
    if as_json:
        typer.echo(json.dumps({"type": "gate_detail", **to_builtins(detail)}))
        return 0
    with paged():
        for line in _detail_lines(detail):
            typer.echo(line)
        if detail.attempt.diff:
            echo_diff(detail.attempt.diff.patch)
        gate = detail.gate.id
        typer.echo(f"\nobra review --approve {gate} | --changes {gate} --note … | --reject {gate} --note …")
    return 0


def _detail_lines(detail: GateDetail) -> list[str]:
    attempt, gate = detail.attempt, detail.gate
    is_blind = attempt.is_audited and gate.open
    why = (
        ("an audit: decide as if nobody had judged it; the verdict is shown afterwards",) if is_blind else gate.reasons
    )
    lines = [
        f"gate     {gate.id}{'' if gate.open else '  (answered)'}",
        f"task     {one_line(attempt.spec.key)} {one_line(attempt.spec.title)}",
        *_asked_lines(attempt.spec),
        f"attempt  {attempt.summary.number}   tree {gate.binding.tree[:12]}   diff {gate.binding.diff_digest[:12]}",
        *(_quality_lines(attempt.quality) if attempt.quality and not is_blind else ()),
        *((f"record   {one_line(attempt.record, 300)}",) if attempt.record else ()),
        *(f"why      {one_line(reason, 500)}" for reason in why),
    ]
    lines += [f"left out {one_line(note, 500)}" for note in attempt.diff.left_out] if attempt.diff else []
    lines += [f"check    {r.spec.name}: {r.status.value} (exit {r.exit_code})" for r in attempt.checks]
    found = attempt.quality.findings if attempt.quality and not is_blind else ()
    lines += [f"{number:>2} {_finding_line(finding)}" for number, finding in enumerate(found, start=1)]
    lines += [_earlier_line(item) for item in detail.earlier]
    if attempt.decision:
        decision = attempt.decision.decision
        lines.append(f"answer   {DECISION_WORDS[decision.kind]} by {one_line(person_name(decision.by))}")
        lines += [f"  {label:<10}{one_line(text, 500)}" for label, text in decision_lines(decision)]
    return lines


def _asked_lines(spec: TaskSpec) -> Iterator[str]:
    """What was asked: the text of the task and when it is done."""
    yield from (f"asked    {one_line(line, 1000)}" for line in spec.prompt.strip().splitlines())
    yield from (f"done if  {one_line(text, 500)}" for text in spec.acceptance)


def _earlier_line(item: AttemptSummary) -> str:
    score = "no score" if item.score is None else f"Quality: {item.score:.2f} ({'PASS' if item.passes else 'FAIL'})"
    decided = (
        f"{DECISION_WORDS[item.decision]} by {one_line(person_name(item.decided_by))}"
        if item.decision
        else "sent back by the gate"
    )
    return f"before   attempt {item.number}  {score}  {decided}  {item.id}"


def _quality_lines(quality: QualityResult) -> Iterator[str]:
    """The score, where each number came from, and what stands in the way."""
    yield f"{quality.line}  (needs {quality.threshold:.2f})"
    scores = {item.stage: item.score for item in quality.stage_scores}
    for origin in quality.provenance:
        score = scores.get(origin.stage)
        shown = "–" if score is None else f"{score:.2f}"
        yield f"stage    {origin.stage:<12} {shown:>4}  {origin.how}: {one_line(origin.source, 300)}"
    yield from (f"fails    {one_line(text, 500)}" for text in quality.obstacles)


def _finding_line(finding: Finding) -> str:
    mark = "!" if finding.severity in (Severity.BLOCKER, Severity.MAJOR) else "·"
    return f"{mark} {finding.severity.value:<8} {one_line(finding.place)} {one_line(finding.message, 500)}"
