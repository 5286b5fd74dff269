import time

import pytest

from tests.many_apps import _many_apps

__all__ = ["_many_apps"]


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    """Times of day on the screen are the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
