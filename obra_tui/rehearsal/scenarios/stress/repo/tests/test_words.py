import pytest

words = pytest.importorskip("toolbox.words", exc_type=ModuleNotFoundError)


def test_count_words():
    assert words.count_words("a B b") == {"a": 1, "b": 2}
    assert words.count_words("") == {}
