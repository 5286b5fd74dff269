"""What is said to a model server and what comes back: values only, no HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

WaitState = Literal["connecting", "loading", "reading", "retrying"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    messages: tuple[Message, ...]
    schema: Mapping[str, object]
    max_output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One line of a streamed answer."""

    text: str = ""
    finish: str = ""
    """`stop`, `length`, …; empty while it goes on."""
    done: bool = False
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    model: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    text: str
    finish: str
    prompt_tokens: int | None
    """As the server counted them; `None` if it did not say."""
    output_tokens: int
    model: str

    @property
    def cut(self) -> bool:
        """It ended at the length limit, not because the model was done."""
        return self.finish == "length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server says about the model that was asked for."""

    model: str
    digest: str = ""
    loaded: bool | None = None
    """In memory now; `None` if the server cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """Who listens while an answer comes in."""

    waiting: Callable[[WaitState, str], None]
    piece: Callable[[str], None]
