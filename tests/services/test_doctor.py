"""The lines of the doctor that need no machine of a special kind."""

import pytest

from obra_tui.core.doctor import DoctorStatus
from obra_tui.services.doctor import MachineDoctor, command_in


@pytest.mark.parametrize(
    ("advice", "command"),
    [
        ("Start it with `ollama serve`, or set judge.base_url.", "ollama serve"),
        ("Get it with `ollama pull qwen2.5-coder:32b`.", "ollama pull qwen2.5-coder:32b"),
        ("Start it, or set `judge.base_url`.", ""),
        ("", ""),
    ],
)
def test_the_command_of_an_advice_can_be_copied(advice, command):
    assert command_in(advice) == command


def test_a_judge_that_is_not_there_names_the_command_that_starts_it(tmp_path, monkeypatch):
    monkeypatch.setenv("OBRA_JUDGE__BASE_URL", "http://127.0.0.1:9")
    line = next(line for line in MachineDoctor(tmp_path).run() if line.name == "judge")
    assert (line.fix, line.needed) == ("ollama serve", False)


def test_a_data_folder_that_cannot_be_made_ends_no_examination(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("OBRA_DATA_DIR", str(tmp_path / "file" / "data"))
    lines = {line.name: line for line in MachineDoctor(tmp_path).run()}
    assert lines["data-folder"].status is DoctorStatus.MISSING
    assert {"sandbox", "claude", "judge"} <= set(lines)
    assert "Claude Code" in lines["claude"].fact
