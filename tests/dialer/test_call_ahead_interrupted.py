"""Calls made ahead when the dialer is killed, the connection is cut and answers are lost."""

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from db.engine import reading, writing
from db.models import PlacedCall, Round
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import claims, conversations
from tests.dialer.hall import Hall
from tests.dialer.office import DESK_CHANNEL, on_sqlite
from tests.kit.fake_manager import FakeManager, leg_of

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


# --- the dialer is killed ---


@pytest.mark.parametrize("state", [C.DIALING, C.RINGING, C.ANSWERED, C.WAITING, C.SCREENING, C.TALKING])
def test_new_dialer_resumes_a_call_in_each_state(
    hall: Hall, manager: FakeManager, state: CallbackState
) -> None:
    token = hall.brings(state)
    moved = hall.moved()
    hall.restart()
    hall.until_at_rest()
    assert hall.state(token) is state
    assert hall.moved() == moved
    assert len(manager.named("Originate")) == 1
    if state in (C.DIALING, C.RINGING):
        manager.refuses(token, 486)
    else:
        manager.hangs_up(token)
    hall.until(lambda: hall.state(token) in (C.ENDED, C.CLOSED))
    outcome = {C.DIALING: O.BUSY, C.RINGING: O.BUSY, C.TALKING: None}.get(state, O.HUNG_UP)
    assert hall.callback(token).outcome is outcome


@pytest.mark.parametrize("state", [C.DIALING, C.RINGING, C.ANSWERED, C.WAITING, C.SCREENING, C.TALKING])
def test_call_that_ended_without_a_dialer_gets_its_true_outcome(
    hall: Hall, manager: FakeManager, state: CallbackState
) -> None:
    token = hall.brings(state)
    hall.aged(token)
    if state is C.TALKING:
        hall.later(token, talking_at=conversations.MET)
        manager.channels["desk.1"]["Duration"] = "01:23:45"  # there all the while: it was the citizen's end
    manager.channels.pop(leg_of(token), None)
    del manager.channels[token]
    hall.restart()
    hall.until(lambda: hall.state(token) in (C.ENDED, C.CLOSED))
    if state is C.TALKING:
        assert hall.ended_with(token) == (None, R.CALLING, 0), "whoever was in a room: a person says"
        assert hall.asks_next(after=token) is None
        assert hall.ended_with(token) == (O.REACHED, R.REACHED, 1)
    else:
        assert hall.ended_with(token) == (O.FAILED, R.WAITING, 0), "nobody spoke with them"
        assert hall.callback(token).registration.not_before is None, "our own fault: nobody waits for it"
    hall.until_at_rest()
    assert len(manager.named("Originate")) == 1
    with reading(hall.engine) as session:
        assert session.get_one(PlacedCall, token).ended_at is not None


@pytest.mark.parametrize("in_the_room", [True, False])
def test_new_dialer_completes_a_meeting(hall: Hall, manager: FakeManager, in_the_room: bool) -> None:
    token = hall.brings()
    hall.restart()
    hall.asks_next()
    if in_the_room:  # the old dialer's last act
        manager.channels[token] |= {"Application": "ConfBridge", "Exten": "1", "Context": "room"}
        hall.until(lambda: hall.state(token) is C.TALKING)
        assert hall.moved() == []
    else:
        hall.enters(token)
    assert not hall.wants()


@on_sqlite
def test_new_dialer_completes_a_next(hall: Hall, manager: FakeManager) -> None:
    talking, ready = hall.brings(C.TALKING), hall.brings()
    hall.restart()
    hall.asks_next(after=talking)
    hall.until(lambda: (talking, "parting", "s") in hall.moved())
    assert (ready, "room", "1") not in hall.moved()
    hall.parts(talking)
    hall.enters(ready)


@on_sqlite
def test_new_dialer_completes_a_screening(
    hall: Hall,
) -> None:
    token = hall.brings()
    hall.restart()
    hall.screens(token)
    hall.until(lambda: (token, "screening", "3") in hall.moved())
    assert hall.state(token) is C.SCREENING


@on_sqlite
def test_new_dialer_places_the_pending_call_once(hall: Hall, manager: FakeManager) -> None:
    with writing(hall.engine) as session:
        made = claims.call_ahead(session, session.get_one(Round, hall.round_id))
    assert made is not None
    hall.restart()
    hall.until(lambda: manager.named("Originate"))
    hall.until_at_rest()
    assert [o["ChannelId"] for o in manager.named("Originate")] == [made.token]


# --- cuts, lost answers, refusals ---


