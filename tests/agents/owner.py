"""An Obra of its own that starts a run and then waits for its death. Run by a test, not imported."""

import asyncio
import os
import sys
from pathlib import Path

from obra_tui.agents.claude_code import ClaudeCode
from obra_tui.agents.config import ClaudeConfig
from obra_tui.core.model import ImplementRequest


class Nobody:
    async def __call__(self, question: object) -> object:
        raise AssertionError("nothing is asked here")

    def standing(self) -> frozenset[str]:
        return frozenset()


async def main(folder: Path, url: str, attempt: str, sandbox: str) -> None:
    config = ClaudeConfig(
        tmp_dir=folder / "tmp", home=folder / "home", config_dir=folder / "config", base_url=url, api_key="dummy",
        sandbox=sandbox, allow=("touch", "sleep", "setsid"),
        extra_environment=(("IS_SANDBOX", "1"),) if os.geteuid() == 0 else (),
    )  # fmt: skip
    request = ImplementRequest(
        task="t1", attempt=attempt, prompt="Do it.", cwd=str(folder / "copy"),
        claude_session="22222222-2222-4222-8222-222222222222",
    )  # fmt: skip
    conversation = await ClaudeCode(config).start(request, lambda event: None, Nobody())
    await conversation.finished()


asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
