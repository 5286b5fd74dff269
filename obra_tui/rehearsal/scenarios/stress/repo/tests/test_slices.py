import pytest

slices = pytest.importorskip("toolbox.slices", exc_type=ModuleNotFoundError)


def test_in_chunks():
    assert slices.in_chunks([1, 2, 3], 2) == [[1, 2], [3]]
    assert slices.in_chunks([], 3) == []
