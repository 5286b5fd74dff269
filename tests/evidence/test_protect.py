import pytest

from obra_tui.evidence.protect import configures_obra, has_tests, reason_for, rules_with


def reason(path, *, existed=True, tests_existed=True, patterns=()):
    return reason_for(rules_with(patterns), path, existed=existed, tests_existed=tests_existed)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/test_a.py", "existing test"),
        ("src/tests/data/input.json", "existing test"),
        ("pkg/test_a.py", "existing test"),
        ("calc_test.go", "existing test"),
        ("src/app.test.ts", "existing test"),
        ("src/app.spec.js", "existing test"),
        ("src/__tests__/app.js", "existing test"),
        (".github/workflows/ci.yml", "CI"),
        (".GitLab-ci.yml", "CI"),
        (".ci/run.sh", "CI"),
        ("tests/conftest.py", "test configuration"),
        ("pytest.ini", "test configuration"),
        ("tox.ini", "test configuration"),
        (".obra/config.toml", "Obra's configuration"),
        (".claude/settings.json", "Claude Code's configuration"),
        ("src/app.py", ""),
        ("latest.py", ""),
        ("contest/app.py", ""),
        ("docs/testing.md", ""),
        ("attestation.py", ""),
    ],
)
def test_each_path_has_the_reason_that_people_read(path, expected):
    assert reason(path) == expected


@pytest.mark.parametrize(
    ("path", "tests_existed", "expected"),
    [
        ("tests/test_new.py", True, ""),
        (".github/workflows/new.yml", False, "CI"),
        (".claude/settings.json", False, "Claude Code's configuration"),
        ("conftest.py", True, "test configuration"),
        ("conftest.py", False, ""),
    ],
)
def test_a_new_file_is_protected_only_where_it_could_change_the_referee(path, tests_existed, expected):
    assert reason(path, existed=False, tests_existed=tests_existed) == expected


def test_settings_add_patterns_and_lift_others():
    patterns = ("!tests/generated/*", "db/migrations/*")
    assert reason("tests/generated/test_a.py", patterns=patterns) == ""
    assert reason("tests/test_a.py", patterns=patterns) == "existing test"
    assert reason("db/migrations/1.sql", existed=False, patterns=patterns) == "protected by the settings"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[gate]\n", True),
        (" [[checks]]\n", True),
        ("[judge.x]\n", True),
        ("[server]\ngate = 1\n", False),
        (None, False),
    ],
)
def test_a_config_file_is_obras_if_it_has_a_section_that_obra_reads(text, expected):
    assert configures_obra(text) is expected


def test_a_tree_has_tests_if_one_path_is_a_test():
    assert has_tests(["a.py", "tests/test_a.py"]) and not has_tests(["a.py", "conftest.py"])
