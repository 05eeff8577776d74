"""How many citizens a round is expected to reach, which callers hear."""

from sqlalchemy.orm import Session

from db.engine import now
from db.states import Phase, RegistrationState
from hotline.line import carry_over
from hotline.rounds import phases
from tests.factories import HOUR, SECOND, a_registration, a_round, an_official, some_registrations
from tests.kit.databases import on_one  # noqa: F401  (fixture)


def test_first_round_expects_one_citizen_in_six_minutes(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.OPEN)  # an hour
    a_round(session, Phase.OVER).ended_at = now(session)  # another official's
    assert phases.estimate_reach(session, round_) == 10
    round_.ends_at = round_.starts_at + 60 * SECOND
    assert phases.estimate_reach(session, round_) == 1


def test_expected_reach_is_the_mean_of_five_rounds(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.OPEN)
    for hours, reached in enumerate([2, 4, 6, 8, 10, 100], start=1):
        past = a_round(session, Phase.OVER)
        past.official, past.ended_at = round_.official, now(session) - hours * HOUR
        some_registrations(session, past, reached, state=RegistrationState.REACHED)
        some_registrations(session, past, 3, state=RegistrationState.UNREACHED)
    assert phases.estimate_reach(session, round_) == 6


def test_carried_places_count_in_the_expected_reach(
    session: Session,
) -> None:
    official = an_official(session)
    reached, nobody, empty = (a_round(session, Phase.OVER) for _ in range(3))
    following = a_round(session, Phase.OPEN)
    for place, round_ in enumerate((reached, nobody, empty, following)):
        round_.official = official
        round_.starts_at += place * SECOND
        round_.ended_at = None if round_ is following else now(session)
    some_registrations(session, reached, 8, state=RegistrationState.REACHED)
    some_registrations(session, reached, 5)
    some_registrations(session, nobody, 3)
    assert phases.estimate_reach(session, following) == 4
    carried = carry_over.carry_over(session)
    assert carried == 8
    assert phases.count_by_state(session, [nobody.id])[nobody.id] == {}, "all its rows are elsewhere"
    assert phases.estimate_reach(session, following) == 4, "(8 + 0) / 2; nobody wanted anything of the third"


def test_agreed_length_gives_the_expected_reach(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.OPEN)  # an hour
    round_.minutes = 15
    assert phases.estimate_reach(session, round_) == 4


def test_expected_reach_is_at_least_one(session: Session) -> None:
    round_ = a_round(session, Phase.OPEN)
    past = a_round(session, Phase.OVER)
    past.official, past.ended_at = round_.official, now(session)
    a_registration(session, past, state=RegistrationState.UNREACHED)
    assert phases.estimate_reach(session, round_) == 1
