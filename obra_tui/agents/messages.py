"""What Claude says and does, read straight from the line into the few fields that are used.

Nearly all lines are of this kind. Whatever is not exactly as it is expected here is left to those who read any frame
(`frames`): a later program may send anything under any name. Pure.
"""

from typing import Any, Literal

from msgspec import Struct
from msgspec.json import Decoder

SYNTHETIC = "<synthetic>"


class Text(Struct, tag_field="type", tag="text"):
    text: str


class ToolUse(Struct, tag_field="type", tag="tool_use"):
    id: str
    name: str
    input: dict[str, Any]


class Thinking(Struct, tag_field="type", tag="thinking"):
    """It was streamed before."""


class Spoken(Struct):
    content: list[Text | ToolUse | Thinking]
    id: str
    model: str = ""


class Assistant(Struct, tag_field="type", tag="assistant"):
    message: Spoken
    parent_tool_use_id: str | None = None
    error: None = None


class ToolResult(Struct):
    type: Literal["tool_result"]
    """No tag: only where there is a choice, a tag has to be there."""
    tool_use_id: str
    content: Any = None
    is_error: bool | None = None


class Results(Struct):
    content: list[ToolResult]


class User(Struct, tag_field="type", tag="user"):
    """Nothing but what tools gave back."""

    message: Results
    tool_use_result: Any = None


class TextDelta(Struct, tag_field="type", tag="text_delta"):
    text: str


class ThinkingDelta(Struct, tag_field="type", tag="thinking_delta"):
    thinking: str


class InputDelta(Struct, tag_field="type", tag="input_json_delta"):
    """The call comes whole."""


class SignatureDelta(Struct, tag_field="type", tag="signature_delta"):
    """Not for people."""


class BlockDelta(Struct):
    type: Literal["content_block_delta"]
    delta: TextDelta | ThinkingDelta | InputDelta | SignatureDelta
    index: int = 0


class StreamEvent(Struct, tag_field="type", tag="stream_event"):
    """A piece of a block; where blocks and messages begin and end is read as any frame."""

    event: BlockDelta


Talk = Assistant | User | StreamEvent
_decode = Decoder(Talk).decode


def talk_in(line: bytes) -> Talk | None:
    """Return what a line says; None when it is something else, or odd."""
    try:
        talk = _decode(line)
    except (ValueError, RecursionError):
        return None
    return None if type(talk) is Assistant and talk.message.model == SYNTHETIC else talk
