"""Key 1: nothing or a whole registration, whoever hangs up and whatever fails."""

import logging
from collections.abc import Callable
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
from tests import factories as make
from tests.ivr.scripts.registering import (
    BEFORE_THE_PLACE,
    NO_MESSAGE,
    PATH,
    REST,
    RIGHT,
    START,
    YES,
    on_sqlite,
    registrations,
)
from tests.kit.fake_asterisk import CUT, HANG_UP, Anybody, Deed, End, FakeAsterisk, Heard, Steps


def take_away(engine: Engine) -> Callable[[], None]:
    """From now on the database cannot be reached; what gives it back."""

    def refuse(_connection: object) -> None:
        raise OperationalError("BEGIN", {}, Exception("the database is away"))

    event.listen(engine, "begin", refuse)
    return lambda: event.remove(engine, "begin", refuse)


# --- all or nothing ---


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("place", range(len(PATH)))
def test_who_hangs_up_is_registered_wholly_or_not_at_all(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, place: int, how: End
):
    moment = PATH[place]
    before = [step for step in YES if step[0] in PATH[:place]]

    heard = asterisk.dial(*before, (moment, how))

    assert heard.prompts == PATH[: place + 1]
    assert not heard.finished
    kept = registrations(engine)
    assert len(kept) == (0 if moment in BEFORE_THE_PLACE else 1)
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

    heard = asterisk.dial(START, RIGHT, ("registered", look), *REST)

    assert len(kept) == 1
    assert heard.said("registered", ticket=kept[0])


def test_round_closed_during_the_call_is_announced(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    def close() -> None:
        with writing(engine) as session:
            until = now(session) - timedelta(seconds=1)
            session.execute(update(Round).values(registration_until=until))

    heard = asterisk.dial(START, ("confirm-number", close), ("after confirm-number", "1"))

    assert heard.prompts == [*BEFORE_THE_PLACE, "closed-meanwhile", "goodbye"]
    assert heard.finished
    assert registrations(engine) == []


@on_sqlite
def test_round_removed_during_the_call_ends_in_the_apology(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    def remove() -> None:
        with writing(engine) as session:
            session.delete(session.get_one(Round, round_id))

    heard = asterisk.dial(START, ("confirm-number", remove), ("after confirm-number", "1"))

    assert heard.prompts == BEFORE_THE_PLACE
    assert not heard.finished


def test_registration_takes_three_transactions_at_most(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    begun: list[str] = []
    in_use_while_speaking: set[int] = set()
    event.listen(engine, "begin", lambda _: begun.append("transaction"))

    heard = asterisk.dial(*YES, every_clip=lambda: in_use_while_speaking.add(engine.pool.checkedout()))

    assert heard.prompts == PATH
    assert 1 <= len(begun) <= 3
    assert in_use_while_speaking == {0}


def test_absent_database_apologises_and_spares_the_next_call(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, caplog: pytest.LogCaptureFixture
):
    give_back: list[Callable[[], None]] = []

    heard = asterisk.dial(
        *(START, ("confirm-number", lambda: give_back.append(take_away(engine)))),
        ("after confirm-number", "1"),
    )
    give_back[0]()

    assert heard.prompts[-1] == "confirm-number"
    assert not heard.finished
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert registrations(engine) == []
    assert asterisk.dial(*YES).finished
    assert len(registrations(engine)) == 1


def test_database_lost_after_the_place_keeps_the_ticket(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    give_back: list[Callable[[], None]] = []
    away = ("ask-subject", lambda: give_back.append(take_away(engine)))
    adds = [("after subject-others", "1"), NO_MESSAGE]

    heard = asterisk.dial(START, RIGHT, away, *adds, channel_id="1.7")
    give_back[0]()
    again = asterisk.dial(*REST, channel_id="1.7", again="fa")

    (kept,) = registrations(engine)
    assert not heard.finished, "what was added is not kept"
    assert again.said("registered", ticket=kept.ticket)
    assert (kept.state, kept.subject) == (RegistrationState.WAITING, 1)


def test_a_hundred_calls_at_once_all_end_well(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    def register(which: int) -> Heard:
        return asterisk.dial(*YES, caller_id=f"0913{which:07}")

    calls = make.at_once(100, register)

    kept = {registration.number: registration.ticket for registration in registrations(engine)}
    assert len(kept) == len(set(kept.values())) == 100
    for which, heard in enumerate(calls):
        assert heard.finished
        assert heard.said("registered", ticket=kept[f"+98913{which:07}"])


def test_twenty_simultaneous_calls_of_a_number_give_one_place(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    calls = make.at_once(20, lambda _: asterisk.call(Steps(*YES)))

    (kept,) = registrations(engine)
    assert all(heard.finished and heard.said("ticket-again", ticket=kept.ticket) for heard in calls)
    assert sum("registered" in heard.prompts for heard in calls) == 1


# --- the log ---


def test_no_log_line_names_a_number_even_when_the_database_fails(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    asterisk.dial(START, ("confirm-number", "2"), ("ask-number", "09137654321#"), RIGHT)
    with writing(engine) as session:
        session.execute(update(Registration).values(ticket="0"))
        session.connection().exec_driver_sql("ALTER TABLE events RENAME TO no_events")

    failed = asterisk.dial(START, RIGHT)

    assert not failed.finished
    assert any(record.exc_info for record in caplog.records)
    assert "9131234567" not in caplog.text
    assert "9137654321" not in caplog.text


DEEDS = st.lists(
    st.none()
    | st.sampled_from(["1", "1", "1", "2", "*", "#", "9", "09137654321#", "1#", HANG_UP, CUT])
    | st.text("0123456789*#", max_size=12),
    max_size=14,
)


# --- anything at all ---


@on_sqlite
@hypothesis(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS, choices=st.integers(0, 2))
def test_any_keys_leave_no_half_registration(
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
    number = make.a_number()
    caplog.clear()
    caller = Anybody([None, "1", *deeds])

    heard = asterisk.call(caller, caller_id=number)

    assert heard.finished is not caller.gone
    assert [record for record in caplog.records if record.exc_info] == []
    places = heard.prompts.count("registered") + heard.prompts.count("registered-brief")
    at_operators = bool({"operator-busy", "operator-registered", "operator-now"} & set(heard.prompts))
    at_operators |= "HOTLINE_STAYS" in heard.variables
    kept = len([registration for registration in registrations(engine) if registration.number == number])
    assert kept == min(places, 1) + at_operators or (heard.left_at_work and kept == 1)
    assert places <= 1
