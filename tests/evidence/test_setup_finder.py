"""Which set-up is proposed for which kind of project, and from which of its files."""

import json

import pytest

from obra_tui.evidence.projects.reading import Project
from obra_tui.evidence.projects.requirements import bounds
from obra_tui.evidence.projects.setup_finder import propose
from obra_tui.evidence.projects.witnesses import witnesses
from obra_tui.evidence.setup_inputs import only_installs

PROJECT = '[project]\nname = "p"\nversion = "1"\n'
NPM = json.dumps({"devDependencies": {"jest": "1"}})


@pytest.fixture
def found(tmp_path):
    def find(files, has=lambda _: True):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return propose(tmp_path, has)

    return find


@pytest.mark.parametrize(
    ("files", "setup"),
    [
        ({"pyproject.toml": PROJECT, "uv.lock": ""}, ["uv sync"]),
        (
            {"pyproject.toml": PROJECT + '[dependency-groups]\ndev=[]\ntests=["pytest"]\ndocs=[]\n', "uv.lock": ""},
            ["uv sync --group tests"],
        ),
        (
            {"pyproject.toml": PROJECT + '[project.optional-dependencies]\ntest=["pytest"]\n', "uv.lock": ""},
            ["uv sync --extra test"],
        ),
        ({"pyproject.toml": '[tool.poetry]\nname="p"\n[tool.poetry.group.test]\n'}, ["poetry install --with test"]),
        ({"pyproject.toml": PROJECT, "pdm.lock": ""}, ["pdm install -G :all"]),
        ({"Pipfile": ""}, ["pipenv install --dev"]),
        (
            {"pyproject.toml": PROJECT + '[project.optional-dependencies]\ndev=["pytest"]\ndocs=[]\n'},
            ["uv venv .venv", "uv pip install -e '.[dev]'"],
        ),
        (
            {"setup.py": "setup(extras_require={\n  'testing': ['pytest'],\n  'x': []\n  })"},
            ["uv venv .venv", "uv pip install -e '.[testing]'"],
        ),
        (
            {"setup.py": "", "requirements-dev.txt": "-r requirements.txt\npytest\n", "requirements.txt": "six\n"},
            ["uv venv .venv", "uv pip install -e . -r requirements-dev.txt"],
        ),
        (
            {"setup.py": "", "requirements/dev.txt": "-r tests.txt\np==0.9\n", "requirements/tests.txt": "pytest\n"},
            ["uv venv .venv", "uv pip install -e . -r requirements/tests.txt"],
        ),
        (
            {"setup.cfg": "[metadata]\nname=p\n[tool:pytest]\naddopts = --cov=p -n 2\n", "tests/test_a.py": ""},
            ["uv venv .venv", "uv pip install -e . pytest pytest-cov pytest-xdist"],
        ),
        (
            {
                "setup.py": "",
                "tox.ini": "[testenv]\ndeps =\n  pytest\n  mock>=2\n  -r{toxinidir}/x.txt\ncommands = pytest\n",
            },
            ["uv venv .venv", "uv pip install -e . pytest 'mock>=2'"],
        ),
        (
            {
                "setup.py": "",
                "requirements/x.txt": "",
                "tox.ini": "[tox]\n[testenv:lint]\ncommands = ruff .\n[testenv:py{38,39}]\nextras = fast\n"
                "deps =\n  -r{toxinidir}/requirements/x.txt\n  tests: mock\n  dj42: django\n  !min: attrs\n"
                "commands = pytest\n",
                "setup.cfg": "[options.extras_require]\nfast = six\n",
            },
            ["uv venv .venv", "uv pip install -e '.[fast]' -r requirements/x.txt mock attrs pytest"],
        ),
        (
            {
                "pyproject.toml": PROJECT + "[project.optional-dependencies]\nall=['x']\n"
                "[tool.tox.env_run_base]\nextras=['all']\ndeps=['pytest>7','mock']\ncommands=[['pytest']]\n",
            },
            ["uv venv .venv", "uv pip install -e '.[all]' 'pytest>7' mock"],
        ),
        (
            {
                "pyproject.toml": PROJECT,
                "more.txt": "attrs\n",
                "noxfile.py": "import nox\n\n@nox.session(python=['3.9'])\ndef lint(s):\n    s.install('ruff')\n\n"
                "@nox.session\ndef tests(session):\n    session.install('-e', '.', '-r', 'more.txt', 'pytest-mock')\n"
                "    session.run('pytest', *session.posargs)\n",
            },
            ["uv venv .venv", "uv pip install -e . -r more.txt pytest-mock pytest"],
        ),
        (
            {
                "setup.py": "",
                ".github/workflows/ci.yml": "on: push\njobs:\n  t:\n    steps:\n      - run: |\n"
                "          python -m pip install -U pip build\n          pip install . 'mock>=2' responses\n"
                "          pytest\n",
            },
            ["uv venv .venv", "uv pip install -e . 'mock>=2' responses pytest"],
        ),
        (
            {"setup.py": "", "Makefile": "install:\n\tpip install -e .[x] hypothesis\ntest:\n\tpython -m unittest\n"},
            ["uv venv .venv", "uv pip install -e . hypothesis"],
        ),
        (
            {
                "pyproject.toml": PROJECT + "[tool.hatch.envs.default]\ndependencies=['pytest','mock']\n"
                "[tool.hatch.envs.hatch-test]\nextra-dependencies=['attrs','{root:uri}/x']\n"
                "[tool.hatch.envs.docs]\ndependencies=['mkdocs']\n",
            },
            ["uv venv .venv", "uv pip install -e . pytest mock attrs"],
        ),
        ({"package.json": NPM, "package-lock.json": "{}"}, ["npm ci --no-audit --no-fund"]),
        ({"package.json": NPM, "pnpm-lock.yaml": ""}, ["pnpm install --frozen-lockfile"]),
        ({"package.json": NPM, "yarn.lock": ""}, ["yarn install --frozen-lockfile"]),
        ({"package.json": NPM, "yarn.lock": "", ".yarnrc.yml": ""}, ["yarn install --immutable"]),
        ({"package.json": NPM, "bun.lock": ""}, ["bun install --frozen-lockfile"]),
        ({"Cargo.toml": "", "Cargo.lock": ""}, ["cargo fetch --locked"]),
        ({"go.mod": "module x\n"}, ["go mod download"]),
        ({"pom.xml": "<project/>"}, ["mvn -q -B -Dmaven.test.failure.ignore=true test clean"]),
        (
            {"pyproject.toml": PROJECT, "uv.lock": "", "package.json": NPM, "package-lock.json": "{}"},
            ["uv sync", "npm ci --no-audit --no-fund"],
        ),
        (
            {".devcontainer/devcontainer.json": '{// made once\n "postCreateCommand": "make deps",\n}'},
            ["make deps"],
        ),
    ],
)
def test_the_set_up_is_found_by_lock_files_manifests_and_requirements(found, files, setup):
    assert list(found(files).setup) == setup


