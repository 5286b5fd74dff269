import pytest

square = pytest.importorskip("square", exc_type=ModuleNotFoundError)


def test_the_square_of_two_is_four():
    assert square.square(2) == 4


def test_the_square_of_two_is_five():
    assert square.square(2) == 5


def test_the_square_of_three_is_nine():
    assert square.square(3) == 9
