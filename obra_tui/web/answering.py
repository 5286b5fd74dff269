"""A form as the command that it asks for: bound to what was shown, with the device and the person who sent it.

The rules are those of every other door: what an approval goes against needs a reason, a rejection too, and the engine
alone decides whether the answer stands.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.commands import Decide
from obra_tui.core.decisions import finding_of_argument, override_reasons
from obra_tui.core.errors import GateDecided, NotAllowed
from obra_tui.core.model import Binding, Decision, DecisionKind, Finding
from obra_tui.core.records.history import AttemptDetail, GateDetail
from obra_tui.web.access import Visitor
from obra_tui.web.forms import SentForm

_MOST_NOTE = 20_000


class AnswerDraft(Struct, frozen=True, kw_only=True):
    """What was filled in, for showing it again when the answer could not be taken."""

    note: str = ""
    own: str = ""
    seen: tuple[int, ...] = ()
    findings: tuple[int, ...] | None = None
    """None = none was sent yet: those of the judge are ticked."""
    finding_notes: Mapping[int, str] = field(default_factory=dict)


def draft_of(form: SentForm) -> AnswerDraft:
    numbers = form.numbers("finding")
    notes = {number: form.text(f"finding-note-{number}") for number in numbers}
    return AnswerDraft(
        note=form.text("note")[:_MOST_NOTE],
        own=form.text("own")[:_MOST_NOTE],
        seen=form.numbers("seen"),
        findings=numbers,
        finding_notes={number: text for number, text in notes.items() if text},
    )


def refuse_answered(detail: GateDetail) -> None:
    """Say who was first. Raises `GateDecided`."""
    if detail.attempt.decision is not None and not detail.gate.open:
        at = datetime.fromtimestamp(detail.gate.closed_at or 0.0).strftime("%Y-%m-%d %H:%M:%S")
        raise GateDecided(detail.gate.id, detail.attempt.decision.decision.by, at)


def against(attempt: AttemptDetail, seen: Sequence[int]) -> tuple[str, ...]:
    """Return what an approval would go against, files that were not read to their end among it."""
    found = override_reasons(attempt.quality, attempt.checks, attempt.verdict)
    files = attempt.diff.files if attempt.diff else ()
    unseen = [change.path for number, change in enumerate(files) if number not in seen]
    if not unseen:
        return found
    more = f" and {len(unseen) - 3} more" if len(unseen) > 3 else ""
    count = f"{len(unseen)} file{'' if len(unseen) == 1 else 's'}"
    return (*found, f"{count} not looked at: {', '.join(unseen[:3])}{more}.")


class NeedsReason(NotAllowed):
    """An approval goes against something, and nothing was said about it."""


def decide(detail: GateDetail, kind: DecisionKind, form: SentForm, visitor: Visitor, open_s: float) -> Decide:
    """Return the command. Raises `NotAllowed` for what cannot be one, `NeedsReason` when a note would help."""
    refuse_answered(detail)
    draft, attempt = draft_of(form), detail.attempt
    overridden: tuple[str, ...] = ()
    if kind is DecisionKind.APPROVE:
        overridden = against(attempt, draft.seen)
        if overridden and not draft.note.strip():
            raise NeedsReason(
                "Approving goes against what is listed here.", fix="Write why it is right all the same, and approve."
            )
    files = attempt.diff.files if attempt.diff else ()
    passes = attempt.quality is not None and attempt.quality.passes_gate
    decision = Decision(
        kind=kind,
        by=visitor.device.person,
        device=visitor.device.name,
        note=draft.note,
        chosen=_chosen(attempt, draft) if kind is DecisionKind.CHANGES else (),
        overridden=overridden,
        override=kind is DecisionKind.APPROVE and (not passes or bool(overridden)),
        open_s=round(open_s, 1),
        seen_files=tuple(change.path for number, change in enumerate(files) if number in draft.seen),
    )
    return Decide(gate=detail.gate.id, binding=_binding(detail, form), decision=decision)


def _binding(detail: GateDetail, form: SentForm) -> Binding:
    """Return what the page showed, not what is there now: the engine refuses it when the two differ."""
    shown = replace(
        detail.gate.binding,
        tree=form.text("tree"),
        diff_digest=form.text("diff_digest"),
        rubric_hash=form.text("rubric_hash"),
    )
    if shown.attempt != form.text("attempt"):
        raise NotAllowed("The form belongs to another attempt.", fix="Load the page again.")
    return shown


def _chosen(attempt: AttemptDetail, draft: AnswerDraft) -> tuple[Finding, ...]:
    files = [change.path for change in attempt.diff.files] if attempt.diff else []
    listed = attempt.quality.findings if attempt.quality else ()
    own = tuple(finding_of_argument(line, files) for line in draft.own.splitlines() if line.strip())
    picked = [
        replace(listed[number], note=draft.finding_notes.get(number, "").strip())
        for number in dict.fromkeys(draft.findings or ())
        if number < len(listed)
    ]
    return (*own, *picked)