@pytest.mark.parametrize("files", [{"README.md": "x"}, {"package.json": "{}"}, {"a.py": ""}])
def test_a_project_that_asks_for_nothing_has_none(found, files):
    assert found(files) is None


def test_without_uv_an_environment_is_made_by_venv_and_pip(found):
    proposal = found({"pyproject.toml": PROJECT, "tests/test_a.py": ""}, lambda name: name != "uv")
    assert proposal.setup == ("python3 -m venv .venv", ".venv/bin/pip install -e . pytest")


def test_a_tool_that_is_not_there_is_fetched_by_another_one_or_named(found):
    files = {"pyproject.toml": '[tool.poetry]\nname="p"\n'}
    assert found(files, lambda name: name == "uv").setup == ("uvx poetry install",)
    proposal = found(files, lambda _: False)
    assert proposal.missing == ("poetry",)


def test_a_pinned_package_manager_that_is_not_there_is_fetched_in_its_version(found):
    pinned = json.dumps({"devDependencies": {"a": "1"}, "packageManager": "pnpm@9.1.0+sha512.abc"})
    proposal = found({"package.json": pinned, "pnpm-lock.yaml": ""}, lambda name: name == "npx")
    assert proposal.setup == ("npx --yes pnpm@9.1.0 install --frozen-lockfile",)
    assert only_installs(proposal.setup)


