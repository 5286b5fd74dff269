import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from obra_tui.rehearsal.anthropic_server import AnthropicServer
from tests.agents.stage import Stage, config_for


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A stage in a short folder: the program makes sockets there, whose paths must not be long."""
    place = tempfile.TemporaryDirectory(prefix="ob", ignore_cleanup_errors=True)
    with place as folder, AnthropicServer(pace=0) as server:
        made = Stage(Path(folder), server, config_for(Path(folder), server.url))
        yield made
        await made.implementer.close()
