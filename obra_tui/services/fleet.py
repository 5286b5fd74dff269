"""What a person, a script or Prometheus is told of a fleet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from obra_tui.core.errors import ConfigError, ObraError
from obra_tui.core.records.metrics import Metric, Scope
from obra_tui.core.text import one_line
from obra_tui.services.archive import open_history

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric as Family

    from obra_tui.config.load import Settings
    from obra_tui.fleet.status import FleetStatus, JobStatus, WorkerStatus

_DAY_S = 86_400.0
_AWAY_S = 10.0
"""A coordinator looks after its workers every second."""


def fleet_status(settings: Settings) -> FleetStatus:
    """Return how the fleet stands now. Raises `ObraError`."""
    from obra_tui.fleet.status import read_status

    return asyncio.run(read_status(settings.database.url))


def drain(settings: Settings, worker: str) -> None:
    """Have a worker end when it is done. Raises `ObraError`."""
    from obra_tui.fleet.status import ask_to_drain

    asyncio.run(ask_to_drain(settings.database.url, worker))


# --- for people ----------------------------------------------------------------------------------


def status_lines(status: FleetStatus) -> Iterator[str]:
    lead = status.coordinator
    away = "" if lead.seen_s < _AWAY_S else f" · NOT AT WORK for {_span(lead.seen_s)}"
    yield f"coordinator {one_line(lead.name)} · Obra {lead.version}{away}"
    yield f"{len(status.workers)} workers" if status.workers else "no worker; start one: obra worker"
    yield from (f"  {_worker_line(worker)}" for worker in status.workers)
    waiting = [job for job in status.jobs if job.state == "waiting"]
    running = [job for job in status.jobs if job.state == "running"]
    yield f"{len(running)} jobs run, {len(waiting)} wait"
    yield from (f"  {_job_line(job)}" for job in (*running, *waiting))
    ended = ", ".join(f"{count.number} {count.kind} {count.state}" for count in status.ended) or "none"
    yield f"within a day: {ended}; {status.taken_away} taken from dead workers"


def _worker_line(worker: WorkerStatus) -> str:
    labels = f" [{', '.join(worker.labels)}]" if worker.labels else ""
    lease = (
        f"lease {_span(worker.lease_s)}" if worker.lease_s > 0 else f"silent, {_span(-worker.lease_s)} over its lease"
    )
    return (
        f"{one_line(worker.name)} · {worker.state} · {worker.busy}/{worker.places} · {', '.join(worker.kinds)}{labels}"
        f" · {one_line(worker.host)}, process {worker.pid} · Obra {worker.version} · {lease}"
    )


def _job_line(job: JobStatus) -> str:
    where = f"at {job.worker}" if job.state == "running" else f"for {job.worker}" if job.worker else "for any"
    labels = f" [{', '.join(job.labels)}]" if job.labels else ""
    return f"{job.kind} of {job.task} · {job.state} {where}{labels} · {_span(job.seconds)} · epoch {job.epoch}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


# --- for Prometheus ------------------------------------------------------------------------------


class FleetCollector:
    """Reads everything anew whenever it is asked; a fleet that cannot be read is told as such."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterable[Family]:
        from prometheus_client.core import GaugeMetricFamily

        try:
            families = [*_families(fleet_status(self._settings)), *self._figures()]
        except ObraError:
            families = []
        yield GaugeMetricFamily("obra_fleet_up", "Whether the database could be read.", value=bool(families))
        yield from families

    def _figures(self) -> Iterator[Family]:
        """Yield the figures of `obra metrics`, of the last day."""
        from prometheus_client.core import GaugeMetricFamily

        value = GaugeMetricFamily(
            "obra_figure", "A figure of `obra metrics`, of the last day.", labels=("name", "unit")
        )
        cases = GaugeMetricFamily("obra_figure_cases", "Cases that a figure rests on.", labels=("name",))
        gates = GaugeMetricFamily("obra_gates_waiting", "Gates that wait for a person.")
        oldest = GaugeMetricFamily("obra_gates_oldest_seconds", "How long the first of them has waited.")
        with open_history(self._settings) as history:
            report = history.measure(Scope(since=time.time() - _DAY_S, rehearsal=True))
            waiting = history.gates()
        figures: list[Metric] = [figure for group in report.groups for figure in group.figures]
        for figure in figures:
            cases.add_metric((figure.name,), figure.of)
            if figure.value is not None:
                value.add_metric((figure.name, figure.unit), figure.value)
        gates.add_metric((), len(waiting))
        oldest.add_metric((), max((time.time() - gate.opened_at for gate in waiting), default=0.0))
        yield from (value, cases, gates, oldest)


