import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.evidence.secrets import PIECE, kinds_in, places

# Put together here so that no scanner takes this file for a leak.
SECRETS = {
    "Anthropic key": "sk-" + "ant-api03-" + "aB3_" * 10,
    "OpenAI key": "sk-" + "proj-" + "aB3d" * 10,
    "GitHub token": "gh" + "p_" + "a1B2" * 9,
    "GitLab token": "gl" + "pat-" + "a1B2" * 5,
    "AWS key id": "AKIA" + "IOSFODNN7EXAMPLE"[:16].replace("8", "7").replace("9", "7"),
    "AWS secret": 'aws_secret_access_key = "' + "wJalrXUtnFEMI/K7MDENGbPxRfiCYzzzzzzzKEYa" + '"',
    "Google key": "AI" + "za" + "a1B2_" * 7,
    "Slack token": "xo" + "xb-123456789012-abcdefABCDEF",
    "Slack webhook": "https://hooks.slack" + ".com/services/T000/B000/" + "x1" * 12,
    "Stripe key": "sk" + "_live_" + "a1B2" * 6,
    "npm token": "npm" + "_" + "a1B2" * 9,
    "PyPI token": "py" + "pi-" + "AgEIcHlwaS5vcmc" * 4,
    "Hugging Face token": "h" + "f_" + "a1B2c" * 7,
    "JSON web token": "ey" + "JhbGciOiJIUzI1NiJ9" + ".ey" + "JzdWIiOiIxMjM0In0" + "." + "c2lnbmF0dXJl",
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "password in a URL": "postgres://app:" + "s3cr3tpw" + "@db.internal/x",
    "password": 'password = "' + "correct-horse-9" + '"',
    "login of HTTP": "Authorization: " + "Basic YWRhOmxvdmVsYWNlMTgxNQ==",
    "Azure key": "Account" + "Key=" + "q8Zt" * 21 + "aw==",
    "Google token": "ya" + "29." + "a1B2_" * 8,
    "DigitalOcean token": "do" + "p_v1_" + "ab12" * 16,
    "SendGrid key": "S" + "G." + "a1B2" * 5 + "." + "a1B2" * 10,
    "bearer token": "Bear" + "er " + "a1B2" * 8,
}


@pytest.mark.parametrize("kind", SECRETS)
def test_each_kind_is_found_in_the_middle_of_a_line(kind):
    assert kind in kinds_in(f"value = f({SECRETS[kind]}, 1)")


@pytest.mark.parametrize(
    "line",
    [
        'password = "changeme"',
        'password = "<your password>"',
        'password: "${DB_PASSWORD}"',
        'api_key = "xxxxxxxxxxxx"',
        'token = os.environ["TOKEN"]',
        "def reset_password(user, password): ...",
        "postgres://localhost:5432/db",
        "https://user@example.org/path",
        "sk-learn is a library; ghp_ is a prefix; AKIA too",
        "sha256:" + "ab12" * 16,
        "token = generate_token_v2_for_user123",
        "api_key: some.module.attribute2024",
        "secret=./path/to/file123456789",
        "password = 2024-01-01T00:00:00",
        "access_token = response.json4567",
        "auth_token: $AUTH_TOKEN_1234567",
        "Authorization: Bearer <token>",
    ],
)
def test_plain_code_and_placeholders_are_no_secrets(line):
    assert kinds_in(line) == ()


@pytest.mark.parametrize(
    "name", ["PASSWORD", "Api_Key", "api_\N{KELVIN SIGN}ey", "pa\N{LATIN SMALL LETTER LONG S}sword"]
)
def test_a_password_is_found_however_its_name_is_written(name):
    assert kinds_in(f'{name} = "correct-horse-9"') == ("password",)
    assert places([("a.py", 1, "nothing"), ("a.py", 2, f'{name} = "correct-horse-9"')]) == ("a.py:2 password",)


@pytest.mark.parametrize(
    "line",
    [
        "API_KEY=9fK2xQ7vLw3ZtB8nR5mJ1c",
        "auth_token: 7c1e9bd0a2f34c58b6e7d8f9a0b1c2d3",
        "db_password = Xq7!vB2#mK9$wL4z",
    ],
)
def test_a_value_without_quotes_counts_where_a_machine_made_it(line):
    assert kinds_in(line) == ("password without quotes",)


def test_a_secret_anywhere_in_a_long_line_is_found():
    token = SECRETS["GitHub token"]
    for before in range(PIECE - 600, PIECE + 40, 8):
        assert kinds_in(" " * before + token + " " * PIECE) == ("GitHub token",)


@pytest.mark.parametrize(
    "text",
    [
        "eyJ" + "a" * 400_000,
        "eyJa.eyJ" * 50_000,
        "a://" + "b" * 400_000,
        "aws" + "secret" * 60_000,
        "password" * 50_000,
    ],
    ids=["jwt", "dots", "url", "aws", "password"],
)
def test_hostile_text_ends_in_bounded_work(text):
    """With unbounded patterns these take minutes, so that the time limit of the suite would strike."""
    kinds_in(text)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text):
    kinds_in(text)


def test_places_name_file_line_and_kind_but_never_the_secret():
    found = places([("a.py", 3, SECRETS["private key"]), ("b.py", 9, "x = 1")])
    assert found == ("a.py:3 private key",)


def test_a_flood_of_secrets_is_listed_up_to_a_limit():
    found = places(("a.py", number, SECRETS["Slack token"]) for number in range(1_000))
    assert len(found) == 51 and found[-1] == "more places were found and not listed"
