"""The fence: whoever lost a job, or thaws too late, changes nothing any more."""

import pytest

from obra_tui.core.errors import AlreadyOwned, NewerDatabase, OwnerChanged
from obra_tui.core.ids import AttemptId, TaskId
from obra_tui.evidence.bundles import Bundles
from obra_tui.fleet.board import BoardLine
from obra_tui.fleet.database import Database
from obra_tui.fleet.desk import Desk, WorkerCard
from obra_tui.fleet.dispatch import Dispatcher
from obra_tui.fleet.jobs import PROTOCOL, Code, NewJob, StageKind
from obra_tui.fleet.queues import Deliveries
from obra_tui.fleet.schema import SCHEMA, NoFleet


def card(name="w1", owner="here", instance="i1"):
    return WorkerCard(
        instance=instance, name=name, owner=owner, host="h", pid=1, version="v", kinds=tuple(StageKind), labels=(),
        places=1, sandbox="none", sandbox_note="",
    )  # fmt: skip


def job(ident="j1", kind=StageKind.IMPLEMENT, target=""):
    return NewJob(id=ident, kind=kind, task=TaskId("t1"), attempt=AttemptId("a1"), stage="{}", target=target)


def line(claim, seq=1, kind="text_streamed"):
    return BoardLine(epoch=claim.epoch, seq=seq, kind=kind, body="{}")


@pytest.fixture
async def desk(rig):
    database = Database(rig.url)
    await database.open()
    deliveries = Deliveries(database)
    await deliveries.open()
    yield Desk(database, deliveries, lease_s=30.0)
    await database.close()


async def expire(rig, name):
    await rig.rows(f"UPDATE fleet_worker SET lease_until = clock_timestamp() - interval '1 s' WHERE name = '{name}'")


@pytest.fixture
async def claim(rig, desk):
    await desk.register(card())
    await rig.dispatcher.board.put(job())
    return await desk.claim("j1", 1, card(), "c1")


async def test_a_delivery_is_claimed_once(desk, claim):
    assert claim.epoch == 2
    assert await desk.claim("j1", 1, card(), "c2") is None


async def test_after_the_sweep_of_a_dead_worker_none_of_its_writes_counts(rig, desk, claim):
    assert await desk.append("j1", [line(claim)])
    await expire(rig, "w1")
    assert await rig.dispatcher.board.sweep() == ["j1"]
    assert not await desk.append("j1", [line(claim, 2)])
    assert not await desk.checkpoint(claim, Code(project="p", base="b", blob="x", commit="c"), b"data")
    assert not await desk.end(claim, "{}")
    assert not await desk.give_back(claim)
    held, _ = await desk.messages(claim, 0)
    assert not held
    standing, lines = await rig.dispatcher.board.read("j1", 0, 0)
    assert (standing.state, standing.code, [one.seq for one in lines]) == ("waiting", None, [1])
    assert await rig.rows("SELECT 1 FROM fleet_blob") == []


async def test_the_sweep_hands_the_job_on_and_the_next_holder_is_free_to_write(rig, desk, claim):
    await expire(rig, "w1")
    await rig.dispatcher.board.sweep()
    await desk.register(card("w2", "there", "i2"))
    second = await desk.claim("j1", 3, card("w2", "there", "i2"), "c2")
    assert (second.epoch, second.claims, second.conversation) == (4, 2, "c2")
    assert await desk.append("j1", [line(second)])
    assert not await desk.append("j1", [line(claim, 7)])
    assert await desk.end(second, "{}")
    assert [row["what"] for row in await rig.rows("SELECT what FROM fleet_epoch ORDER BY id")] == [
        "put", "claimed", "taken_away", "claimed", "ended",
    ]  # fmt: skip


async def test_a_write_is_repeated_without_harm_when_its_answer_was_lost(desk, rig, claim):
    await desk.append("j1", [line(claim), line(claim, 2)])
    assert await desk.append("j1", [line(claim), line(claim, 2)])
    assert await desk.end(claim, "{}")
    assert await desk.end(claim, "{}")
    _, lines = await rig.dispatcher.board.read("j1", 0, 0)
    assert [one.seq for one in lines] == [1, 2]


async def test_a_check_whose_worker_died_is_lost_and_not_handed_on(rig, desk, claim):
    await rig.dispatcher.board.put(job("j2", StageKind.CHECK, target="w1"))
    await desk.claim("j2", 1, card(), "")
    await expire(rig, "w1")
    assert set(await rig.dispatcher.board.sweep()) == {"j1", "j2"}
    standing, _ = await rig.dispatcher.board.read("j2", 0, 0)
    assert standing.state == "lost"


