"""Each setting on the screen knows the file in which it is changed."""

from obra_tui.bootstrap.app import shown_settings
from obra_tui.config.load import load, trust_project, user_file


def test_a_setting_is_changed_where_it_stands_or_in_the_persons_own_file(tmp_path, monkeypatch):
    user_file().parent.mkdir(parents=True)
    user_file().write_text('# mine\n[judge]\nmodel = "m"\n', encoding="utf-8")
    own = tmp_path / ".obra" / "config.toml"
    own.parent.mkdir()
    own.write_text("[gate]\nthreshold = 0.8\n", encoding="utf-8")
    trust_project(tmp_path)
    monkeypatch.setenv("OBRA_GATE__MAX_ATTEMPTS", "2")
    shown = {setting.name: (setting.file, setting.line) for setting in shown_settings(load(tmp_path), tmp_path)}
    assert shown["gate.threshold"] == (str(own), 2)
    assert shown["judge.model"] == (str(user_file()), 3)
    assert shown["gate.max_attempts"] == (str(user_file()), 0)
    assert shown["ui.theme"] == (str(user_file()), 0)
