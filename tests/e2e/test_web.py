"""`obra web` in a real browser, at the size of a telephone and of a desktop, beside an Obra at work."""

import http.server
import json
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from obra_tui.api import DecisionKind
from tests.e2e.browser import DESKTOP, PHONE, chromium, needs_chromium, picture, served
from tests.e2e.house import House
from tests.e2e.obra import obra as command

pytestmark = [pytest.mark.e2e, needs_chromium, pytest.mark.timeout(400)]
GRAVE = {"serious", "critical"}


def flawless(page, name):
    """No serious fault of accessibility, nothing refused by the policy, no error of the script."""
    picture(page, name)
    found = Axe().run(page).response["violations"]
    grave = [(item["id"], [node["html"] for node in item["nodes"]][:3]) for item in found if item["impact"] in GRAVE]
    assert not grave, name


def pair(context, link, name):
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(link)
    page.get_by_label("Name of this device").fill(name)
    flawless(page, f"{name} pair")
    page.get_by_role("button", name="Pair").click()
    page.wait_for_selector("h1:has-text('wait')")
    return page


def another_link(home, data, port, role="approver"):
    made = command(home, "web", "pair", "--role", role, "--port", port, "--json", OBRA_DATA_DIR=str(data))
    assert made.code == 0, made.err
    return made.events[0]["url"]


class Foreign(http.server.BaseHTTPRequestHandler):
    """A page of somebody else on this machine, which sends a form to Obra as soon as it is opened."""

    target = ""

    def do_GET(self):
        page = (
            f'<form method="post" action="{self.target}"><input name="kind" value="approve">'
            '<input name="note" value="x"></form><script>document.forms[0].submit()</script>'
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *args):
        pass


def test_a_gate_is_read_and_answered_on_a_telephone_while_others_are_refused(tmp_path):
    house = House(tmp_path, "calculator")
    home, data = tmp_path / "home", tmp_path / "data"
    with house.open("manual") as obra, served(home, data) as site, chromium() as browser:
        session = obra.start_milestone_session("Calculator")
        task, *_ = obra.create_tasks(house.plan)
        phone = pair(browser.new_context(**PHONE), site.link, "Phone")
        desk = pair(browser.new_context(**DESKTOP), another_link(home, data, site.port), "Desk")
        assert phone.locator("h1").inner_text() == "Nothing waits for you"
        phone.wait_for_selector("body[data-live=yes]")
        desk.goto(f"{site.url}/sessions/{session}")
        desk.wait_for_selector("body[data-live=yes]")

        phone.evaluate("window.stays = 1")
        at_work = threading.Thread(target=obra.execute_task, args=(task, session))
        at_work.start()
        phone.wait_for_selector("h1:has-text('1 waiting for you')", timeout=90_000)
        assert phone.evaluate("window.stays") == 1, "the page was loaded anew"
        at_work.join()
        desk.wait_for_selector("#log-lines li:has-text('waits for a person')")
        picture(phone, "phone home")
        flawless(desk, "desk session")

        phone.locator("a.card", has_text="T001").first.click()
        phone.wait_for_selector("#answer")
        gate = phone.url
        desk.goto(gate)
        assert "def divide" in phone.locator(".diff").inner_text()
        assert phone.locator(".diff .c-k").count() > 0
        assert not phone.locator("[name=seen]").is_checked()
        flawless(phone, "phone gate")
        flawless(desk, "desk gate")

        Foreign.target = f"{gate}/answer"
        foreign = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
        threading.Thread(target=foreign.serve_forever, daemon=True).start()
        attacked = phone.context.new_page()
        attacked.goto(f"http://127.0.0.1:{foreign.server_port}/")
        attacked.wait_for_selector("text=another page than one of Obra's own")
        attacked.close()
        foreign.shutdown()
        waiting = command(home, "review", "--json", OBRA_DATA_DIR=str(data)).events
        assert [item["id"] for item in waiting] == [gate.rpartition("/")[2]]

        phone.locator("[data-end]").scroll_into_view_if_needed()
        expect(phone.locator("[name=seen]")).to_be_checked()
        phone.get_by_role("button", name="Approve").click()
        phone.wait_for_selector("[role=alert]:has-text('Write why it is right all the same')")
        picture(phone, "phone reason")
        assert phone.locator("[name=seen]").is_checked()
        phone.get_by_label("Reason, or what Claude should change").fill("Division is mended in the next task.")
        phone.get_by_role("button", name="Approve").click()
        phone.wait_for_selector("text=This gate was answered: approved by")
        assert "on Phone" in phone.locator("#live").inner_text()
        picture(phone, "phone answered")

        desk.wait_for_selector("#said:has-text('This gate was answered meanwhile.')")
        desk.evaluate("document.querySelectorAll('button').forEach((button) => button.disabled = false)")
        desk.get_by_label("Reason, or what Claude should change").fill("No.")
        desk.get_by_role("button", name="Reject").click()
        desk.wait_for_selector("[role=alert]:has-text('was already answered by')")
        picture(desk, "desk refused")

        decided = obra.attempt(obra.session(session).attempts[0].id).decision.decision
        assert (decided.kind, decided.device, decided.seen_files) == (DecisionKind.APPROVE, "Phone", ("calculator.py",))
        assert decided.override
        assert decided.note == "Division is mended in the next task."

        devices = command(home, "web", "devices", "--json", OBRA_DATA_DIR=str(data)).events
        (mine,) = (item["id"] for item in devices if item["name"] == "Phone")
        assert command(home, "web", "end", mine, OBRA_DATA_DIR=str(data)).code == 0
        phone.goto(f"{site.url}/history")
        assert phone.locator("h1").inner_text() == "Log in"
        flawless(phone, "phone login")
        expected = ("status of 403", "status of 409", "status of 422")
        for page in (phone, desk):
            assert not [text for text in page.complaints if not any(known in text for known in expected)]


