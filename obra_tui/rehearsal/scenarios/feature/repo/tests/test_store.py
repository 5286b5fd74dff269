import pytest

store = pytest.importorskip("todo.store", exc_type=ModuleNotFoundError)


def test_a_file_that_is_not_there_is_an_empty_list(tmp_path):
    assert store.load(tmp_path / "todo.json") == []


def test_what_was_added_is_there_again(tmp_path):
    file = tmp_path / "todo.json"
    store.save(file, store.add_item(store.load(file), "Write", "2026-01-05"))
    assert store.load(file) == [{"text": "Write", "due": "2026-01-05", "done": False}]


def test_adding_leaves_the_given_list_alone():
    items = []
    store.add_item(items, "Write", "2026-01-05")
    assert items == []
