import pytest

nesting = pytest.importorskip("toolbox.nesting", exc_type=ModuleNotFoundError)


def test_flatten():
    assert nesting.flatten([1, [2, [3]], []]) == [1, 2, 3]
    assert nesting.flatten([]) == []
