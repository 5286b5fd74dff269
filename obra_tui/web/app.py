"""The application: which address leads where, who may go there, and what becomes of a fault on the way."""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from obra_tui.core.errors import ObraError, UnknownId
from obra_tui.core.text import one_line
from obra_tui.web.access import Access
from obra_tui.web.forms import SentForm, form_of
from obra_tui.web.gates import GatePages
from obra_tui.web.guard import App, Guard
from obra_tui.web.looking import LookingPages
from obra_tui.web.news import NewsFeed
from obra_tui.web.passwords import Tries
from obra_tui.web.ports import ServingPlace, WebBackend
from obra_tui.web.render import FOLDER, Pages
from obra_tui.web.signing_in import SigningIn
from obra_tui.web.site import OnlyForApprovers, Site, Visit

Shows = Callable[[Visit, Request], Response]
Does = Callable[[Visit, Request, SentForm], Response]


def web_app(backend: WebBackend, access: Access, place: ServingPlace, tries: Tries | None = None) -> App:
    """Return the whole application with its guard."""
    site = Site(
        backend=backend, access=access, place=place, feed=NewsFeed(backend.news, backend.log_lines), pages=Pages()
    )
    gates, looking, signing = GatePages(site), LookingPages(site), SigningIn(site, tries or Tries())
    show, do = partial(_showing, site), partial(_doing, site)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with site.feed.listening():
            yield

    routes = [
        Route("/login", signing.login, methods=["GET", "POST"]),
        Route("/pair", signing.pair, methods=["GET", "POST"]),
        Route("/logout", do(signing.logout), methods=["POST"]),
        Route("/news", partial(_news, site)),
        Route("/", show(lambda visit, _: looking.home(visit))),
        Route("/history", show(lambda visit, r: looking.history(visit, *map(partial(_asked, r), ("q", "at", "id"))))),
        Route("/sessions/{id}", show(lambda visit, r: looking.session(visit, _id(r)))),
        Route("/attempts/{id}", show(lambda visit, r: gates.attempt(visit, _id(r)))),
        Route("/gates/{id}", show(lambda visit, r: gates.show(visit, _id(r)))),
        Route("/gates/{id}/answer", do(lambda visit, r, form: gates.answer(visit, _id(r), form)), methods=["POST"]),
        Route("/gates/{id}/undo", do(lambda visit, r, _: gates.undo(visit, _id(r))), methods=["POST"]),
        Route("/gates/{id}/revert", do(lambda visit, r, form: gates.revert(visit, _id(r), form)), methods=["POST"]),
        Route("/permissions/{id}", do(lambda visit, r, form: gates.permission(visit, _id(r), form)), methods=["POST"]),
        # Where a refused answer was shown: loaded again, or asked for its news, it is the page that it came from.
        Route("/gates/{id}/{action}", show(lambda _, r: RedirectResponse(f"/gates/{quote(_id(r), safe='')}", 303))),
        Route("/permissions/{id}", show(lambda *_: RedirectResponse("/", 303))),
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
    ]
    handlers = {Exception: _failed, 404: _nothing_there}
    return Guard(Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers), place)


async def _failed(request: Request, fault: Exception) -> Response:
    """The edge of a request: who looks gets a sentence, and who serves learns of it."""
    sys.stderr.write(f"obra: the page {request.url.path!r} failed: {type(fault).__name__}: {one_line(str(fault))}\n")
    return PlainTextResponse("Obra itself failed at this page. Nothing was decided; try it in the terminal.\n", 500)


async def _nothing_there(request: Request, fault: Exception) -> Response:
    return PlainTextResponse("There is no such page.\n", 404)


def _id(request: Request) -> str:
    return str(request.path_params["id"])


def _asked(request: Request, name: str) -> str:
    return request.query_params.get(name, "")


def _showing(site: Site, page: Shows) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        visitor = site.visitor_of(request)
        if visitor is None:
            return to_login(request)
        visit = Visit(site=site, visitor=visitor, path=request.url.path)
        return await run_in_threadpool(_tried, visit, lambda: page(visit, request))

    return endpoint


def _doing(site: Site, action: Does) -> Callable[[Request], object]:
    """What changes something: for who is logged in, from a form that we gave to this login."""

    async def endpoint(request: Request) -> Response:
        visitor = site.visitor_of(request)
        if visitor is None:
            return to_login(request)
        visit = Visit(site=site, visitor=visitor, path=request.url.path)
        form = await form_of(request)
        if form is None or not visitor.owns_form(form.text("form")):
            return visit.page(
                "message.html", 403, title="Not done", text="The form is not of this login. Load it again."
            )
        return await run_in_threadpool(_tried, visit, lambda: action(visit, request, form))

    return endpoint


def _tried(visit: Visit, make: Callable[[], Response]) -> Response:
    try:
        return make()
    except OnlyForApprovers as refused:
        return visit.page("message.html", 403, title="Not allowed", text=str(refused))
    except UnknownId as refused:
        return visit.page("message.html", 404, title="Not there", text=str(refused))
    except ObraError as refused:
        return visit.page("message.html", 409, title="Not done", text=str(refused))


def to_login(request: Request) -> Response:
    if request.headers.get("x-part"):  # a page that is open asks for its news: it must not become the login
        return PlainTextResponse("Log in again.\n", 401)
    wanted = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/login?next={quote(wanted, safe='/')}", 303)


async def _news(site: Site, request: Request) -> Response:
    token = request.cookies.get(site.cookie, "")
    if site.access.visitor(token) is None:
        return PlainTextResponse("Log in again.\n", 401)
    if site.feed.is_full:
        return PlainTextResponse("Too many pages are open: this one is not told of news.\n", 503)
    after = request.query_params.get("after", "")
    stream = site.feed.stream(
        request.query_params.get("session", "")[:50],
        int(after) if after.isdecimal() and len(after) < 16 else 0,
        lambda: site.access.visitor(token) is not None,
    )
    return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
