"""The dialer's records of a callback: its moments, and the outcome of each way to end."""

from datetime import timedelta

import pytest

from db.engine import now, reading, writing
from db.models import PlacedCall, Registration
from db.states import CallbackState, Outcome, RegistrationState
from dialer import rooms
from hotline import heartbeats
from hotline.callbacks import closing, conversations, waiting_callers
from hotline.line import busy_numbers
from settings import Settings
from tests import factories as make
from tests.dialer.office import LONG_AGO, NO_SOUND, Office, on_sqlite
from tests.kit.fake_manager import FakeManager

C, O = CallbackState, Outcome  # noqa: E741


@pytest.mark.parametrize(
    ("state", "sip", "outcome", "attempts"),
    [
        (C.DIALING, 486, O.BUSY, 1),
        (C.DIALING, 404, O.UNREACHABLE, 1),
        (C.DIALING, 480, O.UNREACHABLE, 1),
        (C.RINGING, 480, O.NO_ANSWER, 1),
        (C.RINGING, 180, O.NO_ANSWER, 1),
        (C.RINGING, 486, O.BUSY, 1),
        (C.RINGING, 603, O.REJECTED, 1),
        (C.DIALING, 503, O.FAILED, 0),
        (C.DIALING, 403, O.FAILED, 0),
        (C.DIALING, 0, O.FAILED, 0),
        (C.RINGING, 500, O.FAILED, 0),
    ],
)
def test_each_answer_of_the_network_has_its_own_outcome(
    office: Office, manager: FakeManager, state: CallbackState, sip: int, outcome: Outcome, attempts: int
):
    token = office.call(state)

    manager.refuses(token, sip)
    office.until(lambda: office.state(token) is C.CLOSED)

    callback = office.callback(token)
    assert (callback.outcome, callback.ended_at is not None) == (outcome, True)
    registration = callback.registration
    assert (registration.state, registration.attempts) == (RegistrationState.WAITING, attempts)


@pytest.mark.parametrize(
    ("state", "sip"), [(C.DIALING, 486), (C.RINGING, 486), (C.RINGING, 180), (C.DIALING, 480)]
)
@pytest.mark.parametrize("waits", [True, False])
def test_callback_to_a_caller_on_the_line_costs_nothing(
    office: Office, manager: FakeManager, state: CallbackState, sip: int, waits: bool
):
    token = office.call(state)
    callback = office.callback(token)
    with writing(office.engine) as session:
        registration = session.get_one(Registration, callback.registration_id)
        registration.attempts = 2  # the third is the last
        heartbeats.beat(session, "ivr")
        if waits:
            assert waiting_callers.record_waiting(session, registration.id, "channel-1")
        else:
            busy_numbers.record_callers(session, {"channel-1": registration.number}, [])

    manager.refuses(token, sip)
    office.until(lambda: office.state(token) is C.CLOSED)

    registration = office.callback(token).registration
    assert office.callback(token).outcome is O.RETURNED
    assert (registration.state, registration.attempts) == (RegistrationState.WAITING, 2)
    assert registration.not_before is not None, "not at once again"
    with reading(office.engine) as session:
        assert not waits or waiting_callers.is_there(session, registration.id, "channel-1")


@pytest.mark.parametrize(
    ("other", "ended_s_ago", "sip", "outcome"),
    [
        ("place", 2, 486, O.RETURNED),
        ("place", 60, 486, O.BUSY),
        ("place", 2, 480, O.NO_ANSWER),
        ("kind", 2, 486, O.RETURNED),
        ("none", 2, 486, O.BUSY),
    ],
)
def test_busy_phone_just_after_our_other_call_costs_nothing(
    office: Office,
    manager: FakeManager,
    settings: Settings,
    other: str,
    ended_s_ago: int,
    sip: int,
    outcome: Outcome,
):
    token = office.call(C.RINGING)
    with writing(office.engine) as session:
        registration = session.get_one(Registration, office.callback(token).registration_id)
        before = make.a_callback(session, C.WAITING, number=registration.number)
        closing.close(session, before.token, O.HUNG_UP, settings)
        if other == "none":  # an earlier call for the same place
            before.registration_id = registration.id
        ended = now(session) - timedelta(seconds=ended_s_ago)
        named = "turn-near-1" if other == "kind" else before.token
        session.add(PlacedCall(token=named, number=registration.number, at=ended, ended_at=ended))

    manager.refuses(token, sip)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert office.callback(token).outcome is outcome
    assert office.callback(token).registration.attempts == (outcome is not O.RETURNED)


