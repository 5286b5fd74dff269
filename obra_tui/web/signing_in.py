"""Coming in and going out: a code from the terminal, or a password; and how often either may be tried."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from obra_tui.core.errors import NotAllowed
from obra_tui.web import passwords
from obra_tui.web.access import LONGEST
from obra_tui.web.forms import SentForm, form_of
from obra_tui.web.guard import client_of
from obra_tui.web.passwords import Tries
from obra_tui.web.site import Site, Visit


class SigningIn:
    def __init__(self, site: Site, tries: Tries) -> None:
        self._site = site
        self._tries = tries

    async def login(self, request: Request) -> Response:
        wanted = _inner(request.query_params.get("next", "/"))
        if request.method != "POST":
            if self._site.visitor_of(request) is not None:
                return RedirectResponse(wanted, 303)
            return self._login_page(wanted)
        form = await form_of(request) or SentForm()
        wanted = _inner(form.text("next"))
        address = client_of(request.scope, self._site.place)
        if wait := self._tries.wait_s(address):
            return self._too_often(wait, wanted)
        known = self._site.access.book().passwords
        found = await run_in_threadpool(passwords.find, known, form.text("password"))
        if found is None:
            self._tries.failed(address)
            return self._login_page(wanted, 403, "This is not the password.")
        self._tries.succeeded(address)
        name = form.text("name") or _browser(request)
        return self._enter(self._site.access.log_in(found, name), wanted)

    async def pair(self, request: Request) -> Response:
        address = client_of(request.scope, self._site.place)
        if wait := self._tries.wait_s(address):
            return self._too_often(wait, "/")
        form = (await form_of(request) or SentForm()) if request.method == "POST" else SentForm()
        code = form.text("code") or request.query_params.get("code", "")
        known = self._site.access.knows_code(code) if code else None
        if known is None:
            self._tries.failed(address)
            text = "This pairing code is not good: it was used, or its ten minutes are over."
            return self._login_page("/", 403, f"{text} Make another one in the terminal: obra web pair")
        if request.method != "POST":  # looking at the link uses nothing up
            return self._site.pages.page("pair.html", code=code, role=known.role.value, name=_browser(request))
        try:
            token = self._site.access.pair(code, form.text("name") or _browser(request))
        except NotAllowed as refused:
            return self._login_page("/", 403, str(refused))
        self._tries.succeeded(address)
        return self._enter(token, "/")

    def logout(self, visit: Visit, request: Request, form: SentForm) -> Response:
        self._site.access.log_out(visit.visitor.secret)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(self._site.cookie, path="/", secure=self._site.place.is_secure, httponly=True)
        return answer

    def _enter(self, token: str, wanted: str) -> Response:
        answer = RedirectResponse(wanted, 303)
        answer.set_cookie(
            self._site.cookie,
            token,
            max_age=int(LONGEST * self._site.access.idle_s),
            path="/",
            httponly=True,
            secure=self._site.place.is_secure,
            samesite="lax",
        )
        return answer

    def _login_page(self, wanted: str, status: int = 200, problem: str = "") -> Response:
        has_password = bool(self._site.access.book().passwords)
        return self._site.pages.page("login.html", status, wanted=wanted, problem=problem, has_password=has_password)

    def _too_often(self, wait: int, wanted: str) -> Response:
        answer = self._login_page(wanted, 429, f"Too many wrong tries: the next one is possible in {wait} s.")
        answer.headers["retry-after"] = str(wait)
        return answer


def _inner(path: str) -> str:
    """Return where to go on: a page of ours, whatever was asked for."""
    fine = path.startswith("/") and not path.startswith("//") and not any(c in path for c in "\\\r\n\t ")
    return path if fine and path.isascii() and not path.startswith(("/login", "/pair")) else "/"


def _browser(request: Request) -> str:
    """Return a name for a device whose owner gave none."""
    agent = request.headers.get("user-agent", "")
    system = next((name for name in ("iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux") if name in agent), "")
    kind = next((name for name in ("Firefox", "Edg", "Chrome", "Safari") if name in agent), "")
    return " on ".join(filter(None, ("Edge" if kind == "Edg" else kind, system))) or "a browser"
