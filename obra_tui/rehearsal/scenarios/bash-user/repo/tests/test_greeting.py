import pytest

greeting = pytest.importorskip("greeting", exc_type=ModuleNotFoundError)


def test_greet():
    assert greeting.greet("Ada") == "Hello, Ada!"
