"""GET /metrics for Prometheus. Each scrape reads its figures from the database.

Only the time of this process's own transactions is measured continuously
(docs/decisions/0036-watched-from-outside.md).
"""

import logging
import time
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, event

from api.access import InForce
from api.internal_access import IsNear
from api.metric_families import Families, add_gauges, add_state
from db.engine import reading
from hotline import heartbeats
from hotline.control import live_metrics
from hotline.control.counters import Counters
from hotline.errors import Refused
from settings import Settings

log = logging.getLogger("api")
router = APIRouter()

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BEGUN = "hotline137.begun"


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request, settings: InForce, near: IsNear) -> Response:
    """For insiders (HOTLINE_INSIDERS, HOTLINE_METRICS_TOKEN). 200 without a database, too."""
    if not near:
        raise Refused("forbidden", "for insiders only: HOTLINE_INSIDERS, HOTLINE_METRICS_TOKEN")
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    registry: CollectorRegistry = request.app.state.metrics
    return Response(encode(registry), headers={"Content-Type": kind, "Cache-Control": "no-store"})


def make_registry(engine: Engine, settings: Settings) -> CollectorRegistry:
    """Make one API's registry. From now on it measures the transactions of this engine."""
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    _measure(engine, made)
    made.register(_Figures(engine, settings))
    return made


class _Figures(Collector):
    """The database's figures, and the disk's."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings, self._totals = engine, settings, Counters()

    def describe(self) -> list[Metric]:
        """Return nothing before the first scrape: without a database the API must still start."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of one scrape."""
        families = Families()
        add_state(families, self._settings)
        began = time.perf_counter()
        try:
            if heartbeats.is_silent(self._engine):  # or nobody can write, so heartbeats mean nothing
                raise OSError("the database is away")
            with reading(self._engine, one_moment=True) as session:
                found = live_metrics.read(session, self._settings, self._totals)
        except Exception as error:  # an alarm must tell this failure from an API that is away
            log.warning("no figures: %s", type(error).__name__)
            families.gauge("hotline_database_up", "Whether the database answers (1) or not (0).", 0)
        else:
            families.gauge("hotline_database_up", "Whether the database answers (1) or not (0).", 1)
            add_gauges(families, found, self._settings)
        took = time.perf_counter() - began
        families.gauge("hotline_scrape_seconds", "How long the database took to tell all this.", took)
        yield from families


def _measure(engine: Engine, made: CollectorRegistry) -> None:
    seconds = Histogram(
        "hotline_api_transaction_seconds",
        "Time of the API's transactions, from beginning to commit or rollback, waits for locks included.",
        ["mode"],
        buckets=_BUCKETS,
        registry=made,
    )
    by_mode = {True: seconds.labels("read"), False: seconds.labels("write")}

    def begun(connection: Connection) -> None:
        connection.info[_BEGUN] = time.perf_counter()

    def over(connection: Connection) -> None:
        if connection.invalidated:  # its database is gone, and reading `info` would connect again
            return
        began: Any = connection.info.pop(_BEGUN, None)
        if began is not None:
            only_reads = bool(connection.get_execution_options().get("reading", False))
            by_mode[only_reads].observe(time.perf_counter() - began)

    event.listen(engine, "begin", begun, insert=True)  # before SQLite waits for its one writer
    event.listen(engine, "commit", over)
    event.listen(engine, "rollback", over)
