"""A live round with people waiting, an open one, and old rows and files, when the database's clock leaps."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from db.engine import now, reading, writing
from db.models import Base, OutboxKind, OutboxMessage, Registration, Round
from db.states import Outcome, Phase, RequestState
from db.trusted_time import Watch
from hotline.line import order
from hotline.rounds import phases, planning
from scheduler.jobs import JOBS
from settings import Settings
from tests.factories import a_request, a_round, some_registrations
from tests.kit.shifted_clock import ShiftedClock, clock
from tests.kit.story import Story

pytestmark = pytest.mark.long

__all__ = ["clock"]

HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
_MADE_ANEW = {"heartbeats", "trusted_time", "seals", "request_figures"}
"""The scheduler writes them over and over."""
_NEEDS_A_NETWORK = {
    "sms-arrivals",
    "sms-credit",
    "directory",
    "city-sign-in",
    "backup",
    "certificates",
    "store-pictures",
}


@pytest.fixture
def story(engine: Engine, settings: Settings) -> Story:
    """45 wait in a live round and 40 in an open one; both officials have a next round. Much is a day old."""
    story = Story(engine, settings)
    for _ in range(45):
        story.registers()
    with writing(engine) as session:
        live, at = phases.get(session, story.round), now(session)
        opened = a_round(session, Phase.OPEN)
        some_registrations(session, opened, 40)
        for official in (live.official, opened.official):
            planning.make(
                session,
                official=official,
                registration_from=at + 24 * HOUR,
                registration_until=at + 73 * HOUR,
                starts_at=at + 72 * HOUR,
                ends_at=at + 75 * HOUR,
            )
        asked = a_request(session, RequestState.REPLIED)
        a_request(session, RequestState.CLOSED)
        session.add(
            OutboxMessage(
                key="near",
                kind=OutboxKind.REQUEST_NEWS,
                request_id=asked.id,
                to=asked.number,
                body="{}",
                made_at=at,
                not_before=at,
                expires_at=at + HOUR / 2,
            )
        )
    for folder in (settings.messages_dir, settings.recordings_dir, settings.pictures_dir):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kept.wav").write_bytes(b"RIFF")
    return story


def _state(engine: Engine, settings: Settings) -> Mapping[str, object]:
    """All places, how many rows each table has, and the files."""
    with reading(engine) as session:
        registered = select(Registration.id, Registration.round_id, Registration.state)
        places = [tuple(row) for row in session.execute(registered.order_by(Registration.id))]
        ended = session.scalars(select(Round.id).where(Round.ended_at.is_not(None))).all()
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
            if table.name not in _MADE_ANEW
        }
        sent = session.scalars(select(OutboxMessage.state).order_by(OutboxMessage.id)).all()
    folders = (settings.messages_dir, settings.recordings_dir, settings.pictures_dir)
    files = {str(path) for folder in folders for path in folder.iterdir()}
    return {"places": places, "ended": ended, "counts": counts, "messages": sent, "files": files}


def _scheduler_works(engine: Engine, settings: Settings) -> None:
    for job in JOBS:
        if job.name not in _NEEDS_A_NETWORK:
            job.run(engine, settings)


@pytest.mark.parametrize(
    ("leap", "looks"), [(2 * HOUR, True), (3.5 * HOUR, False), (10 * YEAR, True), (-YEAR, True)], ids=str
)
def test_leap_in_a_live_round_moves_and_deletes_nothing(
    story: Story, clock: ShiftedClock, settings: Settings, leap: timedelta, looks: bool
) -> None:
    engine, watch = story.engine, Watch()
    with writing(engine) as session:
        watch.look(session)
    _scheduler_works(engine, settings)
    before = _state(engine, settings)
    clock.shift = leap
    for _ in range(3):
        _scheduler_works(engine, settings)
        if looks:
            with writing(engine) as session:
                watch.look(session)
    assert _state(engine, settings) == before

    clock.shift = timedelta()
    with writing(engine) as session:
        watch.look(session)
    _scheduler_works(engine, settings)
    assert _state(engine, settings) == before
    with reading(engine) as session:
        waiting = [each.id for each in order.list_page(session, story.round, 99, None)]
    assert [story.called(Outcome.REACHED) for _ in range(3)] == waiting[:3], "the round goes on"
