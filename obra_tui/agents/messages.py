"""Decodes what the Claude Code program sends: messages into structs, everything else by careful reading of objects.

A message (`assistant`, `user`, `stream_event`) is decoded once, into the few fields that are used; `RunState` and
`Translation` read the structs and never the JSON. Nearly every line has exactly the expected shape and is decoded
straight from its bytes. One that has not is read by `message_in`, which keeps what can be read: a later program may
send anything under any name. Control and system frames stay objects. Pure; what a message means is not known here.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.json import Decoder

Frame = Mapping[str, Any]

SYNTHETIC = "<synthetic>"
"""The model of messages that the program itself wrote."""


# --- the structs ---


class Text(Struct, tag_field="type", tag="text"):
    text: str


class ToolUse(Struct, tag_field="type", tag="tool_use"):
    id: str
    name: str
    input: dict[str, Any]


class ServerToolUse(ToolUse, tag_field="type", tag="server_tool_use"):
    """A tool that runs at the API's side."""


class Thinking(Struct, tag_field="type", tag="thinking"):
    """It was streamed before."""


class AssistantMessage(Struct):
    content: list[Text | ToolUse | ServerToolUse | Thinking]
    id: str = ""
    model: str = ""


class Assistant(Struct, tag_field="type", tag="assistant"):
    message: AssistantMessage
    parent_tool_use_id: str | None = None
    error: str | None = None
    is_api_error_message: bool = False

    @property
    def is_from_program(self) -> bool:
        """Whether the program says something about itself in Claude's place."""
        return bool(self.error) or self.message.model == SYNTHETIC


class ToolResult(Struct, tag_field="type", tag="tool_result"):
    tool_use_id: str
    content: Any = None
    is_error: bool | None = None


class UserMessage(Struct):
    content: str | list[ToolResult | Text]


class User(Struct, tag_field="type", tag="user"):
    """What tools gave back, and what hooks said."""

    message: UserMessage
    tool_use_result: Any = None
    parent_tool_use_id: str | None = None
    isReplay: bool = False

    @property
    def results(self) -> list[ToolResult]:
        content = self.message.content
        return [] if isinstance(content, str) else [block for block in content if isinstance(block, ToolResult)]

    @property
    def text(self) -> str:
        content = self.message.content
        return content if isinstance(content, str) else "\n".join(b.text for b in content if isinstance(b, Text))


class TextDelta(Struct, tag_field="type", tag="text_delta"):
    text: str


class ThinkingDelta(Struct, tag_field="type", tag="thinking_delta"):
    thinking: str


class InputDelta(Struct, tag_field="type", tag="input_json_delta"):
    """The call comes whole."""


class SignatureDelta(Struct, tag_field="type", tag="signature_delta"):
    """Not for people."""


class BlockDelta(Struct, tag_field="type", tag="content_block_delta"):
    delta: TextDelta | ThinkingDelta | InputDelta | SignatureDelta
    index: int = 0


class MessageBlock(Struct):
    type: str = ""


class BlockStart(Struct, tag_field="type", tag="content_block_start"):
    content_block: MessageBlock
    index: int = 0


class MessageHead(Struct):
    id: str = ""
    usage: Any = None


class MessageStart(Struct, tag_field="type", tag="message_start"):
    message: MessageHead


class Stop(Struct):
    stop_reason: str | None = None


class MessageDelta(Struct, tag_field="type", tag="message_delta"):
    delta: Stop
    usage: Any = None


class BlockStop(Struct, tag_field="type", tag="content_block_stop"):
    """The whole block has come as a message."""


class MessageStop(Struct, tag_field="type", tag="message_stop"):
    """Stands for every other event, too: none of them says anything."""


class StreamEvent(Struct, tag_field="type", tag="stream_event"):
    event: BlockDelta | BlockStart | BlockStop | MessageStart | MessageDelta | MessageStop


Message = Assistant | User | StreamEvent
_decode: Callable[[bytes], Message] = Decoder(Message).decode


def decode_message(line: bytes) -> Message | None:
    """Return the message that a line is; None when it is something else, or not exactly of the expected shape."""
    try:
        return _decode(line)
    except (ValueError, RecursionError):
        return None


