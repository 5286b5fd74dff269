"""Branches of sessions lie in a folder of names; a branch of that name leaves no room for them."""

import pytest

from obra_tui.core.errors import ProjectError
from tests.evidence.scene import git


async def test_a_branch_in_the_way_is_refused_before_work_is_spent_with_the_command_that_moves_it(scene):
    git(scene.project, "branch", "obra")
    with pytest.raises(ProjectError) as refused:
        await scene.workspace.head()
    assert "is in the way" in refused.value.what
    _, command = refused.value.fix.split(": git ")
    git(scene.project, *command.split())
    assert await scene.workspace.head() == git(scene.project, "rev-parse", "HEAD")


async def test_branches_in_the_folder_are_in_nobodys_way(scene):
    git(scene.project, "branch", "obra/mine")
    assert await scene.workspace.head()
