import pytest

filters = pytest.importorskip("todo.filters", exc_type=ModuleNotFoundError)

ITEMS = [
    {"text": "late", "due": "2026-01-09", "done": False},
    {"text": "early", "due": "2026-01-02", "done": False},
    {"text": "done", "due": "2026-01-01", "done": True},
]


def test_what_is_due_comes_earliest_first_and_done_items_are_left_out():
    assert [item["text"] for item in filters.due_until(ITEMS, "2026-01-09")] == ["early", "late"]


def test_what_is_due_later_is_left_out():
    assert [item["text"] for item in filters.due_until(ITEMS, "2026-01-08")] == ["early"]
