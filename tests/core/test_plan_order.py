"""Several tasks moved at once."""

from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.plans.order import moves_into, moves_to


@given(st.integers(1, 9).flatmap(lambda size: st.tuples(st.permutations(range(size)), st.integers(1, size))), st.data())
def test_single_moves_bring_the_block_together_and_leave_the_rest_in_its_order(shuffled, data):
    items, size = shuffled
    block, plan = items[:size], sorted(items)
    position = data.draw(st.integers(-1, len(plan)))
    for item, place in moves_to(plan, block, position):
        plan.remove(item)
        plan.insert(place, item)
    assert [item for item in plan if item in block] == list(block)
    rest = [item for item in plan if item not in block]
    assert rest == sorted(rest)
    place = max(0, min(position, len(rest)))
    assert plan == [*rest[:place], *block, *rest[place:]]


def test_what_is_in_its_place_is_not_moved():
    assert moves_to("abcd", "b", 1) == ()
    assert moves_to("abcd", "ab", 2) == (("b", 3), ("a", 2))


@given(st.permutations(range(7)), st.sets(st.integers(0, 6)), st.randoms())
def test_any_order_of_some_tasks_is_reached_by_moving_only_them(plan, movable, chance):
    rest = [item for item in plan if item not in movable]
    target = list(rest)
    for item in sorted(movable):
        target.insert(chance.randint(0, len(target)), item)
    now = list(plan)
    for item, place in moves_into(plan, target, sorted(movable)):
        assert item in movable
        now.remove(item)
        now.insert(place, item)
    assert now == target
