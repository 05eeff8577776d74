"""Key 1: registering for a round: nothing or a whole registration, and kept before it is told."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select, update
from sqlalchemy.exc import OperationalError

from db.engine import connect, now, reading, writing
from db.models import Event, Registration, Round
from db.states import Phase, RegistrationState
from hotline import tickets
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, Anybody, Deed, End, FakeAsterisk, Heard, answering

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
"""For what is said and keyed in; what is kept is shown on both databases."""

OWN = "+989131234567"
OTHER = "+989137654321"
PATH = ["greeting", "main-menu", "round-single", "confirm-number"]
TOLD = ["registered", "ticket-again", "ahead-none", "will-call", "goodbye"]
YES = [("main-menu", "1"), ("confirm-number", "1")]


@pytest.fixture
def asterisk(settings: Settings, engine: Engine) -> Iterator[FakeAsterisk]:
    with answering(settings, engine) as asterisk:
        yield asterisk


@pytest.fixture
def round_id(engine: Engine) -> int:
    """The one round that takes registrations, the mayor's."""
    with writing(engine) as session:
        return make.a_round(session, Phase.OPEN).id


def registrations(engine: Engine) -> list[Registration]:
    with reading(engine) as session:
        return list(session.scalars(select(Registration).order_by(Registration.id)))


def take_away(engine: Engine) -> Callable[[], None]:
    """From now on the database cannot be reached; what gives it back."""

    def refuse(_connection: object) -> None:
        raise OperationalError("BEGIN", {}, Exception("the database is away"))

    event.listen(engine, "begin", refuse)
    return lambda: event.remove(engine, "begin", refuse)


# --- the path ---


