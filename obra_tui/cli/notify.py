"""`obra notify test`: one message to every channel, and what came of it."""

import json

import typer

from obra_tui.cli.options import JsonOption
from obra_tui.cli.parser import Commands
from obra_tui.core.errors import ConfigError

notify_app = Commands(help="Notices to where you are.")


def register(app: typer.Typer) -> None:
    app.add_typer(notify_app, name="notify")


@notify_app.callback()
def notify() -> None:
    """Notices to where you are: they are set up by notify.channels and ui.notify_command."""


@notify_app.command()
def test(as_json: JsonOption = False) -> int:
    """Send a message to every channel of your settings, and say what came of it."""
    from obra_tui.config.load import load
    from obra_tui.notices.notice import ChannelMessage, NoticeKind
    from obra_tui.services.notices import all_channels

    channels = all_channels(load())
    if not channels:
        raise ConfigError(
            "There is no channel to test.",
            fix="Set notify.channels or ui.notify_command; `obra config path` prints the place of your settings.",
        )
    message = ChannelMessage(
        kind=NoticeKind.WAITING, title="Obra: a test", body="A test of notices, asked for by `obra notify test`."
    )
    problems = {channel.name: channel.send(message) for channel in channels}
    for name, problem in problems.items():
        found = {"channel": name, "sent": not problem, "problem": problem}
        typer.echo(json.dumps(found) if as_json else f"{name}: {problem or 'sent'}")
    return 1 if any(problems.values()) else 0
