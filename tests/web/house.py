"""The web application over a real database, with scripted news and an engine that remembers what it is asked."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.testclient import TestClient

from obra_tui.core.commands import Command
from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.headless.follow import text_lines
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.web.access import Access, DeviceRole
from obra_tui.web.app import web_app
from obra_tui.web.passwords import Tries
from obra_tui.web.ports import ServingPlace, WebBackend
from tests.store.story import Writer

ORIGIN = "http://127.0.0.1:8765"
PLACE = ServingPlace(host="127.0.0.1", port=8765)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class ScriptedRecords:
    def __init__(self) -> None:
        self.listeners: list[Callable[[Sequence[Record]], None]] = []

    def subscribe(self, listener):
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def tell(self, *records: Record) -> None:
        for listener in self.listeners:
            listener(records)


class House:
    def __init__(self, folder: Path, place: ServingPlace = PLACE) -> None:
        self.clock = Clock()
        self.data_dir = folder / "data"
        self.journal = SqlJournal(self.data_dir / "obra.db")
        self.history = SqlHistory(self.data_dir / "obra.db")
        self.news = ScriptedRecords()
        self.asked: list[tuple[Command, str]] = []
        self.refusal: ObraError | None = None
        self.access = Access(self.data_dir, idle_s=3600.0, now=self.clock)
        self.place = place
        self.app = web_app(self._backend(), self.access, place, Tries(now=self.clock))

    def _backend(self) -> WebBackend:
        def ask(command: Command, project: str) -> object:
            self.asked.append((command, project))
            if self.refusal is not None:
                raise self.refusal
            return None

        return WebBackend(history=self.history, news=self.news, ask=ask, log_lines=text_lines, owner=lambda: "pid 4711")

    def write(self, writer: Writer) -> None:
        self.journal.append(writer.records)

    def client(self, origin: str | None = ORIGIN) -> TestClient:
        headers = {} if origin is None else {"origin": origin}
        return TestClient(self.app, base_url=self.place.url, headers=headers, follow_redirects=False)

    def signed_in(self, role: DeviceRole = DeviceRole.APPROVER, name: str = "Ada's telephone") -> TestClient:
        client = self.client()
        code = self.access.new_code(role, "person:ada")
        assert client.post("/pair", data={"code": code, "name": name}).status_code == 303
        return client

    def close(self) -> None:
        self.history.close()
        self.journal.close()


def form_of(page: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the form that leads to `action`."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert form, f"no form leads to {action}"
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[1]))
