"""Serving a round: who is given to whom, in which order, under any number of desks at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, Registration, Round
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline.callbacks import assignment, callbacks, claims, conversations, screening, serving
from hotline.errors import Refused
from hotline.line import line
from hotline.rounds import planning, rounds
from settings import Settings
from tests.factories import (
    HOUR,
    MINUTE,
    SECOND,
    a_desk,
    a_round,
    a_user,
    at_once,
    newest_event,
    some_registrations,
    told,
)
from tests.kit.refusal import refusal

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


def some_desks(session: Session, round_: Round, settings: Settings, count: int = 1) -> list[Desk]:
    """Desks with a person and a phone, that serve the round."""
    desks = [a_desk(session) for _ in range(count)]
    for desk in desks:
        a_user(session, desk)
        serving.serve(session, desk, round_.id, settings)
    return desks


def called_ahead(
    session: Session, round_: Round, count: int, state: CallbackState = C.WAITING
) -> list[Callback]:
    """So many of the round's line, called ahead and come to this state."""
    made = []
    for _ in range(count):
        callback = claims.call_ahead(session, round_)
        assert callback is not None
        callback.placed_at = now(session)
        if state is not C.DIALING:
            moved = callbacks.move(session, callback.token, state)
            assert moved is not None
        made.append(callback)
    return made


def talks(session: Session, callback: Callback) -> None:
    """The citizen came into the room of the desk they were given to a minute ago."""
    serving.begins(session, callback)
    moved = callbacks.move(session, callback.token, C.TALKING, talking_at=now(session) - MINUTE)
    assert moved is not None


@pytest.fixture
def round_(session: Session) -> Round:
    round_ = a_round(session)
    some_registrations(session, round_, 6)
    return round_


@pytest.fixture
def desk(session: Session, round_: Round, settings: Settings) -> Desk:
    return some_desks(session, round_, settings)[0]


# --- sitting down and leaving ---


def test_given_a_desk_when_it_serves_a_round_then_it_serves_that_one_until_it_leaves_or_takes_another(
    session: Session, settings: Settings, round_: Round
) -> None:
    other, desk = a_round(session), a_desk(session)
    before = newest_event(session)
    serving.serve(session, desk, round_.id, settings)
    serving.serve(session, desk, round_.id, settings)
    assert [d.id for d in serving.desks_of(session, round_.id)] == [desk.id]
    desk.next_asked_at = now(session)
    serving.serve(session, desk, other.id, settings)
    assert (desk.round_id, desk.next_asked_at) == (other.id, None)
    serving.leave(session, desk, settings)
    serving.leave(session, desk, settings)
    assert desk.round_id is None
    assert [e.what for e in told(session, before)] == ["serves", "left", "serves", "left"]


@pytest.mark.parametrize("phase", [Phase.OVER, Phase.CANCELLED])
def test_given_a_round_that_is_over_when_a_desk_would_serve_it_then_it_is_refused(
    session: Session, settings: Settings, phase: Phase
) -> None:
    desk, over = a_desk(session), a_round(session, phase)
    assert refusal(serving.serve, session, desk, over.id, settings) == "round-over"
    assert refusal(serving.serve, session, desk, 10_000, settings) == "not-found"
    assert desk.round_id is None


def test_given_a_desk_that_leaves_when_its_conversation_has_ended_then_it_took_place_and_else_it_goes_on(
    session: Session, settings: Settings, round_: Round
) -> None:
    ended, goes_on = some_desks(session, round_, settings, 2)
    first, second = called_ahead(session, round_, 2)
    for desk in (ended, goes_on):
        serving.ask_next(session, desk, None, settings)
    for callback in (first, second):
        talks(session, callback)
    callbacks.move(session, first.token, C.ENDED, ended_at=now(session))
    serving.leave(session, ended, settings)
    serving.leave(session, goes_on, settings)
    assert (first.state, first.outcome) == (C.CLOSED, O.REACHED)
    assert (second.state, second.desk_id) == (C.TALKING, goes_on.id)


# --- next ---