def test_without_javascript_everything_can_be_done(tmp_path):
    ran = command(tmp_path, "demo", "csv", "--headless", "--policy", "manual")
    assert ran.code == 3, ran.err
    with served(tmp_path, tmp_path / "data") as site, chromium() as browser:
        page = browser.new_context(**PHONE, java_script_enabled=False).new_page()
        page.goto(site.link)
        page.get_by_role("button", name="Pair").click()
        page.locator("a.card").first.click()
        page.get_by_label("Reason, or what Claude should change").fill("Not wanted any more.")
        page.get_by_role("button", name="Reject").click()
        page.wait_for_selector("text=This gate was answered: rejected by")
        page.get_by_role("link", name="History").click()
        page.get_by_label("Search").fill("verdict:rejected")
        page.get_by_role("button", name="Search").click()
        page.locator("a.card").first.click()
        page.wait_for_selector("text=Not wanted any more.")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_selector("h1:has-text('Log in')")
    told = command(tmp_path, "export", "decisions")
    assert json.loads(told.out.splitlines()[-1])["label"] == "reject"


def test_a_name_that_points_here_and_a_viewer_get_nothing_done(tmp_path):
    assert command(tmp_path, "demo", "csv", "--headless", "--policy", "manual").code == 3
    set_ = command(tmp_path, "web", "pair", "--role", "viewer", "--json")
    assert set_.code == 0
    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    with served(tmp_path, tmp_path / "data") as site, chromium(rules) as browser:
        page = browser.new_page()
        page.goto(f"http://evil.example:{site.port}/login")
        assert "not one that Obra is served at" in page.inner_text("body")
        viewer = pair(
            browser.new_context(**DESKTOP), another_link(tmp_path, tmp_path / "data", site.port, "viewer"), "V"
        )
        viewer.locator("a.card").first.click()
        viewer.wait_for_selector("text=This device may look and not answer.")
        assert viewer.locator("#answer").count() == 0
        flawless(viewer, "viewer gate")


def test_without_a_session_or_a_safe_address_it_says_what_to_do(tmp_path):
    nothing = command(tmp_path, "web")
    assert (nothing.code, "There is no session yet" in nothing.err) == (2, True)
    unsafe = command(tmp_path, "web", OBRA_WEB__HOST="0.0.0.0")
    assert (unsafe.code, "web.tls_cert" in unsafe.err) == (2, True)
    half = command(tmp_path, "web", OBRA_WEB__TLS_CERT="/tmp/x.pem")
    assert (half.code, "belong together" in half.err) == (2, True)
