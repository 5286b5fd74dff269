"""A stream that is broken in every way that comes to mind."""

import pytest

from tests.faults.stream_fuzz import read


@pytest.mark.fault(29)
@pytest.mark.fault(30)
def test_fault_30_a_broken_stream_raises_nothing_and_what_is_whole_in_it_is_read():
    count, first = read(10_000, seed=7, endless=48)
    assert first == []
    assert count["faults"] == 0
    assert count["lines"] >= 9_990
    assert count["events"] > 3_000
    assert count["grown"] < 40 * 2**20
