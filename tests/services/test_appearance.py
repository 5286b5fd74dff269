"""What the first paint reads by itself is what the settings say."""

from pathlib import Path

import pytest
from msgspec import structs

from obra_tui.config.early import appearance
from obra_tui.config.load import load, user_file

FILE = """
[ui]
theme = "nord"
glyphs = "ascii"
mouse = false
reduce_motion = true
notify = "bell"
notify_command = "true"
[keys]
"review.approve" = "A"
"""


def looks_like_the_settings() -> bool:
    quick, whole = structs.asdict(appearance()), load(None)
    wanted = structs.asdict(whole.ui) | {"keys": whole.keys, "data_dir": whole.data_dir}
    wanted["ascii_glyphs"] = wanted.pop("glyphs") == "ascii"
    assert quick == wanted
    return True


def test_without_a_file_the_defaults_are_those_of_the_settings():
    assert looks_like_the_settings()


def test_the_persons_file_is_read_the_same():
    user_file().parent.mkdir(parents=True)
    Path(user_file()).write_text(FILE, encoding="utf-8")
    assert looks_like_the_settings()
    assert not appearance().mouse


@pytest.mark.parametrize(
    ("written", "means"), [("0", False), ("false", False), ("off", False), ("1", True), ("TRUE", True)]
)
def test_a_switch_in_the_environment_is_read_the_same(monkeypatch, written, means):
    monkeypatch.setenv("OBRA_UI__MOUSE", written)
    monkeypatch.setenv("OBRA_UI__REDUCE_MOTION", written)
    assert looks_like_the_settings()
    assert appearance().mouse is means
