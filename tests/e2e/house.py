"""A repository, a data directory and loopback models on which Obra can be opened again and again."""

from pathlib import Path

from obra_tui.api import Obra
from obra_tui.rehearsal import RehearsalServers, load_scenario, materialise

CHECKS = """
[[checks]]
name = "compiles"
stage = "syntax"
run = "{python} -m compileall -q ."

[[checks]]
name = "tests"
stage = "testing"
run = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {python} -m pytest -q -p no:cacheprovider --junitxml=$OBRA_JUNIT"
junit = true
"""
"""Of a scenario that a test makes for itself."""


class House:
    def __init__(self, folder: Path, scenario: str, pace: float = 0.0) -> None:
        self.theatre = RehearsalServers.open(scenario, pace=pace)
        self.plan = load_scenario(scenario).plan
        self.data = folder / "data"
        self.claude_config = folder / "claude"
        self.repo = materialise(self.theatre.scenario, folder / "repo")

    def config(self, policy: str = "autonomous") -> dict[str, object]:
        return {
            "data_dir": self.data,
            "gate.policy": policy,
            "claude.base_url": self.theatre.claude_base_url,
            "claude.api_key": "dummy",
            "claude.config_dir": str(self.claude_config),
            "claude.max_retries": 0,
            "judge.base_url": self.theatre.judge_base_url,
            "judge.model": self.theatre.judge_model,
        }

    def open(self, policy: str = "autonomous") -> Obra:
        return Obra.open(self.repo, self.config(policy))
