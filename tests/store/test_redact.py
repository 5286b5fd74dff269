"""No secret reaches the database."""

import base64
import json
import random
import string
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select

from obra_tui.core import events as e
from obra_tui.core.ids import SessionId
from obra_tui.core.model import Outcome
from obra_tui.store import database
from obra_tui.store import tables as t
from obra_tui.store.codec import encode
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.store.redact import Redactor
from tests.store.story import DIFF, Writer, finished_session

_LETTERS = random.Random(7)


def letters(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(_LETTERS.choices(alphabet, k=count))


CANARIES = {
    "anthropic": "sk-ant-" + "api03-" + letters(90),
    "openai": "sk-" + "proj-" + letters(48),
    "openai old": "sk-" + letters(48),
    "github": "ghp_" + letters(36),
    "github server": "ghs_" + letters(36),
    "github fine": "github_" + "pat_" + letters(82),
    "gitlab": "glpat-" + letters(20),
    "slack": "xoxb-" + "1234567890-" + letters(24),
    "slack app": "xapp-" + "1-" + letters(60),
    "slack hook": "hooks.slack.com/" + "services/" + letters(9) + "/" + letters(9) + "/" + letters(24),
    "aws id": "AKIA" + letters(16, string.ascii_uppercase),
    "aws secret": "aws_secret_access_key = " + letters(40),
    "google": "AIza" + letters(35),
    "google oauth": "ya29." + letters(80),
    "google client": "GOCSPX-" + letters(28),
    "stripe": "sk_live_" + letters(24),
    "jwt": "eyJ" + letters(30) + ".eyJ" + letters(60) + "." + letters(43),
    "npm": "npm_" + letters(36),
    "pypi": "pypi-" + letters(90),
    "hugging face": "hf_" + letters(34),
    "digitalocean": "dop_v1_" + letters(64, "0123456789abcdef"),
    "sendgrid": "SG." + letters(22) + "." + letters(43),
    "bearer": "Authorization: Bearer " + letters(40),
    "url": "postgresql://obra:" + letters(16) + "@db.example/obra",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\n" + (letters(64) + "\n") * 12 + "-----END RSA PRIVATE KEY-----",
}


def core_of(canary: str) -> str:
    """The secret part: its longest run of letters and digits."""
    return max(canary.replace("-", " ").replace(":", " ").replace("@", " ").replace("/", " ").split(), key=len)


@pytest.mark.parametrize("name", sorted(CANARIES))
def test_a_token_is_found_wherever_it_stands(name: str) -> None:
    redact = Redactor().text
    canary = CANARIES[name]
    for before, after in (("", ""), ("key=", "\n"), ("\n+", " # note"), ('{"k": "', '"}'), ("x" * 20_000 + " ", "é")):
        found = redact(before + canary + after)
        assert core_of(canary) not in found
        assert "[redacted: " in found
        assert found.startswith(before)
        assert found.endswith(after)


@pytest.mark.parametrize("name", sorted(CANARIES))
@pytest.mark.parametrize("depth", [1, 2])
def test_a_token_is_found_inside_json(name: str, depth: int) -> None:
    text = f"first line\n{CANARIES[name]}\n"
    for _ in range(depth):
        text = json.dumps({"content": text})
    assert core_of(CANARIES[name]) not in Redactor().text(text)


@pytest.mark.parametrize(
    "text",
    [
        "def add(a, b):\n    return a + b\n",
        "task-id sk-learn and risk-taking is a skill",
        "d" * 64,
        "index 3f1c9b2..a8d0e41 100644",
        "https://example.com/path?x=1",
        "git@github.com:obra/obra.git",
        "mailto:ada@example.com",
        "password = 'hunter2'",
        "claude-opus-4 eyJ AKIA ghp_ sk-ant-",
    ],
)
def test_plain_text_is_left_alone(text: str) -> None:
    assert Redactor(["short"]).text(text) == text


def test_exact_values_are_taken_out_in_all_their_forms() -> None:
    secret = "my own / pass+phrase"
    redact = Redactor([secret]).text
    for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        assert redact(f"<{form}>") == "<[redacted: secret]>"


def test_the_name_in_an_address_goes_with_the_password_but_the_host_stays() -> None:
    assert Redactor().text("postgresql://u:pass@db/x") == "postgresql://[redacted: password in address]@db/x"


def test_every_text_of_an_event_is_looked_at_and_the_rest_stays_as_it_is() -> None:
    event = e.DiffTaken(diff=DIFF)
    redactor = Redactor(["return a + b"])
    clean = redactor.of(event)
    assert "return a + b" not in clean.diff.patch
    assert clean.diff.files is event.diff.files
    assert Redactor().of(event) is event


@pytest.mark.parametrize("name", sorted(CANARIES))
@pytest.mark.parametrize(("before", "after"), [("", ""), ("\n+", "\n"), ('"\\t', '"'), ("é\x00 ", "\udc80")])
def test_what_would_be_taken_out_is_suspected_in_the_encoded_event(name: str, before: str, after: str) -> None:
    """Events are looked through as they are stored: nothing that JSON does to a text may hide a secret."""
    event = e.TextFinished(block="b", text=before + CANARIES[name] + after)
    assert Redactor().text(event.text) != event.text
    assert Redactor().suspected([encode(event)]) == [0]


@pytest.mark.parametrize(
    "secret", ["plain-secret", 'a"quoted" one', "C:\\key\\file", "two\nlines", "schlüssel", "\x01\x7f-ringing"]
)
def test_an_exact_value_is_suspected_however_json_writes_it(secret: str) -> None:
    for around in ("{}", "é{}", "\udc80 {}", '"{}\\'):
        event = e.ToolStarted(call="c", tool="Bash", title="", input_json=around.format(secret))
        assert Redactor([secret]).suspected([encode(event)]) == [0]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.sampled_from(sorted(CANARIES)), st.text(max_size=300), st.integers(0, 80))
