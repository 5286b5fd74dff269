"""Two pieces of work that fit together line by line and do not work together: real git, real checks."""

import sys

from obra_tui.core.events import CheckFinished, GateOpened, TaskMoved, WorkAccepted
from obra_tui.core.gate import GateRules
from obra_tui.core.lifecycle import State
from obra_tui.core.model import CheckSpec, CheckStatus, Policy, Stage
from obra_tui.evidence.checks import LocalCheckRunner
from tests.evidence.scene import git, make_scene
from tests.fakes.implementer import Play
from tests.scenarios.world import World, task

NOT_BOTH = CheckSpec(name="not-both", run='test "$(ls | grep -c "^[ab].txt")" -lt 2', stage=Stage.TESTING)
"""Names no file: what a check names is taken as it was before the work."""
COMPILES = CheckSpec(name="compiles", run="true", stage=Stage.SYNTAX)
TESTS = CheckSpec(name="tests", run=f"{sys.executable} -m pytest -q", stage=Stage.TESTING)
"""Names its tests: an exit code alone is not taken in without a person."""


class RealWorld(World):
    """Scripted are only Claude and the judge. Real test runs, five for each piece of work, take their time."""

    patience_s = 100.0

    def __init__(self, tmp_path, plays, **config):
        self.scene = make_scene(tmp_path)
        (self.scene.project / "test_sums.py").write_text("def test_sums():\n    assert 1 + 1 == 2\n")
        git(self.scene.project, "add", "--all")
        git(self.scene.project, "commit", "--quiet", "--message", "A test")
        super().__init__(tmp_path / "unused", plays=plays, **config)

    def boot(self):
        self.workspace = self.scene.workspace
        checks = (COMPILES, NOT_BOTH, TESTS)
        self.checks = LocalCheckRunner(configured=checks, sandbox=self.scene.sandbox, data_dir=self.scene.data_dir)
        return super().boot()


async def test_what_breaks_only_together_goes_back_and_only_what_works_together_is_taken_in(tmp_path):
    plays = (
        Play(writes={"a.txt": "a\n"}),
        Play(writes={"b.txt": "b\n"}),
        Play(writes={"c.txt": "c\n"}, removes=("b.txt", "a.txt")),
    )
    rules = GateRules(policy=Policy.AUTONOMOUS)
    world = RealWorld(tmp_path, plays, rules=rules, jobs=2)
    await world.run(task("T001"), task("T002"))
    await world.until(lambda e: isinstance(e, WorkAccepted), 2)
    assert not world.events(GateOpened)
    sent_back = [e.reason for e in world.events(TaskMoved) if (e.before, e.after) == (State.ACCEPTING, State.QUEUED)]
    assert len(sent_back) == 1 and "not-both" in sent_back[0]
    failed = [e.result for e in world.events(CheckFinished) if e.result.status is CheckStatus.FAILED]
    assert [result.spec.name for result in failed] == ["not-both"], "each alone had passed"
    assert "does not work together with other accepted work" in world.prompts()[-1]
    names = git(world.scene.project, "ls-tree", "--name-only", f"obra/{world.session}").split()
    assert "c.txt" in names and not {"a.txt", "b.txt"} <= set(names)
