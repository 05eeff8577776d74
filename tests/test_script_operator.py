"""Key 0: an operator calls back; reached from every question, joined once."""

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import BlockReason, Confirmation, OfficialKind, Registration
from db.states import Phase, RegistrationState
from hotline import blocked, callbacks, rounds
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, End, FakeAsterisk, transactions

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])

OWN, OTHER = "+989131234567", "+989137654321"
START, AGREES, RIGHT = ("main-menu", "0"), ("operator-offer", "1"), ("confirm-number", "1")
PATH = ["greeting", "main-menu", "operator-offer", "confirm-number"]
TOLD = ["operator-registered", "ahead-none", "goodbye"]


def registrations(engine: Engine) -> list[Registration]:
    with reading(engine) as session:
        return list(session.scalars(select(Registration).order_by(Registration.id)))


def test_a_citizen_joins_the_operators_line_and_is_called_back_like_all_others(
    asterisk: FakeAsterisk, engine: Engine
):
    heard = asterisk.dial(START, AGREES, RIGHT)

    (kept,) = registrations(engine)
    assert (kept.number, kept.state, kept.subject) == (OWN, RegistrationState.WAITING, None)
    assert heard.prompts == PATH + TOLD
    assert heard.said("operator-registered", ticket=kept.ticket)
    assert heard.finished
    with writing(engine) as session:
        line = rounds.standing_line(session)
        user = make.a_user(session, make.a_desk(session))
        callback = callbacks.claim(session, round_id=line.id, desk_id=user.desk_id or 0, user_id=user.id)
        assert callback and callback.registration_id == kept.id
        assert line.official.kind is OfficialKind.OPERATORS


