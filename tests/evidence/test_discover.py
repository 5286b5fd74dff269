import json
import shutil

import pytest

from obra_tui.core.model import Stage
from obra_tui.evidence import discover
from obra_tui.evidence.discover import find_checks, python_of

NOX = "@nox.session\ndef tests(s):\n    s.run({})\n"
TESTS = {"test_a.py": "def test(): pass\n"}


@pytest.fixture
def found(tmp_path):
    """Return a function that writes files and finds the checks, by name."""

    def find(files, changed=()):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return {spec.name: spec for spec in find_checks(tmp_path, changed)}

    return find


def test_a_project_without_anything_known_has_no_checks(found):
    assert found({"README.md": "# Hi\n"}) == {}


def test_changed_python_files_are_compiled_by_name_and_block(found):
    spec = found({"a.py": "", "b c.py": "", "-d.py": ""}, ["a.py", "b c.py", "-d.py", "gone.py", "x.txt"])["compile"]
    assert spec.run.endswith("-m compileall -q -f a.py 'b c.py' ./-d.py")
    assert spec.blocking and spec.stage is Stage.SYNTAX


def test_without_changed_python_files_everything_is_compiled_and_nothing_blocks(found):
    spec = found({"a.py": ""}, ["README.md"])["compile"]
    assert spec.run.endswith("-f .") and not spec.blocking


def test_a_project_with_rules_for_ruff_is_linted_by_them_and_blocks(found):
    rules = "[tool.ruff]\nline-length = 99\nfix = true\n"
    spec = found({"a.py": "", "pyproject.toml": rules, ".venv/bin/ruff": ""}, ["a.py"])["ruff"]
    assert spec.run == ".venv/bin/ruff check --no-fix --no-cache ." and spec.blocking


def test_rules_are_not_read_by_a_ruff_of_another_version_that_came_with_obra(found, monkeypatch):
    monkeypatch.setattr(discover.shutil, "which", lambda _: None)
    spec = found({"a.py": "", "ruff.toml": "line-length = 99\n"}, ["a.py"])["ruff"]
    assert "--isolated" in spec.run and not spec.blocking


def test_a_project_without_rules_is_only_looked_through_for_what_cannot_run(found):
    spec = found({"a.py": ""}, ["a.py"])["ruff"]
    assert "--isolated --select E9,F63,F7,F82 a.py" in spec.run and not spec.blocking


def test_without_ruff_a_project_without_rules_has_no_lint_and_one_with_rules_does_not_block(found, monkeypatch):
    monkeypatch.setattr(discover, "_tool", lambda *_: None)
    assert "ruff" not in found({"a.py": ""}, ["a.py"])
    assert not found({"ruff.toml": ""}, ["a.py"])["ruff"].blocking


@pytest.mark.parametrize("name", ["test_a.py", "a_test.py", "tests/test_b.py"])
def test_tests_are_run_by_pytest_with_a_report(found, name):
    spec = found({name: ""})["pytest"]
    assert '--junitxml="$OBRA_JUNIT"' in spec.run and spec.junit and spec.stage is Stage.TESTING


def test_tests_in_junk_folders_are_not_the_projects(found):
    assert found({"node_modules/x/test_a.py": "", ".venv/test_a.py": "", ".hidden/test_b.py": ""}) == {}


@pytest.mark.parametrize(
    ("script", "names"),
    [("vitest run", ["npm test"]), ('echo "Error: no test specified" && exit 1', [])],
)
def test_npm_test_counts_only_if_it_is_a_real_script(found, script, names):
    assert list(found({"package.json": json.dumps({"scripts": {"test": script}})})) == names


def test_lint_and_types_of_a_node_project_are_syntax(found):
    scripts = {"lint": "eslint .", "typecheck": "tsc", "test": "vitest run"}
    specs = found({"package.json": json.dumps({"scripts": scripts})})
    assert {name: spec.stage for name, spec in specs.items()} == {
        "npm typecheck": Stage.SYNTAX,
        "npm lint": Stage.SYNTAX,
        "npm test": Stage.TESTING,
    }


