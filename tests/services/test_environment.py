"""The doctor's lines about a project, and what `--write` puts into its settings."""

import pytest

from obra_tui.config.load import load, trust_project
from obra_tui.config.writing import with_setup
from obra_tui.core.doctor import DoctorStatus
from obra_tui.core.errors import ConfigError
from obra_tui.services.doctor import MachineDoctor
from tests.evidence.scene import make_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("OBRA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OBRA_JUDGE__BASE_URL", "http://127.0.0.1:9")
    return make_project(tmp_path / "p", {"uv.lock": "", "pyproject.toml": "[project]\nname='p'\n", "test_a.py": ""})


def test_the_doctor_proposes_a_set_up_and_names_the_checks_that_would_run(project):
    (project / ".env").write_text("A=1\n")
    lines = {line.name: line for line in MachineDoctor(project).run()}
    assert lines["set-up"].status is DoctorStatus.WARN
    assert "uv sync" in lines["set-up"].fact and lines["set-up"].fix == "obra doctor --write"
    assert "pytest" in lines["checks"].fact
    assert ".env" in lines["copy"].fact
    assert not lines["set-up"].needed


def test_what_was_written_is_in_force_without_another_step(project):
    told = MachineDoctor(project).write()
    assert load(project).workspace.setup == ("uv sync",)
    assert ".obra/config.toml" in told[0]
    lines = {line.name: line for line in MachineDoctor(project).run()}
    assert lines["set-up"].status is DoctorStatus.OK


def test_a_file_that_was_not_trusted_is_not_trusted_by_writing_into_it(project):
    (project / ".obra").mkdir()
    (project / ".obra" / "config.toml").write_text('[claude]\nallow = ["just test"]\n')
    trust_project(project)
    load(project)
    (project / ".obra" / "config.toml").write_text('[claude]\nallow = ["rm"]\n')
    with pytest.raises(ConfigError):
        MachineDoctor(project).write()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[workspace]\nsetup = ["a \\"b\\""]\n'),
        ("# mine\n[gate]\nthreshold = 0.9", '# mine\n[gate]\nthreshold = 0.9\n\n[workspace]\nsetup = ["a \\"b\\""]\n'),
        (
            "[workspace] # mine\nkeep_copies = true\n[gate]\n",
            '[workspace] # mine\nsetup = ["a \\"b\\""]\nkeep_copies = true\n[gate]\n',
        ),
        ("[workspace]\nsetup = []\n", '[workspace]\nsetup = ["a \\"b\\""]\n'),
    ],
)
def test_nothing_else_in_the_settings_file_is_changed(before, after):
    assert with_setup(before, ('a "b"',), "config.toml") == after


@pytest.mark.parametrize("text", ['[workspace]\nsetup = ["make"]\n', "[workspace\n"])
def test_a_set_up_that_is_there_and_a_file_that_is_no_toml_are_left_alone(text):
    with pytest.raises(ConfigError):
        with_setup(text, ("a",), "config.toml")


def test_a_project_without_a_proposal_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("OBRA_DATA_DIR", str(tmp_path / "data"))
    project = make_project(tmp_path / "p", {"README.md": "x"})
    with pytest.raises(ConfigError, match="no set-up to propose"):
        MachineDoctor(project).write()
