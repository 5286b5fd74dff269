import pytest

from obra_tui.core.events import ClaudeStarted, TextFinished, TextStreamed, ToolFinished, ToolStarted, UsageReported
from obra_tui.core.model import Outcome
from tests.agents.stage import Stage, left_of, runs, says, uses

pytestmark = pytest.mark.e2e


async def test_a_run_streams_text_edits_a_file_and_leaves_no_process(stage: Stage):
    (stage.copy / "calc.py").write_text("a = 1\nb = 2\n")
    stage.play(
        uses("Read", file_path="calc.py"),
        uses("Edit", file_path="calc.py", old_string="b = 2", new_string="b = 5\nc = 7"),
        runs("ls && cat calc.py"),
        says("The file is changed."),
    )
    request = stage.request("Change it.")
    result = await stage.run(request)
    assert result.outcome is Outcome.COMPLETED, result
    assert result.claude_session == request.claude_session
    assert result.final_text == "The file is changed."
    assert (stage.copy / "calc.py").read_text() == "a = 1\nb = 5\nc = 7\n"
    assert [e.title for e in stage.of(ToolStarted)] == ["calc.py", "calc.py", "ls && cat calc.py"]
    edit = stage.of(ToolFinished)[1]
    assert (edit.added, edit.removed, edit.is_error) == (2, 1, False)
    assert "-b = 2\n+b = 5\n+c = 7" in edit.patch
    assert stage.of(TextFinished)[-1].text == "The file is changed."
    assert "".join(e.text for e in stage.of(TextStreamed)) == "The file is changed."
    assert stage.of(ClaudeStarted)[0].pid
    assert result.usage.turns == 4 and result.usage.cost_usd > 0
    assert sum(e.usage.total_tokens for e in stage.of(UsageReported)) == result.usage.total_tokens
    assert stage.person.asked == []
    assert left_of(request.attempt) == []
