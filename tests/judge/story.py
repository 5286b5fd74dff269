"""The little change that the judge's tests are about, and answers to it."""

import json
from typing import Any

from obra_tui.core.events import Event
from obra_tui.core.ids import new_task_id
from obra_tui.core.model import (
    ChangeKind,
    CheckResult,
    CheckSpec,
    CheckStatus,
    Diff,
    FailedCase,
    FileChange,
    JudgeRequest,
    SandboxLevel,
    TaskSpec,
)
from obra_tui.judge import JudgeConfig, QwenJudge

PATCH = """\
diff --git a/calculator.py b/calculator.py
new file mode 100644
index 0000000..1111111
--- /dev/null
+++ b/calculator.py
@@ -0,0 +1,6 @@
+def add(a, b):
+    return a + b
+
+
+def divide(a, b):
+    return a / b
diff --git a/README.md b/README.md
index 2222222..3333333 100644
--- a/README.md
+++ b/README.md
@@ -10,3 +10,4 @@ Usage
 one
-two
+zwei
+drei
 four
"""

SCORES = {
    "fulfils_task": 90,
    "acceptance_met": 90,
    "correctness": 80,
    "readability": 90,
    "robustness": 70,
    "tests": 60,
}


def change(path: str, added: int, removed: int = 0, **more: Any) -> FileChange:
    kind = more.pop("kind", ChangeKind.MODIFIED)
    return FileChange(path=path, kind=kind, added=added, removed=removed, **more)


def diff(patch: str = PATCH, *files: FileChange, **more: Any) -> Diff:
    known = files or (change("calculator.py", 6, kind=ChangeKind.ADDED), change("README.md", 2, 1))
    return Diff(base_commit="b" * 40, tree="c" * 40, digest="d" * 64, patch=patch, files=known, **more)


def new_file(path: str, lines: list[str]) -> Diff:
    """A diff that adds one file."""
    head = (
        f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n"
    )
    patch = head + "".join(f"+{line}\n" for line in lines)
    return diff(patch, change(path, len(lines), kind=ChangeKind.ADDED))


def check(status: CheckStatus = CheckStatus.PASSED, **more: Any) -> CheckResult:
    return CheckResult(
        spec=CheckSpec(name="pytest", run="pytest -q"),
        status=status,
        exit_code=0 if status is CheckStatus.PASSED else 1,
        duration_s=1.0,
        sandbox=SandboxLevel.NONE,
        **{"output": "", "passed": 5, "failed": 0 if status is CheckStatus.PASSED else 1} | more,
    )


def failing() -> CheckResult:
    case = FailedCase(name="test_divide_by_zero", message="DID NOT RAISE", file="tests/test_calculator.py", line=12)
    return check(CheckStatus.FAILED, failures=(case,), output="tests/test_calculator.py:12: Failed: DID NOT RAISE")


def request(**more: Any) -> JudgeRequest:
    task = TaskSpec(
        id=new_task_id(),
        key="T001",
        title="A calculator",
        prompt="Write calculator.py with add and divide.",
        acceptance=("divide(1, 0) raises ZeroDivisionError",),
    )
    return JudgeRequest(**{"task": task, "attempt_number": 1, "diff": diff(), "checks": (check(),)} | more)


def finding(**more: Any) -> dict[str, Any]:
    plain = {"file": "calculator.py", "line": 6, "severity": "minor", "kind": "correctness"}
    return plain | {"message": "Division by zero is not explained.", "suggestion": "Say what happens."} | more


def answer(**more: Any) -> str:
    plain = {"findings": [finding()], "scores": SCORES, "summary": "Does what was asked.", "verdict": "approve"}
    return json.dumps(plain | more)


def judge(url: str, **more: Any) -> QwenJudge:
    return QwenJudge(JudgeConfig(base_url=url, **{"deadline_s": 20.0} | more))


class Heard:
    """An `Emit` that keeps what it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]
