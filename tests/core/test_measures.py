import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.records.metrics import kappa, wilson


def test_wilson_is_the_published_interval():
    found = wilson(15, 20)
    assert (found.low, found.high) == (pytest.approx(0.5313, abs=1e-4), pytest.approx(0.8881, abs=1e-4))
    assert wilson(0, 0) is None


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_share_and_stays_within_bounds(hits, of):
    hits = min(hits, of)
    found = wilson(hits, of)
    assert 0.0 <= found.low <= hits / of + 1e-9
    assert hits / of - 1e-9 <= found.high <= 1.0


def test_kappa_takes_chance_out():
    assert kappa(20, 15, 5, 10) == pytest.approx(0.4)
    assert kappa(10, 10, 0, 0) == 1.0
    assert kappa(0, 0, 0, 0) is None
    assert kappa(10, 0, 0, 0) is None


@given(*[st.integers(0, 50)] * 4)
def test_kappa_never_exceeds_one(a, b, c, d):
    found = kappa(a, b, c, d)
    assert found is None or -1.0 - 1e-9 <= found <= 1.0 + 1e-9
