"""The child's environment is a list of what it may see, not the parent's with some things taken away."""

from dataclasses import replace
from pathlib import Path

import pytest

from obra_tui.agents.config import ClaudeConfig
from obra_tui.agents.environment import child_environment, login_from, socket_room

PARENT = {
    "PATH": "/bin", "HOME": "/home/ada", "LANG": "C.UTF-8", "HTTPS_PROXY": "http://proxy:1", "SECRET": "canary",
    "ANTHROPIC_API_KEY": "canary-key", "ANTHROPIC_AUTH_TOKEN": "canary-token", "ANTHROPIC_BASE_URL": "http://gateway",
    "CLAUDE_CONFIG_DIR": "/home/ada/cfg", "AWS_SECRET_ACCESS_KEY": "canary", "LD_PRELOAD": "canary",
    "NODE_OPTIONS": "canary", "CLAUDECODE": "1", "OBRA_DATA_DIR": "/x", "GIT_DIR": "/x",
}  # fmt: skip
CONFIG = ClaudeConfig(tmp_dir=Path("/data/tmp"))


def seen(config=CONFIG, parent=PARENT):
    return child_environment(config, parent, attempt="a1", owner="1-2@/data/tmp", cwd="/copy", sdk_version="0.2")


def test_only_listed_names_pass():
    environment = seen()
    assert environment["PATH"] == "/bin" and environment["HTTPS_PROXY"] == "http://proxy:1"
    foreign = "SECRET AWS_SECRET_ACCESS_KEY LD_PRELOAD NODE_OPTIONS CLAUDECODE OBRA_DATA_DIR GIT_DIR"
    assert not set(foreign.split()) & set(environment)


def test_the_persons_own_login_passes_while_nothing_else_is_set():
    environment = seen()
    assert environment["ANTHROPIC_API_KEY"] == "canary-key"
    assert environment["ANTHROPIC_BASE_URL"] == "http://gateway"
    assert (environment["HOME"], environment["CLAUDE_CONFIG_DIR"]) == ("/home/ada", "/home/ada/cfg")


@pytest.mark.parametrize("changes", [{"base_url": "http://127.0.0.1:1"}, {"api_key": "mine"}])
def test_the_persons_own_login_is_not_sent_where_the_settings_lead(changes):
    assert not [value for value in seen(replace(CONFIG, **changes)).values() if "canary" in value]


def test_settings_come_before_the_persons_environment():
    config = replace(CONFIG, base_url="http://there", api_key="mine", home=Path("/h"), config_dir=Path("/c"))
    environment = seen(config)
    assert environment["ANTHROPIC_BASE_URL"] == "http://there"
    assert environment["ANTHROPIC_API_KEY"] == "mine"
    assert (environment["HOME"], environment["CLAUDE_CONFIG_DIR"]) == ("/h", "/c")


