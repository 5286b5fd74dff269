"""Rehearsal: loopback servers that stand in for the models, and for nothing else.

Everything a rehearsal shows (the Claude Code program, files, git, checks, gate, database, screen) is real; only
the two models are scripted, and every address and model name here says so.
"""

from obra_tui.rehearsal.anthropic_server import AnthropicServer, ModelRequest, Subscription
from obra_tui.rehearsal.faults import Fault, FaultKind
from obra_tui.rehearsal.ollama_server import OllamaServer, Reviewed
from obra_tui.rehearsal.scenario import (
    Scenario,
    ScenarioCheck,
    ScenarioError,
    ScenarioProbe,
    list_scenarios,
    load_scenario,
    materialise,
)
from obra_tui.rehearsal.stage import RehearsalServers

__all__ = [
    "AnthropicServer",
    "Fault",
    "FaultKind",
    "ModelRequest",
    "OllamaServer",
    "RehearsalServers",
    "Reviewed",
    "Scenario",
    "ScenarioCheck",
    "ScenarioError",
    "ScenarioProbe",
    "Subscription",
    "list_scenarios",
    "load_scenario",
    "materialise",
]
