"""The only module of this room that speaks HTTP. Imported where a judge is first asked, in the engine's thread.

One answer is one `POST` whose stream is read to its end under a total deadline. Tried again is only what surely had
no effect: a refused connection and a server that is still loading. A stream that broke is never taken up again.
"""

import asyncio
import hashlib
import json
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any, TypeVar

import httpx
import stamina
import stamina.instrumentation
from msgspec.structs import replace

from obra_tui.core.errors import JudgeError
from obra_tui.judge.config import JudgeConfig
from obra_tui.judge.dialects import missing_model, refusal, speech_of, wrong_dialect
from obra_tui.judge.errors import AnswerBroken, DeadlinePassed, NotReachable, RunnerStopped, ServerRefused, StillLoading
from obra_tui.judge.exchange import Answer, Hearing, Piece, Question, Served
from obra_tui.judge.loops import LoopWatch

T = TypeVar("T")

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_COURTESY_S = 3.0
_MAX_LINE = 1_000_000
_MAX_ANSWER = 32_000_000
_MAX_ERROR = 100_000
_REFUSALS = 3
"""How often a refused connection is tried before it counts as `not running`."""

# By default stamina tells structlog, and structlog prints to the terminal that belongs to the screen.
stamina.instrumentation.set_on_retry_hooks(())