def test_the_program_is_told_to_keep_to_itself_and_to_report():
    environment = seen(replace(CONFIG, max_retries=3))
    assert environment["CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS"] == "1"
    assert environment["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] == "1"
    assert environment["DISABLE_TELEMETRY"] == environment["DISABLE_AUTOUPDATER"] == "1"
    assert environment["CLAUDE_CODE_MAX_RETRIES"] == "3"
    assert environment["TMPDIR"] == "/data/tmp"


def test_marks_cannot_be_overruled():
    config = replace(CONFIG, extra_environment=(("OBRA_ATTEMPT", "x"), ("FOO", "bar")), pass_environment=("SECRET",))
    environment = seen(config)
    assert (environment["OBRA_ATTEMPT"], environment["OBRA_OWNER"]) == ("a1", "1-2@/data/tmp")
    assert (environment["FOO"], environment["SECRET"]) == ("bar", "canary")


def test_the_key_is_not_shown():
    assert "mine" not in repr(replace(CONFIG, api_key="mine"))


def test_the_source_of_the_login_is_named_and_its_value_is_not():
    assert login_from(replace(CONFIG, api_key="mine"), PARENT) == "settings"
    assert login_from(CONFIG, PARENT) == "ANTHROPIC_API_KEY"
    assert login_from(replace(CONFIG, base_url="http://x"), PARENT) == ""
    assert login_from(CONFIG, {}) == ""


def test_a_long_folder_has_no_room_for_sockets():
    assert socket_room(Path("/data/tmp")) and not socket_room(Path("/" + "x" * 100))


def test_git_in_the_copy_never_climbs_to_a_repository_around_it():
    environment = seen(CONFIG)
    assert environment["GIT_CEILING_DIRECTORIES"] == str(Path(environment["PWD"]).parent)


BEDROCK = {"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_PROFILE": "work", "AWS_REGION": "eu-west-1"}
VERTEX = {
    "CLAUDE_CODE_USE_VERTEX": "1", "CLOUD_ML_REGION": "us-east5", "ANTHROPIC_VERTEX_PROJECT_ID": "p",
    "GOOGLE_APPLICATION_CREDENTIALS": "/home/ada/key.json",
}  # fmt: skip
FOUNDRY = {
    "CLAUDE_CODE_USE_FOUNDRY": "1", "ANTHROPIC_FOUNDRY_RESOURCE": "r", "ANTHROPIC_FOUNDRY_API_KEY": "k",
    "AZURE_CLIENT_ID": "c",
}  # fmt: skip
OTHER_BEDROCK = {"CLAUDE_CODE_USE_MANTLE": "true", "AWS_BEARER_TOKEN_BEDROCK": "t", "AWS_REGION": "us-east-1"}


@pytest.mark.parametrize("login", [BEDROCK, VERTEX, FOUNDRY, OTHER_BEDROCK])
def test_a_login_by_a_cloud_passes_whole_when_the_person_turned_it_on(login):
    environment = seen(parent={"PATH": "/bin", **login})
    assert login.items() <= environment.items()
    assert login_from(CONFIG, login) == next(iter(login))


@pytest.mark.parametrize("login", [BEDROCK, VERTEX, FOUNDRY, OTHER_BEDROCK])
@pytest.mark.parametrize("changes", [{"base_url": "http://127.0.0.1:1"}, {"api_key": "mine"}])
def test_a_login_by_a_cloud_stays_where_the_settings_lead_elsewhere(login, changes):
    assert not login.keys() & seen(replace(CONFIG, **changes), {"PATH": "/bin", **login}).keys()


@pytest.mark.parametrize("login", [BEDROCK, VERTEX, FOUNDRY, OTHER_BEDROCK])
def test_variables_of_a_cloud_stay_when_its_login_is_not_turned_on(login):
    switch, *others = login
    assert not set(others) & seen(parent={"PATH": "/bin", **login, switch: "0"}).keys()


def test_a_gateway_passes_with_its_headers_and_models():
    gateway = {
        "ANTHROPIC_BASE_URL": "https://gateway.example", "ANTHROPIC_AUTH_TOKEN": "t",
        "ANTHROPIC_CUSTOM_HEADERS": "X-Team: a", "ANTHROPIC_DEFAULT_SONNET_MODEL": "m",
        "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1",
    }  # fmt: skip
    assert gateway.items() <= seen(parent={"PATH": "/bin", **gateway}).items()


@pytest.mark.parametrize("named", ["", "localhost", ".corp.example, 10.0.0.0/8", "127.0.0.1"])
def test_this_machines_own_servers_are_never_reached_through_a_proxy(named):
    environment = seen(parent={**PARENT, "NO_PROXY": named})
    for name in ("NO_PROXY", "no_proxy"):
        listed = environment[name].split(",")
        assert {"localhost", "127.0.0.1", "::1", *(part.strip() for part in named.split(",") if part)} <= set(listed)
        assert len(listed) == len(set(listed))


def test_the_certificate_of_a_persons_network_passes():
    named = {"NODE_EXTRA_CA_CERTS": "/etc/corp.pem", "SSL_CERT_FILE": "/etc/all.pem"}
    assert named.items() <= seen(parent={**PARENT, **named}).items()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_certificate_by_a_name_that_the_program_does_not_know_is_given_by_one_that_it_does(name):
    assert seen(parent={**PARENT, name: "/etc/corp.pem"})["NODE_EXTRA_CA_CERTS"] == "/etc/corp.pem"
    both = {name: "/etc/corp.pem", "NODE_EXTRA_CA_CERTS": "/etc/own.pem"}
    assert seen(parent={**PARENT, **both})["NODE_EXTRA_CA_CERTS"] == "/etc/own.pem"


def test_a_certificate_is_found_from_the_copy_and_an_empty_name_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = seen(parent={**PARENT, "NODE_EXTRA_CA_CERTS": "corp.pem", "SSL_CERT_FILE": ""})
    assert named["NODE_EXTRA_CA_CERTS"] == str(tmp_path / "corp.pem")
    assert "SSL_CERT_FILE" not in named
