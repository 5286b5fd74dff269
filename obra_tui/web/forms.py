"""What a browser sends as a form: read with limits, and nothing but texts and numbers taken from it."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from msgspec import Struct, field
from starlette.requests import ClientDisconnect, Request

_MOST_FIELDS = 5_000


class SentForm(Struct, frozen=True, kw_only=True):
    """What a browser sent."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a field with the line breaks of this system; empty when it was not sent."""
        return next(iter(self.fields.get(name, ())), "").replace("\r\n", "\n")

    def numbers(self, name: str) -> tuple[int, ...]:
        return tuple(int(value) for value in self.fields.get(name, ()) if value.isdecimal() and len(value) < 7)


async def form_of(request: Request) -> SentForm | None:
    """Return what was sent, None when it is no form."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    try:
        body = await request.body()
        text = body.decode("ascii")
        return SentForm(fields=parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace"))
    except (ClientDisconnect, ValueError):
        return None
