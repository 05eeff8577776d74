"""Rounds that are full: what callers are told, and the one that is offered instead."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from db.engine import writing
from db.models import OfficialKind, Round
from db.states import Phase, RegistrationState
from hotline.line import registration
from tests import factories as make
from tests.ivr.scripts.registering import DEPUTY, MAYOR, OWN, RIGHT, START, TOLD, YES
from tests.ivr.scripts.two_rounds import ASKED, WAITING, at, of_round, two_rounds
from tests.kit.fake_asterisk import Deed, FakeAsterisk, transactions


def an_open_round(engine: Engine, kind: OfficialKind, *, places: int | None, taken: int = 0) -> Round:
    with writing(engine) as session:
        round_ = make.a_round(session, Phase.OPEN)
        round_.official.kind, round_.capacity = kind, places
        round_.official.clip = (
            "office-mayor" if kind is OfficialKind.MAYOR else "office-deputy-urban-services"
        )
        make.some_registrations(session, round_, taken)
        return round_


def test_only_full_round_is_announced_before_the_number_question(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    an_open_round(engine, MAYOR, places=2, taken=2)

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[3:6] == ["round-when", "round-full", "main-menu"]


def test_full_round_is_followed_by_the_next_announced(asterisk: FakeAsterisk, engine: Engine) -> None:
    an_open_round(engine, MAYOR, places=2, taken=2)
    with writing(engine) as session:
        coming = make.a_round(session, Phase.ANNOUNCED)

    heard = asterisk.dial(START)

    assert heard.prompts[4:8] == ["round-full", "next-round-when", "registration-opens", "main-menu"]
    assert heard.said("next-round-when", office="office-mayor", **at(coming.starts_at))


def test_full_round_leads_to_another_with_places(asterisk: FakeAsterisk, engine: Engine) -> None:
    full = an_open_round(engine, MAYOR, places=2, taken=2)
    free = an_open_round(engine, DEPUTY, places=2)

    heard = asterisk.dial(START, ("choose-kind", "1"), ("after kind-deputy", "2"), *YES[1:])

    assert heard.prompts[3:] == [
        *("choose-kind", "round-when", "round-full", "choose-kind", "choices", "kind-deputy"),
        *("round-when", "confirm-number", *TOLD, *ASKED),
    ]
    assert (len(of_round(engine, full)), len(of_round(engine, free))) == (0, 1)


def test_full_rounds_lead_back_to_the_menu(asterisk: FakeAsterisk, engine: Engine) -> None:
    an_open_round(engine, MAYOR, places=1, taken=1)
    an_open_round(engine, DEPUTY, places=1, taken=1)

    heard = asterisk.dial(START, ("choose-kind", "1"), ("choose-kind", "2"), ("main-menu", "3"))

    told = ["round-when", "round-full"]
    assert heard.prompts[3:11] == [
        *("choose-kind", *told, "choose-kind", *told),
        *("main-menu", "report-category"),
    ]


@pytest.mark.parametrize("state", [WAITING, RegistrationState.UNCONFIRMED])
def test_own_place_in_a_full_round_is_told(
    asterisk: FakeAsterisk, engine: Engine, state: RegistrationState
) -> None:
    full = an_open_round(engine, MAYOR, places=3, taken=2)
    with writing(engine) as session:
        make.a_registration(session, session.get_one(Round, full.id), number=OWN, state=state)

    steps = YES[:1] if state is WAITING else YES[:2]
    heard = asterisk.dial(*steps)

    assert "round-full" not in heard.prompts
    assert ("already-registered" if state is WAITING else "registered") in heard.prompts
    assert [place.state for place in of_round(engine, full)] == [WAITING]


def test_cancelled_place_is_free_for_a_caller(asterisk: FakeAsterisk, engine: Engine) -> None:
    round_ = an_open_round(engine, MAYOR, places=2, taken=1)
    with writing(engine) as session:
        given_up = make.a_registration(session, session.get_one(Round, round_.id))
        registration.cancel(session, given_up.id)

    heard = asterisk.dial(*YES)

    assert "registered" in heard.prompts


def filling(engine: Engine, *full: Round) -> Callable[[], None]:
    """Return a function that takes the last places of these rounds."""

    def fill() -> None:
        with writing(engine) as session:
            for round_ in full:
                registration.register(session, round_id=round_.id, number=make.a_number())

    return fill


def test_only_round_filled_during_the_call_ends_it(asterisk: FakeAsterisk, engine: Engine) -> None:
    round_ = an_open_round(engine, MAYOR, places=1)

    heard = asterisk.dial(START, ("confirm-number", filling(engine, round_)), *after_confirm())

    assert heard.prompts[-3:] == ["confirm-number", "full-meanwhile", "goodbye"]
    assert heard.finished
    assert of_round(engine, round_) == []


def after_confirm() -> list[tuple[str, Deed]]:
    return [("after confirm-number", "1")]


def test_round_filled_during_the_call_leads_to_another(asterisk: FakeAsterisk, engine: Engine) -> None:
    first, second = (an_open_round(engine, kind, places=1) for kind in (MAYOR, DEPUTY))
    fill = filling(engine, first)
    begun = transactions(engine)

    heard = asterisk.dial(
        *(START, ("choose-kind", "1"), ("confirm-number", fill), *after_confirm()),
        *(("after kind-deputy", "2"), RIGHT),
    )

    meanwhile = heard.prompts.index("full-meanwhile")
    assert heard.prompts[meanwhile:] == [
        *("full-meanwhile", "choose-kind", "choices", "kind-deputy", "round-when"),
        *("confirm-number", *TOLD, "goodbye"),
    ]
    assert len(begun) - 1 == 3, "the test's own one aside"
    assert (len(of_round(engine, first)), len(of_round(engine, second))) == (0, 1)


def test_both_rounds_filled_during_the_call_end_it(asterisk: FakeAsterisk, engine: Engine) -> None:
    both = [an_open_round(engine, kind, places=1) for kind in (MAYOR, DEPUTY)]
    fill = filling(engine, *both)
    begun = transactions(engine)

    heard = asterisk.dial(
        *(START, ("choose-kind", "1"), ("confirm-number", fill), *after_confirm()),
        *(("after kind-deputy", "2"), RIGHT),
    )

    assert heard.prompts.count("full-meanwhile") == 2
    assert heard.prompts[-2:] == ["full-meanwhile", "goodbye"]
    assert heard.finished
    assert len(begun) - 1 == 3
    assert of_round(engine, both[0]) == of_round(engine, both[1]) == []


def test_round_filled_during_the_call_with_a_full_other_ends_it(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    first = an_open_round(engine, MAYOR, places=1)
    an_open_round(engine, DEPUTY, places=1, taken=1)

    heard = asterisk.dial(
        *(START, ("choose-kind", "1"), ("confirm-number", filling(engine, first)), *after_confirm()),
        ("after kind-deputy", "2"),
    )

    assert heard.prompts[-3:] == ["round-when", "round-full", "goodbye"]
    assert heard.finished


@pytest.mark.parametrize("kind", [MAYOR, OfficialKind.DISTRICT_MANAGER])
def test_soonest_round_of_an_official_with_places_is_taken(
    asterisk: FakeAsterisk, engine: Engine, kind: OfficialKind
) -> None:
    with writing(engine) as session:
        soon, late = two_rounds(session, Phase.OPEN, Phase.OPEN)
        assert late
        soon.official.kind, soon.capacity = kind, 1
        soon.official.district = 7 if kind is OfficialKind.DISTRICT_MANAGER else None
    chosen = ("choose-kind", "3"), ("ask-district", "7#")

    heard = asterisk.dial(*YES, caller_id="09137654321")
    assert heard.said("round-when", office="office-mayor", **at(soon.starts_at))
    assert heard.prompts[3] == "round-when", "there is nothing to choose"
    heard = asterisk.dial(START, *(chosen if kind is not MAYOR else [("choose-kind", "1")]), *YES[1:])

    assert "round-full" in heard.prompts
    assert heard.said("round-when", office="office-mayor", **at(late.starts_at))
    assert (len(of_round(engine, soon)), len(of_round(engine, late))) == (0, 1)