def test_who_is_in_it_already_keeps_the_place(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        ahead, own = make.some_registrations(session, rounds.standing_line(session), 2)
        own.number = OWN

    heard = asterisk.dial(START, AGREES, RIGHT)

    assert heard.said("operator-registered", ticket=own.ticket)
    assert heard.said("ahead-some", ahead=1)
    assert [kept.id for kept in registrations(engine)] == [ahead.id, own.id]


def test_who_calls_twenty_times_at_once_joins_once(asterisk: FakeAsterisk, engine: Engine):
    calls = make.at_once(20, lambda _: asterisk.dial(START, AGREES, RIGHT))

    (kept,) = registrations(engine)
    assert all(heard.said("operator-registered", ticket=kept.ticket) for heard in calls)


@on_sqlite
@pytest.mark.parametrize("key", ["#"])
def test_who_does_not_agree_joins_nothing(asterisk: FakeAsterisk, engine: Engine, key: str):
    heard = asterisk.dial(START, ("operator-offer", key))

    assert heard.prompts == [*PATH[:3], "goodbye"]
    assert registrations(engine) == []


@on_sqlite
def test_a_0_in_the_operators_own_question_is_a_wrong_key_and_leads_in_no_circle(
    asterisk: FakeAsterisk, engine: Engine
):
    heard = asterisk.dial(START, *[("operator-offer", "0")] * 3)

    assert heard.prompts[2:] == [
        *("operator-offer", "wrong-key", "operator-offer", "wrong-key", "operator-offer", "goodbye-how"),
    ]
    assert heard.finished
    assert registrations(engine) == []


@on_sqlite
def test_another_number_may_be_called(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial(
        START, AGREES, ("confirm-number", "2"), ("ask-number", "09137654321#"), ("confirm-number", "1")
    )

    assert heard.prompts == [*PATH, "ask-number", "confirm-number", *TOLD]
    assert [(kept.number, kept.state) for kept in registrations(engine)] == [
        (OTHER, RegistrationState.WAITING)
    ]


def test_who_gives_no_number_keys_one_in_and_is_called_to_confirm_it(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial(START, AGREES, ("ask-number", "09137654321#"), RIGHT, caller_id="")

    assert heard.prompts == [
        *(*PATH[:3], "ask-number", "confirm-number"),
        *(*TOLD[:2], "number-will-be-confirmed", "goodbye"),
    ]
    (kept,) = registrations(engine)
    assert (kept.number, kept.state) == (OTHER, RegistrationState.UNCONFIRMED)
    with reading(engine) as session:
        assert session.scalars(select(Confirmation.registration_id)).all() == [kept.id]


@on_sqlite
def test_a_stranger_who_keys_in_a_number_that_is_in_it_learns_nothing_of_it(
    asterisk: FakeAsterisk, engine: Engine
):
    with writing(engine) as session:
        make.a_registration(session, rounds.standing_line(session), number=OTHER)

    heard = asterisk.dial(START, AGREES, ("ask-number", "09137654321#"), RIGHT, caller_id="")

    assert heard.prompts[-2:] == ["number-will-be-confirmed", "goodbye"]
    assert "operator-registered" not in heard.prompts
    assert [kept.state for kept in registrations(engine)] == [RegistrationState.WAITING]


@on_sqlite
def test_the_limit_of_a_day_holds_here_too(asterisk: FakeAsterisk, engine: Engine, settings: Settings):
    with writing(engine) as session:
        for _ in range(settings.registrations_per_day):
            make.a_registration(session, make.a_round(session), number=OWN)

    heard = asterisk.dial(START, AGREES, RIGHT)

    assert heard.prompts == [*PATH, "too-many-today", "goodbye"]


@on_sqlite
def test_a_blocked_number_that_is_keyed_in_is_refused(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        blocked.block(session, OTHER, BlockReason.OWNER)

    heard = asterisk.dial(START, AGREES, ("ask-number", "09137654321#"), RIGHT, caller_id="")

    assert heard.prompts[-2:] == ["blocked-owner", "goodbye"]
    assert registrations(engine) == []


MENU_1 = ("main-menu", "1")
OTHER_NUMBER = ("confirm-number", "2")
SUBJECT = ("ask-subject", "1")
OFFERED = ("message-offer", "1")
FOLLOWS = ("main-menu", "2")


@on_sqlite
@pytest.mark.parametrize(
    "steps",
    [
        (MENU_1, ("choose-kind", "0")),
        (MENU_1, ("choose-kind", "2"), ("choose-round", "0")),
        (MENU_1, ("choose-kind", "3"), ("ask-district", "0#")),
        (MENU_1, ("choose-kind", "1"), ("round-when", "0")),
        (MENU_1, ("choose-kind", "1"), ("confirm-number", "0")),
        (MENU_1, ("choose-kind", "1"), OTHER_NUMBER, ("ask-number", "0#")),
        (MENU_1, ("choose-kind", "1"), OTHER_NUMBER, ("ask-number", "0")),
        (MENU_1, ("choose-kind", "1"), RIGHT, ("ask-subject", "0")),
        (MENU_1, ("choose-kind", "1"), RIGHT, SUBJECT, ("message-offer", "0")),
        (MENU_1, ("choose-kind", "1"), RIGHT, SUBJECT, OFFERED, ("message-review", "0")),
        (FOLLOWS, ("follow-up-ask", "0#")),
        (("main-menu", "3"), ("report-category", "0")),
        (("main-menu", "9"), ("main-menu", "0")),
        (("greeting", "0"),),
        (("no-key-again", "0"),),
    ],
)
def test_key_0_leads_here_from_every_question(asterisk: FakeAsterisk, engine: Engine, steps: tuple):
    with writing(engine) as session:
        for kind, district in [("mayor", None), ("deputy", None), ("deputy", None)] + [
            ("district_manager", n) for n in (7, 8)
        ]:
            official = make.a_round(session, Phase.OPEN).official
            official.kind, official.district = OfficialKind(kind), district

    heard = asterisk.dial(*steps, ("operator-offer", "#"))

    assert heard.prompts[-2:] == ["operator-offer", "goodbye"]
    assert heard.finished


@on_sqlite
@pytest.mark.parametrize(
    "steps", [(("follow-up-menu", "0"),), (("follow-up-menu", "2"), ("cancel-confirm", "0"))]
)
def test_key_0_leads_here_from_the_owners_questions_too(asterisk: FakeAsterisk, engine: Engine, steps: tuple):
    with writing(engine) as session:
        make.a_registration(session, make.a_round(session), number=OWN)

    heard = asterisk.dial(FOLLOWS, *steps, ("operator-offer", "#"))

    assert heard.prompts[-2:] == ["operator-offer", "goodbye"]
    assert [kept.state for kept in registrations(engine)] == [RegistrationState.WAITING]


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("place", range(2, len(PATH + TOLD)))
def test_who_hangs_up_has_joined_wholly_or_not_at_all(
    asterisk: FakeAsterisk, engine: Engine, place: int, how: End
):
    moment = (PATH + TOLD)[place]
    before = [step for step in (START, AGREES, RIGHT) if step[0] in (PATH + TOLD)[:place]]

    heard = asterisk.dial(*before, (moment, how))

    assert heard.prompts == (PATH + TOLD)[: place + 1]
    assert not heard.finished
    assert len(registrations(engine)) == (1 if moment in TOLD else 0)


@pytest.mark.parametrize("first", [True, False])
def test_it_costs_at_most_three_transactions_and_none_while_anybody_speaks(
    asterisk: FakeAsterisk, engine: Engine, first: bool
):
    if not first:
        with writing(engine) as session:
            rounds.standing_line(session)
    begun = transactions(engine)
    in_use: set[int] = set()

    asterisk.dial(START, AGREES, RIGHT, every_clip=lambda: in_use.add(engine.pool.checkedout()))

    assert len(begun) <= 3
    assert in_use == {0}
