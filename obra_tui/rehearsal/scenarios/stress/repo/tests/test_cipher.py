import pytest

cipher = pytest.importorskip("toolbox.cipher", exc_type=ModuleNotFoundError)


def test_shift_letters():
    assert cipher.shift_letters("Abc, xyz!", 3) == "Def, abc!"
    assert cipher.shift_letters(cipher.shift_letters("Obra", 5), -5) == "Obra"
