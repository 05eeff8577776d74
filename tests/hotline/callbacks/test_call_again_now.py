"""A desk calls the citizen again whose conversation was cut."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, LedgerEntry, PlacedCall, Registration, Round
from db.states import CallbackState, Fact, Outcome, Phase, RegistrationState
from hotline.callbacks import (
    claims,
    closing,
    conversations,
    cut_conversations,
    own_faults,
    placing,
    serving,
)
from hotline.errors import Refused
from hotline.ledger import verify
from hotline.line import order
from hotline.rounds import phases
from settings import Settings
from tests.factories import MINUTE, SECOND, a_desk, a_round, a_user, at_once, some_registrations
from tests.hotline.callbacks.conversing import called_ahead, held, look, time_passes
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


def cut_off(session: Session, desk: Desk, settings: Settings) -> Callback:
    """A conversation that was cut: the desk stayed away for too long, and is back."""
    callback = held(session, desk, settings)
    time_passes(session, callback, settings.hold_seconds * SECOND)
    look(session, settings)
    session.refresh(callback)
    conversations.record_line_end(session, callback, settings, hung_up=True)
    desk.phone_connected = True
    session.flush()
    return callback


def served_and_cut_off(session: Session, settings: Settings) -> tuple[Desk, Callback]:
    """The desk that serves a round of four, and the callback whose conversation was cut off there."""
    round_ = a_round(session)
    some_registrations(session, round_, 4)
    desk = a_desk(session)
    a_user(session, desk)
    serving.serve(session, desk, round_.id, settings)
    return desk, cut_off(session, desk, settings)


def test_second_call_after_a_cut_belongs_to_the_desk(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    assert cut_conversations.find_at_desk(session, desk.id) is None
    callback = cut_off(session, desk, settings)
    assert cut_conversations.find_at_desk(session, desk.id) is callback
    again = cut_conversations.call_again_now(session, callback, desk, settings)
    assert (again.registration_id, again.state, again.desk_id) == (
        callback.registration_id,
        C.DIALING,
        desk.id,
    )
    assert again.token in placing.list_to_place(session)
    assert cut_conversations.find_at_desk(session, desk.id) is None
    assert refusal(cut_conversations.call_again_now, session, callback, desk, settings) == "wrong-state"


@in_both
def test_second_call_names_the_passed_citizens_in_the_ledger(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        desk, callback = served_and_cut_off(session, settings)
        before = session.scalars(
            select(Registration).where(Registration.id != callback.registration_id)
        ).first()
        assert before is not None
        order.move_up(session, before, who="somebody", reason="a person in need waits for it")
        cut_conversations.call_again_now(session, callback, desk, settings)
        called = session.scalars(select(LedgerEntry).where(LedgerEntry.fact == Fact.CALLED)).all()[-1]
        assert f'"passed":[{before.id}]' in called.details.replace(" ", "")
    assert not [wrong for wrong in verify.verify(engine).problems if "stood before" in wrong]


@pytest.mark.parametrize("given", [True, False])
def test_call_ahead_under_way_becomes_the_desks_second_call(
    session: Session, settings: Settings, round_: Round, desk: Desk, given: bool
) -> None:
    callback = cut_off(session, desk, settings)
    theirs = called_ahead(session, round_)
    assert theirs.registration_id == callback.registration_id, "the head of the line"
    if given:
        other = called_ahead(session, round_)
        theirs.state = C.RINGING
        session.flush()
        assert serving.ask_next(session, desk, None, settings) is other
    again = cut_conversations.call_again_now(session, callback, desk, settings)
    assert (again.id, again.desk_id) == (theirs.id, desk.id)
    if given:
        assert (other.state, other.desk_id) == (C.WAITING, None)


@in_both
def test_unjudged_cut_is_closed_by_the_second_call(session: Session, settings: Settings, desk: Desk) -> None:
    callback = held(session, desk, settings)
    conversations.record_line_end(session, callback, settings, hung_up=True)
    desk.phone_connected = True
    session.flush()
    assert cut_conversations.find_at_desk(session, desk.id) is callback
    again = cut_conversations.call_again_now(session, callback, desk, settings)
    assert (callback.outcome, again.state) == (O.CALL_AGAIN, C.DIALING)


@pytest.mark.parametrize(
    ("outcome", "offered"), [(O.NO_ANSWER, False), (O.BUSY, False), (O.FAILED, True), (O.RETURNED, True)]
)
def test_second_call_is_offered_again_if_no_phone_rang(
    session: Session, settings: Settings, round_: Round, desk: Desk, outcome: Outcome, offered: bool
) -> None:
    callback = cut_off(session, desk, settings)
    again = cut_conversations.call_again_now(session, callback, desk, settings)
    closing.close(session, again.token, outcome, settings)
    registration = callback.registration
    session.refresh(registration)
    registration.not_before = now(session)  # the wait for another try is over
    session.flush()
    assert (cut_conversations.find_at_desk(session, desk.id) is callback) is offered
    call = (session, callback, desk, settings)
    if offered:
        assert cut_conversations.call_again_now(*call).registration_id == registration.id
    else:
        assert refusal(cut_conversations.call_again_now, *call) == "wrong-state"


def test_citizen_whose_second_call_is_cut_too_is_offered_again(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = cut_off(session, desk, settings)
    again = cut_conversations.call_again_now(session, callback, desk, settings)
    closing.close(session, again.token, O.FAILED, settings, cut=own_faults.Cut.BY_NETWORK)
    session.refresh(callback.registration)
    assert cut_conversations.find_at_desk(session, desk.id) is callback


def test_citizen_not_yet_due_offers_no_second_call(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    callback = cut_off(session, desk, settings)
    callback.registration.not_before = now(session) + MINUTE
    session.flush()
    assert cut_conversations.find_at_desk(session, desk.id) is None
    callback.registration.not_before = now(session)
    session.flush()
    assert cut_conversations.find_at_desk(session, desk.id) is callback


@in_both
def test_second_call_is_refused_by_cap_phone_or_round_end(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    callback = cut_off(session, desk, settings)
    call = (cut_conversations.call_again_now, session, callback, desk)
    desk.phone_connected = False
    session.flush()
    assert refusal(*call, settings) == "desk-phone-away"
    desk.phone_connected = True
    number, at = callback.registration.number, now(session)
    few = settings.model_copy(update={"calls_per_number": 1, "calls_at_once": 1})
    session.add(PlacedCall(token="x", number=number, at=at, ended_at=at))
    session.flush()
    assert refusal(*call, few) == "calls-capped", "this number"
    session.add(PlacedCall(token="y", number="+989131234567", at=at))
    session.flush()
    assert refusal(*call, few) == "calls-capped", "the trunk's channels"
    assert callback.registration.state is R.WAITING
    phases.end_round(session, round_)
    assert phases.find_phase(round_, now(session)) is Phase.OVER
    assert cut_conversations.find_at_desk(session, desk.id) is None
    assert refusal(*call, settings) == "round-over"


@in_both
def test_simultaneous_second_calls_call_nobody_twice(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        desk, callback = served_and_cut_off(session, settings)

    def act(which: int) -> None:
        with writing(engine) as session:
            if which % 2:
                claims.call_ahead(session, session.get_one(Round, callback.round_id))
                return
            mine, at = session.get_one(Callback, callback.id), session.get_one(Desk, desk.id)
            try:
                cut_conversations.call_again_now(session, mine, at, settings)
            except Refused as refused:
                assert refused.code in ("wrong-state", "desk-busy")

    at_once(6, act)
    with reading(engine) as session:
        live = session.scalars(select(Callback).where(Callback.state != C.CLOSED)).all()
        assert len({c.registration_id for c in live}) == len(live)
        assert sum(c.desk_id == desk.id for c in live) == 1
    assert not [wrong for wrong in verify.verify(engine).problems if "stood before" in wrong]
