"""A set-up as it is proposed: commands, the file that says so, and which programs they need that are not here."""

from msgspec import Struct


class Proposal(Struct, frozen=True, kw_only=True):
    setup: tuple[str, ...]
    because: str
    """The file that tells of it."""
    missing: tuple[str, ...] = ()
    """Programs that it needs and that are not installed."""
    notes: tuple[str, ...] = ()
