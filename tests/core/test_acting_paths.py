import pytest

from obra_tui.core.acting_paths import acting_part, acts_by


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".husky/pre-commit", "a hook of git"),
        ("tools/githooks/pre-push", "a hook of git"),
        ("scripts/hooks/post-checkout", "a hook of git"),
        (".envrc", "acts in a shell"),
        ("web/.vscode/tasks.json", "acts in an editor"),
        ("x.code-workspace", "acts in an editor"),
        (".devcontainer.json", "acts in an editor"),
        ("docs/CLAUDE.md", "Claude Code's configuration"),
        ("docs/agents.MD", "instructions for agents"),
        (".cursor/rules/a.mdc", "instructions for agents"),
        (".gitmodules", "tells git what to run or to fetch"),
        (".GitHub/workflows/ci.yml", "CI"),
        ("sub/.obra", "Obra's configuration"),
        ("src/hooks/useThing.ts", ""),
        ("src/app.py", ""),
        ("docs/claude.txt", ""),
        (".gitignore", ""),
    ],
)
def test_what_acts_at_the_persons_machine_is_known_by_name_wherever_it_lies(path, why):
    assert acts_by(path) == why
    assert bool(acting_part(path)) is bool(why)