async def test_what_waits_for_a_worker_that_has_gone_is_not_waited_for(rig, desk, claim):
    await rig.dispatcher.board.put(job("j2", StageKind.CHECK, target="w1"))
    await desk.set_state("i1", "left")
    await rig.dispatcher.board.sweep()
    standing, _ = await rig.dispatcher.board.read("j2", 0, 0)
    assert standing.state == "lost"


async def test_a_delivery_that_died_with_its_worker_before_the_claim_is_made_again(rig, desk, claim):
    await rig.dispatcher.board.put(job("j2"))
    await rig.rows("SELECT procrastinate_finish_job_v1(delivery, 'failed', false) FROM fleet_job WHERE id = 'j2'")
    assert await rig.dispatcher.board.sweep() == ["j2"]
    assert await desk.claim("j2", 1, card(), "") is None
    assert (await desk.claim("j2", 2, card(), "")).epoch == 3


async def test_a_withdrawn_job_takes_no_more_writes(rig, desk, claim):
    await rig.dispatcher.board.withdraw("j1")
    assert not await desk.append("j1", [line(claim)])
    assert not await desk.end(claim, "{}")


async def test_a_claim_whose_answer_was_lost_is_given_back(rig, desk, claim):
    await desk.give_back_strays("i1", ["j1"])
    assert await desk.append("j1", [line(claim)])
    await desk.give_back_strays("i1", [])
    assert not await desk.append("j1", [line(claim, 2)])
    standing, _ = await rig.dispatcher.board.read("j1", 0, 0)
    assert standing.state == "waiting"


async def test_a_coordinator_that_was_followed_hands_nothing_out_and_its_jobs_are_withdrawn(rig, desk, claim):
    second = Dispatcher(rig.url, Bundles(rig.scene.workspace), rig.options, "test")
    await second.open()
    try:
        assert not await desk.append("j1", [line(claim)])
        with pytest.raises(OwnerChanged):
            await rig.dispatcher.board.put(job("j9"))
        with pytest.raises(OwnerChanged):
            await rig.dispatcher.board.sweep()
    finally:
        await second.close()


async def test_a_second_worker_of_the_same_name_is_refused_with_what_to_do(desk, rig):
    await desk.register(card())
    with pytest.raises(AlreadyOwned, match="--name"):
        await desk.register(card(owner="elsewhere", instance="i2"))
    await expire(rig, "w1")
    await desk.register(card(owner="elsewhere", instance="i2"))


async def test_a_worker_that_was_started_again_follows_its_own_dead_self_at_once(desk, rig, claim):
    await desk.register(card(instance="i2"))
    assert await rig.dispatcher.board.sweep() == ["j1"]
    assert await desk.renew("i1") is None
    assert await desk.renew("i2") == "working"


async def test_a_worker_refuses_a_fleet_of_another_version(desk, rig):
    await rig.rows(f"UPDATE fleet_state SET schema = {SCHEMA + 1}")
    with pytest.raises(NewerDatabase, match="Update Obra"):
        await desk.register(card())
    await rig.rows(f"UPDATE fleet_state SET schema = {SCHEMA}, protocol = {PROTOCOL + 1}")
    with pytest.raises(Exception, match="speaks version"):
        await desk.register(card())


async def test_a_worker_finds_no_fleet_where_no_coordinator_was(postgresql):
    database = Database(postgresql.empty_database())
    await database.open()
    try:
        with pytest.raises(NoFleet, match="obra coordinator"):
            await Desk(database, Deliveries(database), 30.0).register(card())
    finally:
        await database.close()


async def test_workers_of_another_protocol_get_no_work(rig, desk):
    await desk.register(card())
    assert [worker.name for worker in await rig.dispatcher.workers_for(StageKind.CHECK)] == ["w1"]
    await rig.rows(f"UPDATE fleet_worker SET protocol = {PROTOCOL + 1}")
    assert await rig.dispatcher.workers_for(StageKind.CHECK) == []


async def test_what_ended_long_ago_is_forgotten_and_what_runs_is_kept(rig, desk, claim):
    await desk.append("j1", [line(claim)])
    await desk.checkpoint(claim, Code(project="p", base="b", blob="mine", commit="c"), b"data")
    await rig.rows("UPDATE fleet_blob SET made_at = made_at - interval '3 days'")
    await rig.dispatcher.board.forget_before(24)
    assert await rig.rows("SELECT 1 FROM fleet_blob")
    await desk.end(claim, "{}")
    await rig.dispatcher.board.brought("j1")
    await rig.rows("UPDATE fleet_job SET ended_at = ended_at - interval '3 days'")
    await rig.dispatcher.board.forget_before(24)
    assert await rig.rows("SELECT 1 FROM fleet_event") == await rig.rows("SELECT 1 FROM fleet_blob") == []
