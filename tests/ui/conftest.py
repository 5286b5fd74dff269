import time

import pytest


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    """Times of day on the screen are the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
