"""What the pages need of the rest of the program; `bootstrap` hands in real ones, tests hand in scripted ones."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from obra_tui.core.commands import Command
from obra_tui.core.events import Record
from obra_tui.core.records.history import History


class RecordSource(Protocol):
    def subscribe(self, listener: Callable[[Sequence[Record]], None]) -> Callable[[], None]:
        """Have `listener` called on any thread with what is written, after it was; returns the way out."""
        ...


class WebBackend(Struct, frozen=True, kw_only=True):
    """Everything that pages read from and ask of."""

    history: History
    news: RecordSource
    ask: Callable[[Command, str], object]
    """Have a command about the project at this path carried out, by whoever owns the data directory; blocks.

    Raises an `ObraError` when it is refused."""
    log_lines: Callable[[Record], Iterable[str]]
    """A record as lines for a person, as a run without a screen prints it."""
    owner: Callable[[], str]
    """Who works now, such as `pid 4711`; empty when nobody does."""


class ServingPlace(Struct, frozen=True, kw_only=True):
    """Where it is served, and to whom."""

    host: str
    port: int
    public_url: str = ""
    """Scheme, host and port that browsers use; empty = plain HTTP at host and port."""
    proxy: str = ""
    is_tls: bool = False

    @property
    def origins(self) -> frozenset[str]:
        """Every origin under which a browser may have loaded a page of ours."""
        if self.public_url:
            return frozenset({self.public_url})
        scheme = "https" if self.is_tls else "http"
        names = {self.host, *(("127.0.0.1", "localhost", "[::1]") if is_loopback(self.host) else ())}
        return frozenset(f"{scheme}://{_bracketed(name)}:{self.port}" for name in names)

    @property
    def hosts(self) -> frozenset[str]:
        """Every value of `Host` that is answered; a name that an attacker makes point here is none of them."""
        return frozenset(origin.partition("://")[2].lower() for origin in self.origins)

    @property
    def url(self) -> str:
        scheme = "https" if self.is_tls else "http"
        return self.public_url or f"{scheme}://{_bracketed(self.host)}:{self.port}"

    @property
    def is_secure(self) -> bool:
        return self.url.startswith("https://")


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1", "[::1]") or host.startswith("127.")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
