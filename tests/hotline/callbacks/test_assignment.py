"""Assignment of citizens to desks, in order, under any number of desks at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, Registration, Round
from db.states import CallbackState, RegistrationState
from hotline.callbacks import assignment, claims, conversations, screening, serving, transitions
from hotline.errors import Refused
from hotline.line import order
from settings import Settings
from tests.factories import HOUR, SECOND, a_desk, a_round, a_user, at_once, some_registrations
from tests.hotline.callbacks.served_round import called_ahead, some_desks, talks

C, R = CallbackState, RegistrationState


# --- next ---


def test_first_citizen_to_press_1_meets_the_asking_desk(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    assert serving.ask_next(session, desk, None, settings) is None
    asked = desk.next_asked_at
    assert serving.ask_next(session, desk, None, settings) is None
    assert desk.next_asked_at == asked, "since when, not when last"
    called_ahead(session, round_, 1, C.RINGING)
    assert not assignment.is_any_to_meet(session)
    assert assignment.match(session) == 0, "a phone that rings is nobody yet"
    (ready,) = called_ahead(session, round_, 1)
    assert assignment.is_any_to_meet(session)
    assert assignment.match(session) == 1
    assert (ready.desk_id, ready.state) == (desk.id, C.WAITING)
    assert not assignment.is_any_to_meet(session)
    assert assignment.match(session) == 0


# --- a desk's phone goes away ---


def test_citizens_of_a_vanished_phone_wait_for_any_desk(
    session: Session, settings: Settings, round_: Round
) -> None:
    gone, there = some_desks(session, round_, settings, 2)
    first, second = called_ahead(session, round_, 2)
    operator = a_desk(session)
    screening.screen(session, second, operator)
    serving.ask_next(session, gone, None, settings)
    assert first.desk_id == gone.id
    assert not assignment.is_any_stranded(session)
    gone.phone_connected = operator.phone_connected = False
    session.flush()
    assert assignment.is_any_stranded(session)
    assert assignment.take_back(session) == 2
    assert [(c.state, c.desk_id) for c in (first, second)] == [(C.WAITING, None)] * 2
    assert gone.next_asked_at is not None
    assert serving.ask_next(session, there, None, settings) is first
    gone.phone_connected = True
    session.flush()
    assert (assignment.match(session), second.desk_id) == (1, gone.id)


def test_vanished_phone_does_not_withdraw_a_conversation(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    (talking,) = called_ahead(session, round_, 1)
    serving.ask_next(session, desk, None, settings)
    talks(session, talking)
    by_hand = a_desk(session)
    user = a_user(session, by_hand)
    claimed = claims.claim(session, round_id=round_.id, desk_id=by_hand.id, user_id=user.id)
    assert claimed is not None
    transitions.ask_call(session, claimed, settings)
    transitions.move(session, claimed.token, C.WAITING)
    desk.phone_connected = by_hand.phone_connected = False
    session.flush()
    assert assignment.take_back(session) == 0
    by_hand.round_id = round_.id
    session.flush()
    assert assignment.take_back(session) == 0, "it serves the round by now, and has asked for nobody"
    assert (talking.desk_id, claimed.desk_id) == (desk.id, by_hand.id)


def order_of(session: Session, round_id: int) -> Sequence[int]:
    query = select(Registration.id).where(Registration.round_id == round_id).order_by(*order.ORDER)
    return session.scalars(query).all()


# --- many at once ---


def test_many_desks_get_the_first_in_line(engine: Engine, settings: Settings) -> None:
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


def test_repeated_requests_bring_each_citizen_once(engine: Engine, settings: Settings) -> None:
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
                talks(session, transitions.get(session, callback.id))
                assignment.match(session)

    with ThreadPoolExecutor(desks_count) as threads:
        list(threads.map(work, range(desks_count)))
    with writing(engine) as session:
        for parting in session.scalars(select(Callback).where(Callback.state == C.PARTING)).all():
            conversations.record_line_end(session, parting, settings, hung_up=True)
    with reading(engine) as session:
        in_order = list(order_of(session, round_.id))
        states = set(session.scalars(select(Registration.state)))
    assert sorted(chain(*spoke)) == sorted(in_order), "each once, nobody left out"
    assert states == {R.REACHED}
    for own in spoke:
        assert [in_order.index(id_) for id_ in own] == sorted(in_order.index(id_) for id_ in own)


def test_simultaneous_claims_on_a_citizen_have_one_winner(engine: Engine, settings: Settings) -> None:
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
                        mine = transitions.get(session, callback.id)
                        return bool(screening.screen(session, mine, session.get_one(Desk, operator)))
                    return serving.request_end(session, callback.token)
            except Refused:
                return False

        had = at_once(len(desks) + 2, want)
        with reading(engine) as session:
            kept = transitions.get(session, callback.id)
            given = kept.desk_id is not None
            assert sum(had[:3]) == given
            assert given + (kept.state is C.SCREENING) <= 1
            if given:
                assert kept.hangup_asked_at is None


def test_longest_waiting_desk_gets_the_first_citizen(
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


def test_assignment_follows_the_line_not_the_key(session: Session, settings: Settings) -> None:
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


def test_desk_gets_no_citizen_of_another_round(
    session: Session, settings: Settings, round_: Round, desk: Desk
) -> None:
    other = a_round(session)
    some_registrations(session, other, 1)
    (theirs,) = called_ahead(session, other, 1)
    assert serving.ask_next(session, desk, None, settings) is None
    session.refresh(theirs)
    assert theirs.desk_id is None
