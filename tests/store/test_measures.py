"""The figures, against a recount: from the events alone, in plain Python, without any of our SQL."""

import os
import random
import sqlite3
import time
from collections import defaultdict
from statistics import median
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine

from obra_tui.core.events import (
    AttemptStarted,
    CheckFinished,
    ClaudeEnded,
    DecisionMade,
    GateJudged,
    GateOpened,
    SessionOpened,
    UsageReported,
    VerdictReached,
    WorkAccepted,
    WorkReverted,
)
from obra_tui.core.model import JUDGED_STAGES, DecisionKind, Reversal, SessionKind, Usage
from obra_tui.core.records.metrics import BY, DEFINITIONS, Scope, rows_line
from obra_tui.core.records.search import parse
from obra_tui.store.codec import decode
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.store.story import CHECK, VERDICT, Writer, quality

DAY = 86_400.0
START = 1_770_000_000.0


@pytest.fixture(autouse=True, scope="module")
def _zone():
    """Far from Greenwich: a day must be the person's day on every database."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Auckland"
    time.tzset()
    yield
    os.environ.pop("TZ")
    os.environ.update({"TZ": before} if before else {})
    time.tzset()


def an_attempt(writer, dice, task, number, decided):
    """One attempt with its own scores, times and costs; a person decides on it, if at all."""
    name = f"a-{task}-{number}"
    score = round(dice.uniform(0.3, 1.0), 2)
    judged = dice.choice([None, round(dice.uniform(0.3, 1.0), 2)])
    told = quality(score)
    if judged is not None:
        stages = tuple(replace(told.stage_scores[0], stage=stage, score=judged) for stage in JUDGED_STAGES)
        told = replace(told, stage_scores=stages)
    shown = Writer(str(writer.session))
    binding = shown.worked(task, name, number, score)
    identity = replace(VERDICT.identity, rubric=dice.choice(["r1", "r2"]))
    verdict = replace(
        VERDICT, identity=identity, duration_s=dice.uniform(1, 90), unjudged=dice.choice(["", "", "late"])
    )
    for record in shown.records:
        match record.event:
            case UsageReported():
                known = dice.random() < 0.8
                usage = Usage(input_tokens=dice.randrange(1, 999), cost_usd=dice.uniform(0.1, 2) if known else 0.0)
                event = replace(record.event, usage=usage)
            case CheckFinished():
                event = CheckFinished(result=replace(CHECK, duration_s=dice.uniform(0.1, 60)))
            case VerdictReached():
                event = VerdictReached(verdict=verdict)
            case GateJudged():
                event = replace(record.event, quality=told)
            case ClaudeEnded():
                event = ClaudeEnded(result=replace(record.event.result, duration_s=dice.uniform(5, 600)))
            case other:
                event = other
        writer.add(event, record.task, record.attempt)
    if decided is not None:
        writer.gate_opened(task, name, f"g-{name}", binding)
        writer._start += dice.uniform(1, 4_000)
        looked = {"open_s": dice.choice([0.0, 1.5, 40.0]), "override": dice.random() < 0.2}
        if decided is DecisionKind.APPROVE and dice.random() < 0.3:
            looked["own_score"] = round(dice.random(), 2)
        writer.decided(task, name, f"g-{name}", binding, decided, **looked)
    return name


def a_history(seed):
    """Two dozen sessions over two weeks, of two projects, now and then a rehearsal or an import."""
    dice = random.Random(seed)
    for index in range(24):
        writer = Writer(f"s{index:02}", START + dice.uniform(0, 14) * DAY)
        kind = SessionKind.IMPORTED if index % 13 == 12 else SessionKind.MILESTONE
        writer.opened(kind, project=dice.choice(["/src/app", "/src/app2"]), rehearsal="demo" if index % 7 == 6 else "")
        task = f"t{index:02}"
        writer.task_added(task)
        last = dice.randrange(1, 4)
        for number in range(1, last + 1):
            choices = [None, DecisionKind.CHANGES, DecisionKind.REJECT, DecisionKind.APPROVE]
            decided = dice.choice(choices) if number == last else dice.choice(choices[:2])
            name = an_attempt(writer, dice, task, number, decided)
            if decided is DecisionKind.APPROVE:
                writer.accepted(task, name)
                if dice.random() < 0.3:
                    work = Reversal(commit="f" * 40, branch=f"obra/{writer.session}", reverted="e" * 40)
                    writer.add(WorkReverted(reversal=work, by="person:ada", note="It was wrong."), task)
        yield writer


@pytest.fixture(scope="module", params=[("sqlite", 1), ("postgresql", 2)], ids=str)
def seeded(request, tmp_path_factory):
    """A history that is only read from, its events, and where it is."""
    product, seed = request.param
    server = product == "postgresql"
    target = request.getfixturevalue("postgresql").new_database() if server else tmp_path_factory.mktemp("f") / "db"
    journal, history = SqlJournal(target), SqlHistory(target)
    journal.append([record for writer in a_history(seed) for record in writer.records])
    yield history, events_of(target), target
    journal.close()
    history.close()


def events_of(target):
    """All events as rows, oldest first."""
    query = "SELECT session, seq, at, task, attempt, type, body FROM event ORDER BY id"
    if isinstance(target, str):
        engine = create_engine(target)
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.exec_driver_sql(query)]
        engine.dispose()
    else:
        rows = sqlite3.connect(target).execute(query).fetchall()
    return [(*row[:5], decode(row[5], row[6])) for row in rows]


# --- the recount -----------------------------------------------------------------------------------


def recounted(events, scope):
    """Every figure by group, as (value or hits, of)."""
    attempts = collected(events)
    cost_of, tokens_of = defaultdict(list), defaultdict(int)
    for item in attempts.values():
        if item["cost"] is not None:
            cost_of[item["task"]].append(item["cost"])
        tokens_of[item["task"]] += item["tokens"]
    taken_in = {item["task"] for item in attempts.values() if item["accepted"]}
    groups: dict[str, list[Any]] = defaultdict(list)
    for item in attempts.values():
        if counts(item, scope):
            groups[group_of(item, scope.by)].append(item)
    return {name: figures_of(items, cost_of, tokens_of, taken_in) for name, items in groups.items()}


def collected(events):  # noqa: C901, PLR0912 - one line per event
    sessions, attempts = {}, {}
    for session, seq, at, task, attempt, event in events:
        item = attempts.get(attempt)
        match event:
            case SessionOpened():
                sessions[session] = event
            case AttemptStarted():
                new = {"id": attempt, "task": task, "at": at, "number": event.number, "session": sessions[session]}
                empty = {"checks": [], "reviews": [], "scores": [], "decisions": [], "accepted": False}
                more = {"usage": Usage(), "claude": None, "opened": {}, "reverted": False}
                attempts[attempt] = {**new, **empty, **more}
            case UsageReported() if item:
                item["usage"] += event.usage
            case ClaudeEnded():
                item["claude"] = event.result.duration_s
            case CheckFinished():
                item["checks"].append(event.result.duration_s)
            case VerdictReached():
                item["reviews"].append(event.verdict)
            case GateJudged():
                item["scores"].append((seq, event.quality))
            case GateOpened():
                item["opened"][event.gate] = at
            case DecisionMade():
                item["decisions"].append((seq, at - item["opened"][event.gate], event.decision))
            case WorkAccepted():
                item["accepted"] = True
            case WorkReverted():
                next(i for i in attempts.values() if i["task"] == task and i["accepted"])["reverted"] = True
    for item in attempts.values():
        usage = item["usage"]
        tokens = usage.input_tokens + usage.output_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        item["tokens"] = tokens
        item["cost"] = usage.cost_usd if usage.cost_usd > 0 or not tokens else None
    return attempts


def counts(item, scope):
    session = item["session"]
    real = session.kind is not SessionKind.IMPORTED and (scope.rehearsal or not session.rehearsal)
    return real and scope.since <= item["at"] < scope.until and scope.project in ("", session.project)


def group_of(item, by):
    day = time.localtime(item["at"])
    match by:
        case "project":
            return item["session"].project
        case "policy":
            return item["session"].policy.value
        case "model":
            return "opus"
        case "judge":
            return VERDICT.identity.model
        case "rubric":
            return max(verdict.identity.rubric for verdict in item["reviews"])
        case "day":
            return time.strftime("%Y-%m-%d", day)
        case "week":
            return time.strftime("%Y-%m-%d", time.localtime(item["at"] - day.tm_wday * DAY))
        case _:
            return ""


def figures_of(items, cost_of, tokens_of, taken_in):
    tasks = {item["task"] for item in items}
    accepted = [item for item in items if item["accepted"]]
    scores = [item["scores"][-1][1] for item in items if item["scores"]]
    decisions = [(item, *decision) for item in items for decision in item["decisions"]]
    waits = sorted(wait for _, _, wait, _ in decisions)
    reviews = [verdict for item in items for verdict in item["reviews"]]
    checks = [seconds for item in items for seconds in item["checks"]]
    known = [item["cost"] for item in items if item["cost"] is not None]
    bills = [sum(cost_of[item["task"]]) for item in accepted if cost_of[item["task"]]]
    lost = [item["cost"] for item in items if item["cost"] is not None and item["task"] not in taken_in]
    approvals = [item for item, _, _, told in decisions if told.kind is DecisionKind.APPROVE]
    refusals = [item for item, _, _, told in decisions if told.kind is not DecisionKind.APPROVE]
    passing = lambda item: item["scores"][-1][1].passes_gate  # noqa: E731
    pairs = list(filter(None, (judged(item, seq, told) for item, seq, _, told in decisions)))
    would = [person for judge, person, _ in pairs if judge]
    would_not = [opinion for judge, _, opinion in pairs if not judge]
    opinions = [(judge, opinion) for judge, _, opinion in pairs]
    return {
        "pass_rate": (sum(score.passes_gate for score in scores), len(scores)),
        "first_try": (sum(item["number"] == 1 for item in accepted), len(tasks)),
        "score": (median(s.overall_score for s in scores) if scores else None, len(scores)),
        "attempts_per_task": (len(items) / len(tasks), len(tasks)),
        "attempts": (len(items), len(items)),
        "tasks": (len(tasks), len(tasks)),
        "accepted": (len(accepted), len(accepted)),
        "cost": (sum(known) if known else None, len(known)),
        "cost_per_accepted": (sum(bills) / len(bills) if bills else None, len(bills)),
        "cost_not_accepted": (sum(lost) if lost else None, len(lost)),
        "tokens_per_accepted": (
            sum(tokens_of[item["task"]] for item in accepted) / len(accepted) if accepted else None,
            len(accepted),
        ),
        "claude_time": (sum(item["claude"] for item in items), len(items)),
        "checks_time": (sum(checks), len(checks)),
        "judge_time": (sum(verdict.duration_s for verdict in reviews), len(reviews)),
        "wait_time": (sum(waits) if waits else None, len(waits)),
        "wait": (median(waits) if waits else None, len(waits)),
        "wait_p90": (waits[(len(waits) * 9 + 9) // 10 - 1] if waits else None, len(waits)),
        "unjudged": (sum(bool(verdict.unjudged) for verdict in reviews), len(reviews)),
        "agreement": (sum(judge == opinion for judge, opinion in opinions), len(pairs)),
        "kappa": (beyond_chance(opinions), len(pairs)),
        "false_pass": (sum(not person for person in would), len(would)),
        "false_alarm": (sum(would_not), len(would_not)),
        "overrides": (
            sum(not passing(item) for item in approvals),
            len(approvals),
        ),
        "refusals": (sum(map(passing, refusals)), len(refusals)),
    }


def judged(item, seq, told):
    """What the gate would have done, what the person decided and what they thought; None where nobody can tell."""
    score = [score for at, score in item["scores"] if at < seq][-1]
    own = [stage.score for stage in score.stage_scores if stage.stage in JUDGED_STAGES]
    approved = told.kind is DecisionKind.APPROVE
    stamped = approved and told.own_score is None and (told.override or told.open_s < 3)
    if len(own) < 2 or (stamped and not item["reverted"]):
        return None
    opinion = approved if told.own_score is None else told.own_score >= score.threshold
    good = not item["reverted"]
    return score.passes_gate, approved and good, opinion and good


def beyond_chance(pairs):
    if not pairs:
        return None
    n = len(pairs)
    yes = [sum(pair[side] for pair in pairs) / n for side in (0, 1)]
    chance = yes[0] * yes[1] + (1 - yes[0]) * (1 - yes[1])
    return None if chance >= 1 else (sum(a == b for a, b in pairs) / n - chance) / (1 - chance)


# --- the comparison --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope",
    [
        *(Scope(by=by) for by in BY),
        Scope(rehearsal=True),
        Scope(project="/src/app"),
        Scope(since=START + 3 * DAY, until=START + 9 * DAY, by="project"),
        Scope(since=START + 30 * DAY),
    ],
    ids=lambda scope: f"by-{scope.by or 'nothing'}-{int(scope.since)}{scope.project}{'-all' * scope.rehearsal}",
)
def test_every_figure_is_what_a_recount_of_the_events_gives(seeded, scope):
    history, events, _ = seeded
    expected = recounted(events, scope)
    found = {group.name: group for group in history.measure(scope).groups}
    if not expected:
        assert all(figure.of == 0 and not figure.hits for figure in found[""].figures)
        return
    assert set(found) == set(expected)
    for name, group in found.items():
        assert {figure.name for figure in group.figures} == set(expected[name]) == {d.name for d in DEFINITIONS}
        for figure in group.figures:
            value, of = expected[name][figure.name]
            told = figure.hits if figure.unit == "share" else figure.value
            assert (figure.name, told, figure.of) == (figure.name, pytest.approx(value), of)


@pytest.mark.parametrize("by", BY)
def test_the_rows_of_a_figure_are_the_cases_that_it_counts(seeded, by):
    history, events, _ = seeded
    scope = Scope(since=START + DAY, until=START + 13 * DAY, by=by)
    attempts = collected(events)
    for group in history.measure(scope).groups:
        inside = {
            key: item for key, item in attempts.items() if counts(item, scope) and group_of(item, by) == group.name
        }
        for figure in group.figures:
            query = parse(rows_line(scope, group.name, figure), START)
            assert query.doubts == () and query.words == ()
            rows = {row.attempt.id for row in history.find(query, None, 1_000).rows}
            assert rows <= set(inside), figure.name
            assert len(rows) == listed(figure, [inside[row] for row in rows]), figure.name


def listed(figure, items):
    """How many rows stand for a figure's cases: several cases can be of one attempt, several attempts of a task."""
    match figure.name:
        case "first_try" if not figure.hits:
            return len(items)
        case "attempts_per_task" | "tasks":
            assert len({item["task"] for item in items}) == figure.of
            return len(items)
        case _:
            return figure.hits or figure.of


