import pytest

roman = pytest.importorskip("toolbox.roman", exc_type=ModuleNotFoundError)


def test_to_roman():
    assert roman.to_roman(1994) == "MCMXCIV"
    assert roman.to_roman(4) == "IV"
