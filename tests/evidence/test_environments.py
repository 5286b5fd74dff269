"""What a set-up makes: made once, seen by every check as it was made, and written to by nobody."""

import asyncio
import os
from pathlib import Path

import pytest

from obra_tui.core.errors import WorkspaceError
from obra_tui.core.model import CheckSpec, CheckStatus, SandboxLevel
from obra_tui.evidence import environments
from obra_tui.evidence.check_workspace import seal
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.setup_inputs import only_installs
from tests.evidence.scene import commit_files, git, make_scene, task

SETUP = (
    "mkdir -p node_modules/leftpad .venv/bin gen .git/x && rmdir .git/x",
    "echo module > node_modules/leftpad/index.js",
    'printf \'#!/bin/sh\\n# %s\\necho tool "$(dirname "$0")"\\n\' "$PWD" > .venv/bin/tool && chmod +x .venv/bin/tool',
    "echo g > gen/x",
)
USE = "cat node_modules/leftpad/index.js gen/x && tool && git log --format=%s && git describe --tags"
SPOIL = "echo bad | tee node_modules/leftpad/index.js gen/x .venv/bin/tool; rm -rf .git gen; git init -q; exit 0"


def quiet(_):
    """Nobody listens."""


class Fixed(Sandbox):
    """A sandbox of one level, with or without layers of the kernel's."""

    def __init__(self, *, data_dir, level, overlays):
        super().__init__(data_dir=data_dir)
        self._only, self._with = level, overlays

    async def probe(self):
        return self._only, "Chosen by the test."

    async def overlays(self):
        return self._with


LEVELS = [
    (SandboxLevel.BWRAP, True),
    (SandboxLevel.BWRAP, False),
    (SandboxLevel.UNSHARE, True),
    (SandboxLevel.UNSHARE, False),
    (SandboxLevel.NONE, False),
]


@pytest.fixture(params=LEVELS, ids=lambda given: f"{given[0]}-{'layers' if given[1] else 'copies'}")
async def any_scene(request, tmp_path):
    level, overlays = request.param
    proven, _ = await Sandbox(data_dir=tmp_path / "probe").probe()
    if level is SandboxLevel.BWRAP and proven is not SandboxLevel.BWRAP:
        pytest.skip("bubblewrap does not work here")
    if overlays and not await Sandbox(data_dir=tmp_path / "probe").overlays():
        pytest.skip("no layers in a user namespace here")
    sandbox = Fixed(data_dir=tmp_path / "data", level=level, overlays=overlays)
    scene = make_scene(tmp_path, sandbox=sandbox, setup=SETUP)
    git(scene.project, "tag", "v1.0")
    return scene


async def test_every_check_sees_what_the_set_up_made_and_the_history_whatever_one_before_it_did(any_scene):
    copy, _ = await any_scene.work({"a.txt": "a\n"})
    checks = any_scene.checks()
    await checks.plan(copy, task())
    for command in (USE, SPOIL, USE):
        result = await checks.run(CheckSpec(name="use", run=command), copy, quiet)
        assert result.status is CheckStatus.PASSED, result.output
        if command == USE:
            module, generated, tool, *rest = result.output.splitlines()
            assert (module, generated, rest) == ("module", "g", ["Start", "v1.0"])
            assert tool.startswith("tool /")


async def test_what_claude_did_to_its_environment_is_not_what_the_checks_see(any_scene):
    copy, _ = await any_scene.work({"a.txt": "a\n"})
    for name in ("node_modules/leftpad/index.js", ".venv/bin/tool", "gen/x"):
        path = Path(copy.path, name)
        path.chmod(0o700)
        path.write_text("bad\n")
    git(Path(copy.path), "tag", "v9.9")
    result = await any_scene.checks().run(CheckSpec(name="use", run=USE), copy, quiet)
    assert "bad" not in result.output and "v9.9" not in result.output
    assert result.status is CheckStatus.PASSED


async def test_the_next_copy_has_the_environment_as_it_was_made(tmp_path):
    scene = make_scene(tmp_path, setup=SETUP)
    first = Path((await scene.copy()).path)
    for name in ("node_modules/leftpad/index.js", ".venv/bin/tool", "gen/x"):
        (first / name).chmod(0o700)
        (first / name).write_text("bad\n")
    second = Path((await scene.copy()).path)
    assert (second / "node_modules/leftpad/index.js").read_text() == "module\n"
    assert (second / "gen/x").read_text() == "g\n"
    assert f"# {second}\n" in (second / ".venv/bin/tool").read_text()