def test_a_secret_in_any_text_is_suspected_alone_and_among_others(
    before: str, name: str, after: str, place: int
) -> None:
    event = e.TextFinished(block="b", text=f"{before} {CANARIES[name]} {after}")
    plain = encode(e.TextFinished(block="b", text="nothing to hide"))
    batch = [plain] * 81
    batch[place] = encode(event)
    redactor = Redactor(["a-known-value"])
    assert redactor.suspected([encode(event)]) == [0]
    assert redactor.suspected(batch) == [place]


def test_an_event_without_secrets_is_not_suspected() -> None:
    event = e.ToolFinished(call="toolu_000001", is_error=False, output="   12\tvalue_12 = table[3].get(12)  # item-3")
    assert Redactor(["a-known-value"]).suspected([encode(event)]) == []


def everything_stored(path: Path) -> str:
    engine = database.reader_engine(path)
    with engine.connect() as connection:
        return "\n".join(str(row) for table in t.metadata.sorted_tables for row in connection.execute(select(table)))


def test_nothing_stored_holds_a_secret(journal: SqlJournal, path: Path) -> None:
    story = finished_session()
    journal.append(story.records[:-1])
    rest = Writer()
    rest.records = []
    number = len(story.records) - 1
    for canary in CANARIES.values():
        for event in (
            e.PromptSent(text=canary, kind="steer"),
            e.TextStreamed(block="b9", text=canary),
            e.ThinkingStreamed(block="b9", text=canary),
            e.ToolStarted(call="c", tool="Bash", title=canary, input_json=f'{{"command": "{canary[:100]}"}}'),
            e.ToolFinished(call="c", is_error=False, output=canary, patch=canary),
            e.CheckPrinted(name="tests", text=canary),
        ):
            number += 1
            rest.records.append(_at(story, number, event))
    journal.append(rest.records)
    stored = everything_stored(path)
    assert [name for name, canary in CANARIES.items() if core_of(canary) in stored] == []


def _at(story: Writer, number: int, event: e.Event) -> e.Record:
    last = story.records[-2]
    return e.Record(seq=number, at=1.0, session=last.session, task=last.task, attempt=_attempt_of(story), event=event)


def _attempt_of(story: Writer) -> str:
    return next(record.attempt for record in story.records if record.attempt)


def test_a_secret_that_came_in_pieces_is_taken_out_when_it_is_whole(journal: SqlJournal, path: Path) -> None:
    secret = CANARIES["anthropic"]
    story = Writer()
    story.opened()
    story.task_added("t1")
    story.worked("t1", "a1")
    journal.append(story.records)
    before = len(story.records)
    for piece in (secret[:20], secret[20:60], secret[60:]):
        story.add(e.TextStreamed(block="b7", text=piece), "t1", "a1")
    story.add(e.TextStreamed(block="b8", text="another block"), "t1", "a1")
    journal.append(story.records[before:])
    journal.append([story.add(e.TextFinished(block="b7", text=f"It is {secret}."), "t1", "a1")])
    texts = [record.event.text for record in SqlHistory(path).records(SessionId("s1"), after=before)]
    assert texts == ["", "", "", "another block", "It is [redacted: anthropic key]."]


@pytest.mark.parametrize("kind", [e.ThinkingStreamed, e.TextStreamed])
def test_a_secret_in_pieces_that_are_never_said_in_full_is_taken_out_when_the_run_ends(
    journal: SqlJournal, path: Path, kind: type
) -> None:
    secret = CANARIES["anthropic"]
    story = Writer()
    story.opened()
    story.task_added("t1")
    story.worked("t1", "a1")
    ended = next(record.event for record in story.records if isinstance(record.event, e.ClaudeEnded))
    journal.append(story.records)
    before = len(story.records)
    for piece in (secret[:20], secret[20:60], secret[60:]):
        story.add(kind(block="b7", text=piece), "t1", "a1")
    story.add(kind(block="b8", text="another block"), "t1", "a1")
    cut_off = replace(ended, result=replace(ended.result, outcome=Outcome.KILLED))
    story.add(cut_off, "t1", "a1")
    journal.append(story.records[before:])
    *texts, _ = [record.event for record in SqlHistory(path).records(SessionId("s1"), after=before)]
    assert [event.text for event in texts] == ["", "", "", "another block"]


def test_the_key_that_is_passed_in_is_never_stored(path: Path) -> None:
    journal = SqlJournal(path, secrets=["the-key-of-the-day"])
    story = Writer()
    story.opened(project="/src/the-key-of-the-day")
    journal.append(story.records)
    assert "the-key-of-the-day" not in everything_stored(path)
