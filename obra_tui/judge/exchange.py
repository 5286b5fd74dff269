"""What is said to a model server and what comes back: values only, no HTTP."""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

WaitState = Literal["connecting", "loading", "reading", "retrying"]


class Message(Struct, frozen=True, kw_only=True):
    role: Literal["system", "user", "assistant"]
    content: str


class Question(Struct, frozen=True, kw_only=True):
    messages: tuple[Message, ...]
    schema: Mapping[str, object]
    max_output_tokens: int
    model: str = ""
    """As the server itself writes the name; empty: as it is configured."""


class Piece(Struct, frozen=True, kw_only=True):
    """One line of a streamed answer."""

    text: str = ""
    thought: str = ""
    """What the model thinks before it answers, where the server tells it apart."""
    finish: str = ""
    """`stop`, `length`, …; empty while it goes on."""
    done: bool = False
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    model: str = ""
    error: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    text: str
    thoughts: int = 0
    """Characters of thinking that came beside the text."""
    finish: str
    prompt_tokens: int | None
    """As the server counted them; `None` if it did not say."""
    output_tokens: int
    model: str

    @property
    def cut(self) -> bool:
        """It ended at the length limit, not because the model was done."""
        return self.finish == "length"

    @property
    def looped(self) -> bool:
        """It was ended because the same characters came over and over."""
        return self.finish == "loop"


class Served(Struct, frozen=True, kw_only=True):
    """What a server says about the model that was asked for."""

    model: str
    digest: str = ""
    loaded: bool | None = None
    """In memory now; `None` if the server cannot tell."""
    template: str = ""
    """Hash of the chat template, where the server tells it: with another one the same weights are another judge."""
    context: int | None = None
    """Tokens that the server gives the model, where it says so."""
    on_cpu: float | None = None
    """Which part of the model in memory runs on the processor, 0.0-1.0; `None` where that is not told."""
    loaded_context: int | None = None
    """Tokens of context that the model in memory was loaded with: with another number it is loaded anew."""


class Hearing(Struct, frozen=True, kw_only=True):
    """Who listens while an answer comes in."""

    waiting: Callable[[WaitState, str], None]
    piece: Callable[[str], None]
    thought: Callable[[str], None] = lambda _: None