def _families(status: FleetStatus) -> Iterator[Family]:
    from prometheus_client.core import GaugeMetricFamily

    seen = "Seconds since the coordinator looked after its workers."
    yield GaugeMetricFamily("obra_fleet_coordinator_seen_seconds", seen, value=status.coordinator.seen_s)
    workers = GaugeMetricFamily("obra_fleet_workers", "Workers.", labels=("state",))
    for state in ("working", "draining", "dead"):
        workers.add_metric((state,), sum(worker.state == state for worker in status.workers))
    places = GaugeMetricFamily("obra_fleet_places", "Jobs that a worker can have.", labels=("worker",))
    busy = GaugeMetricFamily("obra_fleet_busy", "Jobs that a worker has.", labels=("worker",))
    for worker in status.workers:
        places.add_metric((worker.name,), worker.places if worker.state == "working" else 0)
        busy.add_metric((worker.name,), worker.busy)
    depth = GaugeMetricFamily("obra_fleet_jobs", "Jobs by kind and state.", labels=("kind", "state"))
    age = GaugeMetricFamily("obra_fleet_oldest_waiting_seconds", "Age of the first job that waits.", labels=("kind",))
    for kind in ("implement", "check", "judge"):
        of_kind = [job for job in status.jobs if job.kind == kind]
        waiting = [job.seconds for job in of_kind if job.state == "waiting"]
        depth.add_metric((kind, "waiting"), len(waiting))
        depth.add_metric((kind, "running"), len(of_kind) - len(waiting))
        age.add_metric((kind,), max(waiting, default=0.0))
    ended = GaugeMetricFamily("obra_fleet_ended", "Jobs of the last day by end.", labels=("kind", "state"))
    for count in status.ended:
        ended.add_metric((count.kind, count.state), count.number)
    taken = "Jobs of the last day that were taken from dead workers."
    yield from (workers, places, busy, depth, age, ended)
    yield GaugeMetricFamily("obra_fleet_taken_away", taken, value=status.taken_away)


def metrics_text(settings: Settings) -> str:
    """Return everything in Prometheus' text format."""
    from prometheus_client import generate_latest

    return generate_latest(_registry(settings)).decode()


def serve_metrics(settings: Settings, listen: str) -> tuple[str, object]:
    """Serve `/metrics` in a thread of its own; returns its address and what to keep. Raises `ConfigError`."""
    from prometheus_client import start_http_server

    host, separator, port = listen.rpartition(":")
    if not separator or not port.isdigit():
        raise ConfigError(
            f"{listen!r} is no address.", where="--listen", fix="Write HOST:PORT, such as 127.0.0.1:9464."
        )
    try:
        server, _ = start_http_server(int(port), host or "127.0.0.1", _registry(settings))
    except (OSError, OverflowError) as error:
        raise ConfigError(f"It cannot be listened there ({error}).", where=listen, fix="Name another port.") from error
    return f"http://{host or '127.0.0.1'}:{server.server_port}/metrics", server


def _registry(settings: Settings) -> CollectorRegistry:
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    registry.register(FleetCollector(settings))
    return registry
