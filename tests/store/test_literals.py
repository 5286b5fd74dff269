"""One pass over a text finds whatever a search for each of the texts alone would find."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obra_tui.store import redact
from obra_tui.store.redact import AnyOf

WANTED = ("sk-", "sk-ant-", "hf_", "://", "AKIA", "earer ", "PRIVATE KEY-----", "schlüssel", "\udc80half")
"""One that begins another, one that overlaps with others, one that is no ASCII, one that is no UTF-8."""

pieces = st.one_of(
    st.sampled_from([*WANTED, *(text[:-1] for text in WANTED), *(text[1:] for text in WANTED)]),
    st.text(max_size=8),
    st.sampled_from(["\udc80", "\x00", "\n", "é", "😀", "k-", "s"]),
)
texts = st.lists(pieces, max_size=12).map("".join)


def plainly(text: str) -> bool:
    return any(wanted in text for wanted in WANTED)


@settings(max_examples=400, deadline=None)
@given(texts)
def test_a_text_holds_any_of_them_when_a_search_for_each_finds_one(text: str) -> None:
    assert AnyOf(WANTED).within(text) is plainly(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, max_size=9), st.integers(1, 4))
def test_those_that_hold_any_are_found_among_many(many: list[str], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redact, "_TOGETHER", at_once)
        assert AnyOf(WANTED).among(many) == [place for place, text in enumerate(many) if plainly(text)]


@pytest.mark.parametrize("wanted", WANTED)
def test_the_longest_texts_are_searched_to_their_end(wanted: str) -> None:
    filler = "s" * (1 << 20)
    assert AnyOf(WANTED).within(filler + wanted)
    assert not AnyOf(WANTED).within(filler)


def test_as_many_as_a_person_has_secrets_are_looked_for() -> None:
    many = [f"secret number {number:03} of many" for number in range(300)]
    looked = AnyOf(many)
    assert all(looked.within(f"a {text}, and more") for text in many)
    assert not looked.within("secret number 300 of many")
