"""Key 0: a person now, or on the line, or called back; reached from every question, joined once."""

import pytest
from sqlalchemy import Engine, select, update

from db.engine import reading, writing
from db.models import BlockReason, Confirmation, OfficialKind, Registration
from db.states import Phase, RegistrationState
from hotline.callbacks import claims, waiting_callers
from hotline.callbacks.waiting_callers import Outlook
from hotline.line import blocked
from hotline.rounds import phases
from settings import Settings
from tests import factories as make
from tests.ivr.scripts.registering import OTHER, OWN, on_sqlite, registrations
from tests.kit.fake_asterisk import CUT, HANG_UP, End, FakeAsterisk, transactions

START, CALL_ME, STAY = ("main-menu", "0"), ("operator-choice", "2"), ("operator-choice", "1")
PATH = ["greeting", "menu-english", "main-menu", "operator-busy", "ahead-none", "operator-choice"]
TOLD = ["operator-registered", "operator-other-number", "goodbye"]


def a_free_desk(engine: Engine) -> None:
    with writing(engine) as session:
        desk = make.a_desk(session)
        make.a_user(session, desk)
        desk.takes_live = True


# --- now, if there is one ---


def test_key_0_with_a_free_desk_stays_on_the_line(asterisk: FakeAsterisk, engine: Engine):
    a_free_desk(engine)
    heard = asterisk.dial(START)

    (kept,) = registrations(engine)
    assert (kept.number, kept.state, kept.subject) == (OWN, RegistrationState.WAITING, None)
    assert heard.prompts == ["greeting", "menu-english", "main-menu", "operator-now"]
    assert heard.variables["HOTLINE_STAYS"] == str(kept.id)
    assert heard.finished


def test_key_0_behind_another_caller_offers_the_choice(asterisk: FakeAsterisk, engine: Engine):
    a_free_desk(engine)
    with writing(engine) as session:
        make.a_registration(session, phases.get_operators_line(session))

    heard = asterisk.dial(START, STAY)

    assert heard.said("ahead-some", ahead=1)
    assert heard.variables["HOTLINE_STAYS"] == str(registrations(engine)[-1].id)
    assert heard.prompts[-1] == "operator-choice"


# --- on the line, or called back ---


