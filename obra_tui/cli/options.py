"""Options that several commands share, and what they mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from obra_tui.core.model import Policy

HERE = Path()

ProjectOption = Annotated[
    Path, typer.Option("--project", "-C", help="The git repository to work on.", show_default="the current folder")
]
PolicyOption = Annotated[Policy | None, typer.Option("--policy", help="Who accepts work (default: gate.policy).")]
ThresholdOption = Annotated[
    float | None, typer.Option("--threshold", min=0.0, max=1.0, help="Lowest score that passes (gate.threshold).")
]
MaxAttemptsOption = Annotated[
    int | None, typer.Option("--max-attempts", min=1, help="Attempts before a person is asked (gate.max_attempts).")
]
ModelOption = Annotated[str | None, typer.Option("--model", help="Model of Claude Code (claude.model).")]
JudgeModelOption = Annotated[str | None, typer.Option("--judge-model", help="Model that judges (judge.model).")]
JobsOption = Annotated[
    int, typer.Option("--jobs", "-j", min=1, max=100, help="Tasks worked on at the same time, each in its own copy.")
]
HeadlessOption = Annotated[
    bool, typer.Option("--headless", help="No screen: print lines. Chosen by itself without a terminal.")
]
EventsOption = Annotated[bool, typer.Option("--json", help="No screen: print one JSON object per event.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]


class Flags(Struct, frozen=True, kw_only=True):
    """Settings given on the command line."""

    policy: Policy | None = None
    threshold: float | None = None
    max_attempts: int | None = None
    model: str | None = None
    judge_model: str | None = None
    update_plan: bool = False

    def settings(self) -> Mapping[str, object]:
        """Return dotted setting names with their values; None = not given."""
        return {
            "gate.policy": self.policy.value if self.policy else None,
            "gate.threshold": self.threshold,
            "gate.max_attempts": self.max_attempts,
            "claude.model": self.model,
            "judge.model": self.judge_model,
            "workspace.update_plan": True if self.update_plan else None,
        }
