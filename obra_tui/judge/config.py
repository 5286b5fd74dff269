"""What a person can set about the judge. Plain values; importing this costs nothing."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

Dialect = Literal["ollama", "openai"]
Think = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeConfig:
    base_url: str = "http://127.0.0.1:11434"
    """Root of the server; for `openai` a trailing `/v1` may be left on."""
    model: str = "qwen2.5-coder:32b"
    """For `openai` it may be empty: the only model that the server offers."""
    dialect: Dialect = "ollama"
    num_ctx: int = 16384
    """Context of the model in tokens, for prompt and answer together."""
    max_output_tokens: int = 2048
    deadline_s: float = 300.0
    """For one answer from first to last byte, loading of the model and retries included."""
    connect_timeout_s: float = 5.0
    temperature: float = 0.0
    seed: int = 7
    keep_alive: str = "10m"
    """How long Ollama keeps the model in memory afterwards."""
    answers_as: str = ""
    """Another name under which the server may answer for `model`: an alias, or the path of its file."""
    think: Think = "auto"
    """Whether the model may think before it answers; `auto` forbids it where the dialect has a word for that."""
    think_tokens: int = 8192
    """Kept beside `max_output_tokens` for thinking, when it is on."""
    api_key: str = field(default="", repr=False)
    max_parts: int = 24
    """A diff that needs more prompts than this is not judged at all."""

    @property
    def root(self) -> str:
        """`base_url` as requests are sent to it."""
        root = self.base_url.rstrip("/")
        return root.removesuffix("/v1") if self.dialect == "openai" else root

    @property
    def shown_url(self) -> str:
        """`base_url` without user name and password, for people and for what is stored."""
        parts = urlsplit(self.base_url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    @property
    def loopback(self) -> bool:
        host = urlsplit(self.base_url).hostname or ""
        return host in {"localhost", "::1"} or host.startswith("127.")