def test_what_is_proposed_for_python_only_installs(found):
    proposal = found({"setup.py": "", "tox.ini": "[testenv]\ndeps = mock>=2\n", "tests/test_a.py": ""})
    assert only_installs(proposal.setup)


def test_what_maven_loads_for_its_tests_is_the_same_for_every_tree(found):
    assert only_installs(found({"pom.xml": "<project/>"}).setup)


def test_links_and_broken_manifests_say_nothing(found, tmp_path):
    (tmp_path / "uv.lock").symlink_to("/etc/passwd")
    assert found({"package.json": "{", "Cargo.lock": ""}) is None


def test_commands_of_ci_tox_make_and_just_are_witnesses(tmp_path):
    for name, text in {
        ".github/workflows/ci.yml": "on: push\njobs:\n  t:\n    steps:\n      - run: pip install -e .[x]\n"
        "      - name: T\n        run: |\n          pytest -x \\\n            tests\n          echo ${{ secrets.A }}\n"
        "      - uses: a/b\n",
        ".github/workflows/release.yml": "on:\n  release:\njobs: {}\n# run: no\n",
        "tox.ini": "[testenv]\ncommands =\n  {envpython} -m pytest {posargs:tests}\n  -codecov {env:X}\n",
        "Makefile": "test: build\n\t@python runtests.py\n\t$(PY) x\n",
        "justfile": "test *args:\n  cargo test\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    commands = [(item.command, item.tests) for item in witnesses(Project(tmp_path))]
    assert commands == [
        ("pip install -e .[x]", False),
        ("pytest -x tests", True),
        ("python -m pytest", True),
        ("make test", True),
        ("python runtests.py", True),
        ("just test", True),
        ("cargo test", True),
    ]


POETRY = """[tool.poetry]
name = "p"
[tool.poetry.dependencies]
python = "^3.8"
[tool.poetry.dev-dependencies]
pytest = "^7.2"
mypy = "^0.990"
six = "*"
[tool.poetry.group.test.dependencies]
mock = { version = "~4.0.1", extras = ["x"], python = "^3.8" }
old = [{ version = "1.0", markers = "os_name == 'nt'" }, { git = "https://h/o.git", tag = "v1" }]
own = { path = "../own" }
[tool.poetry.group.docs.dependencies]
sphinx = "*"
[build-system]
requires = ["poetry-core"]
"""


def test_tables_of_poetry_without_its_lock_file_are_installed_by_pip_where_poetry_is_not_there(found):
    proposal = found({"pyproject.toml": POETRY}, lambda name: name == "uv")
    assert proposal.setup[1] == (
        "uv pip install -e . 'pytest>=7.2,<8' 'mypy>=0.990,<0.991' six "
        '\'mock[x]>=4.0.1,<4.1 ; python_version >= "3.8" and python_version < "4"\' '
        "'old==1.0 ; (os_name == \"nt\")' 'old @ git+https://h/o.git@v1'"
    )
    assert only_installs(proposal.setup)


def test_with_its_lock_file_poetry_is_fetched(found):
    proposal = found({"pyproject.toml": POETRY, "poetry.lock": ""}, lambda name: name == "uv")
    assert proposal.setup == ("uvx poetry install --with test",)


def test_groups_of_pdm_without_its_lock_file_are_installed_by_pip(found):
    text = PROJECT + "[tool.pdm.dev-dependencies]\ntest=['pytest>=6.1']\ndoc=['furo']\n"
    assert found({"pyproject.toml": text}, lambda name: name == "uv").setup[1] == "uv pip install -e . 'pytest>=6.1'"


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("~1", ">=1,<2"),
        ("~=1.4", "~=1.4"),
        (">= 1.2, <2.0", ">=1.2,<2.0"),
        ("1.2.*", "==1.2.*"),
        ("^1 || ^2", ""),
        ("*", ""),
    ],
)
def test_a_constraint_of_poetry_is_said_in_the_words_of_pip(constraint, expected):
    assert bounds(constraint) == expected
