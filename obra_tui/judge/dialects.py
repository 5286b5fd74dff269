"""The two ways to talk to a model server, as pure translation: bodies out, lines and statuses in. No HTTP here."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from obra_tui.core.errors import JudgeError
from obra_tui.judge.config import JudgeConfig
from obra_tui.judge.errors import (
    AnswerBroken,
    ModelMissing,
    PromptCut,
    RunnerStopped,
    ServerRefused,
    StillLoading,
    WrongDialect,
)
from obra_tui.judge.exchange import Message, Piece, Question

_RUNNER = ("runner", "unload", "reload", "restart", "model stopped", "model failed to load", "eof")
"""Words of a server whose process for the model ended under it: it starts another one when it is asked again."""
_TOO_LONG = ("exceed_context_size", "context length", "context size", "context window", "available context")


class Speech(Protocol):
    """A dialect."""

    name: str
    """Of the server, for sentences: `Ollama`, `The model server`."""
    chat_path: str
    models_path: str

    def body(self, question: Question) -> dict[str, object]: ...

    def piece(self, line: bytes) -> Piece | None:
        """Return what a line of the stream says, `None` for lines that say nothing; raises `AnswerBroken`."""
        ...


def speech_of(config: JudgeConfig) -> Speech:
    match config.dialect:
        case "ollama":
            return OllamaSpeech(config)
        case "openai":
            return OpenAISpeech(config)


def _messages(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _load(line: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AnswerBroken(
            f"The model server sent a line that is no JSON ({line[:60].decode('utf-8', 'replace')!r}).",
            fix="Check that judge.base_url and judge.dialect belong to this server.",
        ) from error
    if not isinstance(found, dict):
        raise AnswerBroken("The model server sent a line that is no JSON object.", fix="Check judge.dialect.")
    return found


def _count(raw: object) -> int | None:
    """A token count, or `None`: Ollama leaves the field out when it is zero."""
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw > 0 else None


def _string(raw: object) -> str:
    return raw if isinstance(raw, str) else ""


def error_text(raw: object) -> str:
    """The message inside an `error` value: Ollama sends a text, others an object."""
    if isinstance(raw, Mapping):
        return _string(raw.get("message")) or json.dumps(raw)[:300]
    return str(raw)


class OllamaSpeech:
    name = "Ollama"
    chat_path = "/api/chat"
    models_path = "/api/tags"

    def __init__(self, config: JudgeConfig) -> None:
        self._config = config

    def body(self, question: Question) -> dict[str, object]:
        config = self._config
        return {
            "model": question.model or config.model,
            "messages": _messages(question.messages),
            "stream": True,
            "format": question.schema,
            # in early versions a grammar and thinking exclude each other
            "think": config.think == "on",
            # refuse a prompt that is too long instead of cutting it silently; older servers ignore both
            "truncate": False,
            "shift": False,
            "keep_alive": config.keep_alive,
            "options": {
                "temperature": config.temperature,
                "seed": config.seed,
                "num_ctx": config.num_ctx,
                "num_predict": question.max_output_tokens,
            },
        }

    def piece(self, line: bytes) -> Piece | None:
        if not line.strip():
            return None
        raw = _load(line)
        if raw.get("error"):
            return Piece(error=error_text(raw["error"]))
        message = raw.get("message")
        message = message if isinstance(message, Mapping) else {}
        done = raw.get("done") is True
        return Piece(
            text=_string(message.get("content")),
            thought=_string(message.get("thinking")),
            finish=_string(raw.get("done_reason")) or ("stop" if done else ""),
            done=done,
            prompt_tokens=_count(raw.get("prompt_eval_count")),
            output_tokens=_count(raw.get("eval_count")),
            model=_string(raw.get("model")),
        )


class OpenAISpeech:
    name = "The model server"
    chat_path = "/v1/chat/completions"
    models_path = "/v1/models"

    def __init__(self, config: JudgeConfig) -> None:
        self._config = config

    def body(self, question: Question) -> dict[str, object]:
        config = self._config
        schema = {"name": "verdict", "strict": True, "schema": question.schema}
        thinking: dict[str, object] = {}
        if config.think != "auto":  # only servers that run the chat template themselves know the word
            thinking = {"chat_template_kwargs": {"enable_thinking": config.think == "on"}}
        return {
            **thinking,
            "model": question.model or config.model,
            "messages": _messages(question.messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            "response_format": {"type": "json_schema", "json_schema": schema},
            "temperature": config.temperature,
            "seed": config.seed,
            "max_tokens": question.max_output_tokens,
        }

    def piece(self, line: bytes) -> Piece | None:
        if line.startswith(b"{"):  # it does not stream, and answers with one object
            return self._whole(_load(line))
        field, colon, value = line.partition(b":")
        if not colon or field not in (b"data", b"error"):
            return None  # blank lines, comments that keep the connection open, `event:` and `id:`
        if value.strip() == b"[DONE]":
            return Piece(done=True)
        raw = _load(value)
        if field == b"error" or raw.get("error"):
            return Piece(error=error_text(raw.get("error", raw)))
        return self._chunk(raw, "delta")

    def _whole(self, raw: Mapping[str, Any]) -> Piece:
        if raw.get("error"):
            return Piece(error=error_text(raw["error"]))
        return replace(self._chunk(raw, "message"), done=True)

    def _chunk(self, raw: Mapping[str, Any], where: str) -> Piece:
        choices = raw.get("choices") or [{}]
        choice = choices[0] if isinstance(choices, list) and isinstance(choices[0], Mapping) else {}
        said = choice.get(where)
        said = said if isinstance(said, Mapping) else {}
        usage = raw.get("usage")
        usage = usage if isinstance(usage, Mapping) else {}
        return Piece(
            text=_string(said.get("content")),
            thought=_string(said.get("reasoning_content")) or _string(said.get("reasoning")),
            finish=_string(choice.get("finish_reason")),
            prompt_tokens=_count(usage.get("prompt_tokens")),
            output_tokens=_count(usage.get("completion_tokens")),
            model=_string(raw.get("model")),
        )


# --- statuses ------------------------------------------------------------------------------------


def refusal(config: JudgeConfig, speech: Speech, status: int, body: bytes, location: str = "") -> JudgeError:
    """Return the fault that an HTTP status other than 200 stands for."""
    text = _error_in(body)
    where = config.shown_url
    if status == 503 or "loading model" in text.lower():
        return StillLoading(f"{speech.name} at {where} is still loading the model ({text or 'status 503'}).")
    if status == 404:
        return missing_model(config, ()) if "model" in text.lower() else wrong_dialect(config, speech)
    if any(phrase in text.lower() for phrase in _TOO_LONG):
        return PromptCut(
            f"{speech.name} refused the prompt as longer than the model's context: {text}",
            fix="Set judge.num_ctx to the context that the server really gives.",
        )
    if 300 <= status < 400:
        return ServerRefused(
            f"{speech.name} at {where} sends on to another address ({location or 'which it does not name'}).",
            fix=f"Set judge.base_url to {_root_of(location, speech) or 'the address that really serves the model'}.",
        )
    if status >= 500 and any(word in text.lower() for word in _RUNNER):
        return RunnerStopped(
            f"{speech.name} at {where} answered with status {status}: {text}.",
            fix="Look into the server's log; too little memory for judge.num_ctx is the usual cause.",
        )
    if status in (401, 403):
        return ServerRefused(f"{speech.name} at {where} refused us (status {status}).", fix="Check judge.api_key.")
    return ServerRefused(
        f"{speech.name} at {where} answered with status {status}: {text or 'no reason given'}.",
        fix="Look into the server's log; `obra doctor` asks it again.",
    )


def _root_of(location: str, speech: Speech) -> str:
    for path in (speech.chat_path, speech.models_path):
        location = location.split("?")[0].removesuffix(path)
    return location.rstrip("/") if "://" in location else ""


def _error_in(body: bytes) -> str:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return body[:200].decode("utf-8", "replace").strip()
    return error_text(raw.get("error", raw) if isinstance(raw, dict) else raw)[:300]


def missing_model(config: JudgeConfig, offered: tuple[str, ...]) -> ModelMissing:
    if config.dialect == "ollama":
        return ModelMissing(
            f"Ollama at {config.shown_url} does not have the model {config.model}.",
            fix=f"Get it with `ollama pull {config.model}`, or set judge.model.",
        )
    return ModelMissing(
        f"The model server at {config.shown_url} does not offer the model {config.model or '(none named)'}.",
        fix=f"Set judge.model to one that it offers: {', '.join(offered[:5]) or 'it offers none'}.",
    )


def wrong_dialect(config: JudgeConfig, speech: Speech) -> WrongDialect:
    other = "openai" if config.dialect == "ollama" else "ollama"
    return WrongDialect(
        f"Somebody answers at {config.shown_url}, but does not know {speech.chat_path} or {speech.models_path}.",
        fix=f'If it is a server of the other kind, set judge.dialect = "{other}"; else correct judge.base_url.',
    )
