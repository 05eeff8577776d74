"""Rounds: phases by the clock and two recorded facts; who may register when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import Round
from db.states import Phase, RegistrationState
from hotline.errors import Refused
from hotline.rounds import phases, planning
from tests.factories import HOUR, a_registration, a_round, an_official, at_once, some_registrations, told
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)

TICK = timedelta(microseconds=1)
FROM = (datetime.now(UTC) + timedelta(days=30)).replace(hour=6, minute=0, second=0, microsecond=0)
UNTIL, START, END = FROM + 6 * HOUR, FROM + 24 * HOUR, FROM + 27 * HOUR
LATEST = END + 2 * HOUR
P = Phase


def a_plain_round(
    *, opened: datetime | None = None, ended: datetime | None = None, until: datetime = UNTIL
) -> Round:
    return Round(
        announce_at=FROM - 24 * HOUR,
        registration_from=FROM,
        registration_until=until,
        starts_at=START,
        ends_at=END,
        opened_at=opened,
        ended_at=ended,
    )


@pytest.mark.parametrize(
    ("at", "untouched", "opened", "ended"),
    [
        (FROM - 24 * HOUR - TICK, P.PLANNED, P.LIVE, P.OVER),
        (FROM - 24 * HOUR, P.ANNOUNCED, P.LIVE, P.OVER),
        (FROM - TICK, P.ANNOUNCED, P.LIVE, P.OVER),
        (FROM, P.OPEN, P.LIVE, P.OVER),
        (UNTIL - TICK, P.OPEN, P.LIVE, P.OVER),
        (UNTIL, P.CLOSED, P.LIVE, P.OVER),
        (START - TICK, P.CLOSED, P.LIVE, P.OVER),
        (START, P.CLOSED, P.LIVE, P.OVER),  # nobody has opened it: the first claim will
        (END - TICK, P.CLOSED, P.LIVE, P.OVER),
        (END, P.OVER, P.LIVE, P.OVER),
        (LATEST - TICK, P.OVER, P.LIVE, P.OVER),
        (LATEST, P.OVER, P.OVER, P.OVER),
    ],
)
def test_phase_follows_the_table(at: datetime, untouched: Phase, opened: Phase, ended: Phase) -> None:
    assert phases.find_phase(a_plain_round(), at) is untouched
    assert phases.find_phase(a_plain_round(opened=START), at) is opened
    assert phases.find_phase(a_plain_round(ended=START), at) is ended
    assert phases.find_phase(a_plain_round(opened=START, ended=START), at) is ended


@pytest.mark.parametrize(
    ("at", "takes"),
    [(FROM - TICK, False), (FROM, True), (UNTIL - TICK, True), (UNTIL, False), (START, False)],
)
def test_registrations_are_taken_in_their_window_only(at: datetime, takes: bool) -> None:
    assert phases.may_register(a_plain_round(), at) is takes
    assert phases.may_register(a_plain_round(opened=FROM), at) is takes
    assert not phases.may_register(a_plain_round(ended=FROM), at)


def test_live_round_takes_registrations_until_the_window_ends() -> None:
    live = a_plain_round(opened=START, until=END)
    assert phases.find_phase(live, END - TICK) is P.LIVE
    assert phases.may_register(live, END - TICK)
    assert phases.find_phase(live, END) is P.LIVE
    assert not phases.may_register(live, END)


def test_made_round_is_in_its_phase_by_the_database_clock(
    session: Session,
) -> None:
    for phase in Phase:
        assert phases.find_phase(a_round(session, phase), now(session)) is phase


def test_registrable_rounds_are_listed_soonest_first(
    session: Session,
) -> None:
    made = {phase: a_round(session, phase) for phase in Phase}
    ended = a_round(session, Phase.OPEN)
    phases.end_round(session, ended)
    session.flush()
    assert [r.id for r in phases.list_registrable(session)] == [made[Phase.LIVE].id, made[Phase.OPEN].id]


def test_current_rounds_omit_those_long_over(
    session: Session,
) -> None:
    planned, live, over = (a_round(session, phase) for phase in (Phase.ANNOUNCED, Phase.LIVE, Phase.OVER))
    old = a_round(session, Phase.OVER)
    for name in ("announce_at", "registration_from", "registration_until", "starts_at", "ends_at"):
        setattr(old, name, getattr(old, name) - 24 * HOUR)
    session.flush()
    assert [r.id for r in phases.list_current(session)] == [over.id, live.id, planned.id]
    assert [r.id for r in phases.list_current(session, limit=1)] == [over.id]


def test_only_sensible_times_are_accepted(
    session: Session,
) -> None:
    names = ("registration_from", "registration_until", "starts_at", "ends_at")
    for hours in product(range(4), repeat=4):
        times = {name: FROM + h * HOUR for name, h in zip(names, hours, strict=True)}
        register_from, register_until, start, end = hours
        if register_from < register_until <= end and start < end:
            planning.make(session, official=an_official(session), **times)
            continue
        with pytest.raises(Refused) as refused:
            planning.make(session, official=an_official(session), **times)
        assert refused.value.code == "round-times"


def test_database_refuses_contradictory_times(
    session: Session,
) -> None:
    official = an_official(session)
    session.flush()
    names = ("registration_from", "registration_until", "starts_at", "ends_at")
    for hours in ((2, 1, 0, 3), (1, 1, 0, 3), (0, 3, 1, 2), (0, 1, 3, 2), (0, 1, 2, 2)):
        times = {name: FROM + h * HOUR for name, h in zip(names, hours, strict=True)}
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(insert(Round).values(official_id=official.id, **times))


def test_time_without_a_zone_is_refused(session: Session) -> None:
    round_ = a_round(session)
    round_.ends_at = datetime(2030, 1, 1)
    with pytest.raises(StatementError, match="without a zone"):
        session.flush()
    session.rollback()


def facts(session: Session, round_: Round) -> list[str]:
    return [e.what for e in told(session) if (e.kind, e.round_id) == ("round", round_.id)]


def test_opening_and_ending_are_recorded_once(session: Session) -> None:
    round_ = a_round(session, Phase.CLOSED)
    phases.open_round(session, round_)
    opened = round_.opened_at
    phases.open_round(session, round_)
    assert (round_.opened_at, phases.find_phase(round_, now(session))) == (opened, Phase.LIVE)
    phases.end_round(session, round_)
    ended = round_.ended_at
    phases.end_round(session, round_)
    assert (round_.ended_at, phases.find_phase(round_, now(session))) == (ended, Phase.OVER)
    assert facts(session, round_) == ["made", "opened", "ended"]


@in_both
@pytest.mark.parametrize(("fact", "what"), [(phases.open_round, "opened"), (phases.end_round, "ended")])
def test_simultaneous_facts_are_recorded_once(
    engine: Engine, fact: Callable[[Session, Round], None], what: str
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, opened=False)

    def record(_: int) -> None:
        with writing(engine) as session:
            fact(session, phases.get(session, round_.id))

    at_once(8, record)
    with Session(engine) as session:
        assert facts(session, round_) == ["made", what]


@pytest.mark.parametrize("by_the_clock", [True, False])
def test_finished_round_cannot_be_opened(session: Session, by_the_clock: bool) -> None:
    round_ = a_round(session, Phase.OVER if by_the_clock else Phase.LIVE, opened=False)
    if not by_the_clock:
        phases.end_round(session, round_)
    with pytest.raises(Refused) as refused:
        phases.open_round(session, round_)
    assert refused.value.code == "round-over"
    assert round_.opened_at is None


def test_unknown_round_is_not_found(session: Session) -> None:
    with pytest.raises(Refused) as refused:
        phases.get(session, 137)
    assert refused.value.code == "not-found"


def test_registrations_are_counted_by_round_and_state(
    session: Session,
) -> None:
    first, second, empty = (a_round(session) for _ in range(3))
    some_registrations(session, first, 3)
    a_registration(session, first, state=RegistrationState.REACHED)
    a_registration(session, second, state=RegistrationState.CALLING)
    assert phases.count_by_state(session, [first.id, second.id, empty.id]) == {
        first.id: {RegistrationState.WAITING: 3, RegistrationState.REACHED: 1},
        second.id: {RegistrationState.CALLING: 1},
        empty.id: {},
    }
