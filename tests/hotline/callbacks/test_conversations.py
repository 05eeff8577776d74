"""A conversation outlives its desk's phone and a wrong end; what counts as reached."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, LedgerEntry, PlacedCall, Registration, Round
from db.states import CallbackState, Fact, Outcome, Phase, RegistrationState
from hotline.callbacks import assignment, callbacks, claims, closing, conversations, serving
from hotline.errors import Refused
from hotline.ledger import verify
from hotline.line import line
from hotline.rounds import rounds
from settings import Settings
from tests.factories import MINUTE, SECOND, a_callback, a_desk, a_round, a_user, at_once, some_registrations
from tests.kit.refusal import refusal

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


@pytest.fixture
def round_(session: Session) -> Round:
    round_ = a_round(session)
    some_registrations(session, round_, 4)
    return round_


@pytest.fixture
def desk(session: Session, round_: Round, settings: Settings) -> Desk:
    desk = a_desk(session)
    a_user(session, desk)
    serving.serve(session, desk, round_.id, settings)
    return desk


def called_ahead(session: Session, round_: Round) -> Callback:
    """The next one of the line waits for any desk."""
    callback = claims.call_ahead(session, round_)
    assert callback is not None
    callback.placed_at = now(session)
    waits = callbacks.move(session, callback.token, C.WAITING)
    assert waits is not None
    return waits


def talks(session: Session, callback: Callback, since: timedelta = MINUTE) -> Callback:
    """The citizen is in the room of the desk they were given to, for so long."""
    assert serving.begins(session, callback)
    at = now(session) - since
    moved = callbacks.move(session, callback.token, C.TALKING, talking_at=at, held_until=None)
    assert moved is not None
    return moved


def speaks(session: Session, desk: Desk, settings: Settings, since: timedelta = MINUTE) -> Callback:
    """The desk speaks with the next one of its round."""
    round_ = session.get_one(Round, desk.round_id)
    called_ahead(session, round_)
    callback = serving.ask_next(session, desk, None, settings)
    assert callback is not None
    return talks(session, callback, since)


def held(session: Session, desk: Desk, settings: Settings) -> Callback:
    """The desk's phone has left the citizen in mid-conversation."""
    callback = speaks(session, desk, settings)
    desk.phone_connected = False
    session.flush()
    moved = conversations.hold(session, callback.token, settings)
    assert moved is not None
    return moved


def time_passes(session: Session, callback: Callback, by: timedelta) -> None:
    for name in ("talking_at", "held_until", "parting_at"):
        if moment := getattr(callback, name):
            setattr(callback, name, moment - by)
    session.flush()


def look(session: Session, settings: Settings) -> None:
    """What the dialer does over and over."""
    for token in conversations.overdue(session):
        conversations.end_overdue(session, token, settings)


# --- held ---


