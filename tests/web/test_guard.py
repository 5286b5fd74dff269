"""What must not reach a page, and what every answer carries."""

import re

import pytest

from obra_tui.core.errors import ConfigError
from obra_tui.web.guard import MOST_BODY
from obra_tui.web.ports import ServingPlace
from obra_tui.web.serving import check_place
from tests.web.house import ORIGIN, House

ANSWER = {"kind": "approve"}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:8765", ""]
)
def test_a_name_that_was_made_to_point_here_is_not_answered(house, gate, host):
    client = house.signed_in()
    for answer in (client.get("/", headers={"host": host}), client.get("/login", headers={"host": host})):
        assert answer.status_code == 421
        assert "Task t1" not in answer.text


def test_each_way_to_name_this_machine_is_answered(house):
    for host in ("127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST:8765"):
        assert house.client().get("/login", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost", "https://127.0.0.1:8765", None],
)
def test_a_page_of_another_origin_changes_nothing(house, gate, origin):
    client = house.signed_in()
    form = {"form": house.access.visitor(next(iter(client.cookies.values()))).form_token(), **ANSWER}
    del client.headers["origin"]
    headers = {} if origin is None else {"origin": origin}
    for path in (
        "/gates/g1/answer",
        "/gates/g1/undo",
        "/gates/g1/revert",
        "/permissions/q",
        "/logout",
        "/login",
        "/pair",
    ):
        assert client.post(path, data=form, headers=headers).status_code == 403, path
    assert not house.asked
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_a_form_that_was_not_given_to_this_login_changes_nothing(house, gate, token):
    client = house.signed_in()
    assert client.post("/gates/g1/answer", data={**ANSWER, "form": token}).status_code == 403
    other = house.access.visitor(next(iter(house.signed_in().cookies.values()))).form_token()
    assert client.post("/gates/g1/answer", data={**ANSWER, "form": other}).status_code == 403
    assert not house.asked


def test_a_body_of_another_kind_is_no_form(house, gate):
    client = house.signed_in()
    token = house.access.visitor(next(iter(client.cookies.values()))).form_token()
    assert client.post("/gates/g1/answer", json={**ANSWER, "form": token}).status_code == 403
    assert client.post("/gates/g1/answer", data={"form": token}, files={"kind": b"approve"}).status_code == 403
    assert not house.asked


def test_a_body_that_is_too_long_is_refused_whatever_it_says_of_its_length(house, gate):
    client = house.signed_in()
    assert client.post("/gates/g1/answer", data={"note": "x" * MOST_BODY}).status_code == 413
    pieces = (b"x" * 100_000 for _ in range(20))
    assert client.post("/gates/g1/answer", content=pieces).status_code == 413
    assert not house.asked


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_no_other_method_is_answered(house, gate, method):
    assert house.signed_in().request(method, "/gates/g1/answer").status_code == 405


@pytest.mark.parametrize("path", ["/", "/login", "/gates/none", "/static/obra.js", "/nothing", "/static/../app.py"])
def test_every_answer_forbids_what_is_not_ours(house, path):
    answer = house.signed_in().get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert ("no-store" in answer.headers["cache-control"]) == (not path.startswith("/static/obra"))


def test_no_page_has_a_script_a_style_or_an_address_of_its_own(house, gate):
    client = house.signed_in()
    for path in ("/", "/history", "/gates/g1", "/sessions/s1", "/attempts/a1", "/login"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|javascript:", page), path
        assert not re.search(r'(?:src|href|action)="(?!/|#)', page), path


def test_only_who_is_logged_in_gets_a_page(house, gate):
    client = house.client()
    for path in ("/", "/history", "/gates/g1", "/sessions/s1", "/attempts/a1"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")
    assert client.get("/news").status_code == 401


def test_behind_a_proxy_only_the_proxy_is_answered(tmp_path):
    place = ServingPlace(host="127.0.0.1", port=8765, public_url="https://obra.example.org", proxy="10.0.0.1")
    house = House(tmp_path, place)
    assert house.client("https://obra.example.org").get("/login").status_code == 403
    house.close()


REFUSED = [
    ({"host": "0.0.0.0"}, "not be encrypted"),
    ({"host": "192.168.1.5"}, "not be encrypted"),
    ({"host": "0.0.0.0", "is_tls": True}, "web.public_url"),
    ({"proxy": "127.0.0.1"}, "web.public_url"),
    ({"proxy": "proxy.example", "public_url": "https://o.example"}, "no IP address"),
    ({"proxy": "127.0.0.1", "public_url": "http://o.example"}, "https://"),
    ({"public_url": "http://o.example"}, "https://"),
    ({"public_url": "https://o.example/obra"}, "more than scheme"),
]


@pytest.mark.parametrize(("given", "says"), REFUSED)
def test_it_is_not_served_where_a_password_would_cross_a_network_in_the_clear(given, says):
    with pytest.raises(ConfigError) as caught:
        check_place(ServingPlace(**{"host": "127.0.0.1", "port": 8765, **given}))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"host": "::1"},
        {"host": "192.168.1.5", "is_tls": True},
        {"host": "0.0.0.0", "is_tls": True, "public_url": "https://o.example:8765"},
        {"host": "0.0.0.0", "proxy": "10.0.0.1", "public_url": "https://o.example"},
        {"public_url": "https://o.example"},
    ],
)
def test_it_is_served_on_loopback_by_tls_or_behind_a_named_proxy(given):
    place = ServingPlace(**{"host": "127.0.0.1", "port": 8765, **given})
    check_place(place)
    assert place.origins
    assert ORIGIN
