"""One rig for each test; without PostgreSQL the tests that need it are skipped, and say so."""

import pytest

pytest.importorskip("procrastinate")


@pytest.fixture
async def rig(postgresql, tmp_path):
    from tests.fleet.rig import Rig

    opened = await Rig(postgresql, tmp_path).open()
    yield opened
    await opened.close()
