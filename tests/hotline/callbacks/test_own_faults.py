"""How many own faults in a row pass a citizen over."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, union_all
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Breaker, Callback, PlacedCall, Registration, Round
from db.states import CallbackState, Fact, Outcome, RegistrationState
from hotline.callbacks import claims, closing, own_faults, placing
from hotline.callbacks.own_faults import Cut
from hotline.ledger import entries
from hotline.ledger.verify import verify
from hotline.rounds import phases
from hotline.trunk import call_caps, circuit_breaker
from settings import Settings
from tests import factories as make

AT_ONCE = timedelta(0)
NEXT_ONE_TRIES = timedelta(seconds=5)

WITHIN_S = {1: 15, 2: 15, 3: 20, 5: 30, 8: 50, 13: 120}
"""How many seconds so many uncallable phones cost those behind them."""


@pytest.fixture
def place(session: Session) -> Registration:
    return make.a_registration(session, make.a_round(session), state=RegistrationState.CALLING)


def a_call(
    session: Session,
    place: Registration,
    outcome: Outcome,
    round_: Round | None = None,
    *,
    answered: bool = False,
) -> Callback:
    """One more call of this citizen, which came to this."""
    at = now(session)
    callback = Callback(
        registration=place,
        round_id=round_.id if round_ else place.round_id,
        token=f"callback-{make.a_ticket()}",
        state=CallbackState.CLOSED,
        outcome=outcome,
        claimed_at=at,
        answered_at=at if answered else None,
    )
    session.add(callback)
    session.flush()
    return callback


def test_own_faults_are_counted_since_the_last_other_end(
    session: Session, settings: Settings, place: Registration
) -> None:
    def passed_over(outcome: Outcome) -> timedelta:
        return own_faults.find_pause(session, a_call(session, place, outcome), settings)

    assert [passed_over(Outcome.FAILED) for _ in range(2)] == [AT_ONCE, NEXT_ONE_TRIES]
    a_call(session, place, Outcome.NO_ANSWER)
    assert passed_over(Outcome.FAILED) == AT_ONCE
    a_call(session, place, Outcome.RETURNED)
    assert passed_over(Outcome.FAILED) == NEXT_ONE_TRIES, "nobody was called in between"


def test_faults_of_another_round_or_citizen_do_not_count(
    session: Session, settings: Settings, place: Registration
) -> None:
    a_call(session, place, Outcome.FAILED, make.a_round(session))
    other = make.a_registration(session, session.get_one(Round, place.round_id))
    a_call(session, other, Outcome.FAILED)
    assert own_faults.find_pause(session, a_call(session, place, Outcome.FAILED), settings) == AT_ONCE


def test_second_answer_in_vain_gets_the_retry_delay(
    session: Session, settings: Settings, place: Registration
) -> None:
    waits = [
        own_faults.find_pause(session, a_call(session, place, Outcome.FAILED, answered=True), settings)
        for _ in range(2)
    ]
    assert waits == [NEXT_ONE_TRIES, timedelta(seconds=settings.retry_seconds)]


def test_citizen_cut_by_asterisk_or_dialer_stays_the_head(
    session: Session, settings: Settings, place: Registration
) -> None:
    waits = [
        own_faults.find_pause(
            session, a_call(session, place, Outcome.FAILED, answered=answered), settings, cut=Cut.BY_US
        )
        for answered in (True, True, False, False, True)
    ]
    assert set(waits) == {AT_ONCE}


def test_citizen_cut_by_the_network_has_heard_no_apology(
    session: Session, settings: Settings, place: Registration
) -> None:
    waits = [
        own_faults.find_pause(
            session, a_call(session, place, Outcome.FAILED, answered=True), settings, cut=Cut.BY_NETWORK
        )
        for _ in range(3)
    ]
    assert waits == [AT_ONCE, NEXT_ONE_TRIES, timedelta(seconds=60)]


@pytest.mark.parametrize("cut", Cut)
def test_apology_after_a_cut_call_counts_as_the_first(
    session: Session, settings: Settings, place: Registration, cut: Cut
) -> None:
    call = a_call(session, place, Outcome.FAILED, answered=True)
    call.state, call.outcome = CallbackState.ANSWERED, None
    session.flush()
    closing.close(session, call.token, Outcome.FAILED, settings, cut=cut)

    apologised = a_call(session, place, Outcome.FAILED, answered=True)
    assert own_faults.find_pause(session, apologised, settings) == NEXT_ONE_TRIES


def test_call_that_dies_ten_times_stops_nobody_for_good(
    session: Session, settings: Settings, place: Registration
) -> None:
    for _ in range(9):
        a_call(session, place, Outcome.FAILED, answered=True)
    tenth = a_call(session, place, Outcome.FAILED, answered=True)
    assert own_faults.find_pause(session, tenth, settings, cut=Cut.BY_US) == timedelta(seconds=60)


def test_faults_after_an_answer_are_counted_apart(
    session: Session, place: Registration, settings: Settings
) -> None:
    a_call(session, place, Outcome.FAILED)
    first = a_call(session, place, Outcome.FAILED, answered=True)
    assert own_faults.find_pause(session, first, settings) == NEXT_ONE_TRIES
    second = a_call(session, place, Outcome.FAILED, answered=True)
    assert own_faults.find_pause(session, second, settings) == timedelta(seconds=settings.retry_seconds)


def test_head_of_the_line_stays_the_probe_during_an_outage(
    session: Session, settings: Settings, place: Registration
) -> None:
    for token in ("callback-1", "callback-2"):
        circuit_breaker.record_failure(session, circuit_breaker.SCRIPTS, token)
    waits = {
        own_faults.find_pause(session, a_call(session, place, Outcome.FAILED), settings) for _ in range(4)
    }
    assert waits == {AT_ONCE}


class Evening:
    """A line of one round, called one after another by one desk; as if its seconds went by."""

    def __init__(self, engine: Engine, settings: Settings, bad: Sequence[int], places: int) -> None:
        self.engine, self.settings = engine, settings
        self.seconds, self.answers = 0.0, True
        self.called = list[int]()
        """The places whose phones rang, in order."""
        self.silent_s = 0.0
        """The longest that nobody's phone rang."""
        with writing(engine) as session:
            round_ = make.a_round(session)
            self.round_id = round_.id
            line = [make.a_registration(session, round_) for _ in range(places)]
            session.flush()
            for place in line:
                entries.record(session, Fact.REGISTERED, place)
            self.places = {r.number: place for place, r in enumerate(line)}
            self.bad = set(bad)
            circuit_breaker.record_options(session, yes=True)

    def goes_on(self, seconds: float, until: int) -> None:
        """Let the round go on for this long, or until so many phones have rung."""
        end, rang_at = self.seconds + seconds, self.seconds
        while self.seconds < end and len(self.called) < until:
            before = len(self.called)
            took = self._calls()
            self.passes(took)
            self.silent_s = max(self.silent_s, self.seconds - rang_at)
            rang_at = self.seconds if len(self.called) > before else rang_at

    def _calls(self) -> float:
        """Calls the next one; how many seconds that takes."""
        with writing(self.engine) as session:
            free = call_caps.find_capacity(session, self.settings).calls > 0
            callback = free and claims.call_ahead(session, phases.get(session, self.round_id))
            if not callback:
                return self._nothing_for(session)
            token, number = callback.token, callback.registration.number
            placing.take_up(session, token)
            assert isinstance(
                call_caps.claim_call(session, token, number, self.settings), call_caps.CallPermit
            )
        rings = self.answers and self.places[number] not in self.bad
        with writing(self.engine) as session:
            (circuit_breaker.record_success if rings else circuit_breaker.record_failure)(
                session, circuit_breaker.TRUNK, token
            )
            call_caps.record_end(session, token, ours=not rings)
            circuit_breaker.record_end(session, token)
        with writing(self.engine) as session:
            outcome = Outcome.WRONG_NUMBER if rings else Outcome.FAILED
            closing.close(session, token, outcome, self.settings)
        if rings:
            self.called.append(self.places[number])
        return 10.0 if rings else 0.5

    def _nothing_for(self, session: Session) -> float:
        """The seconds until something is due: the next probe, or whoever is passed over."""
        at = now(session)
        waits = session.scalars(
            union_all(select(Breaker.next_probe_at), select(Registration.not_before)).subquery().select()
        )
        return min([(due - at).total_seconds() for due in waits if due and due > at], default=1.0)

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        by = timedelta(seconds=seconds)
        with writing(self.engine) as session:
            for row in session.query(Breaker):
                row.next_probe_at = row.next_probe_at and row.next_probe_at - by
            for place in session.query(Registration).where(Registration.not_before.is_not(None)):
                place.not_before = place.not_before and place.not_before - by

    def paid(self) -> dict[int, int]:
        """The attempts that were used up, by place, but for calls that rang."""
        with reading(self.engine) as session:
            used = {self.places[r.number]: r.attempts for r in session.query(Registration)}
        return {place: n - (place in self.called) for place, n in used.items() if n > (place in self.called)}

    def open(self) -> bool:
        with reading(self.engine) as session:
            return circuit_breaker.find_outage(session) is not None


