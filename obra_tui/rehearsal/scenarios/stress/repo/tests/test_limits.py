import pytest

limits = pytest.importorskip("toolbox.limits", exc_type=ModuleNotFoundError)


def test_clamp():
    assert limits.clamp(5, 0, 3) == 3
    assert limits.clamp(-1, 0, 3) == 0
    assert limits.clamp(2, 0, 3) == 2
