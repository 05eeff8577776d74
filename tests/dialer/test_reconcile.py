"""A new dialer, or one that was cut off, asks Asterisk what is true."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from db.engine import now, reading, writing
from db.models import PlacedCall
from db.states import ON_THE_PHONE, CallbackState, Outcome, RegistrationState
from dialer import ami, asterisk_events, reconcile
from hotline.callbacks import closing
from hotline.trunk import call_caps
from tests.dialer.hall import Hall
from tests.dialer.office import LONG_AGO, Office, on_sqlite
from tests.kit.fake_manager import FakeManager

C, O = CallbackState, Outcome  # noqa: E741
HOUR = timedelta(hours=1)


@on_sqlite
@pytest.mark.parametrize(
    ("channel", "state"),
    [
        ({"ChannelStateDesc": "Ringing", "Application": ""}, C.RINGING),
        ({"ChannelStateDesc": "Up", "Application": "AGI", "Context": "callback"}, C.ANSWERED),
        ({"ChannelStateDesc": "Up", "Application": "AGI", "Context": "waiting"}, C.WAITING),
        ({"ChannelStateDesc": "Up", "Application": "ConfBridge", "Exten": "1"}, C.TALKING),
    ],
)
def test_a_new_dialer_takes_over_a_living_call_where_it_is(
    office: Office, manager: FakeManager, channel: dict[str, str], state: CallbackState
):
    token = office.claims(C.DIALING)
    manager.channels[token] = {"Channel": "PJSIP/trunk-0000002a", **channel}

    office.until(lambda: office.state(token) is state)
    office.until_heard()

    assert manager.named("Originate") == []
    moved = [redirect["Channel"] for redirect in manager.named("Redirect")]
    assert moved == ([token] if state is C.WAITING else [])


@on_sqlite
def test_a_new_dialer_sees_that_the_phone_of_a_call_rings(office: Office, manager: FakeManager):
    """Our half of the call is down all the while; the phone has a channel of its own."""
    token = office.claims(C.DIALING)
    manager.channels[token] = {
        "Channel": "Local/x@dial-0001;1",
        "ChannelStateDesc": "Down",
        "Application": "",
    }
    manager.ringing(token)

    office.until(lambda: office.state(token) is C.RINGING)


@on_sqlite
def test_new_dialer_connects_a_citizen_just_told_to_wait(office: Office, manager: FakeManager):
    """The old dialer died as the citizen pressed 1; the dialplan is still saying «please hold»."""
    token = office.claims(C.ANSWERED)
    manager.channels[token] = {
        "Channel": "PJSIP/trunk-2a",
        "ChannelStateDesc": "Up",
        "Application": "",
        "Context": "callback",
    }
    office.until(lambda: manager.named("CoreShowChannels"))

    manager.channels[token] |= {
        "Application": "AGI",
        "Context": "waiting",
    }  # of which Asterisk sends no event
    office.until(lambda: manager.named("Redirect"))

    assert [redirect["Channel"] for redirect in manager.named("Redirect")] == [token]


@on_sqlite
def test_line_of_a_vanished_call_is_freed(office: Office, manager: FakeManager):
    with writing(office.engine) as session:
        for token in ("callback-here", "callback-gone"):
            session.add(PlacedCall(token=token, number="+989131234567", at=now(session) - LONG_AGO))
    manager.channels["callback-here"] = {"Channel": "Local/s@dial-1;1"}
    office.restart()

    office.until_at_rest()
    with reading(office.engine) as session:
        assert call_caps.list_open_calls(session).keys() == {"callback-here"}


@pytest.mark.parametrize("state", sorted(ON_THE_PHONE))
def test_call_that_ended_unseen_is_left_to_the_desk(
    office: Office, manager: FakeManager, state: CallbackState
):
    token = office.claims(state)

    office.until(lambda: office.state(token) is C.ENDED)
    office.until_at_rest()

    callback = office.callback(token)
    assert (callback.outcome, callback.registration.state) == (None, RegistrationState.CALLING)
    assert manager.named("Originate") == []


@on_sqlite
def test_a_call_placed_just_now_is_given_time_to_come_into_being(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asterisk_events, "NO_CHANNEL_S", 60)
    token = office.claims(C.DIALING)
    with writing(office.engine) as session:
        at = now(session)
    office.change(token, called_at=at, placed_at=at)

    office.until(lambda: len(manager.named("CoreShowChannels")) >= 3)

    assert office.state(token) is C.DIALING


@on_sqlite
def test_clock_jump_does_not_shorten_a_new_calls_time(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asterisk_events, "NO_CHANNEL_S", 60)
    ahead_s = 0.0
    monkeypatch.setattr(reconcile, "_ahead", lambda: ahead_s)
    office.restart()
    token = office.claims(C.DIALING)
    with writing(office.engine) as session:
        an_hour_ago = now(session) - HOUR
    office.change(token, called_at=an_hour_ago, placed_at=an_hour_ago)
    ahead_s = HOUR.total_seconds()

    office.until(lambda: len(manager.named("CoreShowChannels")) >= 3)

    assert office.state(token) is C.DIALING
    monkeypatch.setattr(asterisk_events, "NO_CHANNEL_S", 0.1)
    office.until(lambda: office.state(token) is C.ENDED)


@on_sqlite
@pytest.mark.parametrize(
    "where",
    [{"Application": "AGI", "Context": "waiting"}, {"Application": "ConfBridge", "Exten": "1"}],
    ids=["waits", "in-a-room"],
)
def test_line_of_a_closed_callback_is_hung_up(
    office: Office, manager: FakeManager, where: dict[str, str]
) -> None:
    token = office.claims(C.CLOSED)
    manager.channels[token] = {"Channel": "Local/x@dial-0001;1", "ChannelStateDesc": "Up", **where}

    office.until(lambda: manager.named("Hangup"))

    assert {asked["Channel"] for asked in manager.named("Hangup")} == {token}


@on_sqlite
def test_key_1_after_an_assumed_end_is_hung_up(office: Office, manager: FakeManager) -> None:
    token = office.call(C.ANSWERED)
    with writing(office.engine) as session:
        closing.close(session, token, O.FAILED, office._settings)

    manager.stage(token, "confirmed", "BridgeWait")
    office.until(lambda: manager.named("Hangup"))

    assert {asked["Channel"] for asked in manager.named("Hangup")} == {token}


@on_sqlite
def test_key_2_while_waiting_hears_the_answer_out(office: Office, manager: FakeManager) -> None:
    token = office.call(C.WAITING)

    manager.stage(token, "later", "Playback")
    office.until(lambda: office.state(token) is C.CLOSED)
    office.until_at_rest()

    assert manager.named("Hangup") == []


@on_sqlite
def test_key_2_during_the_query_hears_the_answer_out(office: Office, manager: FakeManager) -> None:
    token = office.claims(C.WAITING)
    waiting = {"ChannelStateDesc": "Up", "Application": "AGI", "Context": "waiting"}
    manager.channels[token] = {"Channel": "Local/x@dial-0001;1", **waiting}

    def later() -> None:  # told before the list, which still has them where they waited
        manager.event("UserEvent", Uniqueid=token, UserEvent="HotlineStage", Stage="later")
        manager.before.clear()

    manager.before = {"CoreShowChannels": later}
    office.until(lambda: office.state(token) is C.CLOSED)
    manager.channels[token] |= {"Application": "Playback", "Context": "later"}
    office.until_at_rest()

    assert manager.named("Hangup") == []


@on_sqlite
def test_end_before_the_channel_list_keeps_its_cause(office: Office, manager: FakeManager):
    token = office.claims(C.RINGING)
    manager.before = {"CoreShowChannels": lambda: manager.refuses(token, 486)}

    office.until(lambda: office.state(token) in (C.ENDED, C.CLOSED))

    assert office.callback(token).outcome is O.BUSY


@on_sqlite
def test_a_cut_connection_loses_no_callback(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    talking = office.call(C.TALKING)
    monkeypatch.setattr(ami, "_READ_S", 60.0)  # the next connection is not taken for lost because it is slow
    before = len(manager.named("Login"))

    manager.cut()
    del manager.channels[talking]  # its end is an event that nobody hears
    office.until(lambda: office.state(talking) is C.ENDED)

    assert len(manager.named("Login")) == before + 1


@pytest.mark.parametrize(("after", "outcome"), [(True, O.CALL_AGAIN), (False, O.REACHED)])
def test_next_after_asterisks_death_reaches_nobody(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch, after: bool, outcome: Outcome
):
    token = office.call(C.TALKING)
    monkeypatch.setattr(ami, "_READ_S", 60.0)
    with writing(office.engine) as session:
        at = now(session) + timedelta(seconds=60 if after else -60)
    manager.cut()
    manager.channels.pop(token)
    office.change(token, state=C.PARTING, parting_at=at, said=O.REACHED)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is outcome


@pytest.mark.parametrize(
    ("said", "outcome"), [("", O.HUNG_UP), ("failed", O.FAILED), ("later", O.CALL_AGAIN)]
)
def test_events_during_a_database_gap_are_written_and_resynced(
    office: Office, manager: FakeManager, engine: Engine, said: str, outcome: O
):
    token = office.call(C.WAITING)
    refusals: list[str] = []
    asked = len(manager.named("CoreShowChannels"))

    def refuse(_connection: object) -> None:
        refusals.append("begin")
        raise OperationalError("BEGIN", {}, Exception("the database is away"))

    event.listen(engine, "begin", refuse)
    if said:
        manager.event("UserEvent", Uniqueid=token, UserEvent="HotlineStage", Stage=said)
    manager.hangs_up(token, 16)
    for _ in range(10):
        office.step()
    event.remove(engine, "begin", refuse)

    assert len(refusals) >= 3
    office.until(lambda: office.state(token) is C.CLOSED)
    assert office.callback(token).outcome is outcome
    office.until(lambda: len(manager.named("CoreShowChannels")) > asked)


@on_sqlite
def test_event_during_a_resync_causes_another(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    hall.until_at_rest()
    asked: list[bool] = []

    def run(_catch_up: Callable[[], None], _no_channel_s: float) -> bool:
        asked.append(True)
        hall._dialer._asterisk.in_sync = len(asked) > 1  # a desk's phone leaves while the first one runs
        return True

    monkeypatch.setattr(hall._dialer._reconciler, "run", run)
    hall._dialer._asterisk.in_sync = False
    hall.until(lambda: len(asked) == 2)
