"""What is told of a fleet: to people, to scripts, to Prometheus."""

import asyncio
import json
import urllib.request

import pytest

from obra_tui.config.load import load
from obra_tui.core.errors import ConfigError, NotAllowed, UnknownId
from obra_tui.core.json_form import to_text
from obra_tui.fleet.status import ask_to_drain, read_status
from obra_tui.services.fleet import metrics_text, serve_metrics, status_lines
from obra_tui.store.journal import SqlJournal
from tests.fakes.implementer import Play
from tests.fleet.rig import eventually

HOLDS = Play(holds=True)


@pytest.fixture
def settings(rig):
    SqlJournal(rig.url).close()
    return load(None, {"database.url": rig.url})


async def test_the_status_names_workers_what_they_have_and_what_waits(rig):
    worker = await rig.work("w1", HOLDS, labels=("gpu",), places=1)
    await rig.start(await rig.request())
    await eventually(lambda: worker.fake.requests)
    await rig.start(await rig.request("Another."))
    status = await read_status(rig.url)
    assert [(w.name, w.state, w.busy, w.places) for w in status.workers] == [("w1", "working", 1, 1)]
    assert [(job.state, job.worker) for job in status.jobs] == [("running", "w1"), ("waiting", "")]
    text = "\n".join(status_lines(status))
    assert "w1 · working · 1/1 · implement, check, judge [gpu]" in text
    assert "1 jobs run, 1 wait" in text
    assert "NOT AT WORK" not in text
    assert json.loads(to_text(status))["workers"][0]["labels"] == ["gpu"]


async def test_a_coordinator_that_is_gone_and_a_worker_that_is_silent_are_told(rig):
    await rig.work("w1")
    await rig.implementer.close()
    await rig.rows_after_close(
        "UPDATE fleet_state SET seen_at = seen_at - interval '1 hour'",
        "UPDATE fleet_worker SET lease_until = clock_timestamp() - interval '5 s', instance = 'other'",
    )
    text = "\n".join(status_lines(await read_status(rig.url)))
    assert "NOT AT WORK for 60 min" in text
    assert "w1 · dead" in text
    assert "over its lease" in text


async def test_a_worker_is_asked_to_drain_by_its_name(rig):
    worker = await rig.work("w1")
    await ask_to_drain(rig.url, "w1")
    with pytest.raises(NotAllowed, match="already"):
        await ask_to_drain(rig.url, "w1")
    async with asyncio.timeout(30):
        await worker.running
    with pytest.raises(UnknownId, match="The workers are: none"):
        await ask_to_drain(rig.url, "w1")


async def test_the_figures_are_served_in_the_format_of_prometheus(rig, settings):
    await rig.work("w1", places=3)
    text = await asyncio.to_thread(metrics_text, settings)
    assert "obra_fleet_up 1.0" in text
    assert 'obra_fleet_places{worker="w1"} 3.0' in text
    assert 'obra_fleet_jobs{kind="implement",state="waiting"} 0.0' in text
    assert "obra_gates_waiting 0.0" in text
    address, server = serve_metrics(settings, "127.0.0.1:0")
    served = await asyncio.to_thread(lambda: urllib.request.urlopen(address).read().decode())
    server.shutdown()
    server.server_close()
    assert 'obra_fleet_workers{state="working"} 1.0' in served


async def test_a_fleet_that_cannot_be_read_is_down_and_no_error(rig, settings):
    away = load(None, {"database.url": "postgresql+psycopg://obra@127.0.0.1:9/obra"})
    assert "obra_fleet_up 0.0" in await asyncio.to_thread(metrics_text, away)


@pytest.mark.parametrize("listen", ["9464", "host", "127.0.0.1:x", "127.0.0.1:99999999"])
def test_an_address_that_is_none_is_refused(listen):
    with pytest.raises(ConfigError):
        serve_metrics(load(None, {}), listen)
