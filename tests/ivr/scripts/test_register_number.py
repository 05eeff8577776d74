"""Key 1: the number to call back, the caller's own or another that is keyed in."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading
from db.models import Confirmation
from db.states import RegistrationState
from hotline.line import confirmation_calls
from prompts.catalogue import list_clips
from tests.ivr.scripts.registering import (
    ASKED,
    INTRODUCED,
    OTHER,
    OWN,
    PERSON,
    REST,
    RIGHT,
    START,
    TOLD,
    YES,
    on_sqlite,
    registrations,
)
from tests.kit.fake_asterisk import CUT, HANG_UP, End, FakeAsterisk

OF_ANOTHER = [*INTRODUCED, "confirm-number", "ask-number", "confirm-number"]


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
def test_unknown_or_uncallable_number_must_be_keyed_in(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, caller_id: str
):
    heard = asterisk.dial(START, ("ask-number", "09137654321#"), RIGHT, caller_id=caller_id)

    assert heard.prompts == [
        *(*INTRODUCED, "ask-number", "confirm-number", "number-will-be-confirmed", "goodbye"),
    ]
    (kept,) = registrations(engine)
    assert (kept.number, kept.state) == (OTHER, RegistrationState.UNCONFIRMED)
    with reading(engine) as session:
        (asked,) = session.scalars(select(Confirmation))
        assert (asked.registration_id, asked.number, asked.asked_by) == (
            *(kept.id, OTHER),
            caller_id if caller_id in ("+4930123456", "+5371234567", "+982122334455") else None,
        )
        assert (asked.token, asked.attempts, confirmation_calls.list_due(session, 5)) == (None, 0, [])


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
        *(START, ("confirm-number", "2"), ("ask-number", keyed), ("after confirm-number", "1"))
    )

    assert heard.prompts == [*OF_ANOTHER, "number-will-be-confirmed", "goodbye"]
    assert heard.said("confirm-number", number="0" + number[3:])
    (kept,) = registrations(engine)
    assert (kept.number, kept.state) == (number, RegistrationState.UNCONFIRMED)
    digits = set(list_clips("fa", "ticket-again", ticket=kept.ticket)) - {"pause"}
    assert not heard.said("registered", ticket=kept.ticket)
    after = heard.clips[heard.clips.index("number-will-be-confirmed") :]
    assert not digits & set(after), "a stranger's ticket number is not told"


@on_sqlite
def test_who_keys_in_the_own_number_registers_as_ever(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(
        *(START, ("confirm-number", "2"), ("ask-number", "09131234567#"), ("after confirm-number", "1")),
        *REST,
    )

    assert heard.prompts == [*OF_ANOTHER, *TOLD, *ASKED, "goodbye"]
    assert [kept.state for kept in registrations(engine)] == [RegistrationState.WAITING]


@on_sqlite
def test_fourth_keyed_in_number_of_a_telephone_is_refused(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    calls = [
        asterisk.dial(START, ("confirm-number", "2"), ("ask-number", f"{number}#"), ("confirm-number", "1"))
        for number in range(9137654300, 9137654312)
    ]

    told = [heard.prompts[len(OF_ANOTHER) :] for heard in calls]
    assert told == [["number-will-be-confirmed", "goodbye"]] * 3 + [["too-many-today", "goodbye"]] * 9
    assert {kept.state for kept in registrations(engine)} == {RegistrationState.UNCONFIRMED}
    assert len(registrations(engine)) == 3


@on_sqlite
@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["number-will-be-confirmed", "goodbye"])
def test_the_owner_is_called_once_the_caller_has_gone(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, moment: str, how: End
):
    heard = asterisk.dial(START, ("ask-number", "09137654321#"), RIGHT, (moment, how), caller_id="")

    assert not heard.finished
    with reading(engine) as session:
        wait = session.scalars(select(Confirmation.not_before)).one() - now(session)
    assert timedelta(seconds=1) < wait < timedelta(seconds=10)


@on_sqlite
def test_nobody_is_called_while_the_caller_still_listens(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    waits: list[timedelta] = []

    def look() -> None:
        with reading(engine) as session:
            waits.append(session.scalars(select(Confirmation.not_before)).one() - now(session))

    asterisk.dial(
        START, ("ask-number", "09137654321#"), RIGHT, ("number-will-be-confirmed", look), caller_id=""
    )

    assert waits[0] > timedelta(seconds=40)


@on_sqlite
def test_an_entry_without_end_is_over_after_the_longest_number(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    entries = [("ask-number", "1" * 15), ("ask-number", "09137654321#")]

    heard = asterisk.dial(START, *entries, RIGHT, caller_id="unknown")

    assert heard.prompts[4:8] == ["ask-number", "number-invalid", "ask-number", "confirm-number"]
    assert [kept.number for kept in registrations(engine)] == [OTHER]


@on_sqlite
@pytest.mark.parametrize("keyed", ["1#", "00000000000#", "02122334455#", "004930123456#", "137#"])
def test_three_numbers_that_are_none_end_in_a_goodbye(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, keyed: str
):
    heard = asterisk.dial(("main-menu", "1"), *[("ask-number", keyed)] * 3, caller_id="unknown")

    assert heard.prompts == [*INTRODUCED, *["ask-number", "number-invalid"] * 3, "goodbye-how"]
    assert heard.finished
    assert registrations(engine) == []


@on_sqlite
@pytest.mark.parametrize("keyed", ["", "#"])
def test_who_keys_in_nothing_without_a_number_hears_what_helps(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, keyed: str
):
    silence = ("after ask-number", keyed)

    heard = asterisk.dial(START, silence, ("after ask-number-slow", keyed), caller_id="unknown")

    assert heard.prompts == [
        *(*INTRODUCED, "ask-number", "no-key-again", "ask-number-slow", "silence-speak"),
        *("report-recorded", "report-recorded-again", "goodbye"),
    ]
    assert registrations(engine) == []


@on_sqlite
def test_who_never_confirms_a_number_is_not_registered(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    another = [("confirm-number", "2"), ("ask-number", "09137654321#")]

    heard = asterisk.dial(START, *another, *another, *another, ("confirm-number", "2"))

    assert heard.prompts[-2:] == ["confirm-number", "goodbye-how"]
    assert heard.finished
    assert registrations(engine) == []


@on_sqlite
def test_who_says_neither_yes_nor_no_is_asked_twice_more(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(("main-menu", "1"), ("confirm-number", "3"))

    assert heard.prompts[4:] == [
        *("confirm-number", "wrong-key", "confirm-number", "no-key-again", "confirm-number-slow"),
        *PERSON,
    ]
    assert heard.said("confirm-number-slow", number="09131234567")
    (kept,) = registrations(engine)
    assert kept.round_id != round_id


@on_sqlite
def test_star_repeats_the_number(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(START, ("confirm-number", "*"), ("after confirm-number", "1"), *REST)

    assert heard.prompts == [*INTRODUCED, "confirm-number", "confirm-number", *TOLD, *ASKED, "goodbye"]
    assert heard.said("confirm-number", number="09131234567")


@on_sqlite
def test_star_within_a_number_begins_it_again(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    slip = [("ask-number", "0912*"), ("after ask-number", "09137654321#")]

    heard = asterisk.dial(START, *slip, RIGHT, caller_id="unknown")

    assert heard.prompts[4:7] == ["ask-number", "ask-number", "confirm-number"]
    assert [kept.number for kept in registrations(engine)] == [OTHER]