@pytest.mark.parametrize(
    ("state", "cause", "outcome", "registration", "attempts"),
    [
        (C.DIALING, 17, O.FAILED, RegistrationState.WAITING, 0),  # what the network said was lost on the way
        (C.ANSWERED, 16, O.HUNG_UP, RegistrationState.WAITING, 1),
        (C.WAITING, 16, O.HUNG_UP, RegistrationState.WAITING, 1),
        (C.WAITING, 44, O.FAILED, RegistrationState.WAITING, 0),  # no sound came from the trunk
        (C.TALKING, 16, None, RegistrationState.CALLING, 0),
    ],
)
def test_each_end_of_an_answered_call_has_its_own_outcome(
    office: Office,
    manager: FakeManager,
    state: CallbackState,
    cause: int,
    outcome: Outcome | None,
    registration: RegistrationState,
    attempts: int,
):
    token = office.call(state)

    manager.hangs_up(token, cause)
    office.until(lambda: office.state(token) in (C.ENDED, C.CLOSED))

    callback = office.callback(token)
    assert callback.outcome is outcome
    assert callback.state is (C.CLOSED if outcome else C.ENDED)
    assert callback.ended_at is not None
    assert (callback.registration.state, callback.registration.attempts) == (registration, attempts)


@on_sqlite
@pytest.mark.parametrize("leg_late", [False, True])
@pytest.mark.parametrize(("cause", "default"), [(NO_SOUND, O.CALL_AGAIN), (16, O.REACHED), (127, O.REACHED)])
def test_only_a_hang_up_by_the_citizen_is_reached(
    office: Office, manager: FakeManager, cause: int, default: Outcome, leg_late: bool
):
    token = office.call(C.TALKING)
    with reading(office.engine) as session:
        office.change(token, talking_at=now(session) - LONG_AGO)

    manager.hangs_up(token, cause, leg_late=leg_late)
    office.until(lambda: office.state(token) is C.ENDED)

    callback = office.callback(token)
    assert conversations.find_default_outcome(callback) is default
    assert (callback.held_until is not None) == (cause == NO_SOUND), (
        "our side cut it: called again by one key"
    )
    assert callback.registration.attempts == 0


@on_sqlite
@pytest.mark.parametrize("cause", [18, 34, 38, NO_SOUND, 102])
def test_citizen_cut_by_the_network_is_due_at_once(office: Office, manager: FakeManager, cause: int):
    token = office.call(C.WAITING)
    manager.hangs_up(token, cause)
    office.until(lambda: office.state(token) is C.CLOSED)
    assert office.callback(token).registration.not_before is None, "nobody passes them"


@on_sqlite
@pytest.mark.parametrize(("stage", "outcome"), [("not-confirmed", O.NOT_CONFIRMED), ("failed", O.FAILED)])
def test_what_the_dialplan_says_of_an_answered_call_stands(
    office: Office, manager: FakeManager, stage: str, outcome: Outcome
):
    token = office.call(C.ANSWERED)

    manager.stage(token, stage)
    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.CLOSED)
    office.until_at_rest()

    assert office.callback(token).outcome is outcome


def test_the_moments_of_a_call_are_kept(office: Office):
    callback = office.callback(office.call(C.TALKING))

    moments = [
        *(callback.claimed_at, callback.called_at, callback.placed_at),
        *(callback.answered_at, callback.talking_at),
    ]
    assert None not in moments
    assert moments == sorted(moments)


def test_late_and_repeated_steps_do_not_turn_a_call_back(office: Office, manager: FakeManager):
    token = office.call(C.TALKING)

    manager.event("DialState", DialStatus="RINGING", Uniqueid=f"{token};2")
    for stage in ("answered", "confirmed", "answered"):
        manager.event("UserEvent", Uniqueid=token, UserEvent="HotlineStage", Stage=stage)
    office.until_at_rest()

    assert office.state(token) is C.TALKING


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (C.DIALING, O.RETURNED),
        (C.RINGING, O.NO_ANSWER),
        (C.ANSWERED, O.CALL_AGAIN),
        (C.WAITING, O.CALL_AGAIN),
    ],
)
def test_the_desk_may_end_a_call_at_any_moment(
    office: Office, manager: FakeManager, state: CallbackState, outcome: Outcome
):
    token = office.call(state)

    office.asks_hangup(token)
    office.until(lambda: manager.named("Hangup"))
    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.CLOSED)

    assert manager.named("Hangup")[0].items() >= {"Channel": token, "Cause": "16"}.items()
    assert office.callback(token).outcome is outcome


@on_sqlite
def test_a_hang_up_that_had_no_effect_is_asked_for_again(
    office: Office, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rooms, "_AGAIN_S", 0.05)
    token = office.call(C.RINGING)

    office.asks_hangup(token)

    office.until(lambda: len(manager.named("Hangup")) >= 3)


@on_sqlite
def test_a_conversation_ended_by_the_desk_is_the_desks_to_judge(office: Office, manager: FakeManager):
    token = office.call(C.TALKING)

    office.asks_hangup(token)
    office.until(lambda: manager.named("Hangup"))
    manager.hangs_up(token, 16)
    office.until(lambda: office.state(token) is C.ENDED)

    assert office.callback(token).outcome is None
