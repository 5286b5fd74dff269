"""How a scene is compared with its picture: opened at a size, brought to where it is wanted, then looked at."""

import pytest

from tests.ui.stage import Stage, settled
from widgets.bars.decision_bar import DecisionBar

# The smallest is where a layout breaks first; `make test-long` looks at the others too.
SIZES = [(80, 24), *(pytest.param(size, marks=pytest.mark.long) for size in ((120, 36), (200, 50)))]


def by_size(size):
    """The name of a size in the name of a test."""
    return f"{size[0]}x{size[1]}"


def comparison(snap_compare, size):
    """Open the app on a stage, press keys, wait for a text, compare."""

    def check(stage: Stage, *keys: str, shows: str) -> None:
        async def before(pilot):
            await settled(
                pilot, lambda: stage.app.services and (stage.app.services.engine or stage.app.services.failure)
            )
            await settled(pilot, lambda: stage.app.services.engine is None or stage.seen_all())
            for key in keys:
                await pilot.press(key)
            await settled(pilot, lambda: shows in stage.text())
            await settled(pilot, lambda: legend_is_lit(stage))
            await still(pilot, stage)

        assert snap_compare(stage.app, terminal_size=size, run_before=before)

    return check


def legend_is_lit(stage):
    """The legend of answers lights up a moment after the screen opened."""
    waits = stage.app.launch.review_grace_s > 0
    return waits or all(bar.armed for bar in stage.screen.query(DecisionBar))


async def still(pilot, stage, turns: int = 200):
    """Wait until two looks in a row see the same, colours included: what follows a key may take a few turns."""
    seen = None
    for _ in range(turns):
        await pilot.pause(0.02)
        now = [list(strip) for strip in stage.app.screen._compositor.render_strips()]
        if now == seen:
            return
        seen = now
    raise AssertionError("the screen never came to rest")