def test_key_0_without_a_free_desk_lets_the_caller_wait(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial(START, STAY)

    assert heard.prompts == PATH
    assert heard.variables["HOTLINE_STAYS"] == str(registrations(engine)[0].id)
    assert heard.finished


@pytest.mark.parametrize("key", ["2", "#", ""])
def test_key_0_without_waiting_makes_a_callback(asterisk: FakeAsterisk, engine: Engine, key: str):
    heard = asterisk.dial(START, ("operator-choice", key))

    (kept,) = registrations(engine)
    assert heard.prompts == [*PATH, *(TOLD if key == "2" else [TOLD[0], TOLD[-1]])]
    assert heard.said("operator-registered", ticket=kept.ticket)
    assert "HOTLINE_STAYS" not in heard.variables
    assert heard.finished
    with writing(engine) as session:
        line = phases.get_operators_line(session)
        user = make.a_user(session, make.a_desk(session))
        callback = claims.claim(session, round_id=line.id, desk_id=user.desk_id or 0, user_id=user.id)
        assert callback and callback.registration_id == kept.id
        assert line.official.kind is OfficialKind.OPERATORS


def test_known_pace_is_told_before_the_choice(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    for minutes, prompt in ((7, "wait-minutes"), (1, "wait-minute")):
        outlook = Outlook(before_me=3, free=False, minutes=minutes)
        monkeypatch.setattr(waiting_callers, "forecast_for", lambda *_, outlook=outlook: outlook)
        heard = asterisk.dial(START, CALL_ME)
        assert heard.prompts[3:7] == ["operator-busy", "ahead-some", prompt, "operator-choice"]
    assert not heard.said("wait-minutes", minutes=7)


def test_who_is_in_it_already_keeps_the_place(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        before_me, own = make.some_registrations(session, phases.get_operators_line(session), 2)
        own.number = OWN

    heard = asterisk.dial(START, CALL_ME)

    assert heard.said("operator-registered", ticket=own.ticket)
    assert heard.said("ahead-some", ahead=1)
    assert [kept.id for kept in registrations(engine)] == [before_me.id, own.id]


def test_who_calls_twenty_times_at_once_joins_once(asterisk: FakeAsterisk, engine: Engine):
    calls = make.at_once(20, lambda _: asterisk.dial(START, CALL_ME))

    (kept,) = registrations(engine)
    assert all(heard.said("operator-registered", ticket=kept.ticket) for heard in calls)


@on_sqlite
def test_key_0_within_the_operators_question_joins_once(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial(START, *[("operator-choice", "0")] * 3)

    assert heard.prompts.count("operator-choice") == 3
    assert "wrong-key" not in heard.prompts
    assert heard.prompts[-2:] == ["operator-registered", "goodbye"]
    assert heard.finished
    assert len(registrations(engine)) == 1


@on_sqlite
def test_another_number_may_be_called_once_its_owner_agrees(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial(
        *(START, CALL_ME, ("operator-other-number", "1")),
        *(("ask-number", "09137654321#"), ("confirm-number", "1")),
    )

    assert heard.prompts[len(PATH) :] == [
        *("operator-registered", "operator-other-number", "ask-number", "confirm-number"),
        *("change-number-asked", "goodbye"),
    ]
    (kept,) = registrations(engine)
    assert (kept.number, kept.state) == (OWN, RegistrationState.WAITING)
    with reading(engine) as session:
        (asked,) = session.scalars(select(Confirmation).where(Confirmation.decided_at.is_(None)))
        assert (asked.number, asked.registration_id) == (OTHER, kept.id)


@on_sqlite
def test_place_just_taken_by_a_desk_ends_without_a_promise(asterisk: FakeAsterisk, engine: Engine):
    def is_taken() -> None:
        with writing(engine) as session:
            session.scalars(select(Registration)).one().state = RegistrationState.CALLING

    heard = asterisk.dial(
        *(START, CALL_ME, ("operator-other-number", "1"), ("ask-number", "09137654321#")),
        *(("confirm-number", is_taken), ("confirm-number", "1")),
    )

    assert heard.prompts[-2:] == ["confirm-number", "goodbye"]
    assert heard.finished


def test_withheld_caller_keys_in_a_number_to_be_confirmed(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial(START, ("ask-number", "09137654321#"), ("confirm-number", "1"), caller_id="")

    assert heard.prompts == [
        *(*PATH[:3], "ask-number", "confirm-number", "number-will-be-confirmed", "goodbye"),
    ]
    (kept,) = registrations(engine)
    assert (kept.number, kept.state) == (OTHER, RegistrationState.UNCONFIRMED)
    with reading(engine) as session:
        assert session.scalars(select(Confirmation.registration_id)).all() == [kept.id]


@on_sqlite
def test_stranger_who_keys_in_a_number_learns_nothing(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        make.a_registration(session, phases.get_operators_line(session), number=OTHER)

    heard = asterisk.dial(START, ("ask-number", "09137654321#"), ("confirm-number", "1"), caller_id="")

    assert heard.prompts[-2:] == ["number-will-be-confirmed", "goodbye"]
    assert "operator-registered" not in heard.prompts
    assert [kept.state for kept in registrations(engine)] == [RegistrationState.WAITING]


@on_sqlite
def test_the_limit_of_a_day_holds_here_too(asterisk: FakeAsterisk, engine: Engine, settings: Settings):
    with writing(engine) as session:
        for _ in range(settings.registrations_per_day):
            make.a_registration(session, make.a_round(session), number=OWN)  # bars nobody from an operator

    assert asterisk.dial(START).prompts[: len(PATH)] == PATH

    with writing(engine) as session:
        line = phases.get_operators_line(session)
        session.execute(
            update(Registration)
            .where(Registration.round_id == line.id)
            .values(state=RegistrationState.REACHED)
        )
        for _ in range(settings.registrations_per_day - 1):
            make.a_registration(session, line, number=OWN, state=RegistrationState.REACHED)

    heard = asterisk.dial(START)

    assert heard.prompts == [*PATH[:3], "too-many-today", "goodbye"]


@on_sqlite
def test_a_blocked_number_that_is_keyed_in_is_left_in_peace(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        blocked.block(session, OTHER, BlockReason.OWNER)

    heard = asterisk.dial(START, ("ask-number", "09137654321#"), ("confirm-number", "1"), caller_id="")

    assert heard.prompts[-2:] == ["number-will-be-confirmed", "goodbye"]
    assert registrations(engine) == []


@on_sqlite
@pytest.mark.parametrize("moment", PATH[3:])
def test_restarted_script_offers_the_choice_with_the_place(
    asterisk: FakeAsterisk, engine: Engine, moment: str
):
    asterisk.dial(START, (moment, CUT), channel_id="17.1")
    heard = asterisk.dial(STAY, channel_id="17.1", again="fa")

    (kept,) = registrations(engine)
    assert heard.prompts == PATH[3:]
    assert heard.variables["HOTLINE_STAYS"] == str(kept.id)


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
        (MENU_1, ("choose-kind", "1"), ("confirm-number", "1"), ("ask-subject", "0")),
        (MENU_1, ("choose-kind", "1"), ("confirm-number", "1"), SUBJECT, ("message-offer", "0")),
        (MENU_1, ("choose-kind", "1"), ("confirm-number", "1"), SUBJECT, OFFERED, ("message-review", "0")),
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

    heard = asterisk.dial(*steps, ("operator-choice", "#"))

    assert heard.prompts[-2:] == ["operator-registered", "goodbye"]
    assert heard.finished


@on_sqlite
@pytest.mark.parametrize(
    "steps", [(("follow-up-menu", "0"),), (("follow-up-menu", "2"), ("cancel-confirm", "0"))]
)
def test_key_0_leads_here_from_the_owners_questions_too(asterisk: FakeAsterisk, engine: Engine, steps: tuple):
    with writing(engine) as session:
        make.a_registration(session, make.a_round(session), number=OWN)

    heard = asterisk.dial(FOLLOWS, *steps, ("operator-choice", "#"))

    assert heard.prompts[-2:] == ["operator-registered", "goodbye"]
    assert [kept.state for kept in registrations(engine)] == [RegistrationState.WAITING] * 2


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("place", range(3, len(PATH + TOLD)))
def test_who_hangs_up_has_the_place_from_the_0_on(
    asterisk: FakeAsterisk, engine: Engine, place: int, how: End
):
    moment = (PATH + TOLD)[place]
    before = [step for step in (START, CALL_ME) if step[0] in (PATH + TOLD)[:place]]

    heard = asterisk.dial(*before, (moment, how))

    assert heard.prompts == (PATH + TOLD)[: place + 1]
    assert not heard.finished
    assert len(registrations(engine)) == 1


@pytest.mark.parametrize("first", [True, False])
def test_key_0_takes_three_transactions_and_none_while_speaking(
    asterisk: FakeAsterisk, engine: Engine, first: bool
):
    if not first:
        with writing(engine) as session:
            phases.get_operators_line(session)
    begun = transactions(engine)
    in_use: set[int] = set()

    asterisk.dial(START, CALL_ME, every_clip=lambda: in_use.add(engine.pool.checkedout()))

    assert len(begun) <= 3
    assert in_use == {0}
