"""Made-up data for the gallery, the snapshots and the benchmarks."""

from __future__ import annotations

from difflib import unified_diff

from widgets.bars.decision_bar import AnswerOption
from widgets.bars.score_bars import Overall, StageBar
from widgets.bars.status_line import StatusItem, StripStep
from widgets.diff.file_list import ChangedFile
from widgets.diff.patch import FileDiff, split_patch
from widgets.lines import LogLine
from widgets.lists.checklist import ChecklistItem
from widgets.log_view.view import LogPane

MARKDOWN = """## Plan

I'll add a **bounded** retry around the HTTP call and keep the `timeout` configurable:

1. read `client.py`
2. retry only on *connection errors*
   - never on HTTP 4xx
   - at most four times
3. run the tests

```python
@retry(on=ConnectionError, attempts=4)
def chat(self, body: dict[str, object]) -> Answer:
    \"\"\"One request, one answer.\"\"\"
    return self.http.post(self.url, json=body)  # no timeout yet
```

> A half-read stream must not be sent again.

| stage | before | after |
|---|---|---|
| tests | 0.40 | **0.90** |
| quality | 0.62 | 0.86 |

See [the guide](https://example.org/retries) or https://example.org/plain.
"""

TOOLS = (
    LogLine(
        "Read   shop/client.py",
        time="14:02:14",
        glyph="▸",
        style="tool",
        aside="ok 12 ms",
        key="tool-1",
        detail=(LogLine("1  import httpx", style="output"), LogLine("2  class Client:", style="output")),
    ),
    LogLine(
        "Edit   shop/client.py",
        time="14:02:19",
        glyph="▸",
        style="tool",
        aside="+3 −0  ok",
        key="tool-2",
        detail=(LogLine("+ import retry", style="added"), LogLine("- import time", style="removed")),
    ),
    LogLine(
        "Bash   pytest -q tests/test_client.py",
        time="14:02:41",
        glyph="▸",
        style="tool",
        aside="6 passed",
        key="tool-3",
        detail=tuple(LogLine(f"tests/test_client.py::test_{i} PASSED", style="output") for i in range(6)),
    ),
    LogLine("Bash   git push", time="14:02:44", glyph="!", style="warn", aside="denied by policy", key="tool-4"),
    LogLine("result: success  9 turns  $0.31", time="14:02:52", glyph="■", style="result"),
)

STEPS = (
    StripStep("implement", "pass", "3:12"),
    StripStep("checks", "pass", "4/4"),
    StripStep("judge", "running"),
    StripStep("gate"),
    StripStep("accept"),
)

PARTS = (
    StatusItem("T003 Add retry to the client", style="bold"),
    StatusItem("task 3/12", priority=1),
    StatusItem("attempt 2/3", priority=2),
    StatusItem("● JUDGING 0:41", priority=0, style="$text-warning"),
    StatusItem("$0.42 of $5.00", priority=3),
    StatusItem("118k tok", priority=4),
)

STAGES = (
    StageBar("syntax", 1.0, threshold=0.7, weight=0.2, provenance="measured", previous=1.0),
    StageBar("testing", 0.9, threshold=0.7, weight=0.2, provenance="measured", previous=0.4),
    StageBar("requirements", 0.64, threshold=0.7, weight=0.3, provenance="judged", previous=0.7),
    StageBar("quality", None, threshold=0.7, weight=0.3, note="unjudged"),
)
OVERALL = Overall(0.82, passes=True, threshold=0.7, previous=0.61)
ATTEMPTS = (0.54, 0.61, None, 0.82)

ANSWERS = (
    AnswerOption("a", "Approve", "commit 2 files on obra/T003"),
    AnswerOption("c", "Request changes", "attempt 3 with your note"),
    AnswerOption("r", "Reject", "drop attempt 2"),
    AnswerOption("l", "Later", "keep waiting", enabled=True),
)

FINDINGS = (
    ChecklistItem(
        "f1", "POST is retried; a half-read stream could be sent again", path="shop/client.py", line=9, source="judge"
    ),
    ChecklistItem(
        "f2",
        "test_timeout fails: expected 5, got None",
        severity="error",
        path="tests/test_client.py",
        line=31,
        checked=True,
        source="check",
    ),
    ChecklistItem(
        "f3",
        "The docstring does not name the exception that is raised when every attempt has failed",
        severity="info",
        path="shop/client.py",
        line=4,
    ),
)

FILES = (
    ChangedFile("shop/client.py", added=3, removed=1),
    ChangedFile("tests/test_client.py", status="A", added=31),
    ChangedFile("assets/logo.png", note="binary"),
)

BEFORE = """import httpx

class Client:
    def __init__(self, url, timeout=60):
        self.url = url
        self.timeout = timeout

    def chat(self, body):
        return httpx.post(self.url, json=body)
"""

AFTER = """import httpx
import retry

class Client:
    def __init__(self, url, timeout=60):
        self.url = url
        self.timeout = timeout

    @retry.on(httpx.TransportError, attempts=4)
    def chat(self, body):
        return httpx.post(self.url, json=body, timeout=self.timeout)
"""


def patch_of(path: str, before: str, after: str) -> str:
    """A unified patch with git's heading."""
    made = unified_diff(before.splitlines(True), after.splitlines(True), f"a/{path}", f"b/{path}")
    return f"diff --git a/{path} b/{path}\n" + "".join(made)


def file_diffs() -> list[FileDiff]:
    """Three files: one with texts, one with only a patch, one binary."""
    path = "shop/client.py"
    lines = "".join(f"def test_{i}():\n    assert add({i}, 1) == {i + 1}\n" for i in range(40))
    return [
        FileDiff(path, patch=patch_of(path, BEFORE, AFTER), before=BEFORE, after=AFTER, added=3, removed=1),
        *split_patch(patch_of("tests/test_client.py", "", lines)),
        FileDiff("assets/logo.png", note="binary"),
    ]


def fill_claude_pane(pane: LogPane) -> None:
    """Text, cards and text again, as a supervised run writes them."""
    pane.append(LogLine("Add retry to the client", time="14:02:11", glyph="»", style="person"))
    pane.begin_stream("m1", time="14:02:12", glyph="»")
    pane.append_stream("m1", MARKDOWN)
    pane.end_stream("m1")
    pane.extend(TOOLS)


def hostile() -> list[str]:
    """Texts that have broken terminals and screens."""
    return [
        "\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[2J\x1bc",
        "\x9b31m\x90q\x9c",
        "abc\u202egnp.exe\u202c \u200b\u2066x\u2069",
        "[/] [/bold] [@click=app.quit]x[/] [$error] \\[x]",
        "tab\there, bell\x07, null\x00, return\rover",
        "wide 漢字 👩\u200d👩\u200d👧 e\u0301 \ud800",
    ]
