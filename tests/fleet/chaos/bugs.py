"""Faults put into the fleet on purpose: the checker must find each of them.

Whoever lost a job would also notice by itself and stop. That is taken away here, too, so that the fence is alone.
"""

from obra_tui.fleet import board, desk, stages, worker
from obra_tui.fleet.jobs import Happened


def _nobody_notices():
    """A worker that was given up for dead goes on as if nothing had happened."""

    async def look(self):
        return

    stages.ClaimedStage.look = look
    worker.Worker._abandon_all = lambda self: None


def fence_left_out_of_one_write():
    """Lines are written without a look at the epoch."""
    _nobody_notices()
    desk._APPEND = desk._APPEND.replace("AND epoch = %(epoch)s FOR SHARE", "FOR SHARE")


def end_by_id_alone():
    """A job is ended by whoever knows its number."""
    _nobody_notices()
    original = desk.Desk.append

    async def append(self, job, lines):
        await original(self, job, lines)
        return True

    async def checkpoint(self, claim, code, data):
        return True

    async def end(self, claim, result):
        async with self._database.transaction() as connection:
            ended = await desk.rows(
                connection,
                "UPDATE fleet_job SET state = 'ended', result = %(result)s, result_epoch = %(epoch)s, ended_at ="
                " clock_timestamp() WHERE id = %(id)s AND state <> 'ended' RETURNING id",
                id=claim.id,
                epoch=claim.epoch,
                result=result,
            )
            if ended:
                await desk.note_epoch(connection, claim.id, claim.epoch, Happened.ENDED)
        return True

    desk.Desk.append, desk.Desk.checkpoint, desk.Desk.end = append, checkpoint, end


def sweep_without_epoch():
    """What is taken from a dead worker keeps its epoch."""
    _nobody_notices()
    original = board.rows

    async def rows(connection, query, **given):
        taken_away = "target = '', instance = ''" in query
        return await original(connection, query.replace("epoch = epoch + 1, ", "") if taken_away else query, **given)

    board.rows = rows


BUGS = {bug.__name__: bug for bug in (fence_left_out_of_one_write, end_by_id_alone, sweep_without_epoch)}
