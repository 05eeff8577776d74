"""The agreed minutes: the official hears once that they are nearly over, by a call to the tone."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Callback, Desk
from db.states import CallbackState
from hotline import time_left
from tests import factories as make


@pytest.fixture
def token(engine: Engine) -> str:
    """A conversation of six agreed minutes that has half a minute left."""
    with writing(engine) as session:
        callback = make.a_callback(session, CallbackState.TALKING)
        callback.talking_at = now(session) - timedelta(minutes=5, seconds=31)
        return callback.token


def due(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return [callback.token for callback in time_left.nearly_over(session)]


def test_given_half_a_minute_left_when_asked_then_it_is_nearly_over(engine: Engine, token: str):
    assert due(engine) == [token]


def test_given_more_time_left_when_asked_then_it_is_not(engine: Engine, token: str):
    with writing(engine) as session:
        session.query(Callback).one().talking_at = now(session) - timedelta(minutes=5, seconds=20)

    assert due(engine) == []


def test_given_a_desk_whose_phone_has_left_when_asked_then_nobody_could_hear_it(engine: Engine, token: str):
    with writing(engine) as session:
        session.query(Desk).one().phone_connected = False

    assert due(engine) == []


def test_given_a_tone_that_was_sounded_when_taken_up_again_then_it_is_not_sounded_twice(
    engine: Engine, token: str
):
    with writing(engine) as session:
        session.query(Desk).one().channel = "PJSIP/desk-1-0000001f"
        session.flush()
        assert time_left.take_up(session, token) == "PJSIP/desk-1-0000001f"
    with writing(engine) as session:
        assert time_left.take_up(session, token) is None

    assert due(engine) == []


def test_given_a_conversation_that_has_just_ended_when_taken_up_then_there_is_no_tone(
    engine: Engine, token: str
):
    with writing(engine) as session:
        session.query(Callback).one().state = CallbackState.ENDED
    with writing(engine) as session:
        assert time_left.take_up(session, token) is None
