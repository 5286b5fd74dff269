import time

import pytest

from tests.many_apps import _many_apps
from tests.snapshots.comparing import SIZES, by_size, comparison

__all__ = ["_many_apps"]


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture(params=SIZES, ids=by_size)
def looks_right(request, snap_compare):
    """The same scene at every size."""
    return comparison(snap_compare, request.param)


@pytest.fixture
def looks_right_once(snap_compare):
    """A scene whose layout other scenes hold at the other sizes."""
    return comparison(snap_compare, (120, 36))
