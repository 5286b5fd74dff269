import pytest

middle = pytest.importorskip("toolbox.middle", exc_type=ModuleNotFoundError)


def test_find_median():
    assert middle.find_median([3, 1, 2]) == 2
    assert middle.find_median([4, 1, 2, 3]) == 2.5
