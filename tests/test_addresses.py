import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.config.addresses import plain_address

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("given_", "plain"),
    [
        ("", ""),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434"),
        ("https://Gateway.Example.org/v1/", "https://gateway.example.org/v1"),
        ("http://[0:0::1]:8080", "http://[::1]:8080"),
        ("http://judge_1:80", "http://judge_1:80"),
    ],
)
def test_an_address_is_put_together_from_what_was_understood(given_, plain):
    assert plain_address(given_) == plain


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:11434",
        "ftp://example.org",
        "http://",
        "http://user:pw@example.org",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1%40evil.example",
        "http://evil.example\\@127.0.0.1",
        "http://127.0.0.1\\.evil.example",
        "http://127.0.0.1 .evil.example",
        "http://127.0.0.1\t.evil.example",
        "http://127.0.0.1#@evil.example",
        "http://127.0.0.1?@evil.example",
        "http://0x7f.1",
        "http://2130706433",
        "http://127.1",
        "http://0177.0.0.1",
        "http://exаmple.org",
        "http://example.org:port",
        "http://example.org/a/../b",
        "http://[::1",
        "http://-x.org",
        "http://a..b",
    ],
)
def test_what_two_parsers_could_read_in_two_ways_is_an_error(address):
    with pytest.raises(ValueError, match=r"must|names|Expected|At most|Only|Exactly"):
        plain_address(address)


@given(st.text(max_size=60))
def test_what_comes_out_is_read_the_same_again(text):
    try:
        plain = plain_address(f"http://{text}")
    except ValueError:
        return
    assert plain_address(plain) == plain