@pytest.mark.parametrize(
    ("bad", "within_s", "backend"),
    [
        *(
            pytest.param(bad, within_s, "sqlite", marks=[pytest.mark.long] if bad > 5 else [])
            for bad, within_s in WITHIN_S.items()
        ),
        (2, WITHIN_S[2], "postgresql"),
    ],
)
def test_uncallable_phones_delay_the_others_by_seconds(
    engine: Engine, settings: Settings, bad: int, within_s: float
) -> None:
    good = 37 if bad == 3 else 12
    evening = Evening(engine, settings, range(bad), bad + good)
    evening.goes_on(3600, until=good)
    assert evening.called == list(range(bad, bad + good)), "in order"
    assert evening.silent_s <= within_s + 10
    assert set(evening.paid()) <= set(range(bad)), "nobody else pays"
    assert sum(evening.paid().values()) >= bad, "what fails while others get through is their phone's"


@pytest.mark.parametrize("backend", ["sqlite"])
def test_scattered_uncallable_phones_stop_no_calls(engine: Engine, settings: Settings) -> None:
    evening = Evening(engine, settings, (0, 5, 10), 20)
    evening.goes_on(3600, until=17)
    assert evening.called == [place for place in range(20) if place not in (0, 5, 10)]
    assert evening.silent_s <= 15
    assert not evening.open()


