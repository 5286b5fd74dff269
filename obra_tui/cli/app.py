"""The commands, as a person sees them in `obra --help`."""

from pathlib import Path
from typing import Annotated

import typer

from obra_tui import __version__
from obra_tui.cli import archive
from obra_tui.cli.fast_start import wants_screen
from obra_tui.cli.flags import Flags
from obra_tui.cli.options import (
    HeadlessOption,
    JobsOption,
    JsonOption,
    JudgeModelOption,
    MaxAttemptsOption,
    ModelOption,
    PolicyOption,
    ProjectOption,
    ThresholdOption,
)
from obra_tui.cli.steering_commands import register as register_steering
from obra_tui.cli.task_commands import task_app
from obra_tui.core.errors import ConfigError

app = typer.Typer(
    help="Supervise Claude Code: it works in a copy, Obra looks at the work, you decide.",
    no_args_is_help=False,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
config_app = typer.Typer(help="Show the settings in force, or trust a project's own settings.", rich_markup_mode=None)
app.add_typer(config_app, name="config")
app.add_typer(task_app, name="task")

HERE = Path()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"obra {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    project: ProjectOption = HERE,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> int:
    """Open the app on a project."""
    if context.invoked_subcommand is not None:
        return 0
    if not wants_screen(headless=False, as_json=False):
        raise ConfigError("The app needs a terminal.", fix="Use `obra run --headless`, `obra review` or `obra --help`.")
    from obra_tui.bootstrap.app import open_app

    return open_app(project)


@app.command()
def run(
    plan: Annotated[Path | None, typer.Argument(help="Plan file: a Markdown checklist or TOML.")] = None,
    task: Annotated[str | None, typer.Option("--task", "-t", help="One task instead of a plan.")] = None,
    resume: Annotated[str | None, typer.Option("--resume", help="Go on with this open session.")] = None,
    fork: Annotated[
        bool, typer.Option("--fork", help="With --resume: go on in a fork of each interrupted conversation.")
    ] = False,
    project: ProjectOption = HERE,
    policy: PolicyOption = None,
    threshold: ThresholdOption = None,
    max_attempts: MaxAttemptsOption = None,
    model: ModelOption = None,
    judge_model: JudgeModelOption = None,
    jobs: JobsOption = 1,
    update_plan: Annotated[bool, typer.Option("--update-plan", help="Tick accepted tasks in the plan file.")] = False,
    headless: HeadlessOption = False,
    as_json: JsonOption = False,
) -> int:
    """Work on a plan or on one task."""
    from obra_tui.cli.running import run_line

    flags = Flags(
        policy=policy,
        threshold=threshold,
        max_attempts=max_attempts,
        model=model,
        judge_model=judge_model,
        update_plan=update_plan,
    )
    return run_line(
        plan=plan,
        task=task,
        resume=resume,
        fork=fork,
        project=project,
        flags=flags,
        jobs=jobs,
        headless=headless,
        as_json=as_json,
    )


@app.command()
def demo(
    scenario: Annotated[str, typer.Argument(help="Name of the rehearsal; `obra demo list` names them.")] = "calculator",
    policy: PolicyOption = None,
    pace: Annotated[float, typer.Option("--pace", min=0.0, max=10.0, help="0 = as fast as possible.")] = 1.0,
    jobs: JobsOption = 1,
    headless: HeadlessOption = False,
    as_json: JsonOption = False,
) -> int:
    """Rehearse: scripted models on loopback, everything else real. Needs no login, no model, no network."""
    from obra_tui.cli.demo import list_demos, run_demo

    if scenario == "list":
        return list_demos(as_json=as_json)
    screen = wants_screen(headless=headless, as_json=as_json)
    return run_demo(scenario, Flags(policy=policy), pace=pace, jobs=jobs, screen=screen, as_json=as_json)


@app.command()
def review(
    gate: Annotated[str | None, typer.Argument(help="Show this gate; without it, list the gates that wait.")] = None,
    approve: Annotated[str | None, typer.Option("--approve", metavar="GATE", help="Approve this gate.")] = None,
    changes: Annotated[str | None, typer.Option("--changes", metavar="GATE", help="Send it back with --note.")] = None,
    reject: Annotated[str | None, typer.Option("--reject", metavar="GATE", help="Reject it with --note.")] = None,
    note: Annotated[str, typer.Option("--note", help="Reason, or what Claude should change.")] = "",
    tree: Annotated[str, typer.Option("--tree", help="Refuse unless the work is this git tree.")] = "",
    finding: Annotated[
        list[str] | None,
        typer.Option("--finding", metavar="N[:NOTE]", help="With --changes: send this finding, with your note on it."),
    ] = None,
    add_finding: Annotated[
        list[str] | None,
        typer.Option("--add-finding", metavar="FILE:LINE:TEXT", help="With --changes: send a finding of your own."),
    ] = None,
    prompt: Annotated[Path | None, typer.Option("--prompt", help="With --changes: send exactly this file.")] = None,
    hand_back: Annotated[
        str | None, typer.Option("--hand-back", metavar="GATE", help="Check and judge what you changed in the copy.")
    ] = None,
    undo: Annotated[
        str | None, typer.Option("--undo", metavar="ID", help="Take an answer back, or revert what was accepted.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Show and answer the gates that wait for a person."""
    from obra_tui.cli.review import Answer, hand_back_gate, review_gates

    if hand_back is not None:
        return hand_back_gate(hand_back, as_json=as_json)
    if undo is not None:
        from obra_tui.cli.undo import undo_answer

        return undo_answer(undo, note, as_json=as_json)
    answer = Answer(
        approve=approve,
        changes=changes,
        reject=reject,
        note=note,
        tree=tree,
        findings=tuple(finding or ()),
        own=tuple(add_finding or ()),
        prompt=prompt,
    )
    return review_gates(gate, answer, as_json=as_json)


@app.command()
def close(session: Annotated[str, typer.Argument(help="Id of an open session.")]) -> int:
    """Close a session; its unfinished tasks stay as they are."""
    from obra_tui.cli.review import close_session

    return close_session(session)


@app.command()
def merge(
    session: Annotated[str, typer.Argument(help="Id of the session whose branch is taken over.")],
    project: ProjectOption = HERE,
) -> int:
    """Fast-forward the checked-out branch to `obra/<session>`; refused unless the work tree is clean."""
    from obra_tui.cli.review import merge_session

    return merge_session(session, project)


@app.command()
def validate(
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Scripted models: needs no login, no network.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="One scenario, by name or folder; repeatable.")
    ] = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Run each scenario so many times.")] = 1,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report.")] = Path("docs/reports"),
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Earlier results to compare with.")] = None,
    save_baseline: Annotated[
        Path | None, typer.Option("--save-baseline", help="Write these results as a baseline.")
    ] = None,
    model: ModelOption = None,
    judge_model: JudgeModelOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run the acceptance scenarios end to end and say whether this is ready for production."""
    from obra_tui.cli.validate import Where, run_validation
    from obra_tui.validation.validating import Wanted

    wanted = Wanted(rehearsal=rehearsal, only=tuple(only or ()), repeat=repeat, baseline=baseline)
    flags = Flags(model=model, judge_model=judge_model).settings()
    return run_validation(wanted, Where(output=output, save_baseline=save_baseline), flags, as_json=as_json)


@app.command()
def doctor(project: ProjectOption = HERE, as_json: JsonOption = False) -> int:
    """Look at what Obra needs on this machine, with the command that helps."""
    from obra_tui.cli.doctor import run_doctor

    return run_doctor(project, as_json=as_json)


@app.command()
def guide(name: Annotated[str, typer.Argument(help="Which one; without it they are listed.")] = "") -> int:
    """Read a guide."""
    from obra_tui.cli.reading import show_guide

    return show_guide(name)


@app.command()
def keys(as_json: JsonOption = False) -> int:
    """List all keys of the app, with the names by which `[keys]` changes them."""
    from obra_tui.cli.reading import show_keys

    return show_keys(as_json=as_json)


@config_app.callback(invoke_without_command=True)
def config(
    context: typer.Context,
    project: ProjectOption = HERE,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Print the settings in force."""
    if context.invoked_subcommand is not None:
        return 0
    from obra_tui.cli.settings import show_settings

    return show_settings(project, origin=origin, as_json=as_json)


@config_app.command()
def show(project: ProjectOption = HERE, origin: bool = False, as_json: JsonOption = False) -> int:
    """Print the settings in force; --origin says where each comes from."""
    from obra_tui.cli.settings import show_settings

    return show_settings(project, origin=origin, as_json=as_json)


@config_app.command()
def trust(project: ProjectOption = HERE) -> int:
    """Let this project's own settings file set commands and rules, as the file is now."""
    from obra_tui.cli.settings import trust_settings

    return trust_settings(project)


@config_app.command()
def path(project: ProjectOption = HERE) -> int:
    """Print the files and folders that Obra uses."""
    from obra_tui.cli.settings import show_paths

    return show_paths(project)


archive.register(app)
register_steering(app)
