"""Channels against real services: a web hook on loopback, a command, addresses that are none."""

import pytest

from obra_tui.core.errors import ConfigError
from obra_tui.notices.channels import channels_of
from obra_tui.notices.notice import ChannelMessage, NoticeKind
from tests.notices.web_hook import open_hook

MESSAGE = ChannelMessage(kind=NoticeKind.WAITING, title="Obra: waiting for you", body="T001 waits for your decision")


@pytest.fixture
def hook():
    with open_hook() as opened:
        yield opened


def test_a_web_hook_gets_the_message(hook):
    (channel,) = channels_of(hook.address, "")
    assert channel.send(MESSAGE) == ""
    got = hook.came.get(timeout=20)
    assert (got["title"], got["message"]) == (MESSAGE.title, MESSAGE.body)


@pytest.mark.parametrize("code", [401, 404, 429, 500])
def test_a_service_that_refuses_is_a_sentence_without_its_password(hook, code):
    hook.status = code
    (channel,) = channels_of(hook.address, "")
    problem = channel.send(MESSAGE)
    assert problem == "the service could not be reached or refused it"
    assert "dummy-password" not in channel.name


def test_a_service_that_is_not_there_is_a_sentence():
    (channel,) = channels_of("json://127.0.0.1:1/", "")
    assert "could not be reached" in channel.send(MESSAGE)


def test_an_address_that_is_none_is_refused_by_its_number_and_not_by_its_text():
    with pytest.raises(ConfigError, match="number 2") as caught:
        channels_of("json://127.0.0.1:1/ nonsense://dummy-password@x", "")
    assert "dummy-password" not in str(caught.value)


def test_a_command_gets_the_words_in_its_environment(tmp_path):
    (channel,) = channels_of("", f'printf "%s %s" "$OBRA_NOTICE_KIND" "$OBRA_NOTICE" > {tmp_path}/said')
    assert channel.send(MESSAGE) == ""
    assert (tmp_path / "said").read_text() == "waiting T001 waits for your decision"


def test_a_command_that_fails_says_its_last_line():
    (channel,) = channels_of("", "echo no bus >&2; exit 3")
    assert channel.send(MESSAGE) == "The notification command ended with 3: no bus"
