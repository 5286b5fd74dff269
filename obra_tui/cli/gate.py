"""`obra gate`: an existing change, whoever made it, before the same gate as a run. For hooks and CI."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from obra_tui import __version__
from obra_tui.cli.options import HERE, JsonOption, JudgeModelOption, ProjectOption, ThresholdOption
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.errors import ConfigError
from obra_tui.core.records.change_report import ChangeReport, Conclusion, as_json, as_sarif, lines
from obra_tui.core.text import one_line
from obra_tui.headless.follow import EXIT_JUDGE, EXIT_NOT_ACCEPTED, EXIT_OK, EXIT_WAITING

_EXITS = {
    Conclusion.PASSES: EXIT_OK,
    Conclusion.EMPTY: EXIT_OK,
    Conclusion.FAILS: EXIT_NOT_ACCEPTED,
    Conclusion.PERSON: EXIT_WAITING,
    Conclusion.UNJUDGED: EXIT_JUDGE,
}


def register(app: typer.Typer) -> None:
    app.command()(gate)


def gate(
    base: Annotated[str, typer.Option("--base", help="The change begins where it parted from this branch or commit.")],
    head: Annotated[str, typer.Option("--head", help="Last commit of the change.")] = "HEAD",
    task: Annotated[
        str, typer.Option("--task", "-t", help="What it is meant to do (default: what its commit messages say).")
    ] = "",
    project: ProjectOption = HERE,
    threshold: ThresholdOption = None,
    judge_model: JudgeModelOption = None,
    checks_only: Annotated[bool, typer.Option("--checks-only", help="Do not ask the judge: checks decide.")] = False,
    reviewed: Annotated[
        bool, typer.Option("--reviewed", help="A person reviews it anyway: where only that is missing, exit with 0.")
    ] = False,
    trust_base: Annotated[
        bool, typer.Option("--trust-base", help="Trust the settings that the base has, as on a CI machine.")
    ] = False,
    sarif: Annotated[Path | None, typer.Option("--sarif", help="Write the findings to this file as SARIF.")] = None,
    as_json_: JsonOption = False,
) -> int:
    """Judge an existing change with the evidence of a run: 0 passes, 1 does not, 3 a person must look, 5 not judged."""
    import asyncio

    from obra_tui.services.change_gate import GateQuestion, judge_change
    from obra_tui.services.project import project_root

    if checks_only:
        refuse_unused("--checks-only", judge_model=judge_model, task=task)
    wanted = GateQuestion(
        project=project_root(project),
        base=base,
        head=head,
        task=task,
        is_judged=not checks_only,
        trusts_base=trust_base,
    )
    flags = {"gate.threshold": threshold, "judge.model": judge_model}
    report = asyncio.run(judge_change(wanted, flags, _tell))
    if sarif is not None:
        _write(sarif, report)
    for line in (json.dumps(as_json(report)),) if as_json_ else lines(report):
        typer.echo(line)
    code = _EXITS[report.conclusion]
    return EXIT_OK if reviewed and code == EXIT_WAITING else code


def _tell(text: str) -> None:
    typer.echo(f"obra: {one_line(text)}", err=True)


def _write(file: Path, report: ChangeReport) -> None:
    try:
        file.write_text(json.dumps(as_sarif(report, __version__), indent=1), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The findings cannot be written: {os.strerror(error.errno or 0)}.",
            where=str(file),
            fix="Give --sarif a file in a folder that you can write to.",
        ) from error
