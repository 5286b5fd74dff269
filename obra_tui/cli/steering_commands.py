"""The commands for running work, as a person sees them in `obra --help`: steering, and answering Claude."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from obra_tui.cli.options import JsonOption


class GiveBackChoice(StrEnum):
    """What becomes of work that a person changed by hand."""

    CHECK = "check"
    CLAUDE = "claude"


class StopChoice(StrEnum):
    """When a run ends."""

    AFTER_STAGE = "after_stage"
    NOW = "now"


def register(app: typer.Typer) -> None:
    app.command()(permissions)
    app.command()(steer)


def permissions(
    allow: Annotated[str, typer.Option("--allow", metavar="QUESTION", help="Allow this call and no other.")] = "",
    for_session: Annotated[
        str, typer.Option("--for-session", metavar="QUESTION", help="Allow it, and its like until the session ends.")
    ] = "",
    deny: Annotated[str, typer.Option("--deny", metavar="QUESTION", help="Deny it; Claude reads --text.")] = "",
    reply: Annotated[
        str, typer.Option("--reply", metavar="QUESTION", help="Answer a question of Claude's with --text.")
    ] = "",
    revoke: Annotated[str, typer.Option("--revoke", metavar="RULE", help="Take back what was allowed.")] = "",
    text: Annotated[str, typer.Option("--text", "--reason", help="Your reason, or your answer.")] = "",
    ended: Annotated[bool, typer.Option("--all", help="List what was in sessions that have ended, too.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Show what Claude asks and what was allowed for the session; answer and revoke, also for an Obra at work."""
    from obra_tui.cli.permissions import Answering
    from obra_tui.cli.permissions import permissions as show

    answering = Answering(allow=allow, for_session=for_session, deny=deny, reply=reply, revoke=revoke, text=text)
    return show(answering, as_json=as_json, ended=ended)


def steer(
    task: Annotated[str, typer.Argument(help="Key or id of the task; without it, the one that is at work.")] = "",
    text: Annotated[str, typer.Option("--text", help="Say this to Claude: now, or with the next prompt.")] = "",
    interrupt: Annotated[
        bool, typer.Option("--interrupt", help="End Claude's turn; the conversation is kept.")
    ] = False,
    hold_prompt: Annotated[
        bool | None, typer.Option("--hold-prompt/--no-hold-prompt", help="Let the next prompt wait for you.")
    ] = None,
    show_prompt: Annotated[bool, typer.Option("--show-prompt", help="Print the prompt that waits.")] = False,
    send_prompt: Annotated[
        Path | None, typer.Option("--send-prompt", help="Send exactly this file in its place; `-` is standard input.")
    ] = None,
    take_over: Annotated[bool, typer.Option("--take-over", help="Interrupt Claude; the copy is yours.")] = False,
    give_back: Annotated[
        GiveBackChoice | None,
        typer.Option("--give-back", help="Have your change checked, or let Claude go on from it."),
    ] = None,
    pause: Annotated[bool, typer.Option("--pause", help="Pause the run after the present stage.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on; also: do not wait for a usage limit.")] = False,
    stop: Annotated[StopChoice | None, typer.Option("--stop", help="End the run; the work is kept.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Steer the work of an Obra that runs in another terminal."""
    from obra_tui.cli.steer import Steering
    from obra_tui.cli.steer import steer as carry_out

    steering = Steering(
        text=text,
        interrupt=interrupt,
        hold_prompt=hold_prompt,
        show_prompt=show_prompt,
        send_prompt=send_prompt,
        take_over=take_over,
        give_back=give_back.value if give_back else "",
        pause=pause,
        resume=resume,
        stop=stop.value if stop else "",
    )
    return carry_out(task, steering, as_json=as_json)
