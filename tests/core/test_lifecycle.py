"""The table of moves: every pair of state and trigger, no dead end, no way round the gate."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.errors import IllegalMove
from obra_tui.core.lifecycle import FINAL, MOVES, OPEN, WORKING, State, Trigger, advance, legal_triggers

LEGAL = {
    "blocked": {"unblock": "queued", "cancel": "cancelled", "fail": "failed"},
    "queued": {"block": "blocked", "start": "implementing", "cancel": "cancelled", "fail": "failed"},
    "implementing": {
        "implemented": "checking",
        "cancel": "cancelled",
        "fail": "failed",
        "interrupt": "interrupted",
    },
    "checking": {"checked": "judging", "cancel": "cancelled", "fail": "failed", "interrupt": "interrupted"},
    "judging": {
        "pass": "accepting",
        "retry": "implementing",
        "ask": "awaiting_human",
        "cancel": "cancelled",
        "fail": "failed",
        "interrupt": "interrupted",
    },
    "awaiting_human": {
        "approve": "accepting",
        "request_changes": "queued",
        "hand_back": "queued",
        "reject": "rejected",
        "cancel": "cancelled",
    },
    "accepting": {"merged": "accepted", "conflict": "awaiting_human", "send_back": "queued", "fail": "failed"},
    "interrupted": {"resume": "queued", "cancel": "cancelled", "fail": "failed"},
    "accepted": {},
    "rejected": {},
    "failed": {},
    "cancelled": {},
}
"""Written out a second time on purpose: a change of the table must be meant."""


@pytest.mark.parametrize(("state", "trigger"), itertools.product(State, Trigger))
def test_every_pair_of_state_and_trigger_does_what_is_written_here(state, trigger):
    expected = LEGAL[state].get(trigger)
    if expected is None:
        with pytest.raises(IllegalMove) as caught:
            advance(state, trigger)
        assert f"A task that is {state} cannot take '{trigger}'." in str(caught.value)
    else:
        assert advance(state, trigger) is State(expected)


def test_a_refused_move_names_those_that_are_possible():
    with pytest.raises(IllegalMove, match="Possible now: block, cancel, fail, start"):
        advance(State.QUEUED, Trigger.APPROVE)
    with pytest.raises(IllegalMove, match="Possible now: nothing"):
        advance(State.ACCEPTED, Trigger.FAIL)


def reachable(start, moves=MOVES):
    seen, fresh = set(), {start}
    while fresh:
        seen |= fresh
        fresh = {after for (before, _), after in moves.items() if before in fresh} - seen
    return seen


def test_every_state_can_be_reached_from_the_beginning():
    assert reachable(State.BLOCKED) == set(State)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_state_has_a_way_to_each_kind_of_end(state):
    assert legal_triggers(state)
    assert State.ACCEPTED in reachable(state)
    assert {State.CANCELLED, State.FAILED, State.REJECTED} <= reachable(state)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_state_has_no_way_out(state):
    assert legal_triggers(state) == frozenset()


def test_open_and_final_states_are_all_states():
    assert set(State) == OPEN | FINAL
    assert not OPEN & FINAL
    assert WORKING < OPEN


def test_nothing_is_accepted_without_a_pass_or_an_approval():
    without = {move: after for move, after in MOVES.items() if move[1] not in (Trigger.PASS, Trigger.APPROVE)}
    assert State.ACCEPTED not in reachable(State.BLOCKED, without)


@pytest.mark.parametrize("trigger", [Trigger.FAIL, Trigger.INTERRUPT, Trigger.CANCEL])
def test_a_failure_a_crash_or_a_cancel_never_leads_to_acceptance_by_itself(trigger):
    for (_, how), after in MOVES.items():
        if how is trigger:
            assert after not in (State.ACCEPTED, State.ACCEPTING)


def test_cancelling_is_possible_in_every_open_state_but_while_the_commit_is_made():
    for state in OPEN - {State.ACCEPTING}:
        assert advance(state, Trigger.CANCEL) is State.CANCELLED
    assert Trigger.CANCEL not in legal_triggers(State.ACCEPTING)


@given(st.lists(st.sampled_from(Trigger), max_size=60))
def test_any_walk_stays_in_the_table_and_ends_for_good_in_a_final_state(triggers):
    state, ended = State.BLOCKED, False
    for trigger in triggers:
        try:
            after = advance(state, trigger)
        except IllegalMove:
            assert trigger not in legal_triggers(state)
            continue
        assert not ended
        assert trigger in legal_triggers(state)
        state, ended = after, after in FINAL


@given(st.data())
def test_a_walk_along_legal_moves_never_gets_stuck_in_an_open_state(data):
    state = State.BLOCKED
    for _ in range(40):
        if state in FINAL:
            break
        state = advance(state, data.draw(st.sampled_from(sorted(legal_triggers(state)))))
    else:
        assert legal_triggers(state)
