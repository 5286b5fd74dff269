"""Who comes in, by what, for how long, and how often somebody may try."""

import stat

import pytest

from obra_tui.core.errors import ConfigError, NotAllowed, UnknownId
from obra_tui.web import passwords
from obra_tui.web.access import CODE_S, Access, DeviceRole
from tests.web.house import ORIGIN

SECRET = "correct horse battery"


@pytest.fixture(scope="module")
def secret_hash():
    return passwords.hashed(SECRET)


def test_a_code_pairs_one_device_once(house):
    code = house.access.new_code(DeviceRole.VIEWER, "person:ada")
    token = house.access.pair(code, "Telephone")
    visitor = house.access.visitor(token)
    assert (visitor.device.name, visitor.device.person, visitor.may_answer) == ("Telephone", "person:ada", False)
    with pytest.raises(NotAllowed, match="obra web pair"):
        house.access.pair(code, "Another")


def test_a_code_is_good_for_ten_minutes(house):
    code = house.access.new_code(DeviceRole.APPROVER, "person:ada")
    house.clock.now += CODE_S + 1
    with pytest.raises(NotAllowed):
        house.access.pair(code, "Late")


def test_looking_at_the_link_uses_no_code_up(house):
    code, client = house.access.new_code(DeviceRole.APPROVER, "person:ada"), house.client()
    for _ in range(3):
        assert "Pair this device" in client.get("/pair", params={"code": code}).text
    assert client.post("/pair", data={"code": code, "name": "Phone"}).headers["location"] == "/"
    assert client.get("/").status_code == 200
    assert house.client().get("/pair", params={"code": code}).status_code == 403


def test_the_file_is_private_and_holds_no_secret_in_the_clear(house, secret_hash):
    code = house.access.new_code(DeviceRole.APPROVER, "person:ada")
    token = house.access.pair(house.access.new_code(DeviceRole.APPROVER, "person:ada"), "Phone")
    house.access.set_password(secret_hash, DeviceRole.APPROVER, "person:ada")
    file = house.data_dir / "web" / "access.json"
    text = file.read_text()
    assert not any(secret in text for secret in (code, token, SECRET))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_login_ends_when_it_is_not_used_and_after_seven_times_as_long_in_any_case(house):
    token = house.access.pair(house.access.new_code(DeviceRole.APPROVER, "person:ada"), "Phone")
    for _ in range(13):
        house.clock.now += 1800
        assert house.access.visitor(token)
    house.clock.now += 1800
    assert house.access.visitor(token) is None
    other = house.access.pair(house.access.new_code(DeviceRole.APPROVER, "person:ada"), "Phone")
    house.clock.now += 3601
    assert house.access.visitor(other) is None


def test_a_stolen_cookie_of_an_ended_login_opens_nothing(house, gate):
    client, thief = house.signed_in(), house.client()
    thief.cookies.update(client.cookies)
    assert thief.get("/gates/g1").status_code == 200
    (device, _), *_ = house.access.devices()
    Access(house.data_dir, idle_s=3600.0, now=house.clock).end(device.id)  # as `obra web end` does it beside the server
    for method, path in (("get", "/"), ("get", "/gates/g1"), ("get", "/history"), ("post", "/gates/g1/answer")):
        answer = getattr(thief, method)(path)
        assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), path
    assert thief.get("/news").status_code == 401
    assert not house.asked


def test_who_logs_out_is_out_on_the_server_too(house):
    client = house.signed_in()
    kept = dict(client.cookies)
    token = house.access.visitor(next(iter(kept.values()))).form_token()
    assert client.post("/logout", data={"form": token}).status_code == 303
    again = house.client()
    again.cookies.update(kept)
    assert again.get("/").status_code == 303


def test_a_new_password_ends_the_logins_by_the_one_before(house, secret_hash):
    house.access.set_password(secret_hash, DeviceRole.APPROVER, "person:ada")
    client = house.client()
    answer = client.post("/login", data={"password": SECRET, "next": "/history"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/history")
    assert client.get("/").status_code == 200
    paired = house.signed_in()
    house.access.set_password(secret_hash, DeviceRole.APPROVER, "person:ada")
    assert client.get("/").status_code == 303
    assert paired.get("/").status_code == 200


def test_each_role_has_its_own_password(house, secret_hash):
    house.access.set_password(passwords.hashed("only for looking"), DeviceRole.VIEWER, "person:ada")
    house.access.set_password(secret_hash, DeviceRole.APPROVER, "person:ada")
    client = house.client()
    client.post("/login", data={"password": "only for looking"})
    assert "viewer" in client.get("/").text


def test_a_short_password_is_refused():
    with pytest.raises(ConfigError, match="at least 10"):
        passwords.hashed("short")


def test_ten_thousand_wrong_passwords_let_nobody_in_and_ask_argon2_a_handful_of_times(house, secret_hash, monkeypatch):
    house.access.set_password(secret_hash, DeviceRole.APPROVER, "person:ada")
    asked, real = [], passwords.find
    monkeypatch.setattr(passwords, "find", lambda known, typed: asked.append(typed) or real(known, typed))
    client = house.client()
    codes = [client.post("/login", data={"password": f"wrong password {n}"}).status_code for n in range(10_000)]
    assert set(codes) == {403, 429}
    assert len(asked) == 5
    right = client.post("/login", data={"password": SECRET})
    assert (right.status_code, int(right.headers["retry-after"]) > 0) == (429, True)
    house.clock.now += 3
    assert client.post("/login", data={"password": SECRET}).status_code == 303


def test_wrong_tries_from_many_addresses_are_held_together(house, secret_hash):
    house.access.set_password(secret_hash, DeviceRole.APPROVER, "person:ada")
    tries = passwords.Tries(now=house.clock)
    for number in range(60):
        assert tries.wait_s(f"10.0.0.{number}") == 0
        tries.failed(f"10.0.0.{number}")
    assert tries.wait_s("10.9.9.9") > 0
    house.clock.now += 601
    assert tries.wait_s("10.9.9.9") == 0


def test_pairing_codes_cannot_be_guessed_forever_either(house):
    client = house.client()
    codes = [client.get("/pair", params={"code": f"guess{n}"}).status_code for n in range(100)]
    assert (codes[:5], set(codes[5:])) == ([403] * 5, {429})


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/\r\nX: y"]
)
def test_after_the_login_one_goes_on_to_a_page_of_ours_only(house, secret_hash, wanted):
    house.access.set_password(secret_hash, DeviceRole.APPROVER, "person:ada")
    answer = house.client().post("/login", data={"password": SECRET, "next": wanted})
    assert answer.headers["location"] == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(house):
    code = house.access.new_code(DeviceRole.APPROVER, "person:ada")
    cookie = house.client().post("/pair", data={"code": code}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert ORIGIN.startswith("http://")
    assert "secure" not in cookie


def test_a_device_that_is_not_there_cannot_be_ended(house):
    for named in ("", "d"):
        with pytest.raises(UnknownId, match="obra web devices"):
            house.access.end(named)
