"""Qwen as the port `Judge`: prompts, chunking, HTTP to a local model server, strict verdicts.

Importing this package is cheap. httpx and stamina are imported by `judge.client`, which is loaded at the first
review or probe, in the thread that asks.
"""

from obra_tui.judge.config import Dialect, JudgeConfig
from obra_tui.judge.health import HealthState, JudgeHealth, probe
from obra_tui.judge.judge import QwenJudge

__all__ = ["Dialect", "HealthState", "JudgeConfig", "JudgeHealth", "QwenJudge", "probe"]
