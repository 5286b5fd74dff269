"""Hands frames on as the transport does: messages as structs, everything else as it came."""

from obra_tui.agents.messages import Message, decode_message, message_in
from obra_tui.agents.run_state import RunState
from obra_tui.agents.translate import Translation
from obra_tui.agents.transport import parsed
from obra_tui.core.events import Event


def take_in(frame: dict, state: RunState | None, translation: Translation | None, now: float) -> list[Event]:
    """Return the events of one frame, read with care."""
    return _hand_on(frame, message_in(frame), state, translation, now)


def take_line(line: bytes, state: RunState | None, translation: Translation | None, now: float) -> list[Event]:
    """Return the events of one line, decoded straight from its bytes where that is possible."""
    frame = parsed(line)
    return _hand_on(frame, decode_message(line) or message_in(frame), state, translation, now)


def _hand_on(
    frame: dict, message: Message | None, state: RunState | None, translation: Translation | None, now: float
) -> list[Event]:
    if message is None:
        if state:
            state.on_control(frame, now)
        return translation.on_control(frame, now) if translation else []
    if state:
        state.on_message(message, now)
    return translation.on_message(message, now) if translation else []
