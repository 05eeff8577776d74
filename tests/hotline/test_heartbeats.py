"""A process's heartbeats, and the time that it gets after the database was silent."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Breaker, Heartbeat, Node
from hotline import heartbeats
from hotline.nodes import administration, leases
from hotline.trunk import circuit_breaker
from settings import Settings
from tests.hotline.nodes.conftest import a_node
from tests.kit.databases import in_both


class Hours:
    """The time of this process, and the database's with it: what was written is so much older."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self._engine, self._at = engine, 1000.0
        monkeypatch.setattr(heartbeats, "monotonic", lambda: self._at)

    def pass_(self, seconds: float, *, answers: bool = True) -> None:
        """`answers`: the database has done so each second."""
        self._at += seconds
        with writing(self._engine) as session:
            for beat in session.query(Heartbeat):
                beat.at -= timedelta(seconds=seconds)
            for node in session.query(Node):
                node.lease_until -= timedelta(seconds=seconds)
        if answers:
            for ago in range(int(seconds), -1, -1):
                self._answered(ago)

    def _answered(self, ago: float) -> None:
        self._at -= ago
        heartbeats.record_answer(self._engine)
        self._at += ago


@pytest.fixture
def hours(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Hours:
    with writing(engine) as session:
        heartbeats.beat(session, "ivr")
    made = Hours(engine, monkeypatch)
    made.pass_(1)
    return made


def down(engine: Engine) -> str:
    with reading(engine) as session:
        told = circuit_breaker.find_outage(session)
        assert heartbeats.is_alive(session, "ivr") is (told is None)
        return told.why if told else ""


def test_silent_ivr_is_reported_with_a_live_database(hours: Hours, engine: Engine) -> None:
    hours.pass_(4)
    assert down(engine) == ""
    hours.pass_(2)
    assert down(engine) == "ivr"


@pytest.mark.parametrize("noticed", [True, False])
def test_database_gap_gives_ivr_time_to_report(hours: Hours, engine: Engine, noticed: bool) -> None:
    hours.pass_(20, answers=False)
    if noticed:  # else who asks is faster than who watches
        hours.pass_(0)
    assert down(engine) == ""
    hours.pass_(0)
    hours.pass_(5)
    assert down(engine) == ""
    hours.pass_(1)
    assert down(engine) == "ivr"


def test_ivr_silent_before_the_gap_is_reported_at_once(hours: Hours, engine: Engine) -> None:
    hours.pass_(10)
    hours.pass_(20, answers=False)
    hours.pass_(0)
    assert down(engine) == "ivr"


def test_silent_ivr_without_a_watcher_is_reported(hours: Hours, engine: Engine) -> None:
    hours.pass_(700, answers=False)
    assert down(engine) == "ivr"


def test_database_gap_gives_nodes_time_to_report(hours: Hours, engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        leases.take_only(session, settings)
        leases.take(session, settings.model_copy(update={"node": "two"}))

    def words() -> set[str]:
        with reading(engine) as session:
            return set(administration.list_states(session).values())

    hours.pass_(20, answers=False)
    assert words() == {"live"}
    hours.pass_(0)
    assert words() == {"live"}
    hours.pass_(7)
    assert words() == {"gone"}


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("is_open", "ivr_s", "is_down"),
    [(False, None, False), (False, 1, False), (True, 1, True), (False, 7, True), (False, -7, True)],
)
def test_open_breaker_or_silent_ivr_stops_calls(
    engine: Engine, *, is_open: bool, ivr_s: float | None, is_down: bool
) -> None:
    with writing(engine) as session:
        at = now(session)
        session.add(Breaker(name=circuit_breaker.TRUNK, opened_at=at if is_open else None))
        if ivr_s is not None:
            session.add(Heartbeat(process="ivr", at=at - timedelta(seconds=ivr_s), fresh_s=6))

    with reading(engine) as session:
        assert (circuit_breaker.find_outage(session) is not None) is is_down


@in_both
def test_done_jobs_are_recorded_with_their_time(engine: Engine) -> None:
    jobs = dict.fromkeys(map(str, range(9)), 3)
    for _ in range(2):
        with writing(engine) as session:
            heartbeats.record_jobs(session, jobs, jobs)

    with reading(engine) as session:
        rows = session.query(Heartbeat).all()
        assert {row.process for row in rows} == {f"{heartbeats.JOB}{name}" for name in jobs}
        assert all(row.fresh_s == 3 and now(session) - row.at > timedelta(seconds=2) for row in rows)


@in_both
@pytest.mark.parametrize("others", [False, True])
def test_hung_process_is_not_alive_unless_another_node_lives(
    engine: Engine, settings: Settings, others: bool
) -> None:
    with writing(engine) as session:
        heartbeats.beat(session, "asterisk")
        if others:
            a_node(session, settings, "two")
    with writing(engine) as session:
        heartbeats.record_hang(session, "asterisk", settings.node)
    with reading(engine) as session:
        assert heartbeats.is_alive(session, "asterisk") is others
