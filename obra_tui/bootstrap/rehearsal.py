"""A rehearsal: scripted models on loopback, everything else real, nothing of the person's touched.

The Claude Code program gets a home, a configuration folder and a temporary
folder of its own, which are gone afterwards. The rehearsal's repository stays
in the data directory, so that the result can be looked at.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from obra_tui.agents.config import ClaudeConfig
from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.core.ids import new_id
from obra_tui.evidence.copies import disk_faults, make_private
from obra_tui.judge import JudgeConfig
from obra_tui.rehearsal import RehearsalServers, load_scenario, materialise
from obra_tui.services.models import Models
from obra_tui.services.plans import read_plan

if TYPE_CHECKING:
    from obra_tui.config.load import Settings


class Rehearsal(Struct, frozen=True, kw_only=True):
    """An open stage, its repository, and the models that stand on it."""

    stage: RehearsalServers
    project: Path
    plan: Path
    models: Models
    home: Path

    @property
    def request(self) -> RunRequest:
        """The run request of the scenario's plan, with nobody there."""
        return RunRequest(project=self.project, plan=read_plan(self.plan))

    def close(self) -> None:
        """Stop the servers and remove the home; the repository stays."""
        self.stage.close()
        shutil.rmtree(self.home, ignore_errors=True)


def open_rehearsal(scenario: str, settings: Settings, *, pace: float) -> Rehearsal:
    """Start the servers and make the repository.

    Raises `ObraError` for an unknown scenario and for a data directory that cannot be written.

    `pace` 1 can be watched, 0 is as fast as possible.
    """
    told = load_scenario(scenario)
    with disk_faults(settings.data_dir):
        make_private(settings.data_dir)
        project = materialise(told, settings.data_dir / "rehearsals" / f"{told.name}-{new_id('')}")
        home = Path(tempfile.mkdtemp(prefix="obra-rehearsal-"))
    stage = RehearsalServers.open(told, pace=pace)
    return Rehearsal(stage=stage, project=project, plan=told.plan, models=_scripted(stage, settings, home), home=home)


def _scripted(stage: RehearsalServers, settings: Settings, home: Path) -> Models:
    return Models(
        claude=ClaudeConfig(
            tmp_dir=home / "tmp",
            data_dir=settings.data_dir,
            sandbox=settings.claude.sandbox,
            network=settings.claude.network,
            home=home,
            config_dir=home / "claude",
            base_url=stage.claude_base_url,
            api_key="rehearsal",
            max_turns=settings.claude.max_turns or None,
            max_budget_usd=settings.claude.max_budget_usd or None,
            max_retries=2,
        ),
        judge=JudgeConfig(base_url=stage.judge_base_url, model=stage.judge_model),
        checks=tuple(check.spec(sys.executable) for check in stage.scenario.checks),
        rehearsal=stage.scenario.name,
    )
