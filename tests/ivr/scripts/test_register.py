"""Key 1: registering for a round: nothing or a whole registration, and kept before it is told."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select, update
from sqlalchemy.exc import OperationalError

from db.engine import connect, now, reading, writing
from db.models import BlockReason, Confirmation, Event, OfficialKind, Registration, Round
from db.states import HOLDS_PLACE, Phase, RegistrationState
from hotline import tickets
from hotline.line import blocked, confirmation_calls, confirmations
from hotline.rounds import rounds
from prompts.catalogue import clips
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import (
    CUT,
    HANG_UP,
    NO_FILE,
    NOTHING_SAID,
    WORKING,
    Anybody,
    Deed,
    End,
    FakeAsterisk,
    Heard,
    Steps,
)

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
"""For what is said and keyed in; what is kept is shown on both databases."""

OWN = "+989131234567"
OTHER = "+989137654321"
INTRODUCED = ["greeting", "main-menu", "round-when"]
BEFORE_THE_PLACE = [*INTRODUCED, "confirm-number"]
"""What is heard before the place is kept."""
PERSON = ["silence-operator", "operator-registered", "ticket-again", "goodbye"]
"""What is heard by whoever presses nothing that helps: an operator calls."""
TOLD = ["registered", "ticket-again", "ahead-none", "expectation", "will-call"]
ASKED = ["ask-subject", "message-offer"]
SAFE = [*BEFORE_THE_PLACE, *TOLD]
PATH = [*SAFE, *ASKED, "goodbye"]
START, RIGHT, ROADS, NO_MESSAGE = (
    ("main-menu", "1"),
    ("confirm-number", "1"),
    ("ask-subject", "1"),
    ("message-offer", "#"),
)
REST = [ROADS, NO_MESSAGE]
YES = [START, RIGHT, *REST]
FOUR = ["choices", *(f"subject-{n}" for n in range(1, 5)), "subject-others"]
OF_ANOTHER = [*INTRODUCED, "confirm-number", "ask-number", "confirm-number"]


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


def test_a_citizen_registers_with_four_keys(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(
        *(("after menu-english", "1"), ("after confirm-number", "1")),
        *(("after subject-others", "4"), ("after message-offer", "#")),
    )

    (kept,) = registrations(engine)
    assert (kept.round_id, kept.number, kept.state) == (round_id, OWN, RegistrationState.WAITING)
    assert tickets.parse(kept.ticket) == kept.ticket
    assert (kept.subject, kept.message, kept.language) == (4, None, "fa")
    assert heard.prompts == [
        *(*INTRODUCED[:2], "menu-english", *INTRODUCED[2:], "confirm-number", *TOLD),
        *(ASKED[0], *FOUR, ASKED[1], "goodbye"),
    ]
    with reading(engine) as session:
        at = session.get_one(Round, round_id).starts_at
    assert heard.said("round-when", office="office-mayor", day=at, date=at, time=at)
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

    heard = asterisk.dial(START)

    assert [kept.id for kept in registrations(engine)] == [ahead.id, own.id]
    assert heard.prompts == [
        *INTRODUCED[:2],
        *("already-registered", "ticket-again", "ahead-some", "round-at", "will-call", "goodbye"),
    ]
    assert heard.said("already-registered", ticket=own.ticket)
    assert heard.said("ahead-some", ahead=1)


@on_sqlite
def test_one_who_pressed_ahead_of_the_prompts_is_registered_too(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(("greeting", "114#"))

    assert heard.prompts == ["greeting", "round-when", "registered-brief", "goodbye"], "no question is asked"
    (kept,) = registrations(engine)
    assert kept.subject == 4


@on_sqlite
def test_a_key_in_an_announcement_ends_it_and_answers_nothing(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(
        *(START, ("round-when", "2"), RIGHT),
        *(("expectation", "5"), ("will-call", "#"), ("after subject-others", "3"), NO_MESSAGE),
    )

    assert [
        prompt for prompt in heard.prompts if not prompt.startswith(("subject", "menu", "choices"))
    ] == PATH
    assert [kept.subject for kept in registrations(engine)] == [3]


@on_sqlite
def test_no_key_cuts_the_ticket_short_and_what_is_typed_ahead_waits_for_its_question(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(START, ("confirm-number", "1"), ("registered", "5"), *REST)

    (kept,) = registrations(engine)
    assert heard.said("registered", ticket=kept.ticket)
    assert kept.subject == 1, "a key in it that is no burst's is for nothing"

    other = asterisk.dial(("main-menu", "117#"), caller_id="09131234568")
    assert other.said("registered-brief", ticket=registrations(engine)[-1].ticket)
    assert registrations(engine)[-1].subject == 7


@on_sqlite
def test_after_what_nobody_could_foresee_nothing_that_was_typed_ahead_counts(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    with writing(engine) as session:
        full = session.get_one(Round, round_id)
        full.capacity = 1
        make.some_registrations(session, full, 1)
        make.a_round(session, Phase.OPEN).official.kind = DEPUTY
        make.a_round(session, Phase.OPEN).official.kind = DEPUTY

    heard = asterisk.dial(("main-menu", "111112"))

    assert "round-full" in heard.prompts
    assert heard.prompts[-4:] == PERSON, "it asks again, and nothing is pressed"
    assert [kept.round_id for kept in registrations(engine)].count(round_id) == 1


@on_sqlite
def test_what_is_pressed_during_a_transaction_is_not_lost(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(("main-menu", "11"), (WORKING, "8"), ("after subject-others", "2"), NO_MESSAGE)
    assert heard.finished
    assert registrations(engine)[0].subject == 2, "after a pause it answers nothing"


# --- for whom ---


@on_sqlite
@pytest.mark.parametrize("phase", [None, Phase.CLOSED, Phase.OVER])
def test_when_no_round_is_open_the_caller_is_told_so_and_may_choose_something_else(
    asterisk: FakeAsterisk, engine: Engine, phase: Phase | None
):
    with writing(engine) as session:
        rounds.standing_line(session)  # not a round that anybody registers for
        if phase:
            make.a_round(session, phase)

    heard = asterisk.dial(START, ("main-menu", "2"))

    assert heard.prompts[:5] == [*INTRODUCED[:2], "no-round-open", "main-menu", "follow-up-ask"]
    (kept,) = registrations(engine)
    with reading(engine) as session:
        assert session.get_one(Round, kept.round_id).standing, "for they say nothing more"


@on_sqlite
def test_when_a_round_is_announced_the_caller_hears_of_the_next(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        coming, later = (make.a_round(session, Phase.ANNOUNCED) for _ in range(2))
        later.registration_from += timedelta(minutes=1)
        coming.official.clip = "office-district-7"
        starts, opens = coming.starts_at, coming.registration_from

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[2:6] == ["next-round-when", "registration-opens", "main-menu", "report-category"]
    assert heard.said("next-round-when", office="office-district-7", day=starts, date=starts, time=starts)
    assert heard.said("registration-opens", day=opens, date=opens, time=opens)


def offer(engine: Engine, *kinds: OfficialKind | int) -> list[Round]:
    """Open rounds, one for each: an official of this kind, or the manager of this district."""
    made = []
    with writing(engine) as session:
        for kind in kinds:
            round_ = make.a_round(session, Phase.OPEN)
            if isinstance(kind, int):
                round_.official.kind, round_.official.district = OfficialKind.DISTRICT_MANAGER, kind
                round_.official.clip = f"office-district-{kind}"
            else:
                round_.official.kind = kind
            made.append(round_)
    return made


MAYOR, DEPUTY = OfficialKind.MAYOR, OfficialKind.DEPUTY
KINDS = ["choose-kind", "choices", "kind-mayor", "kind-deputy", "kind-district"]


@on_sqlite
@pytest.mark.parametrize(("key", "which"), [("1", 0), ("2", 1), ("3", 2)])
def test_of_several_kinds_of_officials_the_caller_chooses_one(
    asterisk: FakeAsterisk, engine: Engine, key: str, which: int
):
    rounds_ = offer(engine, MAYOR, DEPUTY, 7)
    district = [("ask-district", "7#")] if key == "3" else []

    heard = asterisk.dial(START, ("after kind-district", key), *district, RIGHT, *REST)

    assert heard.prompts[2:7] == KINDS
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[which].id]


@on_sqlite
def test_what_is_not_open_is_not_offered_and_its_key_is_wrong(asterisk: FakeAsterisk, engine: Engine):
    rounds_ = offer(engine, MAYOR, 7)

    heard = asterisk.dial(START, ("choose-kind", "2"), ("after kind-district", "1"), RIGHT, *REST)

    assert heard.prompts[2:8] == [
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
def test_among_the_kinds_star_repeats_and_the_third_time_is_slower(asterisk: FakeAsterisk, engine: Engine):
    offer(engine, MAYOR, DEPUTY)

    heard = asterisk.dial(START, ("choose-kind", "*"), *[("choose-kind", "7")] * 2, ("choose-kind-slow", "9"))

    assert heard.prompts[2:] == [
        *("choose-kind", "choose-kind", "wrong-key", "choose-kind", "wrong-key", "choose-kind-slow"),
        *PERSON,
    ]


@on_sqlite
@pytest.mark.parametrize("district", range(1, 16))
def test_each_district_is_reached_by_its_number(asterisk: FakeAsterisk, engine: Engine, district: int):
    rounds_ = offer(engine, *range(1, 16))

    heard = asterisk.dial(START, ("ask-district", f"{district}#"), RIGHT, *REST)

    at = rounds_[district - 1].starts_at
    assert heard.prompts[2] == "ask-district", "there is no other kind to choose"
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
def test_a_district_that_there_is_not_or_that_is_not_open_is_asked_for_again(
    asterisk: FakeAsterisk, engine: Engine, keyed: str, answer: str
):
    rounds_ = offer(engine, 7, 8)

    heard = asterisk.dial(START, ("ask-district", keyed), ("ask-district", "08#"), RIGHT, *REST)

    assert heard.prompts[2:5] == ["ask-district", answer, "ask-district"]
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[1].id]


@on_sqlite
def test_three_districts_that_are_none_end_in_a_goodbye(asterisk: FakeAsterisk, engine: Engine):
    offer(engine, 7, 8)

    heard = asterisk.dial(START, *[("ask-district", "16#")] * 3)

    assert heard.prompts[2:] == [*["ask-district", "district-invalid"] * 3, "goodbye-how"]
    assert registrations(engine) == []


@on_sqlite
def test_star_within_a_district_begins_it_again(asterisk: FakeAsterisk, engine: Engine):
    rounds_ = offer(engine, 1, 2)

    heard = asterisk.dial(START, ("ask-district", "1*"), ("after ask-district", "2#"), RIGHT, *REST)

    assert heard.prompts[2:5] == ["ask-district", "ask-district", "round-when"]
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
    assert heard.prompts[2:8] == [
        "choose-kind",
        "choose-round",
        "choices",
        *["choose-item"] * 2,
        "round-when",
    ]
    for key, office in enumerate(offices, start=1):
        assert heard.said("choose-item", office=office, key=key)


@on_sqlite
def test_a_deputy_that_is_not_offered_is_wrong_and_three_end_the_call(asterisk: FakeAsterisk, engine: Engine):
    offer(engine, DEPUTY, DEPUTY)

    heard = asterisk.dial(START, *[("choose-round", key) for key in "34#"])

    assert heard.prompts[2:] == [
        *("choose-round", "wrong-key", "choose-round", "wrong-key", "choose-round"),
        *PERSON,
    ]
    with reading(engine) as session:
        assert [session.get_one(Round, r.round_id).standing for r in registrations(engine)] == [True]


@on_sqlite
@pytest.mark.parametrize(
    ("keys", "which"), [("4", 3), ("51", 4), ("5542", 9), ("552", 9), ("5551", 0)], ids=str
)
def test_of_more_than_four_rounds_four_are_offered_and_then_the_others(
    asterisk: FakeAsterisk, engine: Engine, keys: str, which: int
):
    rounds_ = offer(engine, *[DEPUTY] * 10)

    heard = asterisk.dial(START, *[("after choose-others", key) for key in keys], RIGHT, *REST)

    at = heard.prompts.index("choose-round")
    assert heard.prompts[at:][:7] == ["choose-round", "choices", *["choose-item"] * 4, "choose-others"]
    assert heard.said("choices", count=5)
    assert heard.said("choose-others", key=5)
    assert ("wrong-key" in heard.prompts) == (keys == "5542"), "of the last two there is no fourth"
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[which].id]


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
        assert (asked.token, asked.attempts, confirmation_calls.due(session, 5)) == (None, 0, [])


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
    digits = set(clips("fa", "ticket-again", ticket=kept.ticket)) - {"pause"}
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
def test_one_telephone_that_keys_in_twelve_strangers_is_refused_in_words_after_three(
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

    assert heard.prompts[3:7] == ["ask-number", "number-invalid", "ask-number", "confirm-number"]
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
        *(*INTRODUCED, "ask-number", "no-key-again", "ask-number-slow", "silence-no-number"),
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

    assert heard.prompts[3:] == [
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

    assert heard.prompts[3:6] == ["ask-number", "ask-number", "confirm-number"]
    assert [kept.number for kept in registrations(engine)] == [OTHER]


# --- about what ---


@on_sqlite
@pytest.mark.parametrize("subject", range(1, 10))
def test_each_subject_has_its_key(asterisk: FakeAsterisk, engine: Engine, round_id: int, subject: int):
    again = [("after subject-9", "9")] if subject == 9 else []
    heard = asterisk.dial(START, RIGHT, ("after subject-others", str(subject)), *again, NO_MESSAGE)

    first = heard.prompts.index("ask-subject") + 1
    assert heard.prompts[first : first + 6] == FOUR
    if again:
        assert heard.prompts[first + 6 : first + 12] == ["choices", *(f"subject-{n}" for n in range(5, 10))]
    assert [kept.subject for kept in registrations(engine)] == [subject]


def test_the_four_subjects_that_most_citizens_of_the_round_chose_are_said_first(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    with writing(engine) as session:
        round_ = session.get_one(Round, round_id)
        for subject, citizens in ((9, 5), (8, 4), (6, 3), (3, 2), (2, 1), (7, 1)):
            for registration in make.some_registrations(session, round_, citizens):
                registration.subject = subject

    heard = asterisk.dial(START, RIGHT, ("after subject-others", "9"), NO_MESSAGE)

    said = [prompt for prompt in heard.prompts if prompt.startswith("subject-")]
    assert said[:5] == ["subject-2", "subject-3", "subject-6", "subject-8", "subject-others"]
    assert said[5:] == ["subject-1", "subject-4", "subject-5", "subject-7", "subject-9"]
    assert heard.said("choices", count=5)
    assert registrations(engine)[-1].subject == 9, "silence there means something else"


@on_sqlite
def test_one_key_skips_the_subject(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(START, RIGHT, ("ask-subject", "#"), NO_MESSAGE)

    assert heard.prompts == PATH
    assert [kept.subject for kept in registrations(engine)] == [None]


def test_who_says_nothing_more_after_the_yes_has_the_place_and_is_asked_each_thing_once(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(START, RIGHT)

    (kept,) = registrations(engine)
    assert (kept.state, kept.subject, kept.message) == (RegistrationState.WAITING, None, None)
    assert heard.prompts == [*(*SAFE, "ask-subject", *FOUR, "message-offer", "goodbye")]
    assert heard.said("registered", ticket=kept.ticket)
    assert heard.finished


@on_sqlite
def test_a_wrong_key_at_what_may_be_skipped_is_asked_again_and_costs_nothing(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    wrong = [("message-offer", "7")] * 2

    heard = asterisk.dial(START, RIGHT, ("ask-subject", "*"), ("ask-subject", "2"), *wrong, NO_MESSAGE)

    again = ["wrong-key", "message-offer"]
    assert heard.prompts == [*SAFE, "ask-subject", *ASKED, *again, *again, "goodbye"]
    assert [kept.subject for kept in registrations(engine)] == [2]


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["message-offer", "after message-offer", "goodbye"])
def test_a_subject_that_was_named_is_kept_whatever_ends_the_call(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, moment: str, how: End
):
    skips = [NO_MESSAGE] if moment == "goodbye" else []

    heard = asterisk.dial(START, RIGHT, ("ask-subject", "3"), *skips, (moment, how))

    assert not heard.finished
    assert [kept.subject for kept in registrations(engine)] == [3]


# --- a message ---


SPEAKS = ("message-offer", "1")
UP_TO_THE_SUBJECT = [START, RIGHT, ROADS]


def left_behind(settings: Settings) -> list[str]:
    """What lies in the folder of messages."""
    return sorted(file.name for file in settings.messages_dir.iterdir())


def kept_message(engine: Engine, settings: Settings) -> str | None:
    """What the message of the one registration says, None if there is none."""
    (kept,) = registrations(engine)
    return (settings.messages_dir / kept.message).read_text() if kept.message else None


def test_a_message_is_kept_with_the_registration(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("recording", "#"), ("message-review", "1"))

    assert heard.prompts == [
        *(*PATH[:-1], "message-speak", "message-review", "message-kept", "goodbye"),
    ]
    (file,) = heard.recorded
    (kept,) = registrations(engine)
    assert (file.parent, file.name) == (settings.messages_dir, kept.message)
    assert heard.clips[heard.clips.index("message-speak") + 1] == "beep"
    assert heard.record_ms == [60_000]
    assert OWN[3:] not in file.name


@on_sqlite
def test_a_message_is_recorded_again_until_the_caller_is_content(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(
        *UP_TO_THE_SUBJECT, SPEAKS, ("message-review", "2"), ("message-review", "2"), ("message-review", "1")
    )

    assert heard.prompts[11:] == [*["message-speak", "message-review"] * 3, "message-kept", "goodbye"]
    assert kept_message(engine, settings) == heard.recorded[-1].read_text()
    assert left_behind(settings) == [heard.recorded[-1].name], "the last one takes the place of the others"


@on_sqlite
def test_who_records_nothing_the_second_time_keeps_the_first(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(
        *(*UP_TO_THE_SUBJECT, SPEAKS, ("recording", "#"), ("message-review", "2"), ("recording", NO_FILE))
    )

    assert heard.prompts[11:-1] == ["message-speak", "message-review", "message-speak", "message-kept"]
    assert left_behind(settings) == [heard.recorded[0].name]
    assert kept_message(engine, settings) == heard.recorded[0].read_text()


@on_sqlite
def test_who_says_nothing_has_no_message(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("recording", NOTHING_SAID))

    assert heard.prompts[11:] == ["message-speak", "message-not-kept", "goodbye"]
    assert (kept_message(engine, settings), left_behind(settings)) == (None, [])


@on_sqlite
def test_who_wants_to_record_a_fourth_time_keeps_the_third(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, *[("message-review", "2")] * 3)

    assert heard.prompts[11:] == [*["message-speak", "message-review"] * 3, "message-kept", "goodbye"]
    assert kept_message(engine, settings)


@on_sqlite
@pytest.mark.parametrize(
    "damage", [NO_FILE, lambda file: file.unlink(), lambda file: file.write_bytes(b"RIFF")]
)
def test_who_cannot_be_recorded_hears_that_and_keeps_the_place(
    asterisk: FakeAsterisk,
    engine: Engine,
    settings: Settings,
    round_id: int,
    damage: bytes | Callable[[Path], object],
):
    def spoil() -> None:
        assert callable(damage)
        damage(next(settings.messages_dir.iterdir()))

    heard = asterisk.dial(
        *UP_TO_THE_SUBJECT, SPEAKS, ("recording", damage if isinstance(damage, bytes) else spoil)
    )

    assert heard.prompts[11:] == ["message-speak", "message-not-kept", "goodbye"]
    assert heard.finished
    assert kept_message(engine, settings) is None
    assert left_behind(settings) == []


@on_sqlite
def test_who_goes_on_without_a_message_after_all_leaves_no_trace_of_it(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("message-review", "3"))

    assert heard.prompts[11:] == ["message-speak", "message-review", "goodbye"]
    assert kept_message(engine, settings) is None
    assert left_behind(settings) == []


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["recording", "message-review", "after message-review", "message-kept"])
def test_who_hangs_up_after_speaking_keeps_the_place_and_the_message(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int, moment: str, how: End
):
    keeps = [("message-review", "1")] if moment == "message-kept" else []

    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, *keeps, (moment, how))

    assert not heard.finished
    (kept,) = registrations(engine)
    assert kept.state is RegistrationState.WAITING
    assert kept.message == heard.recorded[0].name
    assert kept_message(engine, settings)


@on_sqlite
@pytest.mark.parametrize("moment", ["message-offer", "message-speak"])
def test_who_hangs_up_before_speaking_keeps_the_place(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int, moment: str
):
    speaks = [SPEAKS] if moment == "message-speak" else []

    asterisk.dial(*UP_TO_THE_SUBJECT, *speaks, (moment, HANG_UP))

    assert kept_message(engine, settings) is None


@on_sqlite
def test_who_is_at_a_loss_after_speaking_has_left_the_message(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("message-review", "7"))

    assert heard.prompts[-1] == "goodbye"
    assert heard.finished
    assert kept_message(engine, settings)


@on_sqlite
def test_who_asks_for_an_operator_instead_of_a_message_keeps_the_place_and_the_subject(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, ("message-offer", "0"), ("operator-choice", "#"))

    assert heard.prompts == [
        *PATH[:-1],
        *("operator-busy", "ahead-none", "operator-choice", "operator-registered", "goodbye"),
    ]
    assert heard.finished
    assert [kept.subject for kept in registrations(engine)] == [1, None]


# --- what is told ---


def test_the_expectation_is_what_the_official_has_reached_so_far(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    with writing(engine) as session:
        official = session.get_one(Round, round_id).official
        for reached in (4, 8):
            past = make.a_round(session, Phase.OVER)
            past.official, past.ended_at = official, now(session)
            make.some_registrations(session, past, reached, state=RegistrationState.REACHED)

    assert asterisk.dial(*YES).said("expectation", reached=6)


def test_who_was_not_reached_in_the_last_round_is_greeted_with_that_and_the_place(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    with writing(engine) as session:
        round_ = session.get_one(Round, round_id)
        make.some_registrations(session, round_, 3)
        carried = make.some_registrations(session, round_, 2, rounds_missed=1)[1]
        carried.number, starts = OWN, round_.starts_at

    heard = asterisk.dial(START)

    assert heard.prompts == [
        *INTRODUCED[:2],
        *("carried-over", "ticket-is", "ticket-again", "place", "round-at", "will-call", "goodbye"),
    ]
    assert heard.said("ticket-is", ticket=carried.ticket)
    assert heard.said("place", place=2)
    assert heard.said("round-at", day=starts, date=starts, time=starts)


@on_sqlite
def test_who_has_been_here_before_is_not_told_again_how_it_goes_on(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    with writing(engine) as session:
        over = make.a_round(session, Phase.OVER)
        make.a_registration(session, over, number=OWN, state=RegistrationState.REACHED)

    heard = asterisk.dial(*YES)

    assert heard.prompts == [*SAFE[:-2], *ASKED, "goodbye"]


@pytest.mark.parametrize("state", RegistrationState)
def test_what_an_earlier_registration_of_the_same_round_means(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, state: RegistrationState
):
    with writing(engine) as session:
        own = make.a_registration(session, session.get_one(Round, round_id), number=OWN, state=state)

    heard = asterisk.call(Steps(*YES))

    new = state not in HOLDS_PLACE
    asked_for = state is RegistrationState.UNCONFIRMED  # by somebody else: the caller knows nothing of it
    assert ("registered" in heard.prompts) is (new or asked_for)
    assert heard.said("already-registered", ticket=own.ticket) is not (new or asked_for)
    assert heard.said("registered", ticket=own.ticket) is asked_for
    assert len(registrations(engine)) == 1 + new
    assert heard.finished


@on_sqlite
@pytest.mark.parametrize("caller_id", ["", "09131234567"])
@pytest.mark.parametrize("state", [*HOLDS_PLACE, "carried", "blocked", None])
def test_a_stranger_who_keys_in_a_number_hears_the_same_whatever_is_true_of_it(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, state: str | None, caller_id: str
):
    with writing(engine) as session:
        round_ = session.get_one(Round, round_id)
        if state == "blocked":
            blocked.block(session, OTHER, BlockReason.OWNER)
        elif state == "carried":
            make.a_registration(session, round_, number=OTHER, rounds_missed=1)
        elif state:
            make.a_registration(session, round_, number=OTHER, state=RegistrationState(state))
    before = len(registrations(engine))
    another = [("confirm-number", "2")] if caller_id else []

    heard = asterisk.dial(
        START, *another, ("ask-number", "09137654321#"), ("confirm-number", "1"), caller_id=caller_id
    )

    assert heard.clips[heard.clips.index("ask-number") :] == [
        *("ask-number", *clips("fa", "confirm-number", number="09137654321")[:1]),
        *("number-will-be-confirmed", "goodbye"),
    ]
    assert len(registrations(engine)) == before + (state is None)
    with reading(engine) as session:
        assert session.scalar(select(func.count(Confirmation.id))) == 1, "and it counts"


# --- who may not ---


def test_more_registrations_a_day_than_the_settings_allow_are_refused(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    with writing(engine) as session:
        for _ in range(settings.registrations_per_day):
            make.a_registration(session, make.a_round(session, Phase.CLOSED), number=OWN)

    heard = asterisk.dial(START, RIGHT)

    assert heard.prompts == [*BEFORE_THE_PLACE, "too-many-today", "goodbye"]
    assert heard.finished
    assert len(registrations(engine)) == settings.registrations_per_day


@on_sqlite
@pytest.mark.parametrize("reason", BlockReason)
def test_a_blocked_number_that_is_keyed_in_is_left_in_peace_and_nobody_hears_of_it(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, reason: BlockReason
):
    with writing(engine) as session:
        blocked.block(session, OTHER, reason)

    heard = asterisk.dial(START, ("ask-number", "09137654321#"), RIGHT, caller_id="")

    assert heard.prompts[-2:] == ["number-will-be-confirmed", "goodbye"]
    assert registrations(engine) == []


@on_sqlite
def test_callers_without_a_number_have_a_limit_of_their_own(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(confirmations, "_WITHHELD_PER_HOUR", 0)

    heard = asterisk.dial(START, ("ask-number", "09137654321#"), RIGHT, caller_id="")

    assert heard.prompts[-2:] == ["too-many-withheld", "goodbye"]
    assert registrations(engine) == []


# --- in english ---


def test_in_english_everything_is_said_in_english_and_the_callback_will_be_too(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(("main-menu", "9"), *YES)

    (kept,) = registrations(engine)
    assert kept.language == "en"
    assert heard.prompts == [*PATH[:2], "main-menu", *PATH[2:]]
    switch = heard.clips.index("main-menu") + 1
    assert {folder.name for folder in heard.folders[switch:]} == {"en"}
    assert heard.said("registered", language="en", ticket=kept.ticket)


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


def test_a_round_that_closes_during_the_call_is_said_to_be_closed(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    def close() -> None:
        with writing(engine) as session:
            until = now(session) - timedelta(seconds=1)
            session.execute(update(Round).values(registration_until=until))

    heard = asterisk.dial(START, ("confirm-number", close), ("after confirm-number", "1"))

    assert heard.prompts == [*BEFORE_THE_PLACE, "closed-meanwhile", "goodbye"]
    assert heard.finished
    assert registrations(engine) == []


@on_sqlite
def test_a_round_that_is_no_more_ends_in_the_apology_of_the_dialplan(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    def remove() -> None:
        with writing(engine) as session:
            session.delete(session.get_one(Round, round_id))

    heard = asterisk.dial(START, ("confirm-number", remove), ("after confirm-number", "1"))

    assert heard.prompts == BEFORE_THE_PLACE
    assert not heard.finished


def test_a_call_takes_at_most_three_transactions_and_none_while_it_speaks(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    begun: list[str] = []
    in_use_while_speaking: set[int] = set()
    event.listen(engine, "begin", lambda _: begun.append("transaction"))

    heard = asterisk.dial(*YES, every_clip=lambda: in_use_while_speaking.add(engine.pool.checkedout()))

    assert heard.prompts == PATH
    assert 1 <= len(begun) <= 3
    assert in_use_while_speaking == {0}


def test_when_the_database_is_away_the_dialplan_apologises_and_the_next_call_is_served(
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
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]
    assert registrations(engine) == []
    assert asterisk.dial(*YES).finished
    assert len(registrations(engine)) == 1


def test_when_the_database_goes_away_after_the_place_is_kept_the_call_goes_on_with_the_ticket(
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


def test_one_number_that_calls_twenty_times_at_once_gets_one_place(
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
