"""When events are written: soon after a quiet time, together while they keep coming, never too late."""

from obra_tui.engine.outbox import LARGE, LEAST_S, LULL_S, QUIET_S, WITHIN_S, FlushPolicy


def written(pace, at, count=1, took=0.0):
    pace.wrote(count, at - took, at)


def test_what_comes_after_a_quiet_time_is_written_when_it_stops_coming():
    pace = FlushPolicy()
    pace.came(10.0, first=True)
    pace.came(10.002, first=False)
    assert pace.due() == 10.002 + LULL_S


def test_what_does_not_stop_coming_waits_no_longer_than_a_crash_may_cost():
    pace = FlushPolicy()
    for step in range(100):
        pace.came(10.0 + step / 1000, first=step == 0)
    assert pace.due() == 10.0 + WITHIN_S


def test_what_comes_one_by_one_is_written_together():
    pace = FlushPolicy()
    written(pace, 10.0)
    pace.came(10.0 + QUIET_S / 2, first=True)
    assert pace.due() == 10.0 + QUIET_S / 2 + WITHIN_S


def test_the_rest_of_a_burst_is_written_when_it_stops_coming():
    pace = FlushPolicy()
    written(pace, 10.0, count=LARGE)
    pace.came(10.01, first=True)
    assert pace.due() == 10.01 + LULL_S


def test_a_slow_disk_is_written_to_sooner():
    pace = FlushPolicy()
    written(pace, 10.0, took=0.01)
    pace.came(10.05, first=True)
    assert pace.due() == 10.05 + WITHIN_S - 0.01


def test_a_very_slow_disk_is_not_written_in_ever_smaller_pieces():
    pace = FlushPolicy()
    written(pace, 10.0, took=3.0)
    pace.came(10.05, first=True)
    assert pace.due() == 10.05 + LEAST_S


def test_one_slow_write_is_forgotten_after_some_quick_ones():
    pace = FlushPolicy()
    written(pace, 10.0, took=0.01)
    for number in range(40):
        written(pace, 11.0 + number, took=0.001)
    pace.came(50.01, first=True)
    assert pace.due() >= 50.01 + WITHIN_S - 0.0011
