"""Key 1: for which official a caller registers, where several take registrations."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import OfficialKind, Round
from db.states import Phase
from hotline.rounds import phases
from tests import factories as make
from tests.ivr.scripts.registering import (
    DEPUTY,
    INTRODUCED,
    MAYOR,
    PATH,
    PERSON,
    REST,
    RIGHT,
    START,
    YES,
    offer,
    on_sqlite,
    registrations,
)
from tests.kit.fake_asterisk import FakeAsterisk


@on_sqlite
@pytest.mark.parametrize("phase", [None, Phase.CLOSED, Phase.OVER])
def test_caller_without_an_open_round_may_choose_again(
    asterisk: FakeAsterisk, engine: Engine, phase: Phase | None
):
    with writing(engine) as session:
        phases.get_operators_line(session)  # not a round that anybody registers for
        if phase:
            make.a_round(session, phase)

    heard = asterisk.dial(START, ("main-menu", "2"))

    assert heard.prompts[:6] == [*INTRODUCED[:3], "no-round-open", "main-menu", "follow-up-ask"]
    (kept,) = registrations(engine)
    with reading(engine) as session:
        assert session.get_one(Round, kept.round_id).is_operators_line, "for they say nothing more"


@on_sqlite
def test_when_a_round_is_announced_the_caller_hears_of_the_next(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        coming, later = (make.a_round(session, Phase.ANNOUNCED) for _ in range(2))
        later.registration_from += timedelta(minutes=1)
        coming.official.clip = "office-district-7"
        starts, opens = coming.starts_at, coming.registration_from

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[3:7] == ["next-round-when", "registration-opens", "main-menu", "report-category"]
    assert heard.said("next-round-when", office="office-district-7", day=starts, date=starts, time=starts)
    assert heard.said("registration-opens", day=opens, date=opens, time=opens)


KINDS = ["choose-kind", "choices", "kind-mayor", "kind-deputy", "kind-district"]


@on_sqlite
@pytest.mark.parametrize(("key", "which"), [("1", 0), ("2", 1), ("3", 2)])
def test_of_several_kinds_of_officials_the_caller_chooses_one(
    asterisk: FakeAsterisk, engine: Engine, key: str, which: int
):
    rounds_ = offer(engine, MAYOR, DEPUTY, 7)
    district = [("ask-district", "7#")] if key == "3" else []

    heard = asterisk.dial(START, ("after kind-district", key), *district, RIGHT, *REST)

    assert heard.prompts[3:8] == KINDS
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[which].id]


@on_sqlite
def test_what_is_not_open_is_not_offered_and_its_key_is_wrong(asterisk: FakeAsterisk, engine: Engine):
    rounds_ = offer(engine, MAYOR, 7)

    heard = asterisk.dial(START, ("choose-kind", "2"), ("after kind-district", "1"), RIGHT, *REST)

    assert heard.prompts[3:9] == [
        *("choose-kind", "wrong-key", "choose-kind", "choices", "kind-mayor", "kind-district"),
    ]
    assert heard.said("choices", count=2)
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[0].id]


@on_sqlite
@pytest.mark.parametrize("kind", [MAYOR, DEPUTY, 7])
def test_where_there_is_one_choice_nothing_is_asked(
    asterisk: FakeAsterisk, engine: Engine, kind: OfficialKind | int
):
    offer(engine, kind)

    assert asterisk.dial(*YES).prompts == PATH


@on_sqlite
def test_star_repeats_the_kinds_and_the_third_time_is_slower(asterisk: FakeAsterisk, engine: Engine):
    offer(engine, MAYOR, DEPUTY)

    heard = asterisk.dial(START, ("choose-kind", "*"), *[("choose-kind", "7")] * 2, ("choose-kind-slow", "9"))

    assert heard.prompts[3:] == [
        *("choose-kind", "choose-kind", "wrong-key", "choose-kind", "wrong-key", "choose-kind-slow"),
        *PERSON,
    ]


@on_sqlite
@pytest.mark.parametrize("district", range(1, 16))
def test_each_district_is_reached_by_its_number(asterisk: FakeAsterisk, engine: Engine, district: int):
    rounds_ = offer(engine, *range(1, 16))

    heard = asterisk.dial(START, ("ask-district", f"{district}#"), RIGHT, *REST)

    at = rounds_[district - 1].starts_at
    assert heard.prompts[3] == "ask-district", "there is no other kind to choose"
    assert heard.said("round-when", office=f"office-district-{district}", day=at, date=at, time=at)
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[district - 1].id]


@on_sqlite
@pytest.mark.parametrize(
    ("keyed", "answer"),
    [
        *(("16#", "district-invalid"), ("00#", "district-invalid"), ("999#", "district-invalid")),
        *(("9#", "district-not-open"), ("15", "district-not-open")),
    ],
)
def test_unknown_or_closed_district_is_asked_again(
    asterisk: FakeAsterisk, engine: Engine, keyed: str, answer: str
):
    rounds_ = offer(engine, 7, 8)

    heard = asterisk.dial(START, ("ask-district", keyed), ("ask-district", "08#"), RIGHT, *REST)

    assert heard.prompts[3:6] == ["ask-district", answer, "ask-district"]
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[1].id]


@on_sqlite
def test_three_districts_that_are_none_end_in_a_goodbye(asterisk: FakeAsterisk, engine: Engine):
    offer(engine, 7, 8)

    heard = asterisk.dial(START, *[("ask-district", "16#")] * 3)

    assert heard.prompts[3:] == [*["ask-district", "district-invalid"] * 3, "goodbye-how"]
    assert registrations(engine) == []


@on_sqlite
def test_star_within_a_district_begins_it_again(asterisk: FakeAsterisk, engine: Engine):
    rounds_ = offer(engine, 1, 2)

    heard = asterisk.dial(START, ("ask-district", "1*"), ("after ask-district", "2#"), RIGHT, *REST)

    assert heard.prompts[3:6] == ["ask-district", "ask-district", "round-when"]
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[1].id]


@on_sqlite
def test_of_several_deputies_the_caller_chooses_one(asterisk: FakeAsterisk, engine: Engine):
    offices = ["office-deputy-urban-planning", "office-deputy-urban-services"]
    rounds_ = offer(engine, DEPUTY, DEPUTY, MAYOR)
    with writing(engine) as session:
        for round_, office in zip(rounds_[:2], offices, strict=True):
            session.get_one(Round, round_.id).official.clip = office

    heard = asterisk.dial(START, ("choose-kind", "2"), ("after choose-item", "2"), RIGHT, *REST)

    assert [kept.round_id for kept in registrations(engine)] == [rounds_[1].id]
    assert heard.prompts[3:9] == [
        "choose-kind",
        "choose-round",
        "choices",
        *["choose-item"] * 2,
        "round-when",
    ]
    for key, office in enumerate(offices, start=1):
        assert heard.said("choose-item", office=office, key=key)


@on_sqlite
def test_third_wrong_deputy_ends_at_the_operators(asterisk: FakeAsterisk, engine: Engine):
    offer(engine, DEPUTY, DEPUTY)

    heard = asterisk.dial(START, *[("choose-round", key) for key in "34#"])

    assert heard.prompts[3:] == [
        *("choose-round", "wrong-key", "choose-round", "wrong-key", "choose-round"),
        *PERSON,
    ]
    with reading(engine) as session:
        assert [session.get_one(Round, r.round_id).is_operators_line for r in registrations(engine)] == [True]


@on_sqlite
@pytest.mark.parametrize(
    ("keys", "which"), [("3", 2), ("91", 3), ("99931", 9), ("99991", 0), ("43", 2)], ids=str
)
def test_more_than_four_rounds_are_offered_in_threes(
    asterisk: FakeAsterisk, engine: Engine, keys: str, which: int
):
    rounds_ = offer(engine, *[DEPUTY] * 10)

    heard = asterisk.dial(START, *[("after choose-others", key) for key in keys], RIGHT, *REST)

    at = heard.prompts.index("choose-round")
    assert heard.prompts[at:][:6] == ["choose-round", "choices", *["choose-item"] * 3, "choose-others"]
    assert heard.said("choices", count=4)
    assert heard.said("choose-others", key=9)
    assert ("wrong-key" in heard.prompts) == (keys in ("99931", "43")), "only what is said is taken"
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[which].id]
