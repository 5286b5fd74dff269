"""The adapters of this machine, and who does the work of an attempt: what the engine and a fleet are composed from.

The one place that chooses the concrete Implementer, Workspace, CheckRunner and Judge of a machine. It knows nothing of
the engine's life.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from obra_tui.agents.claude_code import ClaudeCode
from obra_tui.core.model import SandboxLevel
from obra_tui.evidence.checks import LocalCheckRunner
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace
from obra_tui.judge import QwenJudge

if TYPE_CHECKING:
    from obra_tui.bootstrap.run_request import RunRequest
    from obra_tui.config.load import Settings
    from obra_tui.core.ports import CheckRunner, Implementer, Judge
    from obra_tui.services.models import Models

_LOGINS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "OPENAI_API_KEY")


class Adapters(Struct, frozen=True, kw_only=True):
    """The engine's ports to Claude Code, the copies, the checks and the judge."""

    claude: ClaudeCode
    workspace: GitWorkspace
    checks: LocalCheckRunner
    judge: QwenJudge


class Hands(Struct, frozen=True, kw_only=True):
    """Who does the work of an attempt: this machine, or workers on others."""

    implementer: Implementer
    checks: CheckRunner
    judge: Judge


def real_adapters(settings: Settings, request: RunRequest, models: Models) -> Adapters:
    """Build the adapters to the real programs and servers that `models` names."""
    sandbox = Sandbox(
        data_dir=settings.data_dir,
        lowest=lowest_sandbox(settings),
        readable=settings.sandbox.readable_paths(),
        limits=settings.sandbox.limits(),
    )
    workspace = GitWorkspace(
        project=request.project,
        data_dir=settings.data_dir,
        sandbox=sandbox,
        setup=settings.workspace.setup,
        protected=settings.workspace.protected,
        include=settings.workspace.include,
        looks_for_checks=not models.checks,
    )
    checks = LocalCheckRunner(configured=models.checks, sandbox=sandbox, data_dir=settings.data_dir)
    claude = ClaudeCode(dataclasses.replace(models.claude, project=request.project))
    return Adapters(claude=claude, workspace=workspace, checks=checks, judge=QwenJudge(models.judge))


def secrets_of(settings: Settings) -> Iterator[str]:
    """Yield the exact values that must never be stored: the logins in the settings and in the environment."""
    yield settings.claude.api_key.get_secret_value()
    yield settings.judge.api_key.get_secret_value()
    yield from (os.environ.get(name, "") for name in _LOGINS)


def lowest_sandbox(settings: Settings) -> SandboxLevel:
    return SandboxLevel.BWRAP if settings.sandbox.level == "required" else SandboxLevel.NONE
