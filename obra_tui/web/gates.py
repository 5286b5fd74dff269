"""The pages of gates: everything that is needed for an answer, and the answer."""

import time
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from obra_tui.core.commands import AnswerPermission, RevertWork, UndoDecision
from obra_tui.core.decisions import decision_lines, finding_text
from obra_tui.core.errors import GateDecided, NotAllowed, ObraError, UnknownId
from obra_tui.core.ids import AttemptId, GateId, QuestionId
from obra_tui.core.model import (
    DecisionKind,
    FindingSource,
    PermissionAnswer,
    PermissionVerdict,
)
from obra_tui.core.records.history import AttemptDetail, GateDetail
from obra_tui.web.answering import AnswerDraft, NeedsReason, against, decide, draft_of
from obra_tui.web.diff import files_of
from obra_tui.web.forms import SentForm
from obra_tui.web.site import Site, Visit

_MOST_OPENED = 2_000


class GatePages:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._opened: dict[tuple[str, str], float] = {}
        """When a device first had a gate open: how long somebody looked is stored with the answer."""

    # --- showing ---

    def show(self, visit: Visit, gate: str) -> Response:
        detail = self._find(gate)
        self._opened.setdefault((visit.visitor.device.id, gate), time.monotonic())
        while len(self._opened) > _MOST_OPENED:
            del self._opened[next(iter(self._opened))]
        return self._page(visit, detail)

    def _find(self, gate: str) -> GateDetail:
        return self._site.backend.history.gate(GateId(gate))

    def _page(
        self,
        visit: Visit,
        detail: GateDetail,
        status: int = 200,
        *,
        problem: str = "",
        draft: AnswerDraft | None = None,
    ) -> Response:
        held = self._site.feed.held.get(detail.gate.id)
        may = visit.visitor.may_answer and detail.gate.open and held is None
        return visit.page(
            "gate.html",
            status,
            topics=[f"task:{detail.attempt.summary.task}"],
            detail=detail,
            held=held,
            problem=problem,
            draft=draft or AnswerDraft(),
            may_answer=may,
            ticked=_ticked(detail.attempt, draft),
            **_evidence(detail.attempt, draft),
            branch=self._site.backend.history.session(detail.session.id).branch,
        )

    def attempt(self, visit: Visit, attempt: str) -> Response:
        found = self._site.backend.history.attempt(AttemptId(attempt))
        return visit.page(
            "attempt.html", topics=[f"task:{found.summary.task}"], attempt=found, may_answer=False, **_evidence(found)
        )

    # --- answering ---

    def answer(self, visit: Visit, gate: str, form: SentForm) -> Response:
        visit.require_approver()
        detail = self._find(gate)
        opened = self._opened.get((visit.visitor.device.id, gate))
        open_s = time.monotonic() - opened if opened is not None else 0.0
        try:
            kind = _kind(form)
            command = decide(detail, kind, form, visit.visitor, open_s)
            self._site.backend.ask(command, detail.session.project)
        except (NeedsReason, GateDecided, NotAllowed) as refused:
            status = 422 if isinstance(refused, NeedsReason) else 409
            return self._page(visit, self._find(gate), status, problem=str(refused), draft=draft_of(form))
        except ObraError as refused:
            return self._page(visit, self._find(gate), 503, problem=str(refused), draft=draft_of(form))
        return _to_gate(gate)

    def undo(self, visit: Visit, gate: str) -> Response:
        visit.require_approver()
        detail = self._find(gate)
        command = UndoDecision(gate=detail.gate.id, by=visit.visitor.device.person)
        return self._do(visit, detail, command)

    def revert(self, visit: Visit, gate: str, form: SentForm) -> Response:
        visit.require_approver()
        detail, note = self._find(gate), form.text("note").strip()
        if not note:
            return self._page(visit, detail, 422, problem="A revert needs a reason. Write it into the field.")
        command = RevertWork(
            session=detail.session.id, task=detail.attempt.summary.task, by=visit.visitor.device.person, note=note
        )
        return self._do(visit, detail, command)

    def _do(self, visit: Visit, detail: GateDetail, command: UndoDecision | RevertWork) -> Response:
        try:
            self._site.backend.ask(command, detail.session.project)
        except ObraError as refused:
            return self._page(visit, self._find(detail.gate.id), 409, problem=str(refused))
        return _to_gate(detail.gate.id)

    def permission(self, visit: Visit, question: str, form: SentForm) -> Response:
        """Answer a question that Claude Code waits with."""
        visit.require_approver()
        asked = self._site.feed.permissions.waiting.get(QuestionId(question))
        if asked is None:
            raise UnknownId(
                "This question does not wait any more: it was answered, or its run has ended.",
                fix="Go back to what waits.",
            )
        answer = PermissionAnswer(
            verdict=_verdict(form, asked.question.session_rule),
            by=visit.visitor.device.person,
            note=form.text("note"),
            device=visit.visitor.device.name,
        )
        project = self._site.backend.history.session(asked.session).summary.project
        self._site.backend.ask(AnswerPermission(question=asked.question.id, answer=answer), project)
        return RedirectResponse("/", 303)


def _to_gate(gate: str) -> Response:
    return RedirectResponse(f"/gates/{quote(gate, safe='')}", 303)


def _kind(form: SentForm) -> DecisionKind:
    try:
        return DecisionKind(form.text("kind"))
    except ValueError:
        raise NotAllowed("The form names no answer.", fix="Load the page again.") from None


def _verdict(form: SentForm, rule: str) -> PermissionVerdict:
    try:
        found = PermissionVerdict(form.text("verdict"))
    except ValueError:
        raise NotAllowed("The form names no answer.", fix="Load the page again.") from None
    if found is PermissionVerdict.SESSION and not rule:
        raise NotAllowed("No safe rule fits this question.", fix="Allow it once.")
    return found


def _ticked(attempt: AttemptDetail, draft: AnswerDraft | None) -> frozenset[int]:
    """Return the findings that are sent unless somebody unticks them: those of the judge, as elsewhere."""
    if draft is not None and draft.findings is not None:
        return frozenset(draft.findings)
    listed = attempt.quality.findings if attempt.quality else ()
    return frozenset(number for number, item in enumerate(listed) if item.source is FindingSource.JUDGE)


def _evidence(attempt: AttemptDetail, draft: AnswerDraft | None = None) -> dict[str, Any]:
    decision = attempt.decision.decision if attempt.decision else None
    return {
        "files": files_of(attempt.diff) if attempt.diff else (),
        "against": against(attempt, draft.seen if draft else range(len(attempt.diff.files) if attempt.diff else 0)),
        "told": tuple(decision_lines(decision)) if decision else (),
        "finding_text": finding_text,
    }
