"""What the first paint reads by itself is what the settings say."""

from pathlib import Path

import pytest
from msgspec import structs

from obra_tui.config.early import early_settings
from obra_tui.config.load import load, user_file
from obra_tui.core.errors import ConfigError

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
    whole = load(None)
    assert structs.asdict(early_settings()) == {"ui": whole.ui, "keys": whole.keys, "data_dir": whole.data_dir}
    return True


def test_without_a_file_the_defaults_are_those_of_the_settings():
    assert looks_like_the_settings()


def test_the_persons_file_is_read_the_same():
    user_file().parent.mkdir(parents=True)
    Path(user_file()).write_text(FILE, encoding="utf-8")
    assert looks_like_the_settings()
    assert not early_settings().ui.mouse


@pytest.mark.parametrize(
    ("written", "means"),
    [("0", False), ("false", False), ("off", False), ("no", False), ("1", True), ("TRUE", True), ("Yes", True)],
)
def test_a_switch_in_the_environment_is_read_the_same(monkeypatch, written, means):
    monkeypatch.setenv("OBRA_UI__MOUSE", written)
    monkeypatch.setenv("OBRA_UI__REDUCE_MOTION", written)
    assert looks_like_the_settings()
    assert early_settings().ui.mouse is means


def test_an_empty_variable_is_not_set(monkeypatch):
    user_file().parent.mkdir(parents=True)
    Path(user_file()).write_text(FILE, encoding="utf-8")
    for name in ("OBRA_DATA_DIR", "OBRA_UI__THEME", "OBRA_UI", "OBRA_KEYS", "OBRA_UI__MOUSE"):
        monkeypatch.setenv(name, "")
    assert looks_like_the_settings()
    assert early_settings().ui.theme == "nord"


def test_tables_in_the_environment_and_names_in_small_letters_are_read_the_same(monkeypatch):
    monkeypatch.setenv("OBRA_UI", '{"theme": "dracula", "mouse": false}')
    monkeypatch.setenv("OBRA_KEYS", '{"review.approve": "ctrl+a"}')
    monkeypatch.setenv("obra_ui__theme", "nord")
    assert looks_like_the_settings()
    assert early_settings().ui.theme == "nord"


def test_a_value_that_does_not_fit_is_the_default_until_the_full_reading_refuses_it(monkeypatch):
    monkeypatch.setenv("OBRA_UI__THEME", "pink")
    monkeypatch.setenv("OBRA_UI__MOUSE", "perhaps")
    assert (early_settings().ui.theme, early_settings().ui.mouse) == ("obra-cb-dark", True)
    with pytest.raises(ConfigError, match="OBRA_UI__THEME"):
        load(None)
