import pytest

prices = pytest.importorskip("prices", exc_type=ModuleNotFoundError)


def test_price_of_a_carpet():
    assert prices.carpet_price(3, 4, per_square_metre=2.5) == 30.0