@pytest.mark.parametrize("text", ["{", "[]", '{"scripts": 3}', '{"scripts": {"test": 3}}', "[" * 100_000])
def test_a_strange_package_file_gives_no_checks(found, text):
    assert found({"package.json": text}) == {}


def test_cargo_and_go_projects_have_a_check_for_each_stage(found):
    specs = found({"Cargo.toml": "", "go.mod": "module x\n"})
    assert list(specs) == ["cargo check", "cargo test", "go vet", "go test"]
    assert {spec.stage for spec in specs.values()} == {Stage.SYNTAX, Stage.TESTING}


@pytest.mark.parametrize(
    ("text", "names"), [("test:\n\ttrue\n", ["make test"]), ("test := 1\nall:\n", []), ("tests: x\n", [])]
)
def test_make_test_counts_if_there_is_such_a_target(found, text, names):
    assert list(found({"Makefile": text})) == names


def test_make_test_gives_way_to_what_is_more_specific(found):
    assert "make test" not in found({"Makefile": "test:\n\tpytest\n", **TESTS})


# --- which Python --------------------------------------------------------------------------------


def environment(folder, *modules):
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").write_text("")
    for module in modules:
        (folder / ".venv" / "lib" / "python3.12" / "site-packages" / module).mkdir(parents=True)
        (folder / ".venv" / "lib" / "python3.12" / "site-packages" / module / "__init__.py").write_text("")


def test_the_projects_own_python_comes_first_if_it_has_the_module(tmp_path):
    environment(tmp_path, "pytest")
    assert python_of(tmp_path.joinpath, "pytest") == ".venv/bin/python"


def test_the_persons_python_comes_next_and_the_one_of_obra_last(tmp_path, monkeypatch):
    environment(tmp_path)
    monkeypatch.setattr(discover, "_python3_has", lambda _: True)
    assert python_of(tmp_path.joinpath, "pytest") == "python3"
    monkeypatch.setattr(discover, "_python3_has", lambda _: False)
    monkeypatch.setattr(discover.sys, "executable", "/opt/obra/bin/python")
    assert python_of(tmp_path.joinpath, "pytest") == "/opt/obra/bin/python"


def test_a_module_that_no_python_has_is_left_to_fail_with_advice(tmp_path, monkeypatch):
    monkeypatch.setattr(discover, "_python3_has", lambda _: False)
    assert python_of(tmp_path.joinpath, "no_such_module") == "python3"


def test_the_projects_own_python_is_looked_at_and_never_run(tmp_path):
    environment(tmp_path)
    program = tmp_path / ".venv" / "bin" / "python"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    find_checks_twice = [find_checks(tmp_path, ()), python_of(tmp_path.joinpath, "pytest")]
    assert find_checks_twice and not (tmp_path / "ran").exists()


