"""Notices by the settings: which channels, which kinds, and what is told when a channel fails."""

import time
from collections.abc import Callable, Sequence

from obra_tui.config.load import Settings
from obra_tui.notices.channels import Channel, channels_of
from obra_tui.notices.delivery import Delivery
from obra_tui.notices.notice import NoticeReader


def all_channels(settings: Settings) -> Sequence[Channel]:
    """Return the channels of the settings, the person's own command first. Raises `ConfigError`."""
    return channels_of(settings.notify.channels.get_secret_value(), settings.ui.notify_command)


def remote_channels(settings: Settings) -> Sequence[Channel]:
    """Return the channels of `notify.channels`; the app runs the person's command by itself. Raises `ConfigError`."""
    return channels_of(settings.notify.channels.get_secret_value(), "")


def start_delivery(settings: Settings, channels: Sequence[Channel], on_problem: Callable[[str], None]) -> Delivery:
    """Return a running delivery of what happens from now on."""
    reader = NoticeReader(
        kinds=frozenset(settings.notify.kinds),
        with_titles=settings.notify.titles,
        since=time.time(),
        web_url=settings.web.public_url,
    )
    return Delivery(channels, reader, on_problem)
