"""Text of others cannot leave the place that an export gives it."""

from hypothesis import given
from hypothesis import strategies as st

from obra_tui.core.patch import split_patch
from obra_tui.core.records.export import Block, html, markdown

HOSTILE = st.text(alphabet="`<>&\"'/script#-*[](){}\n\x1b\u202ex", max_size=60)


@given(HOSTILE, st.sampled_from(["h1", "p", "code", "diff"]))
def test_no_text_becomes_a_tag_or_a_control_character(text, kind):
    page = html(iter([Block(kind=kind, text=text)]), text)
    body = page.split("<body>")[1]
    tags = [part.split(">")[0] for part in body.split("<")[1:]]
    ours = {"pre", "/pre", "/body", "/html", "/span", *(f'span class="{name}"' for name in ("add", "del", "hunk"))}
    assert set(tags) <= {kind, f"/{kind}"} | ours
    assert "\x1b" not in page and "\u202e" not in page


@given(HOSTILE)
def test_no_text_ends_its_own_fence(text):
    lines = markdown(iter([Block(kind="code", text=text)])).splitlines()
    fence = lines[0]
    assert set(fence) == {"`"}
    assert [line for line in lines[1:] if line.startswith(fence)] == [fence]


def test_a_heading_of_others_is_plain_text():
    assert markdown(iter([Block(kind="h1", text="# [x](javascript:1) <b>\n## no")])) == (
        "# \\# \\[x\\](javascript:1) \\<b\\> \\#\\# no\n\n"
    )


def test_a_patch_is_split_at_its_files_also_with_blanks_in_their_names():
    patch = "junk\ndiff --git a/a b.py b/a b.py\n+1\ndiff --git a/old.py b/new.py\n-2\n"
    assert list(split_patch(patch)) == ["a b.py", "new.py"]


@given(st.text(max_size=200))
def test_any_text_can_be_split(text):
    split_patch(text)
