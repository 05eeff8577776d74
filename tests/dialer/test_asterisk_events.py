"""The dialer's input: the events of each leg of a call, and events that change nothing."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import Engine, event, select

from db.engine import reading
from db.models import Callback
from db.states import CallbackState, Outcome
from tests.dialer.office import DESK_CHANNEL, NO_SOUND, OTHER_DESK_CHANNEL, Office, on_sqlite
from tests.kit.fake_manager import FakeManager

C, O = CallbackState, Outcome  # noqa: E741


# --- how it ends ---


@on_sqlite
def test_missing_stage_of_a_leg_is_not_awaited_for_long(office: Office, manager: FakeManager):
    token = office.call(C.WAITING)
    del manager.channels[token]

    manager.event("Hangup", Channel="Local/x@dial-00000001;1", Uniqueid=token, Linkedid=token, Cause="16")
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.HUNG_UP


@on_sqlite
def test_a_desk_that_hangs_up_is_no_leg_of_the_call_it_was_in(office: Office, manager: FakeManager):
    token = office.call(C.WAITING)

    manager.event("Hangup", Channel=DESK_CHANNEL, Uniqueid="desk.1", Linkedid=token, Cause=str(NO_SOUND))
    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.HUNG_UP


@on_sqlite
@pytest.mark.parametrize(
    ("tech_cause", "outcome", "attempts"), [("", O.HUNG_UP, 1), ("408", O.FAILED, 0), ("481", O.FAILED, 0)]
)
def test_end_of_unanswered_re_invite_costs_nothing(
    office: Office, manager: FakeManager, tech_cause: str, outcome: O, attempts: int
):
    token = office.call(C.WAITING)

    manager.hangs_up(token, 16, tech_cause=tech_cause)
    office.until(lambda: office.state(token) is C.CLOSED)

    with reading(office.engine) as session:
        callback = session.scalars(select(Callback).where(Callback.token == token)).one()
        assert (callback.outcome, callback.registration.attempts) == (outcome, attempts)


@on_sqlite
@pytest.mark.parametrize("cause", ["", "x", "-1", "۱۷"])
def test_a_cause_that_is_no_number_is_an_end_all_the_same(office: Office, manager: FakeManager, cause: str):
    token = office.call(C.ANSWERED)
    del manager.channels[token]

    manager.event("Hangup", Channel="PJSIP/trunk-0000002a", Uniqueid=token, Cause=cause)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.HUNG_UP


@on_sqlite
def test_end_refused_by_a_locked_database_is_written_later(
    office: Office, manager: FakeManager, engine: Engine
):
    token = office.call(C.RINGING)
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50"))
    path = engine.url.database
    assert path
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        manager.refuses(token, 486)
        manager.joins("desk.2", OTHER_DESK_CHANNEL)
        for _ in range(5):
            office.step()
        assert office.state(token) is C.RINGING
        another.execute("ROLLBACK")
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is O.BUSY


# --- strangers ---


@on_sqlite
@pytest.mark.parametrize(
    "stranger", ["1700000000.17", "", "callback-", "callback-" + "f" * 32, "' OR 1=1 --"]
)
def test_what_is_no_callbacks_channel_touches_nothing(office: Office, manager: FakeManager, stranger: str):
    token = office.call(C.RINGING)
    office.until_at_rest()
    before = office.changes()

    manager.event("DialState", DialStatus="RINGING", Uniqueid=stranger)
    for stage in ("answered", "confirmed", "not-confirmed", "failed", "reached", ""):
        manager.event("UserEvent", Uniqueid=stranger, UserEvent="HotlineStage", Stage=stage)
    manager.event("ConfbridgeJoin", Channel="PJSIP/trunk-00000001", Uniqueid=stranger)
    manager.event("OriginateResponse", Response="Failure", ActionID=stranger, Uniqueid=stranger)
    manager.event("Hangup", Channel="PJSIP/trunk-00000001", Uniqueid=stranger, Cause="17")
    office.until_at_rest()

    assert office.changes() == before
    assert office.state(token) is C.RINGING


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {"UserEvent": "SomethingElse", "Stage": "failed"},
        {"UserEvent": "HotlineStage", "Stage": "reached"},
        {"UserEvent": "HotlineStage"},
        {},
    ],
)
def test_a_user_event_that_is_no_stage_touches_nothing(
    office: Office, manager: FakeManager, headers: dict[str, str]
):
    token = office.call(C.ANSWERED)
    before = office.changes()

    manager.event("UserEvent", Uniqueid=token, **headers)
    office.until_at_rest()

    assert office.changes() == before


@on_sqlite
def test_events_without_any_header_touch_nothing(office: Office, manager: FakeManager):
    token = office.call(C.RINGING)
    before = office.changes()

    for name in ("DialState", "UserEvent", "ConfbridgeJoin", "Hangup", "OriginateResponse", "Unheard"):
        manager.event(name)
    office.until_at_rest()

    assert office.changes() == before
    assert office.state(token) is C.RINGING
