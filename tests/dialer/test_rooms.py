"""The rooms to which the dialer sends citizens: two of them never meet in one."""

from typing import Any, cast

import pytest
from sqlalchemy import Engine

from db.engine import now, writing
from db.states import CallbackState
from dialer.ami import Ami
from dialer.rooms import WITH_MUSIC, Rooms
from dialplan.variables import Context
from tests.factories import a_callback, a_desk, a_user


class Asterisk:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def request(self, action: str, **keys: Any) -> None:
        self.asked.append((action, keys["Channel"]))


def test_next_citizen_enters_after_the_first_has_left(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        user = a_user(session, a_desk(session))
        desk = user.desk_id
        after, before = (
            a_callback(session, state, user) for state in (CallbackState.WAITING, CallbackState.CLOSED)
        )
        after.placed_at = before.placed_at = before.hangup_asked_at = now(session)
    asterisk = Asterisk()
    rooms = Rooms(engine, cast(Ami, asterisk))
    rooms.seen(before.token, f"desk-{desk}")
    rooms.seen(after.token, WITH_MUSIC)

    assert rooms.send_all()
    assert asterisk.asked == [("Hangup", before.token)]
    assert rooms.somebody_waits_outside

    rooms.forget(before.token)
    assert rooms.send_all()
    assert ("Redirect", after.token) in asterisk.asked
    assert not rooms.somebody_waits_outside


def test_late_end_of_the_desk_phone_keeps_the_citizen_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        user = a_user(session, a_desk(session))
        held = a_callback(session, CallbackState.HELD, user)
        held.placed_at = now(session)
    asterisk = Asterisk()
    rooms = Rooms(engine, cast(Ami, asterisk))
    rooms.seen(held.token, f"desk-{user.desk_id}")
    rooms.seen(held.token, Context.HELD)

    assert rooms.send_all()
    assert asterisk.asked == []

    monkeypatch.setattr("dialer.rooms._LEAVES_S", 0.0)  # the time is over, and the phone is there
    assert rooms.send_all()
    assert asterisk.asked == [("Redirect", held.token)]