async def test_a_check_that_changes_files_of_the_project_has_not_passed(any_scene):
    copy, _ = await any_scene.work({"a.txt": "a\n", "sub/b.txt": "b\n", "sub/c.txt": "c\n"})
    for command in ("echo fixed > a.txt", "rm a.txt", "rm -rf sub && mkdir sub && echo b > sub/b.txt"):
        result = await any_scene.checks().run(CheckSpec(name="fix", run=command), copy, quiet)
        assert result.status is CheckStatus.FAILED and "changed files of the project" in result.detail
        assert ("sub/c.txt" if "sub" in command else "a.txt") in result.detail


async def test_a_check_that_writes_new_files_or_the_same_content_again_passes(any_scene):
    copy, _ = await any_scene.work({"a.txt": "a\n"})
    spec = CheckSpec(name="write", run="echo new > new.txt; echo a > a.txt; touch a.txt; mkdir cache")
    result = await any_scene.checks().run(spec, copy, quiet)
    assert (result.status, result.detail) == (CheckStatus.PASSED, "")


async def test_a_tree_that_was_written_to_during_a_check_is_no_evidence(tmp_path):
    """Without a sandbox nothing keeps a check from the export itself."""
    sandbox = Fixed(data_dir=tmp_path / "data", level=SandboxLevel.NONE, overlays=False)
    scene = make_scene(tmp_path, sandbox=sandbox)
    copy, _ = await scene.work({"a.txt": "a\n"})
    reach = "f=$(find $PWD/../.. -path '*/bench/a.txt'); cp -p a.txt ../keep; echo b > $f; cp -p ../keep $f"
    result = await scene.checks().run(CheckSpec(name="reach", run=reach), copy, quiet)
    assert result.status is CheckStatus.BROKEN and "changed while the check ran" in result.detail


def test_a_seal_differs_after_a_write_whose_times_were_set_back(tmp_path):
    (tmp_path / "a").write_text("one")
    before, seen = seal(tmp_path), (tmp_path / "a").stat()
    assert seal(tmp_path) == before
    (tmp_path / "a").write_text("two")
    os.utime(tmp_path / "a", ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert seal(tmp_path) != before


async def test_set_up_runs_once_for_many_copies_and_again_when_its_inputs_change(tmp_path):
    scene = make_scene(tmp_path, {"gen.in": "1\n"}, setup=("cp gen.in out; date +%N > when",))
    one, two = await asyncio.gather(scene.copy(), scene.copy())
    assert Path(one.path, "when").read_text() == Path(two.path, "when").read_text()
    commit_files(scene.project, {"gen.in": "2\n"})
    three = await scene.copy()
    assert Path(three.path, "out").read_text() == "2\n"
    assert Path(three.path, "when").read_text() != Path(one.path, "when").read_text()


async def test_an_install_is_not_run_again_for_a_change_of_the_source(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "only_installs", lambda _: True)
    scene = make_scene(tmp_path, {"uv.lock": "1\n", "a.py": "1\n"}, setup=("date +%N > when",))
    whens = [Path((await scene.copy()).path, "when").read_text()]
    for changed in ({"a.py": "2\n"}, {"uv.lock": "2\n"}):
        commit_files(scene.project, changed)
        whens.append(Path((await scene.copy()).path, "when").read_text())
    assert whens[0] == whens[1] != whens[2]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("uv sync --all-extras", True),
        ("python3 -m venv .venv && .venv/bin/pip install -e .[dev]", True),
        ("npm ci", True),
        ("npm ci && npm run build", False),
        ("uv sync; make gen", False),
        ("uv sync & make gen", False),
        ("make", False),
        ("npm install $(cat x)", False),
        ("npmx ci", False),
    ],
)
def test_what_only_installs_is_told_from_what_does_more(command, expected):
    assert only_installs((command,)) is expected


async def test_leftovers_of_the_set_up_are_not_claudes_work(tmp_path):
    setup = ("echo lock > poetry.lock; echo touched >> README.md; echo more > left.txt",)
    scene = make_scene(tmp_path, {"README.md": "# P\n"}, setup=setup)
    copy = await scene.copy()
    assert Path(copy.path, "README.md").read_text() == "# P\n"
    assert (await scene.workspace.take_diff(copy)).empty
    Path(copy.path, "new.txt").write_text("new\n")
    assert [change.path for change in (await scene.workspace.take_diff(copy)).files] == ["new.txt"]


async def test_a_failed_set_up_leaves_nothing_but_its_log(tmp_path):
    scene = make_scene(tmp_path, setup=("echo half > made; exit 3",))
    with pytest.raises(WorkspaceError, match="exit code 3"):
        await scene.copy()
    [root] = [path for path in (scene.data_dir / "setups").iterdir() if path.is_dir()]
    assert [path.name for path in root.iterdir()] == ["setup.log"]


