"""The newest event, by both ways to ask for it."""

from sqlalchemy import Engine

from db import events
from db.engine import reading, writing


def test_driver_and_session_return_the_same_newest_event(engine: Engine) -> None:
    assert events.fetch_last_id(engine) == 0
    for _ in range(2):
        before = events.fetch_last_id(engine)
        with writing(engine) as session:
            events.append_timetable(session, "rule")
        with reading(engine) as session:
            assert events.fetch_last_id(engine) == events.find_last_id(session) > before