def test_the_sql_that_is_shown_gives_the_same_number(seeded):
    history, _, target = seeded
    measured = history.measure(Scope(by="project"))
    shown = {name: sql for name, sql in measured.sql.items() if name != "kappa"}
    server = isinstance(target, str)
    engine = create_engine(target if server else f"sqlite:///{target}")
    with engine.connect() as connection:
        for name, sql in shown.items():
            for group, value, of in connection.exec_driver_sql(sql.replace("%", "%%") if server else sql):
                figure = next(item for item in measured.groups if item.name == group)[name]
                assert (figure.hits if figure.unit == "share" else figure.value) == pytest.approx(
                    value and float(value)
                )
                assert figure.of == of
    engine.dispose()


def test_what_is_not_known_is_no_case_and_no_zero(journal, history):
    writer = Writer("s1", START)
    writer.opened()
    writer.task_added("t1")
    writer.worked("t1", "a1")
    for number, record in enumerate(writer.records):
        if isinstance(record.event, UsageReported):
            event = replace(record.event, usage=Usage(input_tokens=10))
            writer.records[number] = replace(record, event=event)
    journal.append(writer.records)
    cost = history.measure(Scope()).groups[0]["cost"]
    assert (cost.value, cost.of) == (None, 0)


def test_a_line_about_a_figure_that_does_not_exist_is_read_as_text(history):
    assert parse("figure:happiness", START).doubts == ("figure:happiness",)
    assert history.find(parse("figure:happiness", START)).rows == ()