class _Patience:
    """Decides whether a fault is worth another try, and tells the listener."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._refused = 0
        self._stopped = 0
        self.last = ""
        """Why it had to be tried again the last time."""

    def __call__(self, error: Exception) -> bool:
        self.last = getattr(error, "what", "")
        if isinstance(error, StillLoading):
            self._hearing.waiting("loading", error.what)
            return True
        if isinstance(error, RunnerStopped):
            self._stopped += 1
            if self._stopped == 1:
                self._hearing.waiting("retrying", error.what)
            return self._stopped == 1
        if isinstance(error, NotReachable):
            self._refused += 1
            again = self._refused < _REFUSALS
            if again:
                self._hearing.waiting("retrying", error.what)
            return again
        return False


class ModelClient:
    """Asks one server. Made and closed in the same event loop."""

    def __init__(self, config: JudgeConfig) -> None:
        self._config = config
        self._speech = speech_of(config)
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {config.api_key}"} if config.api_key else None,
            timeout=httpx.Timeout(None, connect=config.connect_timeout_s),
            # a kept connection may be closed by the server in the moment it is used again: that would look like a fault
            limits=httpx.Limits(max_keepalive_connections=0),
            # a proxy named in the environment must not see, or break, what is meant for this machine
            trust_env=not config.loopback,
            verify=trusted_certificates(os.environ) if config.base_url.startswith("https:") else True,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, question: Question, hearing: Hearing) -> Answer:
        """Return the whole answer, or raise one of `judge.faults`."""
        heard: list[str] = []
        return await self._in_time(lambda: self._answer(question, hearing, heard), hearing, heard)

    async def served(self, hearing: Hearing) -> Served:
        """Return what the server says about the configured model; raises if it does not have it."""
        return await self._in_time(self._served, hearing, [])

    async def look(self) -> tuple[str, Served]:
        """Return Ollama's version (empty for others) and what is served: one try, for a person who waits."""
        try:
            async with asyncio.timeout(self._config.deadline_s):
                return await self._version(), await self._served()
        except TimeoutError as error:
            raise self._too_late(0, "") from error

    async def _version(self) -> str:
        if self._config.dialect != "ollama":
            return ""
        return str((await self._get("/api/version")).get("version", ""))

    async def _in_time(self, work: Callable[[], Awaitable[T]], hearing: Hearing, heard: list[str]) -> T:
        patience = _Patience(hearing)
        try:
            async with asyncio.timeout(self._config.deadline_s):
                # no limit of tries: patience counts refusals, and loading may last until the deadline
                async for attempt in stamina.retry_context(
                    on=patience, attempts=None, timeout=None, wait_initial=0.2, wait_max=3.0
                ):
                    with attempt:
                        return await work()
        except TimeoutError as error:
            raise self._too_late(sum(map(len, heard)), patience.last) from error
        raise AssertionError("the retries end with a result or an error")

    # --- what is served ----------------------------------------------------------------------

    async def _served(self) -> Served:
        listed = await self._get(self._speech.models_path)
        models = _models(listed)
        if models is None:
            raise wrong_dialect(self._config, self._speech)
        name = self._chosen(tuple(models))
        running = await self._running(name) if self._config.dialect == "ollama" else None
        wanted = self._config.model
        known = wanted if wanted and name in (wanted, f"{wanted}:latest") else name
        about = await self._about()
        return Served(
            model=known,
            digest=models[name],
            loaded=None if running is None else bool(running),
            on_cpu=share_on_cpu(running or {}),
            loaded_context=_positive((running or {}).get("context_length")),
            template=template_hash(about),
            context=None if self._config.dialect == "ollama" else context_of(listed, name, about),
        )

    async def _about(self) -> Mapping[str, Any]:
        """What the server tells of the model beyond its name: a courtesy, so nothing waits for it or fails by it.

        Ollama's digest of a model covers its template and its parameters; other servers have no digest.
        """
        if self._config.dialect == "ollama":
            return {}
        try:
            async with asyncio.timeout(_COURTESY_S):
                return await self._get("/props")
        except (JudgeError, TimeoutError):
            return {}

    def _chosen(self, offered: tuple[str, ...]) -> str:
        wanted = self._config.model
        if self._config.dialect == "openai" and not wanted and len(offered) == 1:
            return offered[0]
        for name in (wanted, f"{wanted}:latest"):
            if name in offered:
                return name
        for name in offered:  # servers differ in whether capitals count
            if name.casefold() in (wanted.casefold(), f"{wanted}:latest".casefold()):
                return name
        raise missing_model(self._config, offered)

    async def _running(self, name: str) -> Mapping[str, Any] | None:
        """What Ollama tells of the model in memory: nothing in it if it is not there, None if it cannot tell."""
        try:
            listed = await self._get("/api/ps")
        except JudgeError:
            return None  # a courtesy of the server; without it we only know less
        models = _models(listed)
        if models is None:
            return None
        items = listed.get("models", listed.get("data"))
        found = (
            item for item in items or () if isinstance(item, dict) and name in (item.get("model"), item.get("name"))
        )
        return next(found, {"name": name} if name in models else {})

    async def _get(self, path: str) -> Mapping[str, Any]:
        try:
            response = await self._http.get(self._config.root + path)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._fault(error) from error
        if response.status_code != 200:
            to = response.headers.get("location", "")
            raise refusal(self._config, self._speech, response.status_code, response.content, to)
        try:
            found = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise wrong_dialect(self._config, self._speech) from error
        return found if isinstance(found, dict) else {}

    # --- one answer --------------------------------------------------------------------------

    async def _answer(self, question: Question, hearing: Hearing, heard: list[str]) -> Answer:
        last, watch, thoughts = Piece(), LoopWatch(), 0
        try:
            async with aclosing(self._pieces(question)) as pieces:
                async for piece in pieces:
                    last = _joined(last, piece)
                    if piece.thought:
                        thoughts += len(piece.thought)
                        hearing.thought(piece.thought)
                    if piece.text:
                        heard.append(piece.text)
                        hearing.piece(piece.text)
                    if watch.goes_round(piece.text or piece.thought):
                        last = replace(last, finish="loop")
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._fault(error) from error
        if not (last.done or last.finish):
            raise AnswerBroken(
                f"The answer of {self._config.model} stopped before its end.",
                fix="Judge again; if it repeats, look into the server's log.",
            )
        return Answer(
            text="".join(heard),
            thoughts=thoughts,
            finish=last.finish,
            prompt_tokens=last.prompt_tokens,
            output_tokens=last.output_tokens or 0,
            model=last.model,
        )

    async def _pieces(self, question: Question) -> AsyncGenerator[Piece, None]:
        async with self._http.stream(
            "POST",
            self._config.root + self._speech.chat_path,
            content=json.dumps(self._speech.body(question)).encode(),
            headers={"Content-Type": "application/json"},
        ) as response:
            if response.status_code != 200:
                body, to = await _start_of(response), response.headers.get("location", "")
                raise refusal(self._config, self._speech, response.status_code, body, to)
            async for line in _lines_of(response):
                piece = self._speech.piece(line)
                if piece is None:
                    continue
                if piece.error:
                    raise ServerRefused(
                        f"{self._speech.name} gave up in the middle of the answer: {piece.error}",
                        fix="Look into the server's log; too little memory for judge.num_ctx is the usual cause.",
                    )
                yield piece
                if piece.done:
                    return

    # --- faults ------------------------------------------------------------------------------

    def _fault(self, error: Exception) -> JudgeError:
        url = self._config.shown_url
        match error:
            case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
                return ServerRefused(
                    f"The certificate of {url} is not trusted ({error}).",
                    fix="Set SSL_CERT_FILE to the file with your network's certificate, and start Obra again.",
                )
            case httpx.ConnectError() | httpx.ConnectTimeout():
                return self._unreachable(str(error))
            case httpx.InvalidURL() | httpx.UnsupportedProtocol():
                return ServerRefused(
                    f"judge.base_url is no address ({url}).", fix="Write it like http://127.0.0.1:11434."
                )
            case _:
                return AnswerBroken(
                    f"The connection to {url} broke ({type(error).__name__}).",
                    fix="Judge again; if it repeats, look into the server's log.",
                )

    def _unreachable(self, detail: str) -> NotReachable:
        url = self._config.shown_url
        if self._config.dialect == "ollama":
            start = "Start it with `ollama serve`" if self._config.loopback else "Start it there"
            return NotReachable(f"Ollama does not answer at {url} ({detail}).", fix=f"{start}, or set judge.base_url.")
        return NotReachable(f"No model server answers at {url} ({detail}).", fix="Start it, or set judge.base_url.")

    def _too_late(self, chars: int, last: str) -> DeadlinePassed:
        came = f"{chars} characters had come" if chars else f"nothing had come{f' ({last})' if last else ''}"
        return DeadlinePassed(
            f"{self._speech.name} gave no complete answer within {self._config.deadline_s:g} s; {came}.",
            fix="Raise judge.deadline_s, or choose a smaller model.",
        )


