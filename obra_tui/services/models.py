"""Whom the engine works with: Claude Code, the judge and the checks, as the settings name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from obra_tui.agents.config import ClaudeConfig
from obra_tui.agents.policy import DEFAULT_ALLOW
from obra_tui.judge import JudgeConfig

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.model import CheckSpec


class Models(Struct, frozen=True, kw_only=True):
    claude: ClaudeConfig
    judge: JudgeConfig
    checks: tuple[CheckSpec, ...] = ()
    """Configured checks; empty = those found in the project."""
    rehearsal: str = ""
    """Name of the scenario when the models are scripted; it is shown and stored everywhere."""


def real_models(settings: Settings) -> Models:
    return Models(claude=claude_config(settings), judge=judge_config(settings), checks=settings.check_specs())


def claude_config(settings: Settings) -> ClaudeConfig:

    claude = settings.claude
    return ClaudeConfig(
        tmp_dir=settings.data_dir / "tmp",
        data_dir=settings.data_dir,
        sandbox=claude.sandbox,
        network=claude.network,
        cli_path=_path(claude.cli_path),
        model=claude.model,
        base_url=claude.base_url,
        api_key=claude.api_key.get_secret_value(),
        config_dir=_path(claude.config_dir),
        setting_sources=("project",) if claude.trust_project_settings else (),
        allow=(*DEFAULT_ALLOW, *claude.allow),
        max_turns=claude.max_turns or None,
        max_budget_usd=claude.max_budget_usd or None,
        max_retries=claude.max_retries,
        silence_warn_s=claude.silence_warn_s,
        silence_kill_s=claude.silence_kill_s,
    )


def judge_config(settings: Settings) -> JudgeConfig:

    judge = settings.judge
    return JudgeConfig(
        base_url=judge.base_url,
        model=judge.model,
        dialect=judge.dialect,
        answers_as=judge.answers_as,
        think=judge.think,
        think_tokens=judge.think_tokens,
        num_ctx=judge.num_ctx,
        max_output_tokens=judge.max_output_tokens,
        deadline_s=judge.deadline_s,
        connect_timeout_s=judge.connect_timeout_s,
        api_key=judge.api_key.get_secret_value(),
    )


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None
