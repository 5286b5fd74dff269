"""The ways out of the machine: a command of the person's own, and every service that Apprise can reach.

A channel blocks and returns what went wrong instead of raising, so it is called from a thread. Addresses hold
passwords: no text from here contains one.
"""

import os
import subprocess
from collections.abc import Sequence
from typing import Protocol

from obra_tui.core.errors import ConfigError
from obra_tui.notices.notice import ChannelMessage

_COMMAND_LIMIT_S = 10.0


class Channel(Protocol):
    """One place where messages go."""

    @property
    def name(self) -> str:
        """What a person calls it; without passwords."""
        ...

    def send(self, message: ChannelMessage) -> str:
        """Send and return what went wrong, "" if nothing did."""
        ...


class CommandChannel:
    """Runs the person's command; the words are in `$OBRA_NOTICE` and never part of the command line."""

    name = "ui.notify_command"

    def __init__(self, command: str) -> None:
        self._command = command

    def send(self, message: ChannelMessage) -> str:
        kind = "finished" if message.kind == "finished" else "waiting"
        return run_command(self._command, kind, message.body)


class AppriseChannel:
    """One address in the notation of Apprise, such as `ntfy://topic` or `mailto://user:password@example.org`."""

    def __init__(self, address: str, number: int) -> None:
        """Raises `ConfigError` if the address, the `number`th of `notify.channels`, is none that Apprise knows."""
        try:
            import apprise
        except ImportError:
            raise ConfigError(
                "notify.channels needs the package apprise, which is not installed.",
                fix="Install obra-tui[notify], or use ui.notify_command.",
            ) from None
        self._apprise = apprise
        self._service = apprise.Apprise()
        self.name = f"notify.channels number {number} ({address.partition(':')[0][:20]})"
        if not self._service.add(address):
            raise ConfigError(
                f"Address number {number} of notify.channels is none that Apprise knows.",
                fix="Write it as on https://appriseit.com/services/, such as ntfy://topic; "
                "then try it with `obra notify test`.",
            )

    def send(self, message: ChannelMessage) -> str:
        kinds = self._apprise.NotifyType
        kind = kinds.INFO if message.kind == "finished" else kinds.WARNING
        try:
            sent = self._service.notify(body=message.body, title=message.title, notify_type=kind)
        except Exception as error:  # noqa: BLE001 - whatever one of 130 services raises, the run goes on
            return f"it could not be sent: {type(error).__name__}"
        return "" if sent else "the service could not be reached or refused it"


def channels_of(addresses: str, command: str) -> Sequence[Channel]:
    """Return the channels of `notify.channels`, separated by white space, and of the command. Raises `ConfigError`."""
    own: list[Channel] = [CommandChannel(command)] if command else []
    return [*own, *(AppriseChannel(address, number) for number, address in enumerate(addresses.split(), 1))]


def run_command(command: str, kind: str, words: str, limit_s: float = _COMMAND_LIMIT_S) -> str:
    """Run the person's command and return what went wrong, if anything; blocks, so call it from a thread.

    The words are in `$OBRA_NOTICE` and never part of the command line.
    """
    try:
        done = subprocess.run(
            ["sh", "-c", command],
            env={**os.environ, "OBRA_NOTICE": words, "OBRA_NOTICE_KIND": kind},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=limit_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"The notification command failed: {error}"
    said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"The notification command ended with {done.returncode}: {said}" if done.returncode else ""
