import pytest

shapes = pytest.importorskip("shapes", exc_type=ModuleNotFoundError)


def test_area_of_a_rectangle():
    assert shapes.rectangle_area(3, 4) == 12


def test_a_negative_side_is_refused():
    with pytest.raises(ValueError):
        shapes.rectangle_area(-1, 4)
