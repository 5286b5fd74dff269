"""Options that several commands share, and what they mean."""

from pathlib import Path
from typing import Annotated

import typer

from obra_tui.core.model import Policy

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
JsonOption = Annotated[bool, typer.Option("--json", help="No screen: print one JSON object per event.")]
