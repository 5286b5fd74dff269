"""The only way out of a sandbox without a network: a proxy that connects to the API and to package registries.

It listens at a Unix socket and takes CONNECT alone. What passes is not looked at; hosts are compared whole. A
person's own proxy is used for the connection outwards. Knows nothing of the program behind it.
"""

import asyncio
import base64
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from obra_tui.agents.config import ClaudeConfig
from obra_tui.agents.environment import LOOPBACK, cloud_of
from obra_tui.agents.forwarder import PROXY_PORT

Target = tuple[str, int]

_API = ("api.anthropic.com", "console.anthropic.com", "platform.claude.com")
"""The Messages API, and where a login is refreshed."""
_REGISTRIES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "Pipfile"),
        ("pypi.org", "files.pythonhosted.org"),
    ),
    (("package.json",), ("registry.npmjs.org", "registry.yarnpkg.com")),
    (("Cargo.toml",), ("crates.io", "index.crates.io", "static.crates.io")),
    (("go.mod",), ("proxy.golang.org", "sum.golang.org")),
    (
        ("pom.xml", "build.gradle", "build.gradle.kts"),
        ("repo.maven.apache.org", "repo1.maven.org", "plugins.gradle.org"),
    ),
    (("Gemfile",), ("rubygems.org", "index.rubygems.org")),
    (("composer.json",), ("repo.packagist.org", "packagist.org")),
)
_REGISTRY_VARIABLES = (
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX"),
    *("GOPROXY", "GOSUMDB", "NPM_CONFIG_REGISTRY", "npm_config_registry"),
)
_HEAD_LIMIT = 1 << 14
_PATIENCE_S = 30.0


def api_port(config: ClaudeConfig) -> tuple[int, ...]:
    """Return the port of an API on this machine, which the program must find at its own loopback."""
    target = _target(config.base_url)
    return (target[1],) if target and target[0] in LOOPBACK else ()


def allowed_targets(config: ClaudeConfig, parent: Mapping[str, str], folder: Path) -> frozenset[Target]:
    """Return every host and port that may be reached: the API, and the registries that the project's files speak of."""
    addresses = [config.base_url or parent.get("ANTHROPIC_BASE_URL", "")]
    addresses += [parent[name] for name in parent if name.startswith("ANTHROPIC_") and name.endswith("_BASE_URL")]
    hosts = [] if config.base_url else [*_API, *_cloud_hosts(parent)]
    for manifests, registries in _REGISTRIES:
        if any((folder / name).is_file() for name in manifests):
            hosts += registries
    named = (word for name in _REGISTRY_VARIABLES for word in parent.get(name, "").replace(",", " ").split())
    known = (_target(address) for address in (*addresses, *named))
    return frozenset((*((host, 443) for host in hosts), *(target for target in known if target)))


def _cloud_hosts(parent: Mapping[str, str]) -> Iterable[str]:
    for switch in cloud_of(parent):
        region = parent.get("AWS_REGION") or parent.get("AWS_DEFAULT_REGION") or "us-east-1"
        place = parent.get("CLOUD_ML_REGION", "us-east5")
        resource = parent.get("ANTHROPIC_FOUNDRY_RESOURCE", "")
        match switch:
            case "CLAUDE_CODE_USE_VERTEX":
                yield from ("oauth2.googleapis.com", "sts.googleapis.com", "aiplatform.googleapis.com")
                yield f"{place}-aiplatform.googleapis.com"
            case "CLAUDE_CODE_USE_FOUNDRY":
                yield "login.microsoftonline.com"
                if resource:
                    yield f"{resource}.services.ai.azure.com"
            case _:
                services = ("bedrock-runtime", "bedrock", "bedrock-mantle", "sts", "oidc", "portal.sso")
                yield from (f"{service}.{region}.amazonaws.com" for service in services)


def _target(address: str) -> Target | None:
    parts = urlsplit(address)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


class ApiProxy:
    """One for all runs of one project. Belongs to one event loop."""

    def __init__(self, config: ClaudeConfig, parent: Mapping[str, str]) -> None:
        self._config = config
        self._parent = parent
        self._allowed: frozenset[Target] = frozenset()
        self._server: asyncio.Server | None = None
        self._open = asyncio.Lock()
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def path(self) -> str:
        return os.path.realpath(self._config.tmp_dir / f"p-{os.getpid()}.sock")

    @property
    def address(self) -> str:
        """The address that the program is told, inside its sandbox."""
        return f"http://127.0.0.1:{PROXY_PORT}"

    async def open(self, folder: Path) -> None:
        """Listen, and allow what a run in `folder` needs. Raises `OSError`."""
        self._allowed |= allowed_targets(self._config, self._parent, folder)
        async with self._open:
            if self._server is None:
                Path(self.path).unlink(missing_ok=True)
                self._server = await asyncio.start_unix_server(self._on_client, self.path, limit=_HEAD_LIMIT)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in tuple(self._passing):
                task.cancel()
            Path(self.path).unlink(missing_ok=True)
            self._server = None

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the program sees its connection end
        finally:
            self._passing.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE_S)
        target = wanted(head)
        if target is None or target not in self._allowed:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        out_reader, out_writer = await asyncio.wait_for(self._connect(target), _PATIENCE_S)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pump(reader, out_writer), _pump(out_reader, writer))
        finally:
            out_writer.close()

    async def _connect(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a target, through the person's proxy where they have one for it."""
        host, port = target
        proxy = self._proxy_for(host)
        if proxy is None:
            return await asyncio.open_connection(host, port)
        parts = urlsplit(proxy)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, limit=_HEAD_LIMIT)
        login = ""
        if parts.username is not None:
            plain = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            login = f"Proxy-Authorization: Basic {base64.b64encode(plain).decode()}\r\n"
        writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer.split(b"\r\n")[0] + b" ":
            writer.close()
            raise ConnectionRefusedError(f"The proxy refused {host}.")
        return reader, writer

    def _proxy_for(self, host: str) -> str | None:
        without = ",".join((self._parent.get("NO_PROXY", ""), self._parent.get("no_proxy", "")))
        names = [name.strip().lstrip("*.").lower() for name in without.split(",")]
        if host in LOOPBACK or any(name and (host == name or host.endswith(f".{name}")) for name in names):
            return None
        given = next((self._parent[name] for name in ("HTTPS_PROXY", "https_proxy") if self._parent.get(name)), "")
        return given if urlsplit(given).scheme == "http" and urlsplit(given).hostname else None


def wanted(head: bytes) -> Target | None:
    """Return what a request wants to be connected to; None for everything but a plain CONNECT."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or words[0] != b"CONNECT":
        return None
    host, colon, port = words[1].decode("ascii", "replace").rpartition(":")
    if not (colon and port.isascii() and port.isdigit()):
        return None
    return host.strip("[]").lower(), int(port)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
