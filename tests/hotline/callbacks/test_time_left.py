"""The agreed minutes: the official hears once that they are nearly over, by a call to the tone."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk
from db.states import CallbackState
from hotline.callbacks import conversations, round_statistics, time_left, transitions
from settings import Settings
from tests import factories as make
from tests.kit.databases import on_one  # noqa: F401  (fixture)


@pytest.fixture
def token(engine: Engine) -> str:
    """A conversation of six agreed minutes that has half a minute left."""
    with writing(engine) as session:
        callback = make.a_callback(session, CallbackState.TALKING)
        callback.talking_at = now(session) - timedelta(minutes=5, seconds=31)
        return callback.token


def due(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return [callback.token for callback in time_left.list_nearly_over(session, now(session))]


def test_half_a_minute_left_sounds_the_tone(engine: Engine, token: str):
    assert due(engine) == [token]


def test_more_time_left_sounds_no_tone(engine: Engine, token: str):
    with writing(engine) as session:
        session.query(Callback).one().talking_at = now(session) - timedelta(minutes=5, seconds=20)

    assert due(engine) == []


def test_our_absence_does_not_use_agreed_minutes(engine: Engine, settings: Settings, token: str):
    with writing(engine) as session:
        assert conversations.hold_without_desk(session, token, settings)
        held = transitions.find_by_token(session, token)
        assert held and held.held_at
        held.held_at -= 20 * make.SECOND  # gone for 20 s
        session.flush()
        back = transitions.move(session, token, CallbackState.TALKING, held_until=None)
        assert back and back.held_at is None
        assert 20 <= back.held_s < 25
        at = now(session)
        assert back.talking_at
        assert at - back.talking_at - time_left.measure_spoken(back, at) == timedelta(seconds=back.held_s)
        back.talking_at = at - timedelta(minutes=5, seconds=31)
    assert due(engine) == []
    with writing(engine) as session:
        back = transitions.find_by_token(session, token)
        assert back and back.talking_at
        back.talking_at -= 25 * make.SECOND
    assert due(engine) == [token]


def test_repeated_absence_is_not_part_of_the_length(session: Session, settings: Settings):
    callback = make.a_callback(session, CallbackState.TALKING)
    callback.placed_at = callback.claimed_at
    for _ in range(2):
        conversations.hold_without_desk(session, callback.token, settings)
        session.refresh(callback)
        assert callback.held_at
        callback.held_at -= 10 * make.SECOND
        session.flush()
        assert time_left.measure_spoken(callback, now(session) + make.HOUR) < 2 * make.MINUTE, (
            "it stands still"
        )
        transitions.move(session, callback.token, CallbackState.TALKING, held_until=None)
    conversations.hold_without_desk(session, callback.token, settings)
    session.refresh(callback)
    assert callback.held_at
    callback.held_at -= 10 * make.SECOND
    session.flush()
    ended = transitions.move(session, callback.token, CallbackState.ENDED, ended_at=now(session))
    assert ended and ended.held_at is None
    assert 30 <= ended.held_s < 40
    (length,) = round_statistics.list_observations(session, callback.round_id).conversations
    assert ended.talking_at and ended.ended_at
    assert length == pytest.approx((ended.ended_at - ended.talking_at).total_seconds() - ended.held_s)


def test_absent_desk_phone_gets_no_tone(engine: Engine, token: str):
    with writing(engine) as session:
        session.query(Desk).one().phone_connected = False

    assert due(engine) == []


def test_tone_is_sounded_once(engine: Engine, token: str):
    with writing(engine) as session:
        session.query(Desk).one().channel = "PJSIP/desk-1-0000001f"
        session.flush()
        assert time_left.take_up(session, token) == "PJSIP/desk-1-0000001f"
    with writing(engine) as session:
        assert time_left.take_up(session, token) is None

    assert due(engine) == []


def test_ended_conversation_gets_no_tone(engine: Engine, token: str):
    with writing(engine) as session:
        session.query(Callback).one().state = CallbackState.ENDED
    with writing(engine) as session:
        assert time_left.take_up(session, token) is None
