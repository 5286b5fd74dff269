"""An answer from a browser: bound to what was shown, with reasons where they are needed, and told who was first."""

from html import unescape

import pytest
from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.commands import AnswerPermission, Decide, RevertWork, UndoDecision
from obra_tui.core.errors import GateDecided, StaleDecision, StoreError
from obra_tui.core.ids import GateId, QuestionId
from obra_tui.core.model import (
    Decision,
    DecisionKind,
    PermissionKind,
    PermissionQuestion,
    PermissionVerdict,
)
from obra_tui.web.access import DeviceRole
from tests.store.story import DIFF, Writer, finished_session
from tests.web.house import form_of

ANSWER = "/gates/g1/answer"
READ = {"seen": ["0"]}


def send(client, kind, **more):
    page = client.get("/gates/g1").text
    return client.post(ANSWER, data={**form_of(page, ANSWER), "kind": kind, **more})


def test_an_approval_of_what_was_read_carries_the_binding_the_person_and_the_device(house, gate):
    answer = send(house.signed_in(), "approve", **READ)
    assert (answer.status_code, answer.headers["location"]) == (303, "/gates/g1")
    ((command, project),) = house.asked
    assert isinstance(command, Decide)
    assert project == "/src/app"
    assert command.binding == house.history.gate(GateId("g1")).gate.binding
    decision = command.decision
    assert (decision.kind, decision.by, decision.device) == (DecisionKind.APPROVE, "person:ada", "Ada's telephone")
    assert (decision.seen_files, decision.override, decision.overridden) == (("calculator.py",), False, ())


def test_an_approval_of_what_was_not_read_needs_a_reason_and_keeps_what_was_filled_in(house, gate):
    client = house.signed_in()
    answer = send(client, "approve")
    assert answer.status_code == 422
    assert "needs a reason" in answer.text
    assert not house.asked
    assert send(client, "approve", note="I know it well.").status_code == 303
    decision = house.asked[0][0].decision
    assert (decision.override, decision.note) == (True, "I know it well.")
    assert "1 file not looked at: calculator.py." in decision.overridden


def test_what_does_not_pass_is_approved_with_a_reason_only_and_the_reasons_against_are_stored(house):
    writer = Writer("s1")
    writer.opened()
    writer.task_added("t1")
    writer.gate_opened("t1", "a1", "g1", writer.worked("t1", "a1", score=0.4))
    house.write(writer)
    client = house.signed_in()
    page = unescape(client.get("/gates/g1").text)
    assert "An approval goes against this" in page
    assert send(client, "approve", **READ).status_code == 422
    assert send(client, "approve", note="A false alarm.", **READ).status_code == 303
    assert house.asked[0][0].decision.overridden[0].startswith("Quality: ")


def test_changes_carry_the_ticked_findings_with_notes_and_those_of_the_person(house, gate):
    client = house.signed_in()
    assert "checked" in client.get("/gates/g1").text
    send(
        client,
        "changes",
        note="Please.",
        finding=["0"],
        **{"finding-note-0": "here only"},
        own="calculator.py:2:blocker:Adds wrongly\r\n",
    )
    decision = house.asked[0][0].decision
    assert [(item.message, item.note, item.source) for item in decision.chosen] == [
        ("Adds wrongly", "", "person"),
        ("No docstring.", "here only", "judge"),
    ]
    assert not send(client, "changes", note="Without any.").text
    assert house.asked[1][0].decision.chosen == ()


def test_a_finding_about_a_file_that_is_not_there_is_refused_and_nothing_is_lost(house, gate):
    answer = send(house.signed_in(), "changes", note="Look again", own="other.py:1:wrong")
    assert answer.status_code == 409
    assert "other.py is not part of the change" in unescape(answer.text)
    assert "Look again</textarea>" in answer.text
    assert not house.asked


def test_what_the_page_showed_is_what_is_sent_so_that_newer_work_is_refused(house, gate):
    client = house.signed_in()
    page = client.get("/gates/g1").text
    house.refusal = StaleDecision(GateId("g1"), "the work")
    answer = client.post(ANSWER, data={**form_of(page, ANSWER), "tree": "f" * 40, "kind": "approve", **READ})
    assert house.asked[0][0].binding.tree == "f" * 40
    assert answer.status_code == 409
    assert "changed since it was shown" in unescape(answer.text)


def test_the_second_answer_is_told_who_was_first(house, gate):
    client = house.signed_in()
    house.refusal = GateDecided(GateId("g1"), "person:bob", "12:00:00")
    answer = send(client, "reject", note="No.")
    assert answer.status_code == 409
    assert "already answered by person:bob" in unescape(answer.text)


def test_after_the_answer_was_written_a_late_one_asks_nobody(house, gate):
    client = house.signed_in()
    form = form_of(client.get("/gates/g1").text, ANSWER)
    binding = house.history.gate(GateId("g1")).gate.binding
    before = len(house.writer.records)
    decision = Decision(kind=DecisionKind.REJECT, by="person:bob", note="Wrong way", device="Bob's laptop")
    house.writer.add(e.DecisionMade(gate=GateId("g1"), binding=binding, decision=decision), "t1", "a1")
    house.journal.append(house.writer.records[before:])
    answer = client.post(ANSWER, data={**form, "kind": "approve", **READ})
    assert answer.status_code == 409
    assert not house.asked
    text = unescape(answer.text)
    assert "already answered by person:bob" in text
    assert "rejected by bob on Bob's laptop" in text
    assert 'id="answer"' not in text