def test_ruff_beside_obra_is_found_when_it_is_on_no_path(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(discover.sys, "executable", str(tmp_path / "python"))
    (tmp_path / "ruff").write_text("")
    assert discover._tool((tmp_path / "project").joinpath, "ruff") == str(tmp_path / "ruff")


# --- packages, languages, runners ----------------------------------------------------------------

PACKAGE = '{"name": "%s", "dependencies": {%s}, "scripts": {"test": "node t.js"}}'


def test_touched_packages_and_those_that_build_on_them_are_checked_where_the_root_has_no_tests(found):
    specs = found(
        {
            "package.json": '{"workspaces": ["packages/*"]}',
            "packages/a/package.json": PACKAGE % ("@x/a", ""),
            "packages/a/i.js": "",
            "packages/b/package.json": PACKAGE % ("@x/b", '"@x/a": "*"'),
            "packages/c/package.json": PACKAGE % ("@x/c", '"@x/b": "*"'),
            "packages/d/package.json": PACKAGE % ("@x/d", '"@x/ab": "*"'),
        },
        ["packages/a/i.js"],
    )
    tests = {name: spec.run for name, spec in specs.items() if spec.stage is Stage.TESTING}
    assert tests == {f"npm test in packages/{name}": f"cd packages/{name} && npm test" for name in "abc"}


def test_tests_at_the_root_speak_for_all_packages(found):
    files = {"package.json": PACKAGE % ("x", ""), "p/package.json": PACKAGE % ("p", ""), "p/i.js": ""}
    assert [name for name in found(files, ["p/i.js"]) if "test" in name] == ["npm test"]


def test_go_and_rust_in_folders_of_their_own_are_checked_there(found):
    files = {"svc/go.mod": "module example.org/svc\n", "svc/m.go": "", "lib/Cargo.toml": '[package]\nname = "lib"\n'}
    specs = found(files, ["svc/m.go"])
    assert specs["go test in svc"].run == "cd svc && go test ./..." and "cargo test in lib" not in specs


def test_python_packages_beside_one_another_are_tested_where_they_are(found):
    files = {
        "one/pyproject.toml": '[project]\nname = "one"\n',
        "one/tests/test_a.py": "",
        "two/pyproject.toml": '[project]\nname = "two"\ndependencies = ["one"]\n',
        "two/test_b.py": "",
        "three/pyproject.toml": '[project]\nname = "three"\n',
        "three/test_c.py": "",
        "one/a.py": "",
    }
    tests = [name for name in found(files, ["one/a.py"]) if name.startswith("pytest")]
    assert tests == ["pytest in one", "pytest in two"]


def test_a_linter_that_repairs_is_no_check(found):
    scripts = json.dumps({"scripts": {"lint": "eslint . --fix", "test": "jest"}})
    assert list(found({"package.json": scripts})) == ["npm test"]


@pytest.mark.parametrize(
    ("scripts", "run"),
    [
        ({"test": "tape t", "posttest": "npx npm@10 audit"}, "npm test --ignore-scripts"),
        ({"test": "tape t", "pretest": "npm run lint", "posttest": "aud --production"}, "npm test --ignore-scripts"),
        ({"test": "tape t", "pretest": "tsc -p .", "posttest": "npm audit"}, "npm test"),
        ({"test": "tape t", "pretest": "npm run lint"}, "npm test"),
    ],
)
def test_what_follows_the_tests_and_needs_a_network_is_left_out(found, scripts, run):
    assert found({"package.json": json.dumps({"scripts": scripts})})["npm test"].run == run


def test_changed_scripts_are_read_by_the_programs_that_would_run_them(found):
    specs = found({"a b.js": "", "t.sh": "#!/bin/sh\n", "u.bash": ""}, ["a b.js", "t.sh", "u.bash", "gone.js"])
    assert (
        specs["node --check"].run == "bad=0; for file in 'a b.js'; do node --check \"$file\" || bad=1; done; exit $bad"
    )
    assert {"sh -n", "bash -n"} <= set(specs)
    assert all(spec.stage is Stage.SYNTAX and spec.blocking for spec in specs.values())


@pytest.mark.parametrize(
    ("files", "run"),
    [
        ({"tox.ini": "[testenv]\ncommands = python -Wd tests/runtests.py -v\n"}, "python3 tests/runtests.py -v"),
        (
            {"Makefile": "test:\n\tpython -m django test --settings tests.s\n"},
            "python3 -m django test --settings tests.s",
        ),
        ({"Makefile": "test:\n\tcoverage run -m unittest discover\n"}, "python3 -m unittest discover"),
        (
            {"Makefile": "test:\n\tDJANGO_SETTINGS_MODULE=t.s \\\n\t\tpython -m django test $${ARGS:-tests}\n"},
            "DJANGO_SETTINGS_MODULE=t.s python3 -m django test tests",
        ),
        (
            {
                "tox.ini": "[testenv]\nsetenv =\n  PYTHONPATH=.\n  CI=1\n"
                "commands = python -b -W always -m coverage run -m django test -v2 {posargs:tests}\n"
            },
            "PYTHONPATH=. python3 -m django test -v2 tests",
        ),
        ({"noxfile.py": NOX.format("'python', '-m', 'unittest'")}, "python3 -m unittest"),
        ({"pyproject.toml": "[tool.pdm.scripts]\ntest = {cmd='python -m unittest -b'}\n"}, "python3 -m unittest -b"),
        ({"pyproject.toml": "# no pytest here\n", "Makefile": "test:\n\tpython -m unittest\n"}, "python3 -m unittest"),
    ],
)
def test_a_runner_of_its_own_is_used_where_a_project_wrote_it_down(found, files, run):
    assert found({**files, "tests/test_a.py": ""})["tests"].run == run


def test_pytest_is_used_where_a_project_names_it_beside_another_runner(found):
    specs = found({"tests/test_a.py": "", "Makefile": "test:\n\tpython runtests.py\n", "pytest.ini": "[pytest]\n"})
    assert "pytest" in specs and "tests" not in specs


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"tox.ini": "[testenv]\ncommands = pytest -x {posargs:tests/unit}\n"}, "tests/unit"),
        (
            {"Makefile": "test:\n\tpytest -q tests -m 'not slow' --ignore=tests/net\n"},
            "tests -m 'not slow' --ignore=tests/net",
        ),
        ({"noxfile.py": NOX.format("'pytest', '-k', 'not x', 'gone'")}, "-k 'not x'"),
        ({"Makefile": "test:\n\tpytest tests/unit\n", "pytest.ini": "[pytest]\ntestpaths = t\n"}, ""),
        ({"Makefile": "test:\n\tpytest $(X) tests\n"}, ""),
    ],
)
def test_what_a_project_gives_pytest_is_given_to_it_where_its_settings_name_no_folders(found, files, chosen):
    run = found({**files, "tests/unit/test_a.py": ""})["pytest"].run
    assert run.partition('"$OBRA_JUNIT"')[2].strip() == chosen


