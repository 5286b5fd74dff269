"""A secret that comes in by every door is in nothing that stays."""

import pytest

from obra_tui.rehearsal import RehearsalServers, materialise
from tests.e2e.obra import obra

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SHAPED = "sk-ant-api03-" + "C4naryC4nary" * 6 + "-AA"
PLAIN = "plain-words-that-nobody-would-call-a-key-4711"


@pytest.mark.fault(63)
def test_fault_63_a_secret_of_the_environment_the_prompt_and_the_code_is_in_no_artefact(tmp_path):
    with RehearsalServers.open("calculator", pace=0) as stage:
        repo = materialise(stage.scenario, tmp_path / "repo")
        home = tmp_path / "home"
        home.mkdir()
        env = {
            "OBRA_CLAUDE__BASE_URL": stage.claude_base_url,
            "OBRA_CLAUDE__API_KEY": PLAIN,
            "OBRA_CLAUDE__CONFIG_DIR": str(tmp_path / "claude"),
            "OBRA_JUDGE__BASE_URL": stage.judge_base_url,
            "OBRA_JUDGE__MODEL": stage.judge_model,
            "OBRA_GATE__POLICY": "autonomous",
        }
        task = f"Write the calculator module\n\nUse the key {SHAPED} and the password {PLAIN}."
        ran = obra(home, "run", "--task", task, "--headless", "-C", str(repo), **env)
        session = next(word for word in ran.out.split() if word.startswith("s1"))
        for form in ("json", "markdown", "html"):
            obra(home, "export", session, "--format", form, "-o", str(home / f"export.{form}"), **env)
        obra(home, "config", "--json", **env)
    kept = [path for path in home.rglob("*") if path.is_file() and "copies" not in path.parts]
    assert len(kept) > 3
    assert any(path.name == "obra.db" for path in kept)
    for path in kept:
        data = path.read_bytes()
        assert SHAPED.encode() not in data, path
        assert PLAIN.encode() not in data, path