def test_given_nobody_ready_when_a_desk_asks_then_the_first_to_press_one_is_given_to_it(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    assert serving.ask_next(session, desk, None, settings) is None
    asked = desk.next_asked_at
    assert serving.ask_next(session, desk, None, settings) is None
    assert desk.next_asked_at == asked, "since when, not when last"
    assert assignment.some_desk_asks(session)
    called_ahead(session, round_, 1, C.RINGING)
    assert assignment.match(session) == 0, "a phone that rings is nobody yet"
    (ready,) = called_ahead(session, round_, 1)
    assert assignment.match(session) == 1
    assert (ready.desk_id, ready.state) == (desk.id, C.WAITING)
    assert not assignment.some_desk_asks(session)
    assert assignment.match(session) == 0


def test_given_a_conversation_when_next_is_asked_then_it_took_place_and_is_to_be_hung_up(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, second, third = called_ahead(session, round_, 3)
    assert serving.ask_next(session, desk, None, settings) is first
    talks(session, first)
    session.refresh(desk)
    assert desk.next_asked_at is None
    assert serving.ask_next(session, desk, first.id, settings) is second
    assert (first.state, first.said, first.outcome) == (C.PARTING, O.REACHED, None)
    assert first in callbacks.on_the_phone(session)
    assert first.registration.state is R.CALLING, "nothing is written down that might be undone"
    conversations.line_ended(session, first, settings, hung_up=True)
    assert (first.state, first.outcome, first.ended_at) == (C.CLOSED, O.REACHED, first.parting_at)
    assert first.registration.state is R.REACHED
    assert serving.ask_next(session, desk, first.id, settings) is second, "a key pressed twice"
    assert refusal(serving.ask_next, session, desk, second.id, settings) == "wrong-state"
    assert third.desk_id is None


@pytest.mark.parametrize(("spoke", "outcome"), [(True, O.REACHED), (False, O.CALL_AGAIN)])
def test_given_a_call_that_ended_when_next_is_asked_then_only_who_was_seen_in_the_room_was_reached(
    session: Session, settings: Settings, round_: Round, desk: Desk, spoke: bool, outcome: Outcome
) -> None:
    (callback,) = called_ahead(session, round_, 1)
    serving.ask_next(session, desk, None, settings)
    if spoke:
        talks(session, callback)
    at = now(session)
    callbacks.move(session, callback.token, C.ENDED, ended_at=at)
    assert serving.ask_next(session, desk, callback.id, settings) is None
    assert (callback.state, callback.outcome, callback.ended_at) == (C.CLOSED, outcome, at)


def test_given_a_desk_that_may_not_when_it_asks_then_it_hears_why(
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


def test_given_a_round_that_has_ended_when_next_is_asked_then_the_conversation_is_closed_and_nobody_comes(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, waiting = called_ahead(session, round_, 2)
    serving.ask_next(session, desk, None, settings)
    talks(session, first)
    rounds.end_round(session, round_)
    assert serving.ask_next(session, desk, first.id, settings) is None
    assert (first.said, waiting.desk_id, desk.round_id) == (O.REACHED, None, None)
    assert list(serving.left_behind(session)) == [waiting.token]


def test_given_a_desk_that_asked_when_it_says_not_now_then_it_is_left_in_peace(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    serving.ask_next(session, desk, None, settings)
    before = newest_event(session)
    serving.not_now(session, desk)
    serving.not_now(session, desk)
    assert [e.what for e in told(session, before)] == ["not-now"]
    (ready,) = called_ahead(session, round_, 1)
    assert (assignment.match(session), ready.desk_id) == (0, None)


def test_given_a_pause_when_citizens_wait_then_they_go_on_waiting_until_somebody_asks_or_resumes(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    assert [r.id for r in serving.served(session)] == [round_.id]
    serving.ask_next(session, desk, None, settings)
    (ready,) = called_ahead(session, round_, 1)
    rounds.pause(session, round_)
    assert list(serving.served(session)) == [], "nobody is called"
    assert (assignment.match(session), ready.desk_id) == (0, None)
    rounds.resume(session, round_)
    assert (assignment.match(session), ready.desk_id) == (1, desk.id)
    talks(session, ready)
    rounds.pause(session, round_)
    serving.ask_next(session, desk, ready.id, settings)
    session.refresh(round_)
    assert round_.paused_at is None, "who asks for the next goes on"


def test_given_rounds_in_every_phase_when_asked_which_are_called_ahead_then_those_begun_with_a_phone_at_work(
    session: Session, settings: Settings
) -> None:
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
    planning.begin(session, early, who="u")  # by a person, who is there before the time
    a_round(session)  # nobody serves it
    session.flush()
    found = sorted(r.id for r in serving.served(session))
    assert found == sorted([served[Phase.LIVE].id, begun.id, early.id])


def test_given_a_conversation_when_it_is_nearly_over_then_it_is_noted_once(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    assert refusal(serving.finishing, session, desk) == "wrong-state"
    (callback,) = called_ahead(session, round_, 1)
    serving.ask_next(session, desk, None, settings)
    assert refusal(serving.finishing, session, desk) == "wrong-state"
    talks(session, callback)
    at = serving.finishing(session, desk).finishing_at
    assert at is not None
    assert serving.finishing(session, desk).finishing_at == at


# --- the end of a round ---


def test_given_a_round_that_is_over_when_calls_are_let_go_then_only_those_of_no_desk(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    given, waiting = called_ahead(session, round_, 2)
    (ringing,) = called_ahead(session, round_, 1, C.RINGING)
    serving.ask_next(session, desk, None, settings)
    assert list(serving.left_behind(session)) == []
    rounds.end_round(session, round_)
    assert list(serving.left_behind(session)) == [waiting.token, ringing.token]
    assert not serving.let_go(session, given.token), "this one has just been given to a desk"
    assert serving.let_go(session, waiting.token)
    assert not serving.let_go(session, waiting.token)
    assert list(serving.left_behind(session)) == [ringing.token]


def test_given_one_who_is_being_let_go_when_a_desk_asks_then_they_do_not_meet(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    (waiting,) = called_ahead(session, round_, 1)
    waiting.hangup_asked_at = now(session)
    session.flush()
    assert serving.ask_next(session, desk, None, settings) is None
    session.refresh(waiting)
    assert waiting.desk_id is None


# --- speaking first ---


def test_given_the_first_who_waits_is_being_hung_up_when_a_desk_asks_then_it_has_the_second(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, second = called_ahead(session, round_, 2)
    callbacks.ask_hangup(session, first)
    assert serving.ask_next(session, desk, None, settings) is second


def test_given_citizens_who_wait_when_operators_speak_first_then_each_speaks_with_one_who_is_not_given_away(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, second = called_ahead(session, round_, 2)
    operator, away = a_desk(session), a_desk(session, connected=False)
    assert refusal(screening.screen, session, first, away) == "desk-phone-away"
    assert screening.screen(session, first, operator).state is C.SCREENING
    assert refusal(screening.screen, session, second, operator) == "desk-busy"
    assert refusal(screening.screen, session, first, a_desk(session)) == "wrong-state"
    assert serving.ask_next(session, desk, None, settings) is second, "the first is spoken with"
    assert refusal(screening.screen, session, second, a_desk(session)) == "wrong-state"
    assert screening.hand_over(session, first).desk_id is None
    assert refusal(screening.hand_over, session, first) == "wrong-state"
    assert [c.id for c in assignment.ready(session, round_.id)] == [first.id]


def test_given_a_desk_with_a_citizen_of_its_own_when_it_would_speak_first_with_another_then_it_is_refused(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, second = called_ahead(session, round_, 2)
    serving.ask_next(session, desk, None, settings)
    assert refusal(screening.screen, session, second, desk) == "desk-busy"
    talks(session, first)
    assert refusal(screening.screen, session, second, desk) == "desk-busy"


def test_given_a_desk_that_speaks_first_when_it_asks_or_claims_then_it_gets_no_second_citizen(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    first, second = called_ahead(session, round_, 2)
    screening.screen(session, first, desk)
    assert serving.ask_next(session, desk, None, settings) is None
    assert second.desk_id is None
    claim = {"round_id": round_.id, "desk_id": desk.id, "user_id": a_user(session).id}
    assert refusal(lambda: claims.claim(session, **claim)) == "desk-busy"
    screening.hand_over(session, first)
    assert first.desk_id == desk.id, "it asked, and the first is first"


# --- a desk's phone goes away ---


def test_given_citizens_on_their_way_to_a_phone_that_has_gone_when_taken_back_then_they_wait_for_any_desk(
    session: Session, settings: Settings, round_: Round
) -> None:
    gone, there = some_desks(session, round_, settings, 2)
    first, second = called_ahead(session, round_, 2)
    operator = a_desk(session)
    screening.screen(session, second, operator)
    serving.ask_next(session, gone, None, settings)
    assert first.desk_id == gone.id
    assert not assignment.any_stranded(session)
    gone.phone_connected = operator.phone_connected = False
    session.flush()
    assert assignment.any_stranded(session)
    assert assignment.take_back(session) == 2
    assert [(c.state, c.desk_id) for c in (first, second)] == [(C.WAITING, None)] * 2
    assert gone.next_asked_at is not None
    assert serving.ask_next(session, there, None, settings) is first
    gone.phone_connected = True
    session.flush()
    assert (assignment.match(session), second.desk_id) == (1, gone.id)


def test_given_a_conversation_or_a_call_by_hand_when_the_phone_goes_then_nobody_is_taken_back(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    (talking,) = called_ahead(session, round_, 1)
    serving.ask_next(session, desk, None, settings)
    talks(session, talking)
    by_hand = a_desk(session)
    user = a_user(session, by_hand)
    claimed = claims.claim(session, round_id=round_.id, desk_id=by_hand.id, user_id=user.id)
    assert claimed is not None
    callbacks.ask_call(session, claimed, settings)
    callbacks.move(session, claimed.token, C.WAITING)
    desk.phone_connected = by_hand.phone_connected = False
    session.flush()
    assert assignment.take_back(session) == 0
    by_hand.round_id = round_.id
    session.flush()
    assert assignment.take_back(session) == 0, "it serves the round by now, and has asked for nobody"
    assert (talking.desk_id, claimed.desk_id) == (desk.id, by_hand.id)


@pytest.mark.parametrize("stop", [lambda s, d, _: serving.not_now(s, d), serving.leave])
def test_given_one_on_the_way_to_a_desk_when_it_wants_nobody_any_more_then_they_wait_for_any_desk(
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


# --- many at once ---


def order_of(session: Session, round_id: int) -> Sequence[int]:
    query = select(Registration.id).where(Registration.round_id == round_id).order_by(*line.ORDER)
    return session.scalars(query).all()


def test_given_many_desks_and_many_ready_when_all_ask_at_once_then_each_has_one_and_the_first_are_given(
    engine: Engine, settings: Settings
) -> None:
    desks_count, ready_count = 12, 20
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, ready_count)
        desks = [d.id for d in some_desks(session, round_, settings, desks_count)]
        called_ahead(session, round_, ready_count)

    def ask(which: int) -> None:
        with writing(engine) as session:
            if which < desks_count:
                serving.ask_next(session, session.get_one(Desk, desks[which]), None, settings)
            else:  # the dialer, which matches all the while
                assignment.match(session)

    at_once(desks_count + 4, ask)
    with writing(engine) as session:
        assignment.match(session)
    with reading(engine) as session:
        given = session.scalars(select(Callback).where(Callback.desk_id.is_not(None))).all()
        assert sorted(c.desk_id or 0 for c in given) == sorted(desks)
        first = order_of(session, round_.id)[:desks_count]
        assert sorted(c.registration_id for c in given) == sorted(first)


def test_given_desks_that_ask_again_and_again_beside_a_dialer_when_all_is_done_then_each_citizen_came_once(
    engine: Engine, settings: Settings
) -> None:
    desks_count, people = 6, 30
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, people)
        desks = [d.id for d in some_desks(session, round_, settings, desks_count)]
        called_ahead(session, round_, people)
    spoke: list[list[int]] = [[] for _ in desks]

    def work(which: int) -> None:
        """One desk's day, with the dialer's part of it."""
        after = None
        while True:
            with writing(engine) as session:
                desk = session.get_one(Desk, desks[which])
                callback = serving.ask_next(session, desk, after, settings)
            if callback is None:
                return
            after = callback.id
            spoke[which].append(callback.registration_id)
            with writing(engine) as session:
                talks(session, callbacks.get(session, callback.id))
                assignment.match(session)

    with ThreadPoolExecutor(desks_count) as threads:
        list(threads.map(work, range(desks_count)))
    with writing(engine) as session:
        for parting in session.scalars(select(Callback).where(Callback.state == C.PARTING)).all():
            conversations.line_ended(session, parting, settings, hung_up=True)
    with reading(engine) as session:
        order = list(order_of(session, round_.id))
        states = set(session.scalars(select(Registration.state)))
    assert sorted(chain(*spoke)) == sorted(order), "each once, nobody left out"
    assert states == {R.REACHED}
    for own in spoke:
        assert [order.index(id_) for id_ in own] == sorted(order.index(id_) for id_ in own)


def test_given_a_citizen_whom_a_desk_has_just_got_when_who_saw_them_wait_screens_them_then_it_is_refused(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 1)
        (desk,) = some_desks(session, round_, settings, 1)
        operator = a_desk(session)
        (waits,) = called_ahead(session, round_, 1)
    with writing(engine) as session:
        assert serving.ask_next(session, session.get_one(Desk, desk.id), None, settings)
    with pytest.raises(Refused, match="wrong-state"), writing(engine) as session:
        screening.screen(session, waits, session.get_one(Desk, operator.id))
    with reading(engine) as session:
        kept = callbacks.get(session, waits.id)
        assert (kept.desk_id, kept.state) == (desk.id, C.WAITING)


def test_given_one_citizen_when_desks_an_operator_and_the_rounds_end_want_them_at_once_then_one_has_them(
    engine: Engine, settings: Settings
) -> None:
    for _ in range(5):
        with writing(engine) as session:
            round_ = a_round(session)
            some_registrations(session, round_, 1)
            desks = [d.id for d in some_desks(session, round_, settings, 3)]
            operator = a_desk(session).id
            (callback,) = called_ahead(session, round_, 1)

        def want(
            which: int, desks: list[int] = desks, operator: int = operator, callback: Callback = callback
        ) -> bool:
            try:
                with writing(engine) as session:
                    if which < len(desks):
                        desk = session.get_one(Desk, desks[which])
                        return serving.ask_next(session, desk, None, settings) is not None
                    if which == len(desks):
                        mine = callbacks.get(session, callback.id)
                        return bool(screening.screen(session, mine, session.get_one(Desk, operator)))
                    return serving.let_go(session, callback.token)
            except Refused:
                return False

        had = at_once(len(desks) + 2, want)
        with reading(engine) as session:
            kept = callbacks.get(session, callback.id)
            given = kept.desk_id is not None
            assert sum(had[:3]) == given
            assert given + (kept.state is C.SCREENING) <= 1
            if given:
                assert kept.hangup_asked_at is None


def test_given_desks_that_wait_when_citizens_come_one_by_one_then_who_waited_longest_gets_the_first(
    session: Session, settings: Settings, round_: Round
) -> None:
    desks = some_desks(session, round_, settings, 3)
    at = now(session)
    for desk, waited in zip(desks, (1, 3, 2), strict=True):
        desk.next_asked_at = at - waited * SECOND
    session.flush()
    given = []
    for _ in desks:
        (callback,) = called_ahead(session, round_, 1)
        assignment.match(session)
        session.refresh(callback)
        given.append(callback.desk_id)
    assert given == [desks[1].id, desks[2].id, desks[0].id]


def test_given_citizens_of_every_rank_when_given_then_the_order_is_the_lines_whoever_pressed_one_first(
    session: Session, settings: Settings
) -> None:
    round_ = a_round(session)
    at = now(session) - HOUR
    late, carried, lifted = (
        some_registrations(session, round_, 1, registered_at=at + 3 * SECOND)[0],
        some_registrations(session, round_, 1, registered_at=at + 5 * SECOND, rounds_missed=1)[0],
        some_registrations(session, round_, 1, registered_at=at + 9 * SECOND, moved_up=1)[0],
    )
    called = called_ahead(session, round_, 3)
    assert [c.registration_id for c in called] == [lifted.id, carried.id, late.id]
    desks = some_desks(session, round_, settings, 3)
    came = [serving.ask_next(session, desk, None, settings) for desk in desks]
    assert [c.registration_id for c in came if c] == [lifted.id, carried.id, late.id]


def test_given_two_served_rounds_when_desks_ask_then_nobody_is_given_to_the_other_rounds_desk(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    other = a_round(session)
    some_registrations(session, other, 1)
    (theirs,) = called_ahead(session, other, 1)
    assert serving.ask_next(session, desk, None, settings) is None
    session.refresh(theirs)
    assert theirs.desk_id is None