def names_of(specs):
    return sorted(spec.name for spec in specs.values() if spec.stage is Stage.SYNTAX)


@pytest.mark.parametrize(
    ("files", "changed", "names"),
    [
        ({"a.go": ""}, ["a.go"], ["grammar"]),
        ({"a.go": "", "go.mod": ""}, ["a.go"], ["go vet"] if shutil.which("go") else ["go vet", "grammar"]),
        ({"a.rs": "", "x.toml": ""}, ["a.rs", "x.toml"], ["grammar"]),
        ({"a.ts": ""}, ["a.ts"], ["grammar"]),
        ({"README.md": "", "x.txt": ""}, ["README.md", "x.txt"], ["text"]),
        ({"a.py": "", "README.md": ""}, ["a.py", "README.md"], ["compile", "ruff"]),
        ({"a.py": "", "x.yaml": ""}, ["a.py", "x.yaml"], ["compile", "grammar", "ruff"]),
        ({"run": "#!/usr/bin/env bash\n"}, ["run"], ["bash -n"]),
        ({"a.c": "", "CMakeLists.txt": "enable_testing()\n", "Makefile": "test:\n"}, ["a.c"], ["build"]),
        ({"pom.xml": "<project/>"}, [], ["mvn compile"]),
    ],
)
def test_every_kind_of_text_has_evidence_of_its_syntax_by_what_is_here(found, files, changed, names):
    assert names_of(found(files, changed)) == names


def test_ctest_comes_before_a_makefile_whose_target_may_only_run_a_demonstration(found):
    specs = found({"CMakeLists.txt": "include(CTest)\n", "Makefile": "test:\n\t./demo\n"})
    assert "ctest" in specs and "make test" not in specs


def test_just_task_and_ctest_run_the_tests_where_nothing_else_is_known(found, tmp_path):
    assert "just test" in found({"justfile": "test:\n  ./t\n"})
    (tmp_path / "justfile").unlink()
    assert "task test" in found({"Taskfile.yml": "tasks:\n  test:\n    cmds: []\n"})
    (tmp_path / "Taskfile.yml").unlink()
    assert "ctest" in found({"CMakeLists.txt": "enable_testing()\n"})