def test_meeting_asked_during_a_cut_connection_happens_after_it(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings()
    manager.cut()
    hall.asks_next()
    manager.wait_for("Login", 2)  # else the dialer may ask over the dead connection, and wait to ask again
    hall.enters(token)
    assert hall.moved() == [(token, "room", "1")]


@pytest.mark.parametrize("how", ["unanswered", "cut_on"])
@on_sqlite
def test_lost_answer_without_a_channel_fails_for_free(hall: Hall, manager: FakeManager, how: str) -> None:
    setattr(manager, how, {"Originate"})
    manager.before = {"Originate": lambda: manager.channels.pop(manager.actions[-1]["ChannelId"])}
    token = hall.dials()
    hall.until(lambda: hall.state(token) is C.CLOSED)
    hall.until_at_rest()
    assert hall.ended_with(token) == (O.FAILED, R.WAITING, 0)
    assert len(manager.named("Originate")) == 1


@pytest.mark.parametrize("how", ["unanswered", "cut_on", "refused"])
@on_sqlite
def test_lost_or_refused_redirect_is_repeated(
    hall: Hall, manager: FakeManager, how: str, impatient: None
) -> None:
    token = hall.brings()
    setattr(manager, how, {"Redirect": "not now"} if how == "refused" else {"Redirect"})
    hall.asks_next()
    hall.until(lambda: len(manager.named("Redirect")) >= 2)
    setattr(manager, how, {} if how == "refused" else set())
    count = len(manager.named("Redirect"))
    hall.until(lambda: len(manager.named("Redirect")) > count)
    hall.enters(token)
    assert set(hall.moved()) == {(token, "room", "1")}


def test_restarted_asterisk_fails_calls_ahead_and_asks_the_desk(hall: Hall, manager: FakeManager) -> None:
    talking, ringing = hall.brings(C.TALKING), hall.brings(C.RINGING)
    waiting, screened = hall.brings(), hall.brings(C.SCREENING)
    for token in (talking, waiting, ringing, screened):
        hall.aged(token)
    manager.channels.clear()
    manager.cut()
    hall.until(lambda: all(hall.state(t) is C.CLOSED for t in (waiting, ringing, screened)))
    for token in (waiting, ringing, screened):
        assert hall.ended_with(token) == (O.FAILED, R.WAITING, 0)
    assert (hall.state(talking), hall.phone_connected()) == (C.ENDED, False)
    manager.joins("desk.1", DESK_CHANNEL)
    hall.until(hall.phone_connected)
    assert hall.asks_next(after=talking) is None
    assert hall.ended_with(talking) == (O.CALL_AGAIN, R.WAITING, 0), "it was our side that cut it"
    next_one = hall.brings()
    assert hall.callback(next_one).registration_id == hall.callback(talking).registration_id, (
        "at once, and first"
    )
    hall.enters(next_one)


@on_sqlite
def test_citizen_lost_unseen_before_meeting_is_called_again(hall: Hall, manager: FakeManager) -> None:
    token = hall.brings()
    hall.aged(token)
    manager.refused = {"Redirect": "not now"}
    hall.asks_next()
    del manager.channels[token]
    manager.event("FullyBooted")
    hall.until(lambda: hall.state(token) is C.ENDED)
    assert hall.asks_next(after=token) is None
    assert hall.ended_with(token) == (O.CALL_AGAIN, R.WAITING, 0), "nobody was seen to speak with them"


def test_work_resumes_when_the_database_returns(hall: Hall, manager: FakeManager, engine: Engine) -> None:
    token, ringing = hall.brings(), hall.brings(C.RINGING)

    def refuse(_connection: object) -> None:
        raise OperationalError("BEGIN", {}, Exception("the database is away"))

    event.listen(engine, "begin", refuse)
    manager.stage(ringing, "answered", "AGI")
    manager.stage(ringing, "confirmed", "BridgeWait")
    for _ in range(5):
        hall.step()
    event.remove(engine, "begin", refuse)
    hall.asks_next()
    hall.enters(token)
    hall.until(lambda: hall.state(ringing) is C.WAITING)
    assert len(manager.named("Originate")) == 2


@on_sqlite
def test_dialer_that_keeps_dying_calls_nobody_twice(hall: Hall, manager: FakeManager) -> None:
    hall.wanted = 10
    for turn in range(12):
        hall.step()
        hall.restart()
        if turn % 4 == 1:
            manager.cut()
    hall.wanted = 0
    hall.until_at_rest()
    numbers = [o["Channel"] for o in manager.named("Originate")]
    assert len(numbers) == len(set(numbers)) == len(hall.line)