def message_in(frame: Frame) -> Message | None:
    """Return the message that a frame is as far as it can be read; None when it is none."""
    match frame.get("type"):
        case "assistant":
            return _assistant(frame)
        case "user":
            return _user(frame)
        case "stream_event":
            return StreamEvent(event=_event(mapping(frame.get("event"))))
        case _:
            return None


def _assistant(frame: Frame) -> Assistant:
    message = mapping(frame.get("message"))
    blocks = (_spoken(block) for block in objects(message.get("content")))
    return Assistant(
        message=AssistantMessage(
            content=[block for block in blocks if block is not None],
            id=str(message.get("id", "")),
            model=string(message.get("model")),
        ),
        parent_tool_use_id=str(frame.get("parent_tool_use_id") or "") or None,
        error=str(frame.get("error") or "") or None,
        is_api_error_message=bool(frame.get("is_api_error_message")),
    )


def _spoken(block: Frame) -> Text | ToolUse | None:
    match block:
        case {"type": "text", "text": str(text)}:
            return Text(text)
        case {"type": "tool_use", "id": str(call), "name": str(tool)}:
            return ToolUse(call, tool, dict(mapping(block.get("input"))))
        case {"type": "server_tool_use", "id": str(call), "name": str(tool)}:
            return ServerToolUse(call, tool, dict(mapping(block.get("input"))))
        case _:
            return None


def _user(frame: Frame) -> User:
    content = mapping(frame.get("message")).get("content")
    blocks = (_given_back(block) for block in objects(content))
    return User(
        message=UserMessage(content if isinstance(content, str) else [block for block in blocks if block is not None]),
        tool_use_result=frame.get("tool_use_result"),
        parent_tool_use_id=str(frame.get("parent_tool_use_id") or "") or None,
        isReplay=bool(frame.get("isReplay")),
    )


def _given_back(block: Frame) -> ToolResult | Text | None:
    match block.get("type"):
        case "tool_result":
            return ToolResult(str(block.get("tool_use_id", "")), block.get("content"), bool(block.get("is_error")))
        case "text":
            return Text(string(block.get("text")))
        case _:
            return None


def _event(event: Frame) -> BlockDelta | BlockStart | MessageStart | MessageDelta | MessageStop:
    match event.get("type"):
        case "content_block_delta":
            return BlockDelta(_delta(mapping(event.get("delta"))), count(event.get("index")))
        case "content_block_start":
            kind = string(mapping(event.get("content_block")).get("type"))
            return BlockStart(MessageBlock(kind), count(event.get("index")))
        case "message_start":
            message = mapping(event.get("message"))
            return MessageStart(MessageHead(str(message.get("id", "")), message.get("usage")))
        case "message_delta":
            reason = string(mapping(event.get("delta")).get("stop_reason"))
            return MessageDelta(Stop(reason or None), event.get("usage"))
        case _:
            return MessageStop()


def _delta(delta: Frame) -> TextDelta | ThinkingDelta | SignatureDelta:
    match delta:
        case {"type": "text_delta", "text": str(text)}:
            return TextDelta(text)
        case {"type": "thinking_delta", "thinking": str(text)}:
            return ThinkingDelta(text)
        case _:
            return SignatureDelta()


# --- careful reading of objects ---


def mapping(value: object) -> Frame:
    """Return the object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Frame]:
    """Return the objects of a list."""
    if not isinstance(value, list):
        return []
    if len(value) == 1 and isinstance(value[0], dict):
        return value  # as nearly every message has it
    return [item for item in value if isinstance(item, dict)]


def string(value: object) -> str:
    """Return the text, or an empty one."""
    return value if isinstance(value, str) else ""


def strings(value: object) -> list[str]:
    """Return the texts of a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def number(value: object) -> float | None:
    """Return a finite number, or nothing; true and false are none."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if known and math.isfinite(value) else None  # type: ignore[arg-type]


def count(value: object) -> int:
    """Return a whole number, or 0."""
    return int(number(value) or 0)


def texts(content: object) -> list[str]:
    """Return the texts of a message's text blocks."""
    return [string(block.get("text")) for block in objects(content) if block.get("type") == "text"]
