import pytest

from tests.store.story import Writer
from tests.web.house import House


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def gate(house):
    """A gate that waits: `g1` in session `s1`."""
    writer = Writer("s1")
    writer.opened()
    writer.task_added("t1")
    writer.gate_opened("t1", "a1", "g1", writer.worked("t1", "a1"))
    house.write(writer)
    house.writer = writer
    return "g1"