def test_a_citizen_registers_with_two_keys(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(("after main-menu", "1"), ("after confirm-number", "1"))

    (kept,) = registrations(engine)
    assert (kept.round_id, kept.number, kept.state) == (round_id, OWN, RegistrationState.WAITING)
    assert tickets.parse(kept.ticket) == kept.ticket
    assert heard.prompts == PATH + TOLD
    assert heard.said("round-single", office="office-mayor")
    assert heard.said("confirm-number", number="09131234567")
    assert heard.said("registered", ticket=kept.ticket)
    assert heard.said("ticket-again", ticket=kept.ticket)
    assert heard.finished


def test_a_citizen_hears_how_many_are_ahead(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    with writing(engine) as session:
        make.some_registrations(session, session.get_one(Round, round_id), 21)

    heard = asterisk.dial(*YES)

    assert heard.said("ahead-some", ahead=21)


def test_who_is_registered_already_hears_the_ticket_and_the_place_again(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    with writing(engine) as session:
        round_ = session.get_one(Round, round_id)
        ahead, own = make.some_registrations(session, round_, 2)
        own.number = OWN

    heard = asterisk.dial(*YES)

    assert [kept.id for kept in registrations(engine)] == [ahead.id, own.id]
    assert heard.prompts == [
        *PATH,
        *("already-registered", "ticket-again", "ahead-some", "will-call", "goodbye"),
    ]
    assert heard.said("already-registered", ticket=own.ticket)
    assert heard.said("ahead-some", ahead=1)


@on_sqlite
def test_one_who_pressed_ahead_of_the_prompts_is_registered_too(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(("greeting", "1"), ("round-single", "1"))

    assert heard.prompts == ["greeting", "round-single", *TOLD]
    assert len(registrations(engine)) == 1


# --- for whom ---


@on_sqlite
@pytest.mark.parametrize("phase", [None, Phase.PLANNED, Phase.CLOSED, Phase.OVER])
def test_when_no_round_is_open_the_caller_is_told_so(
    asterisk: FakeAsterisk, engine: Engine, phase: Phase | None
):
    if phase:
        with writing(engine) as session:
            make.a_round(session, phase)

    heard = asterisk.dial(("main-menu", "1"))

    assert heard.prompts == ["greeting", "main-menu", "no-round-open", "goodbye"]
    assert heard.finished
    assert registrations(engine) == []


@on_sqlite
def test_of_several_rounds_the_caller_chooses_one(asterisk: FakeAsterisk, engine: Engine):
    offices = ["office-mayor", "office-deputy-urban-services", "office-district-7"]
    with writing(engine) as session:
        rounds = [make.a_round(session, Phase.OPEN) for _ in offices]
        for round_, office in zip(rounds, offices, strict=True):
            round_.official.clip = office

    heard = asterisk.dial(("main-menu", "1"), ("after choose-item", "2"), ("confirm-number", "1"))

    assert [kept.round_id for kept in registrations(engine)] == [rounds[1].id]
    assert heard.prompts[2:7] == ["choose-round", *["choose-item"] * 3, "confirm-number"]
    for key, office in enumerate(offices, start=1):
        assert heard.said("choose-item", office=office, key=key)


@on_sqlite
def test_a_choice_that_is_not_offered_is_wrong_and_three_end_the_call(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        for _ in range(2):
            make.a_round(session, Phase.OPEN)
    mistakes = [("choose-round", key) for key in "309"]

    heard = asterisk.dial(("main-menu", "1"), *mistakes)

    assert heard.prompts[2:] == [
        *("choose-round", "wrong-key", "choose-round", "wrong-key", "choose-round"),
        "goodbye-no-input",
    ]
    assert registrations(engine) == []


@on_sqlite
def test_of_more_rounds_than_keys_the_soonest_nine_are_offered(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        ids = [make.a_round(session, Phase.OPEN).id for _ in range(10)]

    heard = asterisk.dial(("main-menu", "1"), ("after choose-item", "9"), ("confirm-number", "1"))

    assert heard.prompts.count("choose-item") == 9
    assert [kept.round_id for kept in registrations(engine)] == [ids[8]]


# --- the number to call back ---


@on_sqlite
@pytest.mark.parametrize(
    "caller_id", ["+989131234567", "00989131234567", "989131234567", "9131234567", "۰۹۱۳۱۲۳۴۵۶۷"]
)
def test_the_network_may_write_the_number_as_it_likes(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, caller_id: str
):
    asterisk.dial(*YES, caller_id=caller_id)

    assert [kept.number for kept in registrations(engine)] == [OWN]


@on_sqlite
@pytest.mark.parametrize(
    "caller_id",
    [
        *("", "unknown", "anonymous", "137", "0", "+", "a\tb\"c';--", "\udcff", "09" * 500),
        *("+4930123456", "+5371234567", "+98901", "+982122334455", "0098 21 88"),
    ],
)
def test_whose_number_is_not_known_or_may_not_be_called_is_asked_for_one(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, caller_id: str
):
    heard = asterisk.dial(
        ("main-menu", "1"), ("ask-number", "09137654321#"), ("confirm-number", "1"), caller_id=caller_id
    )

    assert heard.prompts == [*PATH[:3], "ask-number", "confirm-number", *TOLD]
    assert [kept.number for kept in registrations(engine)] == [OTHER]


@on_sqlite
@pytest.mark.parametrize(
    ("keyed", "number"),
    [
        ("09137654321#", OTHER),
        ("09137654321", OTHER),  # no # but a pause
        ("9137654321#", OTHER),
        ("00989137654321#", OTHER),
        ("32212345#", "+983132212345"),
        ("03132212345#", "+983132212345"),
    ],
)
def test_key_2_is_for_another_number(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, keyed: str, number: str
):
    heard = asterisk.dial(
        ("main-menu", "1"), ("confirm-number", "2"), ("ask-number", keyed), ("after confirm-number", "1")
    )

    assert heard.prompts == [*PATH, "ask-number", "confirm-number", *TOLD]
    assert heard.said("confirm-number", number="0" + number[3:])
    assert [kept.number for kept in registrations(engine)] == [number]


@on_sqlite
def test_an_entry_without_end_is_over_after_the_longest_number(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    entries = [("ask-number", "1" * 15), ("ask-number", "09137654321#")]

    heard = asterisk.dial(("main-menu", "1"), *entries, ("confirm-number", "1"), caller_id="unknown")

    assert heard.prompts[3:7] == ["ask-number", "number-invalid", "ask-number", "confirm-number"]
    assert [kept.number for kept in registrations(engine)] == [OTHER]


@on_sqlite
@pytest.mark.parametrize("keyed", ["1#", "00000000000#", "02122334455#", "004930123456#", "137#"])
def test_three_numbers_that_are_none_end_in_a_goodbye(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, keyed: str
):
    heard = asterisk.dial(("main-menu", "1"), *[("ask-number", keyed)] * 3, caller_id="unknown")

    assert heard.prompts == [*PATH[:3], *["ask-number", "number-invalid"] * 3, "goodbye-no-input"]
    assert heard.finished
    assert registrations(engine) == []


@on_sqlite
@pytest.mark.parametrize("keyed", ["", "#"])
def test_who_keys_in_nothing_is_asked_twice_more(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, keyed: str
):
    heard = asterisk.dial(("main-menu", "1"), *[("after ask-number", keyed)] * 3, caller_id="unknown")

    again = ["no-key-again", "ask-number"]
    assert heard.prompts == [*PATH[:3], "ask-number", *again, *again, "goodbye-no-input"]
    assert registrations(engine) == []


@on_sqlite
def test_who_never_confirms_a_number_is_not_registered(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    another = [("confirm-number", "2"), ("ask-number", "09137654321#")]

    heard = asterisk.dial(("main-menu", "1"), *another, *another, ("confirm-number", "2"))

    assert heard.prompts[-2:] == ["confirm-number", "goodbye-no-input"]
    assert heard.finished
    assert registrations(engine) == []


@on_sqlite
def test_who_says_neither_yes_nor_no_is_asked_twice_more(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(("main-menu", "1"), ("confirm-number", "3"))

    assert heard.prompts[3:] == [
        *("confirm-number", "wrong-key", "confirm-number", "no-key-again", "confirm-number"),
        "goodbye-no-input",
    ]
    assert registrations(engine) == []


@on_sqlite
def test_star_repeats_the_number(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(("main-menu", "1"), ("confirm-number", "*"), ("after confirm-number", "1"))

    assert heard.prompts == [*PATH, "confirm-number", *TOLD]
    assert heard.said("confirm-number", number="09131234567")


# --- all or nothing ---


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("place", range(len(PATH + TOLD)))
def test_who_hangs_up_is_registered_wholly_or_not_at_all(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, place: int, how: End
):
    moment = (PATH + TOLD)[place]
    before = [step for step in YES if step[0] in (PATH + TOLD)[:place]]

    heard = asterisk.dial(*before, (moment, how))

    assert heard.prompts == (PATH + TOLD)[: place + 1]
    assert not heard.finished
    kept = registrations(engine)
    assert len(kept) == (0 if moment in PATH else 1)
    with reading(engine) as session:
        told = session.scalars(select(Event.registration_id).where(Event.kind == "registration")).all()
    assert told == [registration.id for registration in kept]


def test_the_ticket_is_kept_before_it_is_spoken(
    asterisk: FakeAsterisk, engine: Engine, database: str, round_id: int
):
    kept: list[str] = []

    def look() -> None:
        stranger = connect(database)
        kept.extend(registration.ticket for registration in registrations(stranger))
        stranger.dispose()

    heard = asterisk.dial(*YES, ("registered", look))

    assert len(kept) == 1
    assert heard.said("registered", ticket=kept[0])


def test_a_round_that_closes_during_the_call_is_said_to_be_closed(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    def close() -> None:
        with writing(engine) as session:
            until = now(session) - timedelta(seconds=1)
            session.execute(update(Round).values(registration_until=until))

    heard = asterisk.dial(("main-menu", "1"), ("confirm-number", close), ("after confirm-number", "1"))

    assert heard.prompts == [*PATH, "closed-meanwhile", "goodbye"]
    assert heard.finished
    assert registrations(engine) == []


@on_sqlite
def test_a_round_that_is_no_more_ends_in_the_apology_of_the_dialplan(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    def remove() -> None:
        with writing(engine) as session:
            session.delete(session.get_one(Round, round_id))

    heard = asterisk.dial(("main-menu", "1"), ("confirm-number", remove), ("after confirm-number", "1"))

    assert heard.prompts == PATH
    assert not heard.finished


def test_a_call_takes_at_most_three_transactions_and_none_while_it_speaks(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    begun: list[str] = []
    in_use_while_speaking: set[int] = set()
    event.listen(engine, "begin", lambda _: begun.append("transaction"))

    heard = asterisk.dial(*YES, every_clip=lambda: in_use_while_speaking.add(engine.pool.checkedout()))

    assert heard.prompts == PATH + TOLD
    assert 1 <= len(begun) <= 3
    assert in_use_while_speaking == {0}


@pytest.mark.parametrize("moment", ["main-menu", "confirm-number"])
def test_when_the_database_is_away_the_dialplan_apologises_and_the_next_call_is_served(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, caplog: pytest.LogCaptureFixture, moment: str
):
    give_back: list[Callable[[], None]] = []
    before = [step for step in YES if step[0] != moment][: PATH.index(moment) // 2]

    heard = asterisk.dial(
        *before, (moment, lambda: give_back.append(take_away(engine))), (f"after {moment}", "1")
    )
    give_back[0]()

    assert heard.prompts[-1] == moment
    assert not heard.finished
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]
    assert registrations(engine) == []
    assert asterisk.dial(*YES).finished
    assert len(registrations(engine)) == 1


def test_a_hundred_calls_at_once_all_end_well(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    def register(which: int) -> Heard:
        return asterisk.dial(*YES, caller_id=f"0913{which:07}")

    calls = make.at_once(100, register)

    kept = {registration.number: registration.ticket for registration in registrations(engine)}
    assert len(kept) == len(set(kept.values())) == 100
    for which, heard in enumerate(calls):
        assert heard.finished
        assert heard.said("registered", ticket=kept[f"+98913{which:07}"])


def test_one_number_that_calls_twenty_times_at_once_gets_one_place(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    calls = make.at_once(20, lambda _: asterisk.dial(*YES))

    (kept,) = registrations(engine)
    assert all(heard.finished and heard.said("ticket-again", ticket=kept.ticket) for heard in calls)
    assert [heard.prompts[4] for heard in calls].count("registered") == 1


# --- the log ---


def test_no_log_line_names_a_number_even_when_the_database_fails(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    asterisk.dial(
        ("main-menu", "1"), ("confirm-number", "2"), ("ask-number", "09137654321#"), ("confirm-number", "1")
    )
    with writing(engine) as session:
        session.execute(update(Registration).values(ticket="0"))
        session.connection().exec_driver_sql("ALTER TABLE events RENAME TO no_events")

    failed = asterisk.dial(*YES)

    assert not failed.finished
    assert any(record.exc_info for record in caplog.records)
    assert "9131234567" not in caplog.text
    assert "9137654321" not in caplog.text


# --- anything at all ---


DEEDS = st.lists(
    st.none()
    | st.sampled_from(["1", "1", "1", "2", "*", "#", "9", "09137654321#", "1#", HANG_UP, CUT])
    | st.text("0123456789*#", max_size=12),
    max_size=14,
)


@on_sqlite
@hypothesis(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS, choices=st.integers(0, 2))
def test_whatever_a_caller_does_the_call_ends_and_nothing_is_half_done(
    asterisk: FakeAsterisk,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    deeds: list[Deed | None],
    choices: int,
):
    with writing(engine) as session:
        session.execute(update(Round).values(ended_at=now(session)))
        for _ in range(choices):
            make.a_round(session, Phase.OPEN)
    before = len(registrations(engine))
    caplog.clear()
    caller = Anybody([None, "1", *deeds])

    heard = asterisk.call(caller, caller_id=make.a_number())

    assert heard.finished is not caller.gone
    assert [record for record in caplog.records if record.exc_info] == []
    assert len(registrations(engine)) - before == heard.prompts.count("registered") <= 1