def test_given_a_conversation_when_the_desks_phone_goes_and_is_back_then_it_is_the_same_one_and_costs_nothing(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = held(session, desk, settings)
    began = callback.talking_at
    assert callback.held_until is not None
    assert abs(callback.held_until - now(session) - settings.hold_seconds * SECOND) < 10 * SECOND
    look(session, settings)
    assert (callback.state, callback.hangup_asked_at) == (C.HELD, None)
    assert not serving.begins(session, callback), "nobody is in the room yet"
    desk.phone_connected = True
    session.flush()
    assert serving.begins(session, callback)
    callbacks.move(session, callback.token, C.TALKING, held_until=None)
    assert (callback.state, callback.talking_at, callback.registration.attempts) == (C.TALKING, began, 0)
    assert conversations.default_outcome(callback) is O.REACHED


def test_given_who_does_not_speak_when_their_desks_phone_goes_then_nobody_is_held(
    session: Session, settings: Settings
) -> None:
    for state in set(C) - {C.TALKING}:
        callback = a_callback(session, state)
        assert conversations.hold(session, callback.token, settings) is None
        session.refresh(callback)
        assert callback.state is state


def test_given_a_desk_that_stays_away_when_the_time_is_over_then_its_citizen_is_told_and_due_at_once(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = held(session, desk, settings)
    time_passes(session, callback, settings.hold_seconds * SECOND)
    look(session, settings)
    session.refresh(callback)
    assert (callback.state, callback.hangup_asked_at is not None) == (C.HELD, True), "still on the line"
    assert callback.registration.state is R.CALLING, "nobody is dialled who hears the kind word"
    conversations.line_ended(session, callback, settings, hung_up=True)
    place = callback.registration
    assert (callback.outcome, place.state, place.attempts) == (O.CALL_AGAIN, R.WAITING, 0)
    assert place.not_before is not None and place.not_before <= now(session)
    assert line.before_me(session, place) == 0
    assert line.take_next(session, callback.round_id, now(session)) == place.id


@pytest.mark.parametrize("back", [True, False])
def test_given_a_citizen_who_hangs_up_while_held_when_the_time_is_over_then_a_desk_that_is_back_may_judge(
    session: Session, settings: Settings, desk: Desk, back: bool
) -> None:
    callback = held(session, desk, settings)
    conversations.line_ended(session, callback, settings, hung_up=True)
    assert callback.state is C.ENDED
    assert conversations.default_outcome(callback) is O.CALL_AGAIN, "the desk dropped first"
    desk.phone_connected = back
    time_passes(session, callback, settings.hold_seconds * SECOND)
    look(session, settings)
    session.refresh(callback)
    assert callback.outcome is (None if back else O.CALL_AGAIN)
    if back:
        closed = closing.record_outcome(session, callback, O.REACHED, "", settings)
        assert closed.registration.state is R.REACHED, "both were in the room, and a person says so"


def test_given_a_desk_that_is_back_at_the_last_moment_when_two_dialers_look_then_one_end_counts(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        callback = a_callback(session, C.HELD)
        callback.held_until = now(session)

    def act(which: int) -> bool:
        with writing(engine) as session:
            if which % 2:
                conversations.end_overdue(session, callback.token, settings)
                return False
            on_the_line = Callback.hangup_asked_at.is_(None)
            return callbacks.move(session, callback.token, C.TALKING, on_the_line) is not None

    came_back = sum(at_once(6, act))
    with reading(engine) as session:
        now_ = session.get_one(Callback, callback.id)
        assert (came_back, now_.hangup_asked_at is None) in ((1, True), (0, False))


# --- reached ---


@pytest.mark.parametrize(
    ("since", "hung_up", "outcome"),
    [(25, True, O.REACHED), (15, True, O.CALL_AGAIN), (25, False, O.CALL_AGAIN)],
)
def test_given_a_line_that_ended_in_conversation_when_next_is_asked_then_only_who_had_it_was_reached(
    session: Session, settings: Settings, desk: Desk, since: int, hung_up: bool, outcome: Outcome
) -> None:
    callback = speaks(session, desk, settings, since * SECOND)
    conversations.line_ended(session, callback, settings, hung_up=hung_up)
    assert conversations.default_outcome(callback) is outcome
    serving.ask_next(session, desk, callback.id, settings)
    assert callback.outcome is outcome
    assert callback.registration.state is (R.REACHED if outcome is O.REACHED else R.WAITING)


def test_given_two_who_never_met_when_a_person_says_reached_then_it_is_refused(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, C.ENDED)
    callback.talking_at = None
    session.flush()
    assert refusal(closing.record_outcome, session, callback, O.REACHED, "", settings) == "never-met"
    assert closing.record_outcome(session, callback, O.CALL_AGAIN, "", settings).outcome is O.CALL_AGAIN


# --- parting ---


def test_given_a_conversation_that_has_just_begun_when_next_is_asked_then_it_is_to_be_confirmed(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = speaks(session, desk, settings, conversations.CONFIRM - 5 * SECOND)
    assert refusal(serving.ask_next, session, desk, callback.id, settings) == "confirm-next"
    assert callback.state is C.TALKING
    serving.ask_next(session, desk, callback.id, settings, confirmed=True)
    assert (callback.state, callback.said) == (C.PARTING, O.REACHED)


def test_given_an_end_when_nobody_undoes_it_then_it_is_written_down_once_with_the_time_of_the_end(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = speaks(session, desk, settings)
    serving.ask_next(session, desk, callback.id, settings)
    look(session, settings)
    assert callback.hangup_asked_at is None, "there is still time"
    ended_at = callback.parting_at
    assert ended_at is not None and conversations.parting_until(callback) == ended_at + conversations.UNDO
    time_passes(session, callback, conversations.UNDO)
    look(session, settings)
    session.refresh(callback)
    assert callback.hangup_asked_at is not None
    assert conversations.parting_at_desk(session, desk.id) is None
    assert refusal(conversations.undo, session, callback, desk, settings) == "too-late"
    conversations.line_ended(session, callback, settings, hung_up=True)
    assert (callback.outcome, callback.ended_at) == (O.REACHED, ended_at - conversations.UNDO)
    outcomes = select(LedgerEntry).where(LedgerEntry.fact == Fact.OUTCOME)
    assert len(session.scalars(outcomes).all()) == 1


@pytest.mark.parametrize("met", [True, False])
def test_given_an_end_by_mistake_when_undone_then_they_speak_on_and_who_came_instead_waits_at_the_own_place(
    session: Session, settings: Settings, round_: Round, desk: Desk, met: bool
) -> None:
    callback, ready = speaks(session, desk, settings), called_ahead(session, round_)
    assert serving.ask_next(session, desk, callback.id, settings) is ready
    if met:
        talks(session, ready, 0 * SECOND)
    conversations.undo(session, callback, desk, settings)
    session.refresh(desk)
    assert (callback.state, callback.said, callback.parting_at) == (C.HELD, None, None)
    assert (ready.state, ready.desk_id, ready.talking_at) == (C.WAITING, None, None)
    assert desk.next_asked_at is None
    assert callbacks.live_at_desk(session, desk.id) is callback
    assert assignment.match(session) == 0
    talks(session, callback)
    assert serving.ask_next(session, desk, callback.id, settings) is ready
    assert refusal(conversations.undo, session, ready, desk, settings) == "too-late", "it is not over"


def test_given_a_desk_with_another_in_hand_or_without_a_phone_when_it_would_undo_then_it_is_refused(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, C.PARTING)
    callback.said = O.REACHED
    session.flush()
    desk = session.get_one(Desk, callback.desk_id)
    desk.phone_connected = False
    session.flush()
    assert refusal(conversations.undo, session, callback, desk, settings) == "desk-phone-away"
    desk.phone_connected = True
    other = a_callback(session, C.RINGING)
    other.desk_id = desk.id
    session.flush()
    assert refusal(conversations.undo, session, callback, desk, settings) == "desk-busy"
    other.desk_id = a_desk(session).id
    session.flush()
    assert conversations.undo(session, callback, desk, settings).state is C.HELD


def test_given_a_call_that_is_hung_up_when_an_outcome_is_said_then_the_end_cannot_be_undone_any_more(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, C.TALKING)
    desk = session.get_one(Desk, callback.desk_id)
    conversations.hang_up(session, callback)
    assert callbacks.live_at_desk(session, desk.id) is callback, "the desk owes a word"
    closing.record_outcome(session, callback, O.REFUSED, "", settings)
    assert (callback.outcome, callback.hangup_asked_at is not None) == (O.REFUSED, True)
    assert refusal(conversations.undo, session, callback, desk, settings) == "too-late"


def test_given_an_end_whose_outcome_is_said_by_next_when_another_is_said_then_it_is_refused(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, C.TALKING)
    conversations.part(session, callback, O.REACHED)
    assert refusal(closing.record_outcome, session, callback, O.REFUSED, "", settings) == "wrong-state"


@pytest.mark.parametrize("said", [None, O.REACHED])
def test_given_a_citizen_who_hangs_up_while_the_end_can_be_undone_then_it_stands(
    session: Session, settings: Settings, said: Outcome | None
) -> None:
    callback = a_callback(session, C.TALKING)
    conversations.part(session, callback, said)
    conversations.line_ended(session, callback, settings, hung_up=True)
    assert (callback.state, callback.outcome) == ((C.CLOSED, said) if said else (C.ENDED, None))
    if not said:
        assert conversations.default_outcome(callback) is O.REACHED, "the desk ended it"


def test_given_an_end_when_undone_and_ended_at_the_same_moment_then_one_of_both_happens(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        callback = a_callback(session, C.PARTING)
        callback.said = O.REACHED

    def act(which: int) -> str:
        with writing(engine) as session:
            mine = session.get_one(Callback, callback.id)
            if which % 2:
                conversations.line_ended(session, mine, settings, hung_up=True)
                return "ended"
            try:
                conversations.undo(session, mine, session.get_one(Desk, mine.desk_id), settings)
            except Refused:
                return "refused"
            return "undone"

    done = at_once(2, act)
    with reading(engine) as session:
        came = session.get_one(Callback, callback.id)
        if "undone" in done:
            assert (came.state, came.outcome) in ((C.HELD, None), (C.ENDED, None))
        else:
            assert (came.state, came.outcome) == (C.CLOSED, O.REACHED)


# --- call again, now ---


def cut_off(session: Session, desk: Desk, settings: Settings) -> Callback:
    """A conversation that was cut: the desk stayed away for too long, and is back."""
    callback = held(session, desk, settings)
    time_passes(session, callback, settings.hold_seconds * SECOND)
    look(session, settings)
    session.refresh(callback)
    conversations.line_ended(session, callback, settings, hung_up=True)
    desk.phone_connected = True
    session.flush()
    return callback


def test_given_a_conversation_that_was_cut_when_the_desk_calls_again_then_its_citizen_is_called_for_it(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    assert conversations.cut_off_at_desk(session, desk.id) is None
    callback = cut_off(session, desk, settings)
    assert conversations.cut_off_at_desk(session, desk.id) is callback
    again = conversations.call_again_now(session, callback, desk, settings)
    assert (again.registration_id, again.state, again.desk_id) == (
        callback.registration_id,
        C.DIALING,
        desk.id,
    )
    assert again in callbacks.to_place(session)
    assert conversations.cut_off_at_desk(session, desk.id) is None
    assert refusal(conversations.call_again_now, session, callback, desk, settings) == "wrong-state"


def test_given_somebody_before_them_when_called_again_then_the_ledger_names_whom_it_passes(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 4)
        desk = a_desk(session)
        a_user(session, desk)
        serving.serve(session, desk, round_.id, settings)
        callback = cut_off(session, desk, settings)
        before = session.scalars(
            select(Registration).where(Registration.id != callback.registration_id)
        ).first()
        assert before is not None
        line.move_up(session, before, who="somebody", reason="a person in need waits for it")
        conversations.call_again_now(session, callback, desk, settings)
        called = session.scalars(select(LedgerEntry).where(LedgerEntry.fact == Fact.CALLED)).all()[-1]
        assert f'"passed":[{before.id}]' in called.details.replace(" ", "")
    assert not [wrong for wrong in verify.verify(engine).problems if "stood before" in wrong]


@pytest.mark.parametrize("given", [True, False])
def test_given_they_are_called_ahead_already_when_called_again_then_that_call_is_the_desks(
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
    again = conversations.call_again_now(session, callback, desk, settings)
    assert (again.id, again.desk_id) == (theirs.id, desk.id)
    if given:
        assert (other.state, other.desk_id) == (C.WAITING, None)


def test_given_a_cut_that_nobody_judged_when_called_again_then_both_happen_at_once(
    session: Session, settings: Settings, desk: Desk
) -> None:
    callback = held(session, desk, settings)
    conversations.line_ended(session, callback, settings, hung_up=True)
    desk.phone_connected = True
    session.flush()
    assert conversations.cut_off_at_desk(session, desk.id) is callback
    again = conversations.call_again_now(session, callback, desk, settings)
    assert (callback.outcome, again.state) == (O.CALL_AGAIN, C.DIALING)


def test_given_a_cap_or_a_phone_away_or_a_round_that_is_over_when_called_again_then_it_is_refused(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    callback = cut_off(session, desk, settings)
    call = (conversations.call_again_now, session, callback, desk)
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
    rounds.end_round(session, round_)
    assert rounds.phase(round_, now(session)) is Phase.OVER
    assert conversations.cut_off_at_desk(session, desk.id) is None
    assert refusal(*call, settings) == "round-over"


def test_given_two_that_call_again_when_the_line_is_taken_from_too_then_nobody_is_called_twice(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 4)
        desk = a_desk(session)
        a_user(session, desk)
        serving.serve(session, desk, round_.id, settings)
        callback = cut_off(session, desk, settings)

    def act(which: int) -> None:
        with writing(engine) as session:
            if which % 2:
                claims.call_ahead(session, session.get_one(Round, round_.id))
                return
            mine, at = session.get_one(Callback, callback.id), session.get_one(Desk, desk.id)
            try:
                conversations.call_again_now(session, mine, at, settings)
            except Refused as refused:
                assert refused.code in ("wrong-state", "desk-busy")

    at_once(6, act)
    with reading(engine) as session:
        live = session.scalars(select(Callback).where(Callback.state != C.CLOSED)).all()
        assert len({c.registration_id for c in live}) == len(live)
        assert sum(c.desk_id == desk.id for c in live) == 1
    assert not [wrong for wrong in verify.verify(engine).problems if "stood before" in wrong]