def test_a_viewer_sees_everything_and_answers_nothing(house, gate):
    client = house.signed_in(DeviceRole.VIEWER)
    page = client.get("/gates/g1").text
    assert "calculator.py" in page
    assert 'id="answer"' not in page
    token = house.access.visitor(next(iter(client.cookies.values()))).form_token()
    binding = house.history.gate(GateId("g1")).gate.binding
    form = {"form": token, "attempt": binding.attempt, "tree": binding.tree, "kind": "approve", "note": "x"}
    for path in (ANSWER, "/gates/g1/undo", "/gates/g1/revert", "/permissions/q1"):
        answer = client.post(path, data=form)
        assert answer.status_code == 403
        assert "obra web pair" in answer.text
    assert not house.asked


def test_an_engine_that_cannot_be_reached_is_told_and_the_text_is_kept(house, gate):
    client = house.signed_in()
    house.refusal = StoreError("The Obra that is at work does not answer.")
    answer = send(client, "reject", note="A long reason.")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert "A long reason.</textarea>" in answer.text


@pytest.mark.parametrize("kind", ["", "pass", "APPROVE"])
def test_a_form_without_a_known_answer_asks_for_nothing(house, gate, kind):
    assert send(house.signed_in(), kind, **READ).status_code == 409
    assert not house.asked


def test_a_held_answer_is_shown_and_can_be_undone(house, gate):
    client = house.signed_in()
    with client:
        binding = house.history.gate(GateId("g1")).gate.binding
        decision = Decision(kind=DecisionKind.APPROVE, by="person:bob")
        held = e.DecisionHeld(gate=GateId("g1"), binding=binding, decision=decision, until=house.clock.now + 10)
        house.news.tell(house.writer.add(held, "t1", "a1"))
        client.get("/")  # whatever was told is taken before the next request is answered
        page = client.get("/gates/g1").text
        assert "approved by bob" in page
        assert 'id="answer"' not in page
        client.post("/gates/g1/undo", data=form_of(page, "/gates/g1/undo"))
    assert house.asked == [(UndoDecision(gate=GateId("g1"), by="person:ada"), "/src/app")]


def test_accepted_work_can_be_reverted_with_a_reason(house):
    house.write(finished_session("s2"))
    client = house.signed_in()
    page = client.get("/gates/g-s2").text
    path = "/gates/g-s2/revert"
    assert client.post(path, data={**form_of(page, path), "note": " "}).status_code == 422
    assert client.post(path, data={**form_of(page, path), "note": "It broke the build."}).status_code == 303
    ((command, _),) = house.asked
    assert isinstance(command, RevertWork)
    assert (command.task, command.note) == ("t-s2", "It broke the build.")


def test_a_question_of_claude_is_answered_with_its_device(house, gate):
    client = house.signed_in()
    question = PermissionQuestion(
        id=QuestionId("q9"), kind=PermissionKind.TOOL, tool="Bash", title="make clean", detail="make clean"
    )
    with client:
        house.news.tell(house.writer.add(e.PermissionAsked(question=question), "t1", "a1"))
        client.get("/")
        page = client.get("/").text
        assert "2 waiting for you" in page
        form = form_of(page, "/permissions/q9")
        assert client.post("/permissions/q9", data={**form, "verdict": "session"}).status_code == 409
        assert client.post("/permissions/q9", data={**form, "verdict": "deny", "note": "Not now"}).status_code == 303
        assert client.post("/permissions/q8", data={**form, "verdict": "deny"}).status_code == 404
    ((command, _),) = house.asked
    assert isinstance(command, AnswerPermission)
    assert (command.answer.verdict, command.answer.note) == (PermissionVerdict.DENY, "Not now")
    assert command.answer.device == "Ada's telephone"


def test_a_gate_or_session_that_is_not_there_is_told(house, gate):
    client = house.signed_in()
    for path in ("/gates/g9", "/sessions/s9", "/attempts/a9"):
        assert client.get(path).status_code == 404


def test_the_search_line_of_the_terminal_finds_the_same(house, gate):
    house.write(finished_session("s2"))
    client = house.signed_in()
    assert "Session s2" in client.get("/history").text
    found = client.get("/history", params={"q": "calculator"}).text
    assert "/attempts/a1" in found
    assert "Nothing was found" in client.get("/history", params={"q": "nowhere-to-be-seen"}).text
    assert client.get("/history", params={"q": "score:<x", "at": "never", "id": "x"}).status_code == 200


def test_a_page_without_javascript_looks_again_by_itself(house, gate):
    page = house.signed_in().get("/").text
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in page


def test_a_change_without_a_diff_can_be_looked_at(house):
    writer = Writer("s1")
    writer.opened()
    writer.task_added("t1")
    binding = writer.worked("t1", "a1")
    for index, record in enumerate(writer.records):
        if isinstance(record.event, e.DiffTaken):
            empty = e.DiffTaken(diff=replace(DIFF, files=(), patch=""))
            writer.records[index] = replace(record, event=empty)
    writer.gate_opened("t1", "a1", "g1", binding)
    house.write(writer)
    assert "Nothing was changed" in house.signed_in().get("/gates/g1").text


@pytest.mark.parametrize("action", ["answer", "undo", "revert"])
def test_the_address_of_a_refused_answer_leads_back_to_its_gate(house, gate, action):
    again = house.signed_in().get(f"/gates/g1/{action}", headers={"x-part": "live"})
    assert (again.status_code, again.headers["location"]) == (303, "/gates/g1")
