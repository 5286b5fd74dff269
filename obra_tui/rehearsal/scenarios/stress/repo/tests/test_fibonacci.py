import pytest

fibonacci = pytest.importorskip("toolbox.fibonacci", exc_type=ModuleNotFoundError)


def test_fibonacci():
    assert fibonacci.fibonacci(7) == [0, 1, 1, 2, 3, 5, 8]
    assert fibonacci.fibonacci(0) == []
