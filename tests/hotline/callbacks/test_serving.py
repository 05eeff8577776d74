"""Serving a round: a desk sits down, asks for the next one, pauses and leaves."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Desk, Round, TrustedTime
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline.callbacks import assignment, conversations, placing, serving, transitions
from hotline.rounds import phases, planning
from settings import Settings
from tests.factories import a_desk, a_round, newest_event, told
from tests.hotline.callbacks.served_round import called_ahead, some_desks, talks
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal
from tests.kit.shifted_clock import ShiftedClock, clock

__all__ = ["clock"]

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


# --- sitting down and leaving ---


@in_both
def test_desk_serves_one_round_until_it_leaves(session: Session, settings: Settings, round_: Round) -> None:
    other, desk = a_round(session), a_desk(session)
    before = newest_event(session)
    serving.serve(session, desk, round_.id, settings)
    serving.serve(session, desk, round_.id, settings)
    assert [d.id for d in serving.list_desks(session, round_.id)] == [desk.id]
    desk.next_asked_at = now(session)
    serving.serve(session, desk, other.id, settings)
    assert (desk.round_id, desk.next_asked_at) == (other.id, None)
    serving.leave(session, desk, settings)
    serving.leave(session, desk, settings)
    assert desk.round_id is None
    assert [e.what for e in told(session, before)] == ["serves", "left", "serves", "left"]


@in_both
@pytest.mark.parametrize("phase", [Phase.OVER, Phase.CANCELLED])
def test_ended_round_cannot_be_served(session: Session, settings: Settings, phase: Phase) -> None:
    desk, over = a_desk(session), a_round(session, phase)
    assert refusal(serving.serve, session, desk, over.id, settings) == "round-over"
    assert refusal(serving.serve, session, desk, 10_000, settings) == "not-found"
    assert desk.round_id is None


def test_leaving_desk_closes_only_an_ended_conversation(
    session: Session, settings: Settings, round_: Round
) -> None:
    ended, goes_on = some_desks(session, round_, settings, 2)
    first, second = called_ahead(session, round_, 2)
    for desk in (ended, goes_on):
        serving.ask_next(session, desk, None, settings)
    for callback in (first, second):
        talks(session, callback)
    transitions.move(session, first.token, C.ENDED, ended_at=now(session))
    serving.leave(session, ended, settings)
    serving.leave(session, goes_on, settings)
    assert (first.state, first.outcome) == (C.CLOSED, O.REACHED)
    assert (second.state, second.desk_id) == (C.TALKING, goes_on.id)


# --- next ---


def test_next_closes_and_hangs_up_the_conversation(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, second, third = called_ahead(session, round_, 3)
    assert serving.ask_next(session, desk, None, settings) is first
    talks(session, first)
    session.refresh(desk)
    assert desk.next_asked_at is None
    assert serving.ask_next(session, desk, first.id, settings) is second
    assert (first.state, first.said, first.outcome) == (C.PARTING, O.REACHED, None)
    assert first in placing.list_open_calls(session)
    assert first.registration.state is R.CALLING, "nothing is written down that might be undone"
    conversations.record_line_end(session, first, settings, hung_up=True)
    assert (first.state, first.outcome, first.ended_at) == (C.CLOSED, O.REACHED, first.parting_at)
    assert first.registration.state is R.REACHED
    assert serving.ask_next(session, desk, first.id, settings) is second, "a key pressed twice"
    assert refusal(serving.ask_next, session, desk, second.id, settings) == "wrong-state"
    assert third.desk_id is None


@pytest.mark.parametrize(("spoke", "outcome"), [(True, O.REACHED), (False, O.CALL_AGAIN)])
def test_next_after_an_ended_call_counts_a_real_talk_only(
    session: Session, settings: Settings, round_: Round, desk: Desk, spoke: bool, outcome: Outcome
) -> None:
    (callback,) = called_ahead(session, round_, 1)
    serving.ask_next(session, desk, None, settings)
    if spoke:
        talks(session, callback)
    at = now(session)
    transitions.move(session, callback.token, C.ENDED, ended_at=at)
    assert serving.ask_next(session, desk, callback.id, settings) is None
    assert (callback.state, callback.outcome, callback.ended_at) == (C.CLOSED, outcome, at)


def test_refused_next_gives_its_reason(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    nobody = a_desk(session)
    assert refusal(serving.ask_next, session, nobody, None, settings) == "not-serving"
    desk.phone_connected = False
    session.flush()
    assert refusal(serving.ask_next, session, desk, None, settings) == "desk-phone-away"
    desk.phone_connected = True
    early = a_round(session, Phase.CLOSED)
    serving.serve(session, desk, early.id, settings)
    assert refusal(serving.ask_next, session, desk, None, settings) == "round-not-started"


def test_next_after_the_round_end_closes_and_brings_nobody(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, waiting = called_ahead(session, round_, 2)
    serving.ask_next(session, desk, None, settings)
    talks(session, first)
    phases.end_round(session, round_)
    assert serving.ask_next(session, desk, first.id, settings) is None
    assert serving.ask_next(session, desk, first.id, settings) is None, "a key pressed twice"
    for of_another in (None, waiting.id, 10_000):
        assert refusal(serving.ask_next, session, desk, of_another, settings) == "not-serving"
    assert (first.said, waiting.desk_id, desk.round_id) == (O.REACHED, None, None)
    assert list(serving.list_left_behind(session)) == [waiting.token]


@in_both
def test_next_in_a_leap_of_years_brings_the_next_citizen(
    session: Session, settings: Settings, round_: Round, desk: Desk, clock: ShiftedClock
) -> None:
    """The round is over by that clock; no desk leaves it for that, and nobody waits on."""
    first, second = called_ahead(session, round_, 2)
    serving.ask_next(session, desk, None, settings)
    talks(session, first)
    session.add(TrustedTime(id=1, at=now(session), boot="", ticks=0))
    session.flush()
    clock.shift = timedelta(days=730)
    assert assignment.is_any_to_meet(session) is False
    assert serving.ask_next(session, desk, first.id, settings, confirmed=True) is second
    assert desk.round_id == round_.id


def test_not_now_withdraws_the_request(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    serving.ask_next(session, desk, None, settings)
    before = newest_event(session)
    serving.withdraw_request(session, desk)
    serving.withdraw_request(session, desk)
    assert [e.what for e in told(session, before)] == ["not-now"]
    (ready,) = called_ahead(session, round_, 1)
    assert (assignment.match(session), ready.desk_id) == (0, None)


def test_pause_keeps_citizens_waiting_until_resumed(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    assert [r.id for r in serving.list_served(session)] == [round_.id]
    serving.ask_next(session, desk, None, settings)
    (ready,) = called_ahead(session, round_, 1)
    phases.pause(session, round_)
    assert list(serving.list_served(session)) == [], "nobody is called"
    assert (assignment.match(session), ready.desk_id) == (0, None)
    phases.resume(session, round_)
    assert (assignment.match(session), ready.desk_id) == (1, desk.id)
    talks(session, ready)
    phases.pause(session, round_)
    serving.ask_next(session, desk, ready.id, settings)
    session.refresh(round_)
    assert round_.paused_at is None, "who asks for the next goes on"


def test_started_rounds_with_a_desk_phone_are_called_ahead(session: Session, settings: Settings) -> None:
    served = {}
    for phase in (Phase.OPEN, Phase.CLOSED, Phase.LIVE):
        served[phase] = a_round(session, phase)
        some_desks(session, served[phase], settings)
    begun, away = a_round(session, opened=False), a_round(session)
    some_desks(session, begun, settings)
    some_desks(session, away, settings)[0].phone_connected = False
    early = a_round(session, Phase.OPEN)
    some_desks(session, early, settings)
    early.starts_at = now(session) + planning.EARLY / 2
    planning.open_now(session, early, who="u")  # by a person, who is there before the time
    a_round(session)  # nobody serves it
    session.flush()
    found = sorted(r.id for r in serving.list_served(session))
    assert found == sorted([served[Phase.LIVE].id, begun.id, early.id])


@in_both
def test_finishing_key_is_recorded_once(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    assert refusal(serving.announce_end, session, desk) == "wrong-state"
    (callback,) = called_ahead(session, round_, 1)
    serving.ask_next(session, desk, None, settings)
    assert refusal(serving.announce_end, session, desk) == "wrong-state"
    talks(session, callback)
    at = serving.announce_end(session, desk).finishing_at
    assert at is not None
    assert serving.announce_end(session, desk).finishing_at == at


# --- the end of a round ---


def test_ended_round_releases_only_calls_without_a_desk(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    given, waiting = called_ahead(session, round_, 2)
    (ringing,) = called_ahead(session, round_, 1, C.RINGING)
    serving.ask_next(session, desk, None, settings)
    assert list(serving.list_left_behind(session)) == []
    phases.end_round(session, round_)
    assert list(serving.list_left_behind(session)) == [waiting.token, ringing.token]
    assert not serving.request_end(session, given.token), "this one has just been given to a desk"
    assert serving.request_end(session, waiting.token)
    assert not serving.request_end(session, waiting.token)
    assert list(serving.list_left_behind(session)) == [ringing.token]


@in_both
def test_released_citizen_is_not_assigned(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    (waiting,) = called_ahead(session, round_, 1)
    waiting.hangup_asked_at = now(session)
    session.flush()
    assert serving.ask_next(session, desk, None, settings) is None
    session.refresh(waiting)
    assert waiting.desk_id is None


@in_both
def test_citizen_being_hung_up_is_passed_over(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, second = called_ahead(session, round_, 2)
    transitions.ask_hangup(session, first)
    assert serving.ask_next(session, desk, None, settings) is second


# --- a desk's phone goes away ---


@pytest.mark.parametrize("stop", [lambda s, d, _: serving.withdraw_request(s, d), serving.leave])
def test_withdrawn_request_frees_the_citizen_for_any_desk(
    session: Session,
    settings: Settings,
    round_: Round,
    stop: Callable[[Session, Desk, Settings], None],
) -> None:
    desk, other = some_desks(session, round_, settings, 2)
    (citizen,) = called_ahead(session, round_, 1)
    assert serving.ask_next(session, desk, None, settings) is citizen
    desk.phone_connected = False  # at that very moment: nothing would ever bring them together
    stop(session, desk, settings)
    assert (citizen.state, citizen.desk_id, desk.next_asked_at) == (C.WAITING, None, None)
    assert serving.ask_next(session, other, None, settings) is citizen
