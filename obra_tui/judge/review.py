"""`QwenJudge`, the port: connects, plans, hears the model, and turns every way to fail into an unjudged verdict."""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from obra_tui.core.errors import JudgeError
from obra_tui.core.model import JudgeIdentity, JudgeRequest, Verdict
from obra_tui.core.ports import Emit
from obra_tui.judge.config import JudgeConfig
from obra_tui.judge.planning import plan_review
from obra_tui.judge.review_session import Sitting
from obra_tui.judge.standards import Standards

if TYPE_CHECKING:
    from obra_tui.judge.client import ModelClient


class QwenJudge:
    """Reviews diffs with a local model. Nothing heavy is imported and nothing connected before the first review."""

    def __init__(self, config: JudgeConfig) -> None:
        self._standards = Standards.of(config)
        self._client: ModelClient | None = None

    @property
    def identity(self) -> JudgeIdentity:
        """Who would judge, with the hashes in force, before any server is asked."""
        return self._standards.identity

    async def review(self, request: JudgeRequest, emit: Emit) -> Verdict:
        sitting = Sitting(self._standards, request, emit)
        try:
            plan = await asyncio.to_thread(plan_review, request, self._standards)
            hearing = sitting.hearing(0)
            hearing.waiting("connecting", f"Asking {self.identity.url} for {self.identity.model}.")
            client = await self._connected()
            sitting.open(plan, await client.served(hearing))
            return await sitting.hear(client.ask)
        except JudgeError as fault:
            return sitting.unjudged(str(fault))

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connected(self) -> "ModelClient":
        if self._client is None:
            # a quarter of a second of imports: in a thread, so that the loop goes on meanwhile
            await asyncio.to_thread(import_module, "obra_tui.judge.client")
        if self._client is None:
            from obra_tui.judge.client import ModelClient

            self._client = ModelClient(self._standards.config)
        return self._client
