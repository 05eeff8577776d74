"""The order of calling, and many desks that take from one line at once."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Event, Registration, Round, User
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline.callbacks import claims, closing, transitions
from hotline.errors import Refused
from hotline.line import order
from hotline.rounds import phases
from settings import Settings
from tests.factories import (
    HOUR,
    SECOND,
    T,
    a_desk,
    a_registration,
    a_round,
    a_user,
    at_once,
    some_registrations,
    told,
)


def claim(session: Session, round_: Round, user: User) -> Callback | None:
    assert user.desk_id is not None
    return claims.claim(session, round_id=round_.id, desk_id=user.desk_id, user_id=user.id)


def refusal(session: Session, round_: Round, user: User) -> str:
    with pytest.raises(Refused) as refused:
        claim(session, round_, user)
    return refused.value.code


def some_users(session: Session, count: int) -> list[User]:
    return [a_user(session, a_desk(session)) for _ in range(count)]


# The order


@dataclass(frozen=True)
class Place:
    missed: int
    second: int
    wait_h: int | None  # until not_before, from the time of the first claims

    @property
    def due(self) -> bool:
        return self.wait_h is None or self.wait_h <= 0


PLACES = st.builds(Place, st.integers(0, 3), st.integers(0, 3), st.sampled_from([None, -1, 0, 1, 2]))


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(PLACES, max_size=12), early=st.integers(0, 12))
def test_claim_order_is_missed_rounds_then_registration_then_id(
    engine: Engine, places: list[Place], early: int
) -> None:
    with writing(engine) as session:
        round_, at = a_round(session), now(session)
        rows = [
            a_registration(
                session,
                round_,
                rounds_missed=place.missed,
                registered_at=at - HOUR + place.second * SECOND,
                not_before=None if place.wait_h is None else at + place.wait_h * HOUR,
            )
            for place in places
        ]
        line_up = sorted(
            zip(places, rows, strict=True), key=lambda pair: (-pair[0].missed, pair[0].second, pair[1].id)
        )
        in_order = [row.id for _, row in line_up]
        assert [row.id for row in order.list_page(session, round_.id, 100, None)] == in_order
        assert [order.count_before(session, row) for _, row in line_up] == list(range(len(rows)))

        due = [row.id for place, row in line_up if place.due]
        first = [order.take_next(session, round_.id, at) for _ in range(early)]
        assert first == (due + [None] * early)[:early]
        rest = [id_ for id_ in in_order if id_ not in first]
        later = [order.take_next(session, round_.id, at + 3 * HOUR) for _ in range(len(rest) + 1)]
        assert later == [*rest, None]


def test_pages_of_a_line_hold_each_place_once(
    session: Session,
) -> None:
    round_ = a_round(session)
    rows = some_registrations(session, round_, 3, rounds_missed=1)
    rows += some_registrations(session, round_, 4, registered_at=now(session))  # ordered by id alone
    rows[2].state = RegistrationState.CALLING
    for state in set(RegistrationState) - set(order.IN_LINE):
        a_registration(session, round_, state=state)
    a_registration(session, a_round(session))
    read: list[Registration] = []
    while page := order.list_page(session, round_.id, 2, read[-1] if read else None):
        read += page
    assert [row.id for row in read] == [row.id for row in rows]


def test_places_of_one_moment_are_ordered_by_id(session: Session) -> None:
    round_, at = a_round(session), now(session)
    for id_ in (30, 10, 20):
        a_registration(session, round_, id=id_, registered_at=at)
    assert [row.id for row in order.list_page(session, round_.id, 9, None)] == [10, 20, 30]
    assert [order.take_next(session, round_.id, at) for _ in range(4)] == [10, 20, 30, None]


def test_due_retry_is_claimed_at_its_own_place(session: Session, settings: Settings) -> None:
    round_ = a_round(session)
    first, second, third = some_registrations(session, round_, 3)
    user = a_user(session, a_desk(session))
    busy = claim(session, round_, user)
    assert busy is not None and busy.registration_id == first.id
    transitions.move(session, busy.token, CallbackState.DIALING)
    closing.close(session, busy.token, Outcome.BUSY, settings)
    passed = claim(session, round_, user)
    assert passed is not None and passed.registration_id == second.id
    closing.close(session, passed.token, Outcome.REFUSED, settings)
    first.not_before = now(session) - SECOND
    session.flush()
    again = claim(session, round_, user)
    assert again is not None and again.registration_id == first.id
    assert (first.attempts, third.state) == (1, RegistrationState.WAITING)


def test_claim_takes_only_waiting_places_of_its_round(
    session: Session,
) -> None:
    round_, user = a_round(session), a_user(session, a_desk(session))
    some_registrations(session, a_round(session), 2)
    for state in set(RegistrationState) - {RegistrationState.WAITING}:
        a_registration(session, round_, state=state)
    assert claim(session, round_, user) is None
    waiting = a_registration(session, round_)
    taken = claim(session, round_, user)
    assert taken is not None and taken.registration_id == waiting.id


# One claim


def test_claim_creates_a_callback_with_token_and_events(
    session: Session,
) -> None:
    round_, user = a_round(session), a_user(session, a_desk(session))
    place = a_registration(session, round_)
    taken = claim(session, round_, user)
    assert taken is not None
    session.refresh(place)
    assert (taken.state, taken.outcome, place.state) == ("claimed", None, "calling")
    assert (taken.desk_id, taken.user_id) == (user.desk_id, user.id)
    assert transitions.is_token(taken.token) and len(taken.token) == 41
    assert transitions.find_live_at_desk(session, taken.desk_id) is taken
    *_, event = told(session)
    assert (event.kind, event.what, event.round_id) == ("callback", "claimed", round_.id)
    assert (event.callback_id, event.registration_id) == (taken.id, place.id)
    assert event.desk_id == user.desk_id


def test_second_claim_of_a_busy_desk_is_refused(
    session: Session,
) -> None:
    round_, user = a_round(session), a_user(session, a_desk(session))
    _, second = some_registrations(session, round_, 2)
    claim(session, round_, user)
    assert refusal(session, round_, user) == "desk-busy"
    assert refusal(session, a_round(session), user) == "desk-busy"
    session.refresh(second)
    assert second.state is RegistrationState.WAITING


def test_claim_outside_a_live_round_changes_nothing(
    session: Session,
) -> None:
    for phase, code in {
        Phase.ANNOUNCED: "round-not-started",
        Phase.OPEN: "round-not-started",
        Phase.CLOSED: "round-not-started",
        Phase.OVER: "round-over",
    }.items():
        round_, user = a_round(session, phase), a_user(session, a_desk(session))
        place = a_registration(session, round_)
        assert refusal(session, round_, user) == code
        session.refresh(place)
        assert (place.state, round_.opened_at) == (RegistrationState.WAITING, None)


def test_ended_round_refuses_claims(session: Session) -> None:
    round_, user = a_round(session), a_user(session, a_desk(session))
    a_registration(session, round_)
    phases.end_round(session, round_)
    assert refusal(session, round_, user) == "round-over"


def test_round_opened_early_allows_claims(session: Session) -> None:
    round_, user = a_round(session, Phase.CLOSED), a_user(session, a_desk(session))
    a_registration(session, round_)
    phases.open_round(session, round_)
    assert claim(session, round_, user) is not None


def test_overtime_allows_claims(session: Session) -> None:
    round_, user = a_round(session, Phase.OVER), a_user(session, a_desk(session))
    a_registration(session, round_)
    round_.opened_at = round_.starts_at
    session.flush()
    assert claim(session, round_, user) is not None


def test_simultaneous_first_claims_open_the_round_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, opened=False)
        users = some_users(session, 8)
        some_registrations(session, round_, 8)

    def take(which: int) -> Callback | None:
        with writing(engine) as session:
            return claim(session, round_, users[which])

    assert None not in at_once(8, take)
    with reading(engine) as session:
        opened = select(func.count()).where(Event.kind == "round", Event.what == "opened")
        assert phases.find_phase(phases.get(session, round_.id), now(session)) is Phase.LIVE
        assert session.scalar(opened) == 1


# Many claims


@dataclass
class Taken:
    desk: int
    place: int
    asked: float
    answered: float


def _insist(engine: Engine, do: Callable[[Session], T]) -> T:
    """Repeat a claim after a timeout: on a busy machine 50 desks wait for one lock."""
    while True:
        with suppress(OperationalError), writing(engine) as session:
            return do(session)


@pytest.mark.long
def test_fifty_desks_claim_500_places_once_in_order(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        rows = some_registrations(session, round_, 200, rounds_missed=1)
        rows += some_registrations(session, round_, 300)
        place_of = {row.id: place for place, row in enumerate(rows)}
        users = some_users(session, 50)

    def work(which: int) -> list[Taken]:
        mine: list[Taken] = []
        while True:
            asked = time.monotonic()
            callback = _insist(engine, lambda session: claim(session, round_, users[which]))
            if callback is None:
                return mine
            mine.append(Taken(which, place_of[callback.registration_id], asked, time.monotonic()))
            over = partial(closing.close, token=callback.token, outcome=Outcome.REFUSED, settings=settings)
            assert _insist(engine, over)

    by_desk = at_once(50, work)
    taken = sorted((each for mine in by_desk for each in mine), key=lambda each: each.asked)
    assert sorted(each.place for each in taken) == list(range(500))
    assert all([each.place for each in mine] == sorted(each.place for each in mine) for mine in by_desk)
    # Of two claims, one answered before the other was asked, the first has the earlier place: at every
    # moment the places claimed, those in flight included, are the head of the line.
    answers = iter(sorted(taken, key=lambda each: each.answered))
    answered, furthest = next(answers), -1
    for each in taken:
        while answered.answered < each.asked:
            furthest = max(furthest, answered.place)
            answered = next(answers)
        assert each.place > furthest
    with reading(engine) as session:
        assert session.scalar(select(func.count(Callback.id))) == 500
        assert set(session.scalars(select(Callback.state))) == {CallbackState.CLOSED}
        assert set(session.scalars(select(Registration.state))) == {RegistrationState.CLOSED}


def test_ten_clicks_of_a_desk_claim_one_place(engine: Engine) -> None:
    with writing(engine) as session:
        round_, user, other = (
            a_round(session),
            a_user(session, a_desk(session)),
            a_user(session, a_desk(session)),
        )
        first, second, *_ = some_registrations(session, round_, 20)

    def click(_: int) -> int | str:
        try:
            with writing(engine) as session:
                callback = claim(session, round_, user)
                assert callback is not None
                return callback.registration_id
        except Refused as refused:
            return refused.code

    clicks = at_once(10, click)
    got = [click for click in clicks if click != "desk-busy"]
    assert len(got) == 1
    with writing(engine) as session:
        states = select(Registration.state, func.count()).group_by(Registration.state)
        assert {state: count for state, count in session.execute(states)} == {"calling": 1, "waiting": 19}
        following = claim(session, round_, other)
        assert following is not None
        assert following.registration_id == (second.id if got == [first.id] else first.id)


def test_second_click_waits_for_the_first_and_is_refused(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_, user = a_round(session), a_user(session, a_desk(session))
        some_registrations(session, round_, 2)
    codes: list[str] = []
    begun = threading.Event()

    def click_again() -> None:
        with pytest.raises(Refused) as refused:
            begun.set()
            with writing(engine) as session:
                claim(session, round_, user)
        codes.append(refused.value.code)

    second = threading.Thread(target=click_again)
    with writing(engine) as session:
        assert claim(session, round_, user) is not None
        second.start()
        assert begun.wait(5)
        assert not codes
    second.join(10)
    assert codes == ["desk-busy"]


def test_one_place_goes_to_one_of_20_desks(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_, users = a_round(session), some_users(session, 20)
        a_registration(session, round_)

    def take(which: int) -> bool:
        with writing(engine) as session:
            return claim(session, round_, users[which]) is not None

    assert sorted(at_once(20, take)) == [False] * 19 + [True]


def test_failed_claim_frees_the_place(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_, user = a_round(session), a_user(session, a_desk(session))
        place = a_registration(session, round_)
    with pytest.raises(ZeroDivisionError), writing(engine) as session:
        claim(session, round_, user)
        raise ZeroDivisionError
    with writing(engine) as session:
        callback = claim(session, round_, user)
        assert callback is not None and callback.registration_id == place.id


def test_retry_is_due_at_its_very_moment(
    session: Session,
) -> None:
    round_ = a_round(session)
    at: datetime = now(session).replace(microsecond=500_000)
    place = a_registration(session, round_, not_before=at)
    assert order.take_next(session, round_.id, at - timedelta(milliseconds=1)) is None
    assert order.take_next(session, round_.id, at) == place.id