async def test_without_the_sandbox_that_is_asked_for_no_set_up_runs_and_the_remedy_is_named(tmp_path):
    sandbox = Fixed(data_dir=tmp_path / "data", level=SandboxLevel.NONE, overlays=False)
    sandbox._lowest = SandboxLevel.BWRAP
    scene = make_scene(tmp_path, sandbox=sandbox, setup=("touch made",))
    with pytest.raises(WorkspaceError, match="only 'none' works here") as raised:
        await scene.copy()
    assert 'sandbox.level = "auto"' in raised.value.fix
    assert not list((tmp_path / "data").glob("copies/*/prepared.json"))


async def test_a_set_up_that_never_ends_is_stopped_and_leaves_no_copy(tmp_path):
    scene = make_scene(tmp_path, setup=("sleep 600",), setup_timeout_s=0.5)
    with pytest.raises(WorkspaceError, match="no end within"):
        await scene.copy()
    assert not list((tmp_path / "data").glob("copies/*/prepared.json"))


async def test_work_that_changes_what_the_environment_is_made_from_needs_a_person(tmp_path):
    scene = make_scene(tmp_path, {"pyproject.toml": "[project]\n"}, setup=("true && sh scripts/prepare.sh || true",))
    _, diff = await scene.work({"pyproject.toml": "[project]\nname='x'\n", "scripts/prepare.sh": "x\n", "b.py": ""})
    assert [entry.split()[0] for entry in diff.protected] == ["pyproject.toml", "scripts/prepare.sh"]


async def test_version_tools_find_tags_in_the_copy_and_in_checks(tmp_path):
    scene = make_scene(tmp_path, {"a.txt": "a\n"})
    git(scene.project, "tag", "-a", "v2.0", "-m", "Two")
    commit_files(scene.project, {"a.txt": "b\n"}, "More")
    copy, _ = await scene.work({"b.txt": "b\n"})
    expected = git(scene.project, "describe")
    assert git(Path(copy.path), "describe") == expected
    result = await scene.checks().run(CheckSpec(name="version", run="git describe && git status -s"), copy, quiet)
    assert result.output == f"{expected}\nA  b.txt\n"


async def test_version_tools_find_tags_while_the_set_up_runs(tmp_path):
    scene = make_scene(tmp_path, {"a.txt": "a\n"}, setup=("mkdir .venv && git describe --tags > .venv/version",))
    git(scene.project, "tag", "1.5.0")
    assert (Path((await scene.copy()).path) / ".venv" / "version").read_text() == "1.5.0\n"


async def test_a_tag_made_later_is_found_in_the_next_copy(tmp_path):
    scene = make_scene(tmp_path)
    await scene.copy()
    git(scene.project, "tag", "-a", "v3.0", "-m", "Three")
    assert git(Path((await scene.copy()).path), "describe") == "v3.0"


async def test_the_persons_objects_are_shared_and_survive_their_cleaning_up(tmp_path):
    scene = make_scene(tmp_path, {"a.txt": "a\n"})
    git(scene.project, "gc", "--quiet")
    copy, diff = await scene.work({"b.txt": "b\n"})
    [repository] = (scene.data_dir / "repos").glob("*.git")
    assert any(path.stat().st_nlink > 1 for path in repository.glob("objects/pack/*.pack"))
    for path in (scene.project / ".git" / "objects" / "pack").iterdir():
        path.unlink()
    assert git(Path(copy.path), "log", "--format=%s") == "Start"
    assert not diff.empty


async def test_an_environment_is_used_though_some_of_its_files_lie_in_another_layer(tmp_path):
    """Scripts that name their place stand in the copy's own layer, the rest of the same folder does not."""
    made = (
        "mkdir -p .venv/bin .venv/lib/python3.1/site-packages/pytest",
        "touch .venv/lib/python3.1/site-packages/pytest/__init__.py",
        'printf "#!%s/.venv/bin/python\n" "$PWD" > .venv/bin/pytest && chmod +x .venv/bin/pytest',
        "ln -s /usr/bin/env .venv/bin/python && cp .venv/bin/pytest .venv/bin/ruff",
    )
    scene = make_scene(tmp_path, {"test_a.py": "", "ruff.toml": ""}, setup=made)
    copy, _ = await scene.work({"a.py": ""})
    runs = {spec.name: spec.run for spec in await scene.checks().plan(copy, task())}
    assert runs["pytest"].startswith(".venv/bin/python -m pytest")
    assert runs["ruff"].startswith(".venv/bin/ruff")
