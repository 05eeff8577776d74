"""The city's rules under any events: the order is the rule, nobody is lost, nobody is called twice.

Hypothesis plays citizens, desks, planners and crashes. A model written from the rules alone says what must be
true after every step.
"""

import itertools
import sys
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db import engine as database
from db.engine import reading, writing
from db.models import Carry, LineCount, Registration, Round
from db.states import CallbackState, Outcome
from hotline.callbacks import claims, closing, round_statistics, schedule, transitions
from hotline.ledger.verify import verify
from hotline.line import carry_over, order, registration
from hotline.rounds import phases
from settings import Settings
from tests.factories import a_desk, a_user, an_official
from tests.hotline.callbacks.city_model import CALLING, DONE, LIVE, OVER, UNREACHED, WAITING, City, Place

CITIZENS = range(8)
ATTEMPTS = 2
PAUSE = timedelta(minutes=1)
"""How long a citizen is passed over after our own fault: long enough to be seen here."""

_true_now = database.now


class Clock:
    """The database's clock, as all rules read it."""

    shift = timedelta()

    def now(self, session: Session) -> datetime:
        return _true_now(session) + self.shift


class Crash(Exception):
    """The process dies before the commit."""


def machine(engine: Engine, conf: Settings, clock: Clock) -> type[RuleBasedStateMachine]:
    """The machine on this database; each run has officials and numbers of its own: calls of others go on."""
    chosen, runs = itertools.count(), itertools.count()

    class CityMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.city = City()
            run = next(runs)
            self.numbers = [f"+98913{run:05}{citizen:02}" for citizen in CITIZENS]
            self.at_desk: dict[int, int] = {}  # desk to callback
            with writing(engine) as session:
                officials = [an_official(session), an_official(session)]
                desks = [a_desk(session) for _ in range(3)]
                self.users = {d.id: a_user(session, d).id for d in desks}
                session.flush()
                self.officials = [o.id for o in officials]
            self._make(self.officials[0])
            for number in self.numbers[:4]:
                self._register(next(iter(self.city.rounds)), number)

        def _make(self, official: int) -> None:
            with writing(engine) as session:
                at = clock.now(session)
                long_ago = at - timedelta(hours=1)
                start = at - timedelta(minutes=30) + timedelta(seconds=next(chosen))
                made = Round(
                    official_id=official,
                    **dict.fromkeys(("announce_at", "registration_from"), long_ago),
                    **dict.fromkeys(("registration_until", "ends_at"), at + timedelta(hours=9)),
                    starts_at=start,
                )
                session.add(made)
                session.flush()
                self.city.rounds[made.id] = (official, LIVE)

        def _live(self) -> list[int]:
            return [r for r, (_, state) in self.city.rounds.items() if state == LIVE]

        @precondition(lambda self: len(self.city.rounds) < 6)
        @rule(which=st.sampled_from([0, 0, 1]))
        def a_round_is_made(self, which: int) -> None:
            self._make(self.officials[which])

        @precondition(lambda self: self._live())
        @rule(data=st.data(), citizens=st.lists(st.sampled_from(CITIZENS), min_size=1, max_size=5))
        def some_register(self, data: st.DataObject, citizens: list[int]) -> None:
            round_ = data.draw(st.sampled_from(self._live()))
            for citizen in citizens:
                self._register(round_, self.numbers[citizen])

        def _register(self, round_: int, number: str) -> None:
            with writing(engine) as session:
                given = registration.register(session, round_id=round_, number=number)
            holder = self.city.holder(round_, number)
            assert given.already == (holder is not None)
            if holder:
                assert given.registration_id == holder.id
            else:
                place = Place(given.registration_id, number, round_, order=len(self.city.places))
                self.city.places[place.id] = place
            if not holder:
                assert given.before_me == self.city.line(round_).index(
                    self.city.places[given.registration_id]
                )

        @precondition(lambda self: any(p.state == WAITING for p in self.city.places.values()))
        @rule(data=st.data(), how=st.sampled_from(["cancel", "move up"]))
        def somebody_waiting_changes(self, data: st.DataObject, how: str) -> None:
            waiting = [p for p in self.city.places.values() if p.state == WAITING]
            place = data.draw(st.sampled_from(waiting))
            with writing(engine) as session:
                if how == "cancel":
                    registration.cancel(session, place.id)
                else:
                    row = session.get_one(Registration, place.id)
                    order.move_up(session, row, who="supervisor", reason="بیماری")
            if how == "cancel":
                place.state = DONE
            else:
                place.moved = True

        @precondition(lambda self: self._live() and len(self.at_desk) < len(self.users))
        @rule(data=st.data())
        def a_desk_takes_the_next(self, data: st.DataObject) -> None:
            round_ = data.draw(st.sampled_from(self._live()))
            desk = next(d for d in self.users if d not in self.at_desk)
            with writing(engine) as session:
                claimed = claims.claim(session, round_id=round_, desk_id=desk, user_id=self.users[desk])
            expected = self.city.next_one(round_)
            if claimed is None and expected:  # who was left in the official's round before comes first
                with reading(engine) as session:
                    assert carry_over.is_expected(session, phases.get(session, round_))
                return
            assert (claimed.registration_id if claimed else None) == (expected.id if expected else None)
            if claimed and expected:
                self.at_desk[desk] = claimed.id
                expected.state = CALLING

        @precondition(lambda self: self.at_desk)
        @rule(data=st.data(), outcome=st.sampled_from(sorted(Outcome)))
        def a_callback_ends(self, data: st.DataObject, outcome: Outcome) -> None:
            desk = data.draw(st.sampled_from(sorted(self.at_desk)))
            callback_id = self.at_desk.pop(desk)
            with writing(engine) as session:
                callback = transitions.get(session, callback_id)
                callback.state, callback.placed_at = CallbackState.ENDED, clock.now(session)
                session.flush()
                closing.close(session, callback.token, outcome, conf)
                place = self.city.places[callback.registration_id]
            free = outcome in (Outcome.RETURNED, Outcome.CALL_AGAIN, Outcome.FAILED)
            place.attempts += not free
            if outcome is Outcome.FAILED:
                place.faults += 1
            elif outcome is not Outcome.RETURNED:
                place.faults = 0
            place.rests = outcome is Outcome.FAILED and place.faults > 1
            if outcome not in (Outcome.FAILED, Outcome.RETURNED):
                self.city.shown[callback.round_id] = self.city.shown.get(callback.round_id, 0) + 1
            if outcome in (Outcome.REACHED, Outcome.REFUSED, Outcome.WRONG_NUMBER):
                place.state = DONE
            else:
                place.state = UNREACHED if place.attempts >= ATTEMPTS and not free else WAITING

        @precondition(lambda self: any(p.rests for p in self.city.places.values()))
        @rule()
        def a_pause_goes_by(self) -> None:
            clock.shift += PAUSE
            for place in self.city.places.values():
                place.rests = False

        @precondition(lambda self: self._live())
        @rule(
            data=st.data(),
            how=st.sampled_from(["ended", "cancelled"]),
            next_one=st.sampled_from(["before", "after", "later"]),
        )
        def a_round_ends(self, data: st.DataObject, how: str, next_one: str) -> None:
            round_ = data.draw(st.sampled_from(self._live()))
            official = self.city.rounds[round_][0]
            if next_one == "before":
                self._make(official)
            with writing(engine) as session:
                phases.record(session, phases.get(session, round_), how)
            self.city.rounds[round_] = (official, OVER)
            if next_one == "after":
                self._make(official)

        @rule(limit=st.sampled_from([1, 2, 100]), crash=st.booleans())
        def the_scheduler_carries_over(self, limit: int, crash: bool) -> None:
            try:
                with writing(engine) as session:
                    carry_over.carry_over(session, limit)
                    if crash:
                        raise Crash
            except Crash:
                return
            self.city.carry(limit)

        @rule()
        def who_is_told_to_wait_stays(self) -> None:
            with writing(engine) as session:
                carry_over.tell_left(session)

        @invariant()
        def the_rules_hold(self) -> None:
            with reading(engine) as session:  # one for all: to begin and end costs as much as many a look
                self._every_line_is_in_order_and_every_place_is_told_right(session)
                self._nobody_is_lost_and_nobody_is_twice(session)
                self._the_counts_are_those_of_the_lines(session)
                self._pacing_learns_nothing_from_our_own_faults(session)

        def _every_line_is_in_order_and_every_place_is_told_right(self, session: Session) -> None:
            for round_ in self.city.rounds:
                expected = self.city.line(round_)
                waiting = [r for r in order.list_page(session, round_, 500, None) if r.state == WAITING]
                assert [r.id for r in waiting] == [p.id for p in expected]
                assert [order.count_before(session, r) for r in waiting] == list(range(len(waiting)))

        def _nobody_is_lost_and_nobody_is_twice(self, session: Session) -> None:
            ids = list(self.city.places)
            columns = (Registration.id, Registration.round_id, Registration.rounds_missed)
            rows = session.execute(select(*columns).where(Registration.id.in_(ids)))
            assert {id_: (round_, missed) for id_, round_, missed in rows} == {
                p.id: (p.round, p.missed) for p in self.city.places.values()
            }
            live = [p for p in self.city.places.values() if p.state != DONE]
            assert len({(p.round, p.number) for p in live}) == len(live)
            ways = select(Carry.registration_id, func.count()).group_by(Carry.registration_id)
            carried = {id_: n for id_, n in session.execute(ways.where(Carry.registration_id.in_(ids)))}
            assert carried == {p.id: p.missed for p in self.city.places.values() if p.missed}

        def _the_counts_are_those_of_the_lines(self, session: Session) -> None:
            of = (LineCount.round_id, LineCount.level)
            summed = select(*of, func.sum(LineCount.waiting)).group_by(*of)
            rows = session.execute(summed.where(LineCount.round_id.in_(self.city.rounds))).all()
            for round_ in self.city.rounds:
                by_level = {level: count for counted, level, count in rows if counted == round_}
                waiting = len(self.city.line(round_))
                assert by_level == dict.fromkeys(range(3), waiting) or (not waiting and not by_level)

        def _pacing_learns_nothing_from_our_own_faults(self, session: Session) -> None:
            for round_ in self.city.rounds:
                learnt = round_statistics.list_observations(session, round_)
                assert len(learnt.failed_after) == self.city.shown.get(round_, 0)
                assert max(learnt.failed_after, default=0) < PAUSE.total_seconds()

        def teardown(self) -> None:
            """In the end the scheduler has nothing left to do, and nobody is left where a next round is."""
            with writing(engine) as session:
                while carry_over.carry_over(session, 1):
                    pass
                assert carry_over.carry_over(session) == 0
            self.city.carry(len(self.city.places))
            with reading(engine) as session:
                self._every_line_is_in_order_and_every_place_is_told_right(session)
                self._nobody_is_lost_and_nobody_is_twice(session)
            assert verify(engine).problems == []

    return CityMachine


@pytest.fixture
def conf(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_attempts": ATTEMPTS, "retry_seconds": 0})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in list(sys.modules.values()):
        if getattr(module, "now", None) is _true_now:
            monkeypatch.setattr(module, "now", clock.now)
    for pause in ("_NEXT_ONE_TRIES", "_ALONE"):
        monkeypatch.setattr(schedule, pause, PAUSE)
    return clock


@pytest.fixture
def play(engine: Engine, conf: Settings, backend: str, clock: Clock) -> Callable[[float], None]:
    """Return a function that plays this share of the examples."""
    examples = {"sqlite": 60, "postgresql": 25}[backend]
    return lambda share: run_state_machine_as_test(
        machine(engine, conf, clock),
        settings=hypothesis_settings(
            max_examples=round(share * examples),
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize(
    "share", [pytest.param(0.2, id="a fifth"), pytest.param(1.0, id="all", marks=pytest.mark.long)]
)
@pytest.mark.timeout(600)
def test_any_sequence_of_events_keeps_the_city_rules(play: Callable[[float], None], share: float) -> None:
    play(share)