@pytest.mark.parametrize(
    ("places", "backend"),
    [
        *((places, "sqlite") for places in (1, 2, 3)),
        pytest.param(20, "sqlite", marks=pytest.mark.long),
        (2, "postgresql"),
    ],
)
def test_trunk_outage_costs_nobody_and_keeps_the_order(
    engine: Engine, settings: Settings, places: int
) -> None:
    evening = Evening(engine, settings, (), places)
    evening.answers = False
    evening.goes_on(200, until=1)
    assert evening.open()
    evening.answers = True
    evening.goes_on(3600, until=places)
    assert evening.paid() == {}
    first, *others = evening.called
    assert others == [place for place in range(places) if place != first], "each at its own place, at once"


def test_third_failure_while_others_get_through_is_the_numbers(
    session: Session, settings: Settings, place: Registration
) -> None:
    for count in (1, 2, 3):
        callback = a_call(session, place, Outcome.FAILED)
        session.add(PlacedCall(token=callback.token, number=place.number, at=now(session), ours=True))
        callback.ended_at = now(session)
        session.flush()
        assert own_faults.is_phones_fault(session, callback) == (count == 3)
        circuit_breaker.record_failure(session, circuit_breaker.TRUNK, "callback-other")
        circuit_breaker.record_success(session, circuit_breaker.TRUNK, "callback-another")


def test_citizen_passed_during_an_outage_is_due_in_the_ledger(engine: Engine, settings: Settings) -> None:
    evening = Evening(engine, settings, range(3), 6)
    while not evening.open():
        evening._calls()
    with writing(engine) as session:
        session.query(Breaker).one().next_probe_at = now(session)
    evening._calls()
    assert (evening.called, evening.open()) == ([3], False)
    with reading(engine) as session:
        assert not session.query(Registration).where(Registration.not_before.is_not(None)).count()
    evening._calls()
    assert evening.paid() == {0: 1}
    assert verify(engine).problems == []


def test_probe_with_an_unseen_end_passes_nobody_over(engine: Engine, settings: Settings) -> None:
    evening = Evening(engine, settings, range(3), 6)
    while not evening.open():
        evening._calls()
    with writing(engine) as session:
        for waiting in session.query(Registration):
            waiting.not_before = None
        session.query(Breaker).one().tried = ""
        callback = claims.call_ahead(session, phases.get(session, evening.round_id))
        assert callback
        placing.take_up(session, callback.token)
        head = callback.registration_id
        closing.close(session, callback.token, Outcome.FAILED, settings)
    with reading(engine) as session:
        assert session.get_one(Registration, head).not_before is None


def test_ledger_with_a_fault_that_had_no_call_is_wrong(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        place = make.a_registration(session, make.a_round(session))
        entries.record(session, Fact.REGISTERED, place)
        place.not_before = now(session) + timedelta(minutes=5)
        session.flush()
        entries.record(session, Fact.OUTCOME, place, outcome=Outcome.FAILED)
    (problem,) = verify(engine).problems
    assert "leads from waiting to waiting" in problem or "changes not_before" in problem
