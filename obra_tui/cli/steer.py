"""`obra steer`: what a person does to running work, from another terminal. The Obra at work carries it out."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from msgspec import Struct

from obra_tui.cli.options import JsonOption
from obra_tui.core import commands as do
from obra_tui.core.errors import ConfigError, NotAllowed, UnknownId
from obra_tui.core.lifecycle import FINAL
from obra_tui.core.text import one_line

if TYPE_CHECKING:
    from obra_tui.engine.work import SessionWork, TaskWork
    from obra_tui.services.open_work import OpenWork


def register(app: typer.Typer) -> None:
    app.command()(steer)


class GiveBackChoice(StrEnum):
    """What becomes of work that a person changed by hand."""

    CHECK = "check"
    CLAUDE = "claude"


class StopChoice(StrEnum):
    """When a run ends."""

    AFTER_STAGE = "after_stage"
    NOW = "now"


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
    pause: Annotated[bool, typer.Option("--pause", help="Pause the run after the current stage.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on; also: do not wait for a usage limit.")] = False,
    stop: Annotated[StopChoice | None, typer.Option("--stop", help="End the run; the work is kept.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Steer the work of an Obra that runs in another terminal."""
    steering = SteerOptions(
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
    return _carry_out(task, steering, as_json=as_json)


class SteerOptions(Struct, frozen=True, kw_only=True):
    """The options of one call: exactly one of them is given."""

    text: str = ""
    interrupt: bool = False
    hold_prompt: bool | None = None
    show_prompt: bool = False
    send_prompt: Path | None = None
    take_over: bool = False
    give_back: Literal["", "check", "claude"] = ""
    pause: bool = False
    resume: bool = False
    stop: Literal["", "after_stage", "now"] = ""

    def refuse_several(self) -> None:
        given = [self.text, self.interrupt, self.show_prompt, self.send_prompt, self.take_over, self.give_back]
        number = sum(bool(item) for item in (*given, self.pause, self.resume, self.stop, self.hold_prompt is not None))
        if number != 1:
            what = "Nothing was asked for." if number == 0 else "More than one thing was asked for."
            raise ConfigError(what, fix="Give one option; `obra steer --help` names them.")


def _carry_out(task: str, steering: SteerOptions, *, as_json: bool) -> int:
    """Carry out one request about the task with this key or id; an empty one means the only task at work."""
    from obra_tui.bootstrap.client import send_to_owner
    from obra_tui.config.load import load
    from obra_tui.services.open_work import read_open_work
    from obra_tui.system.user import person

    steering.refuse_several()
    settings = load()
    work = read_open_work(settings)
    session, found = _find(work, task)
    if steering.show_prompt:
        return _show_prompt(found, as_json=as_json)
    if not work.at_work:
        fix = f"Start one: `obra run --resume {session.id}`."
        raise NotAllowed("No Obra is at work that could do this.", fix=fix)
    command = _command(session, found, steering, person())
    answer = send_to_owner(settings, command)
    if as_json:
        typer.echo(
            json.dumps({"type": "steered", "command": type(command).__name__, "task": found.spec.id, **_answer(answer)})
        )
    else:
        typer.echo(f"{found.spec.key}: {_said(command, answer)}")
    return 0


def _command(session: "SessionWork", task: "TaskWork", wanted: SteerOptions, by: str) -> do.Command:
    of_task: dict[str, Any] = {"task": task.spec.id, "by": by}
    of_session: dict[str, Any] = {"session": session.id, "by": by}
    if wanted.text:
        return do.SendText(**of_task, text=wanted.text)
    if wanted.interrupt:
        return do.InterruptClaude(**of_task)
    if wanted.hold_prompt is not None:
        return do.HoldPrompt(**of_task, on=wanted.hold_prompt)
    if wanted.send_prompt is not None:
        return do.SendPrompt(**of_task, text=_read(wanted.send_prompt))
    if wanted.take_over:
        return do.TakeOver(**of_task)
    if wanted.give_back:
        return do.GiveBack(**of_task, then=wanted.give_back)
    if wanted.pause:
        return do.Pause(**of_session)
    if wanted.resume:
        return do.Resume(**of_session)
    assert wanted.stop
    return do.StopRun(**of_session, mode=wanted.stop)


def _find(work: "OpenWork", typed: str) -> tuple["SessionWork", "TaskWork"]:
    """Return the newest open task of this key or id; without one, the one that is at work."""
    tasks = [(session, task) for session, task in work.tasks() if task.state not in FINAL and not task.removed]
    if typed:
        found = [pair for pair in tasks if typed in (pair[1].spec.key, pair[1].spec.id)]
    else:
        found = [pair for pair in tasks if pair[1].number or pair[1].held_prompt is not None]
    if not found:
        named = f"no open task {typed}" if typed else "no task that was started"
        raise UnknownId(f"There is {named}.", fix="`obra task list` names the tasks of the plan.")
    if len(found) > 1 and not typed:
        keys = ", ".join(pair[1].spec.key for pair in found)
        raise UnknownId(f"Several tasks were started: {keys}.", fix="Name one of them.")
    return max(found, key=lambda pair: pair[0].id)


def _read(path: Path) -> str:
    if str(path) == "-":
        return typer.get_text_stream("stdin").read()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"The prompt cannot be read: {words}.", where=str(path), fix="Name a readable file."
        ) from error


def _show_prompt(task: "TaskWork", *, as_json: bool) -> int:
    held = task.held_prompt
    if as_json:
        typer.echo(json.dumps({"type": "held_prompt", "task": task.spec.id, "text": held.text if held else None}))
    elif held is None:
        raise NotAllowed(
            f"No prompt of {task.spec.key} is held.", fix=f"Ask for it: obra steer {task.spec.key} --hold-prompt"
        )
    else:
        typer.echo(held.text)
    return 0


def _answer(answer: object) -> dict[str, object]:
    match answer:
        case bool():
            return {"delivered": answer}
        case list() | tuple():
            return {"changed": list(answer)}
        case _:
            return {}


def _said(command: do.Command, answer: object) -> str:
    match command:
        case do.SendText():
            return "queued for the running turn" if answer else "goes into the next prompt"
        case do.InterruptClaude():
            return "Claude was interrupted; the conversation is kept"
        case do.HoldPrompt(on=on):
            return "the next prompt waits for you" if on else "the next prompt goes out by itself"
        case do.SendPrompt():
            return "the prompt was sent"
        case do.TakeOver():
            return "the copy is yours until --give-back check or --give-back claude"
        case do.GiveBack(then=then):
            files = ", ".join(one_line(str(name)) for name in answer) if isinstance(answer, list | tuple) else ""
            goes_on = "it is checked and judged as yours" if then == "check" else "Claude goes on from there"
            return f"changed by hand: {files or 'nothing'}; {goes_on}"
        case do.StopRun():
            return "the run is stopped; the work is kept"
        case do.Pause():
            return "the run pauses after the current stage"
        case _:
            return "the run goes on"
