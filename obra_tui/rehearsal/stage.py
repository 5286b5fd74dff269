"""The stage of a rehearsal: both model servers for one scenario, opened and closed together.

It exists so that the rest of Obra needs three addresses and nothing else. It must not know who talks to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from msgspec import Struct

from obra_tui.rehearsal.anthropic_server import AnthropicServer, Subscription
from obra_tui.rehearsal.faults import Fault
from obra_tui.rehearsal.ollama_server import MODEL, OllamaServer
from obra_tui.rehearsal.scenario import Scenario, load_scenario


class RehearsalServers(Struct, frozen=True, kw_only=True):
    """A running rehearsal. Use it as a context manager, or call `close`."""

    scenario: Scenario
    claude: AnthropicServer
    judge: OllamaServer

    @classmethod
    def open(
        cls,
        scenario: str | Path | Scenario,
        *,
        pace: float = 1.0,
        claude_faults: Iterable[Fault] = (),
        judge_faults: Iterable[Fault] = (),
        subscription: Subscription | None = None,
    ) -> Self:
        """Start both servers. `pace` 1 can be watched, 0 is as fast as possible."""
        told = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
        claude = AnthropicServer(
            told.scripts, pace=pace, faults=(*told.claude_faults, *claude_faults), subscription=subscription
        ).start()
        try:
            judge = OllamaServer(pace=pace, faults=(*told.judge_faults, *judge_faults)).start()
        except BaseException:
            claude.stop()
            raise
        return cls(scenario=told, claude=claude, judge=judge)

    def close(self) -> None:
        """Stop both servers; no thread and no socket is left."""
        self.claude.stop()
        self.judge.stop()

    @property
    def claude_base_url(self) -> str:
        """For `ANTHROPIC_BASE_URL`."""
        return self.claude.url

    @property
    def judge_base_url(self) -> str:
        """The address of both judge dialects: `/api/chat` and `/v1/chat/completions`."""
        return self.judge.url

    @property
    def judge_model(self) -> str:
        """The name under which the scripted judge answers; it says what it is."""
        return MODEL

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
