"""What `doctor` wants to know about the judge: is it there, and if not, the one command that helps."""

import asyncio
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from obra_tui.core.errors import JudgeError
from obra_tui.judge.config import JudgeConfig
from obra_tui.judge.errors import ModelMissing, NotReachable, StillLoading, WrongDialect
from obra_tui.judge.exchange import Served

if TYPE_CHECKING:
    from obra_tui.judge.client import ModelClient

HealthState = Literal["ready", "not_running", "loading", "model_missing", "wrong_dialect", "failing"]

_PATIENCE_S = 10.0


class JudgeHealth(Struct, frozen=True, kw_only=True):
    state: HealthState
    url: str
    model: str
    what: str
    """One plain sentence."""
    fix: str = ""
    """What to do, with the command to type where there is one; empty when `ready`."""
    version: str = ""
    digest: str = ""
    loaded: bool | None = None
    """In memory now; `None` if the server cannot tell. A model that is not is loaded by the first review."""

    @property
    def ready(self) -> bool:
        return self.state == "ready"


async def probe(config: JudgeConfig, patience_s: float = _PATIENCE_S) -> JudgeHealth:
    """Ask the server what it is and has, without asking the model anything. Never raises but when cancelled."""
    await asyncio.to_thread(import_module, "obra_tui.judge.client")
    from obra_tui.judge.client import ModelClient

    client = ModelClient(replace(config, deadline_s=min(patience_s, config.deadline_s)))
    try:
        return await _examined(client, config)
    finally:
        await client.close()


async def _examined(client: "ModelClient", config: JudgeConfig) -> JudgeHealth:
    url = config.shown_url
    try:
        version, served = await client.look()
    except JudgeError as fault:
        return JudgeHealth(state=_state(fault), url=url, model=config.model, what=fault.what, fix=_fix(fault))
    memory = {True: ", in memory", False: ", not in memory yet", None: ""}[served.loaded]
    return JudgeHealth(
        state="ready",
        url=url,
        model=served.model,
        what=f"{served.model} is there{memory}{_slow(served)}{_other_context(served, config)}.",
        version=version,
        digest=served.digest,
        loaded=served.loaded,
    )


def _slow(served: Served) -> str:
    """Most of a model on the processor answers in minutes, and a person should know why."""
    share = served.on_cpu
    return f", {share:.0%} of it runs on the CPU" if share is not None and share >= 0.01 else ""


def _other_context(served: Served, config: JudgeConfig) -> str:
    loaded = served.loaded_context
    if loaded is None or loaded == config.num_ctx:
        return ""
    return (
        f"; somebody else loaded it with a context of {loaded} tokens, so each review loads it anew ({config.num_ctx})"
    )


def _state(fault: JudgeError) -> HealthState:
    match fault:
        case NotReachable():
            return "not_running"
        case StillLoading():
            return "loading"
        case ModelMissing():
            return "model_missing"
        case WrongDialect():
            return "wrong_dialect"
        case _:
            return "failing"


def _fix(fault: JudgeError) -> str:
    return fault.fix or "Wait until it is ready, then look again."
