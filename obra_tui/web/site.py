"""What all pages share: who visits, and how a request becomes an answer or a refusal."""

from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from obra_tui.core.errors import NotAllowed
from obra_tui.web.access import Access, Visitor
from obra_tui.web.news import NewsFeed
from obra_tui.web.ports import ServingPlace, WebBackend
from obra_tui.web.render import Pages


class Site(Struct, frozen=True, kw_only=True):
    backend: WebBackend
    access: Access
    place: ServingPlace
    feed: NewsFeed
    pages: Pages

    @property
    def cookie(self) -> str:
        """Name of the cookie; the browser itself holds `__Host-` to TLS and to this host alone."""
        return "__Host-obra" if self.place.is_secure else f"obra-{self.place.port}"

    def visitor_of(self, request: Request) -> Visitor | None:
        return self.access.visitor(request.cookies.get(self.cookie, ""))


class OnlyForApprovers(NotAllowed):
    pass


class Visit(Struct, frozen=True, kw_only=True):
    """One request of somebody who is logged in."""

    site: Site
    visitor: Visitor
    path: str

    def page(self, name: str, status: int = 200, *, topics: list[str] | None = None, **values: Any) -> Response:
        return self.site.pages.page(
            name,
            status,
            visitor=self.visitor,
            form_token=self.visitor.form_token(),
            topics=" ".join(topics or ["all"]),
            path=self.path,
            **values,
        )

    def require_approver(self) -> None:
        """Raise `OnlyForApprovers` for somebody who may only look."""
        if not self.visitor.may_answer:
            raise OnlyForApprovers(
                "This device may look and not answer.",
                fix="Pair it again as an approver: `obra web pair --role approver`.",
            )
