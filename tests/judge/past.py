"""Past work as records, with real patches: accepted and failed attempts that a judge can be asked about."""

from msgspec.structs import replace

from obra_tui.core.events import CheckFinished, DiffTaken, GateJudged, TaskAdded, VerdictReached
from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import (
    ChangeKind,
    CheckStatus,
    DecisionKind,
    Diff,
    FailedCase,
    FileChange,
    JudgeIdentity,
    TaskSpec,
    Verdict,
)
from tests.store.story import CHECK, VERDICT, Writer, quality


def added(path, text):
    """The patch of a new file."""
    lines = text.splitlines()
    body = "".join(f"+{line}\n" for line in lines)
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n"
    return f"{head}@@ -0,0 +1,{len(lines)} @@\n{body}"


def change(files):
    patch = "".join(added(path, text) for path, text in files.items())
    listed = tuple(
        FileChange(path=path, kind=ChangeKind.ADDED, added=len(text.splitlines()), removed=0)
        for path, text in files.items()
    )
    return Diff(base_commit="b" * 40, tree="c" * 40, digest=f"{abs(hash(patch)):064x}", patch=patch, files=listed)


GOOD = 'def half(number):\n    """Return half of a number."""\n    return number / 2\n'
WRONG = 'def half(number):\n    """Return half of a number."""\n    return number / 3\n'
_FAILS = replace(
    CHECK,
    status=CheckStatus.FAILED,
    exit_code=1,
    passed=1,
    failed=1,
    failures=(FailedCase(name="test_half", message="assert 2.0 == 3.0", file="tests/test_new.py", line=3),),
)


def task(number, *, project, failed_first=True, by=True, identity=None, rehearsal=""):
    """One task: a first attempt that fails its tests, then one that a person looked at and accepted."""
    name = f"{number:03}"
    writer = Writer(f"s{name}", 1_000.0 * (number + 1))
    writer.opened(project=str(project), rehearsal=rehearsal)
    spec = TaskSpec(id=TaskId(f"t{name}"), key="T001", title=f"Halves {number}", prompt="Write `half(number)`.")
    writer.add(TaskAdded(spec=spec, position=0, state=State.QUEUED), f"t{name}")
    path = f"halves_{number}.py"
    if failed_first:
        _worked(
            writer,
            name,
            1,
            change({path: WRONG, "tests/test_new.py": "def test_half():\n    pass\n"}),
            _FAILS,
            identity,
        )
    binding = _worked(writer, name, 2 if failed_first else 1, change({path: GOOD}), CHECK, identity)
    attempt = binding.attempt
    gate = f"g{name}" if by else None
    if gate:
        writer.gate_opened(f"t{name}", attempt, gate, binding)
    writer.decided(f"t{name}", attempt, gate, binding, DecisionKind.APPROVE, open_s=30.0, own_score=None)
    writer.accepted(f"t{name}", attempt)
    writer.closed()
    return writer.records


def _worked(writer, name, number, diff, check, identity):
    attempt = f"a{name}-{number}"
    shown = Writer(writer.session)
    binding = shown.worked(f"t{name}", attempt, number=number, score=0.9)
    passes = check.status is CheckStatus.PASSED
    for record in shown.records:
        event = record.event
        match event:
            case DiffTaken():
                event = DiffTaken(diff=diff)
            case CheckFinished():
                event = CheckFinished(result=check)
            case VerdictReached():
                verdict: Verdict = replace(VERDICT, identity=identity or JudgeIdentity(model="qwen"), findings=())
                event = VerdictReached(verdict=verdict)
            case GateJudged():
                event = replace(event, quality=replace(quality(0.9 if passes else 0.3), findings=()))
        writer.add(event, record.task, record.attempt)
    return binding
