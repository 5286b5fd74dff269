"""The lines of the doctor that need no machine of a special kind."""

import pytest

from obra_tui.wiring.doctor import MachineDoctor, command_in


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