def trusted_certificates(environment: Mapping[str, str]) -> ssl.SSLContext | bool:
    """Return what is trusted: besides the usual, what this machine's programs are told to trust, by any name for it."""
    named = [environment[name] for name in _CERTIFICATES if environment.get(name)]
    if not named:
        return True
    context = httpx.create_ssl_context(trust_env=False)
    for path in named:
        with suppress(OSError):  # what is not there is trusted by nobody: the server's certificate then is not
            context.load_verify_locations(**{"capath" if os.path.isdir(path) else "cafile": path})  # noqa: PTH112
    return context


def _models(raw: Mapping[str, Any]) -> dict[str, str] | None:
    """Names and digests of a list of models, in the form of either dialect; `None` if it is no such list."""
    items = raw.get("data", raw.get("models"))
    if not isinstance(items, list):
        return None
    named = [item for item in items if isinstance(item, dict)]
    return {str(item.get("model") or item.get("name") or item.get("id")): str(item.get("digest", "")) for item in named}


def template_hash(about: Mapping[str, Any]) -> str:
    """Return the hash of the chat template and of the name of the model's file; "" if untold."""
    told = [about.get(name) for name in ("chat_template", "model_path")]
    known = [part for part in told if isinstance(part, str) and part]
    return hashlib.sha256("\0".join(known).encode("utf-8", "replace")).hexdigest() if known else ""


def context_of(listed: Mapping[str, Any], name: str, about: Mapping[str, Any]) -> int | None:
    """Return the tokens that the server gives the model, as llama.cpp and vLLM say it; None if untold."""
    settings = about.get("default_generation_settings")
    told: list[object] = [settings.get("n_ctx") if isinstance(settings, dict) else None]
    items = listed.get("data")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get("id") == name:
            meta = item.get("meta")
            told += [item.get("max_model_len"), meta.get("n_ctx") if isinstance(meta, dict) else None]
    known = [count for count in told if isinstance(count, int) and not isinstance(count, bool) and count > 0]
    return min(known, default=None)


def share_on_cpu(running: Mapping[str, Any]) -> float | None:
    """Return which part of a loaded model does not fit onto the graphics card; None where that is not told."""
    size, card = _positive(running.get("size")), running.get("size_vram")
    if size is None or not isinstance(card, int) or isinstance(card, bool):
        return None
    return min(1.0, max(0.0, 1 - card / size))


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _joined(before: Piece, piece: Piece) -> Piece:
    """What is known at the end: the last word on each point."""
    return Piece(
        finish=piece.finish or before.finish,
        done=piece.done or before.done,
        prompt_tokens=piece.prompt_tokens or before.prompt_tokens,
        output_tokens=piece.output_tokens or before.output_tokens,
        model=piece.model or before.model,
    )


async def _lines_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """Lines of a stream; of a server that does not stream the whole answer as one line, however it is laid out."""
    if response.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        async for line in _lines(response):
            yield line
        return
    lines = [line async for line in _lines(response)]
    try:
        yield json.dumps(json.loads(b"\n".join(lines))).encode()
    except (ValueError, RecursionError):  # a stream under the wrong name
        for line in lines:
            yield line


async def _start_of(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_ERROR:
            break
    return body


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Lines ended by a newline only: httpx's own splitting also cuts at U+0085 and U+2028, which JSON may hold."""
    rest, total = b"", 0
    async for chunk in response.aiter_bytes():
        total += len(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _MAX_LINE or total > _MAX_ANSWER:
            raise AnswerBroken("The answer is larger than any verdict.", fix="Check judge.model and judge.base_url.")
        for line in lines:
            yield line.removesuffix(b"\r")
    if rest.strip():
        yield rest
