"""The search line on a database: clauses, labels, paging, stopping, and bad input."""

import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import event

from obra_tui.core.errors import StoreError
from obra_tui.core.events import GateJudged, SteerQueued
from obra_tui.core.model import JUDGED_STAGES, DecisionKind, GateDecision, GateOutcome, StageScore
from obra_tui.core.records.metrics import Scope, kappa
from obra_tui.core.records.search import parse
from obra_tui.store.labels import LABELS, PINNED, Labels, Preference
from tests.store.conftest import PRODUCTS
from tests.store.story import Writer, finished_session, quality, waiting_session

NOW = 3_000.0


@pytest.fixture(params=PRODUCTS)
def product(request):
    return request.param


@pytest.fixture
def filled(journal, history):
    journal.append(finished_session("s1", 1000.0).records)
    journal.append(waiting_session("s2", 2000.0).records)
    return history


def found(history, line):
    return [row.session for row in history.find(parse(line, NOW)).rows]


@pytest.mark.parametrize(
    ("line", "sessions"),
    [
        ("is:accepted", ["s1"]),
        ("is:waiting", ["s2"]),
        ("-is:waiting", ["s1"]),
        ("is:open", ["s2"]),
        ("is:closed", ["s1"]),
        ("verdict:pass", ["s1"]),
        ("score:>=80", ["s1"]),
        ("score:<80", ["s2"]),
        ("check:tests=pass", ["s2", "s1"]),
        ("check:tests=fail", []),
        ("file:calculator", ["s2", "s1"]),
        ("project:/src/app", ["s2", "s1"]),
        ("session:s1", ["s1"]),
        ("until:1970-01-01T00:20", ["s1"]),
        ("cost:<1000 attempts:1", ["s2", "s1"]),
        ("is:rehearsal", []),
        ("is:imported", []),
        ("tag:none", []),
    ],
)
def test_a_clause_finds_what_it_says(filled, monkeypatch, line, sessions):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert found(filled, line) == sessions


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet='ab"-:*()^ \x00\ud800is:opentask<>=8 NEAR', max_size=30))
def test_no_line_fails(filled, line):
    assert filled.find(parse(line, NOW)) is not None


def test_pages_follow_each_other_without_gap_or_repetition(journal, history):
    for number in range(7):
        journal.append(finished_session(f"s{number}", 1000.0 + number).records)
    for line in ("", "add"):
        query, mark, seen = parse(line, NOW), None, []
        while True:
            page = history.find(query, mark, 2)
            seen += page.rows
            mark = page.next
            if mark is None:
                break
        assert seen == list(history.find(query, None, 1_000).rows)
        assert len(seen) >= 7


def test_pins_and_tags_are_found_and_let_go(filled, path):
    labels = Labels(path.with_name(LABELS))
    labels.add("s1", PINNED)
    labels.add("s1", "Good  Example")
    assert found(filled, "is:pinned") == ["s1"]
    assert found(filled, 'tag:"good ex"') == ["s1"]
    assert found(filled, "-is:pinned") == ["s2"]
    labels.remove("s1", PINNED)
    assert (labels.of("s1"), found(filled, "is:pinned")) == (("good example",), [])
    assert path.with_name(LABELS).stat().st_mode & 0o777 == 0o600


def test_damaged_lines_of_the_labels_are_passed_over(path, filled):
    labels = Labels(path.with_name(LABELS))
    labels.add("s1", "kept")
    with path.with_name(LABELS).open("a") as file:
        file.write('{{{\n[1]\n{"type": "preference", "a": 1}\n')
    labels.prefer(Preference(at=1.0, a="a1", b="a2", winner="b", note="shorter"))
    assert labels.of("s1") == ("kept",)
    assert [item.winner for item in labels.preferences()] == ["b"]


@pytest.mark.parametrize("product", ["sqlite"])
def test_a_search_that_nobody_waits_for_is_ended(filled):
    started = threading.Event()

    @event.listens_for(filled._engine, "connect")
    def slow(connection, _):
        def wait():
            started.set()
            time.sleep(0.001)

        connection.create_function("slow", 0, wait)
        connection.set_progress_handler(lambda: started.set() or time.sleep(0.0005), 1)

    caught = []

    def search():
        try:
            filled.find(parse("add", NOW))
        except StoreError as stopped:
            caught.append(stopped)

    thread = threading.Thread(target=search)
    thread.start()
    assert started.wait(5)
    while thread.is_alive():
        filled.stop_finding()
        thread.join(0.001)
    assert caught


def test_names_that_occur_are_known(filled):
    names = filled.known_names()
    assert names["check"] == ("tests",)
    assert names["file"] == ("calculator.py",)


def test_a_megabyte_in_one_record_is_found_and_shown_in_one_line(journal, history):
    writer = finished_session("s1")
    journal.append(writer.records)
    big = Writer("s9", 5000.0)
    big.opened()
    big.task_added("t9")
    big.add(SteerQueued(text="zebra " + "x" * 1_000_000, by="person:ada", delivered=True), "t9")
    journal.append(big.records)
    (row,) = history.find(parse("zebra", NOW)).rows
    assert len(row.hit.line) < 400


def judged(score):
    """A gate whose judged stages have this score, and that passes where it is high enough."""
    stages = tuple(StageScore(stage=stage, score=score, weight=0.3) for stage in JUDGED_STAGES)
    told = replace(quality(0.8), stage_scores=stages, passes_gate=score >= 0.7)
    return GateJudged(quality=told, outcome=GateOutcome(decision=GateDecision.ASK, reasons=()), number=1)


def test_a_person_against_the_judge(journal, history):
    answers = [(0.9, "approve"), (0.4, "approve"), (0.9, "approve"), (0.9, "reject")]
    for number, (score, kind) in enumerate(answers):
        writer = Writer(f"s{number}", 1000.0 + number)
        writer.opened()
        task, attempt, gate = f"t{number}", f"a{number}", f"g{number}"
        writer.task_added(task)
        binding = writer.worked(task, attempt, score=0.8)
        writer.add(judged(score), task, attempt)
        writer.gate_opened(task, attempt, gate, binding)
        writer.decided(task, attempt, gate, binding, DecisionKind(kind), open_s=40.0)
        journal.append(writer.records)
    group = history.measure(Scope()).groups[0]
    assert [(group[name].hits, group[name].of) for name in ("agreement", "false_pass", "false_alarm")] == [
        (3, 4),  # who rejects gave a score of their own first, and it was over the threshold
        (1, 3),
        (1, 1),
    ]
    assert group["kappa"].value == pytest.approx(kappa(3, 0, 0, 1))
    assert group["wait"].of == 4
    assert (group["overrides"].hits, group["overrides"].of) == (1, 3)


def test_imported_sessions_do_not_count_and_a_model_narrows(journal, history):
    journal.append(finished_session("s1").records)
    assert history.measure(Scope(model="QWEN")).groups[0]["attempts"].value == 1
    assert history.measure(Scope(model="%")).groups[0]["attempts"].of == 0
    assert [group.name for group in history.measure(Scope(by="judge")).groups] == ["qwen2.5-coder:32b"]
