"""Key 1: registering for a round: nothing or a whole registration, and kept before it is told."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select, update
from sqlalchemy.exc import OperationalError

from db.engine import connect, now, reading, writing
from db.models import BlockReason, Confirmation, Event, OfficialKind, Registration, Round
from db.states import HOLDS_PLACE, Phase, RegistrationState
from hotline import blocked, confirmations, rounds, tickets
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import (
    CUT,
    HANG_UP,
    NO_FILE,
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
INTRODUCED = ["greeting", "main-menu", "round-when", "registered-so-far-none"]
ASKED = ["ask-subject", "message-offer"]
PATH = [*INTRODUCED, "confirm-number", *ASKED]
TOLD = ["registered", "ticket-again", "ahead-none", "expectation", "will-call", "goodbye"]
START, RIGHT, ROADS, NO_MESSAGE = (
    ("main-menu", "1"),
    ("confirm-number", "1"),
    ("ask-subject", "1"),
    ("message-offer", "2"),
)
REST = [ROADS, NO_MESSAGE]
YES = [START, RIGHT, *REST]
BEFORE_THE_PLACE = PATH[:-1]
"""What is heard before the place is kept."""


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
        *(("after subject-9", "4"), ("after message-offer", "2")),
    )

    (kept,) = registrations(engine)
    assert (kept.round_id, kept.number, kept.state) == (round_id, OWN, RegistrationState.WAITING)
    assert tickets.parse(kept.ticket) == kept.ticket
    assert (kept.subject, kept.message, kept.language) == (4, None, "fa")
    subjects = [f"subject-{n}" for n in range(1, 10)]
    assert heard.prompts == [
        *(*INTRODUCED[:2], "menu-english", *INTRODUCED[2:], "confirm-number"),
        *(ASKED[0], *subjects, ASKED[1], *TOLD),
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

    assert heard.said("registered-so-far", count=21)
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
    heard = asterisk.dial(("greeting", "1"), ("registered-so-far-none", "1"), *REST)

    assert heard.prompts == ["greeting", *INTRODUCED[2:], *ASKED, *TOLD]
    assert len(registrations(engine)) == 1


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
    assert registrations(engine) == []


@on_sqlite
def test_when_a_round_is_announced_the_caller_hears_of_the_next(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        coming, later = (make.a_round(session, Phase.ANNOUNCED) for _ in range(2))
        later.registration_from += timedelta(minutes=1)
        coming.official.clip = "office-district-7"
        starts, opens = coming.starts_at, coming.registration_from

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[2:6] == ["next-round-when", "registration-opens", "main-menu", "report-intro"]
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
KINDS = ["choose-kind", "kind-mayor", "kind-deputy", "kind-district"]


@on_sqlite
@pytest.mark.parametrize(("key", "which"), [("1", 0), ("2", 1), ("3", 2)])
def test_of_several_kinds_of_officials_the_caller_chooses_one(
    asterisk: FakeAsterisk, engine: Engine, key: str, which: int
):
    rounds_ = offer(engine, MAYOR, DEPUTY, 7)
    district = [("ask-district", "7#")] if key == "3" else []

    heard = asterisk.dial(START, ("after kind-district", key), *district, RIGHT, *REST)

    assert heard.prompts[2:6] == KINDS
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[which].id]


@on_sqlite
def test_what_is_not_open_is_not_offered_and_its_key_is_wrong(asterisk: FakeAsterisk, engine: Engine):
    rounds_ = offer(engine, MAYOR, 7)

    heard = asterisk.dial(START, ("choose-kind", "2"), ("after kind-district", "1"), RIGHT, *REST)

    assert heard.prompts[2:7] == ["choose-kind", "wrong-key", "choose-kind", "kind-mayor", "kind-district"]
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[0].id]


@on_sqlite
@pytest.mark.parametrize("kind", [MAYOR, DEPUTY, 7])
def test_where_there_is_one_choice_nothing_is_asked(
    asterisk: FakeAsterisk, engine: Engine, kind: OfficialKind | int
):
    offer(engine, kind)

    assert asterisk.dial(*YES).prompts == PATH + TOLD


@on_sqlite
def test_among_the_kinds_star_repeats_and_the_third_time_is_slower(asterisk: FakeAsterisk, engine: Engine):
    offer(engine, MAYOR, DEPUTY)

    heard = asterisk.dial(START, ("choose-kind", "*"), *[("choose-kind", "7")] * 2, ("choose-kind-slow", "9"))

    assert heard.prompts[2:] == [
        *("choose-kind", "choose-kind", "wrong-key", "choose-kind", "wrong-key", "choose-kind-slow"),
        "goodbye-how",
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
    assert heard.prompts[2:7] == ["choose-kind", "choose-round", *["choose-item"] * 2, "round-when"]
    for key, office in enumerate(offices, start=1):
        assert heard.said("choose-item", office=office, key=key)


@on_sqlite
def test_a_deputy_that_is_not_offered_is_wrong_and_three_end_the_call(asterisk: FakeAsterisk, engine: Engine):
    offer(engine, DEPUTY, DEPUTY)

    heard = asterisk.dial(START, *[("choose-round", key) for key in "34#"])

    assert heard.prompts[2:] == [
        *("choose-round", "wrong-key", "choose-round", "wrong-key", "choose-round"),
        "goodbye-how",
    ]
    assert registrations(engine) == []


@on_sqlite
def test_of_more_rounds_than_keys_the_soonest_nine_are_offered(asterisk: FakeAsterisk, engine: Engine):
    rounds_ = offer(engine, *[DEPUTY] * 10)

    heard = asterisk.dial(START, ("after choose-item", "9"), RIGHT, *REST)

    assert heard.prompts.count("choose-item") == 9
    assert [kept.round_id for kept in registrations(engine)] == [rounds_[8].id]


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
    heard = asterisk.dial(START, ("ask-number", "09137654321#"), RIGHT, *REST, caller_id=caller_id)

    assert heard.prompts == [
        *(*INTRODUCED, "ask-number", "confirm-number", *ASKED, *TOLD[:-1]),
        *("number-will-be-confirmed", "goodbye"),
    ]
    (kept,) = registrations(engine)
    assert (kept.number, kept.state) == (OTHER, RegistrationState.UNCONFIRMED)
    with reading(engine) as session:
        (confirmation,) = session.scalars(select(Confirmation))
        assert (confirmation.registration_id, confirmation.token, confirmation.attempts) == (kept.id, None, 0)
        assert confirmations.due(session, 5) == [kept.id]


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
        *(START, ("confirm-number", "2"), ("ask-number", keyed), ("after confirm-number", "1"), *REST)
    )

    assert heard.prompts == [*INTRODUCED, "confirm-number", "ask-number", "confirm-number", *ASKED, *TOLD]
    assert heard.said("confirm-number", number="0" + number[3:])
    (kept,) = registrations(engine)
    assert (kept.number, kept.state) == (number, RegistrationState.WAITING)


@on_sqlite
def test_an_entry_without_end_is_over_after_the_longest_number(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    entries = [("ask-number", "1" * 15), ("ask-number", "09137654321#")]

    heard = asterisk.dial(START, *entries, RIGHT, *REST, caller_id="unknown")

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
def test_who_keys_in_nothing_is_asked_twice_more(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, keyed: str
):
    silences = [("after ask-number", keyed)] * 2

    heard = asterisk.dial(START, *silences, ("after ask-number-slow", keyed), caller_id="unknown")

    assert heard.prompts == [
        *(*INTRODUCED, "ask-number", "no-key-again", "ask-number", "no-key-again", "ask-number-slow"),
        "goodbye-how",
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
        "goodbye-how",
    ]
    assert heard.said("confirm-number-slow", number="09131234567")
    assert registrations(engine) == []


@on_sqlite
def test_star_repeats_the_number(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(START, ("confirm-number", "*"), ("after confirm-number", "1"), *REST)

    assert heard.prompts == [*INTRODUCED, "confirm-number", "confirm-number", *ASKED, *TOLD]
    assert heard.said("confirm-number", number="09131234567")


@on_sqlite
def test_star_within_a_number_begins_it_again(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    slip = [("ask-number", "0912*"), ("after ask-number", "09137654321#")]

    heard = asterisk.dial(START, *slip, RIGHT, *REST, caller_id="unknown")

    assert heard.prompts[4:7] == ["ask-number", "ask-number", "confirm-number"]
    assert [kept.number for kept in registrations(engine)] == [OTHER]


# --- about what ---


@on_sqlite
@pytest.mark.parametrize("subject", range(1, 10))
def test_each_subject_has_its_key(asterisk: FakeAsterisk, engine: Engine, round_id: int, subject: int):
    heard = asterisk.dial(START, RIGHT, ("after subject-9", str(subject)), NO_MESSAGE)

    first = heard.prompts.index("ask-subject") + 1
    assert heard.prompts[first : first + 9] == [f"subject-{n}" for n in range(1, 10)]
    assert [kept.subject for kept in registrations(engine)] == [subject]


@on_sqlite
def test_who_names_no_subject_is_not_registered(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(START, RIGHT, ("ask-subject", "#"), ("ask-subject", "#"), ("ask-subject-slow", "#"))

    assert heard.prompts[5:] == [
        *("ask-subject", "wrong-key", "ask-subject", "wrong-key", "ask-subject-slow", "goodbye-how"),
    ]
    assert registrations(engine) == []


# --- a message ---


SPEAKS = ("message-offer", "1")
UP_TO_THE_SUBJECT = [START, RIGHT, ROADS]


def kept_message(engine: Engine, settings: Settings) -> str | None:
    """What the message of the one registration says, None if there is none."""
    (kept,) = registrations(engine)
    return (settings.messages_dir / kept.message).read_text() if kept.message else None


def test_a_message_is_kept_with_the_registration(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("recording", "#"), ("message-review", "1"))

    assert heard.prompts == [
        *(*PATH, "message-speak", "message-review", "message-kept", *TOLD),
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

    assert heard.prompts[7:] == [*["message-speak", "message-review"] * 3, "message-kept", *TOLD]
    assert len(set(heard.recorded)) == 1, "the last one takes the place of the others"
    assert kept_message(engine, settings) == heard.recorded[0].read_text()


@on_sqlite
def test_who_wants_to_record_a_fourth_time_keeps_the_third(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, *[("message-review", "2")] * 3)

    assert heard.prompts[7:] == [*["message-speak", "message-review"] * 3, "message-kept", *TOLD]
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

    assert heard.prompts[7:] == ["message-speak", "message-not-kept", *TOLD]
    assert heard.finished
    assert kept_message(engine, settings) is None
    assert list(settings.messages_dir.iterdir()) == []


@on_sqlite
def test_who_goes_on_without_a_message_after_all_leaves_no_trace_of_it(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("message-review", "3"))

    assert heard.prompts[7:] == ["message-speak", "message-review", *TOLD]
    assert kept_message(engine, settings) is None
    assert list(settings.messages_dir.iterdir()) == []


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
def test_who_is_at_a_loss_about_a_message_hears_the_ticket_all_the_same(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT)

    again = ["no-key-again", "message-offer"]
    assert heard.prompts[-len(TOLD) - 5 :] == ["message-offer", *again, *again, *TOLD]
    assert heard.finished


@on_sqlite
def test_who_is_at_a_loss_after_speaking_has_left_the_message(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, SPEAKS, ("message-review", "7"))

    assert heard.prompts[-len(TOLD) :] == TOLD
    assert kept_message(engine, settings)


@on_sqlite
def test_who_asks_for_an_operator_instead_of_a_message_hears_the_ticket_first(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(*UP_TO_THE_SUBJECT, ("message-offer", "0"), ("operator-offer", "#"))

    assert heard.prompts == [*PATH, *TOLD[:-1], "operator-offer", "goodbye"]
    assert heard.finished
    assert len(registrations(engine)) == 1


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


@pytest.mark.parametrize("state", RegistrationState)
def test_what_an_earlier_registration_of_the_same_round_means(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, state: RegistrationState
):
    with writing(engine) as session:
        own = make.a_registration(session, session.get_one(Round, round_id), number=OWN, state=state)

    heard = asterisk.call(Steps(*YES))

    again = "registered" in heard.prompts
    assert again is (state not in HOLDS_PLACE)
    assert heard.said("already-registered", ticket=own.ticket) is not again
    assert len(registrations(engine)) == 1 + again
    assert heard.finished


@on_sqlite
def test_a_stranger_who_keys_in_a_number_that_has_a_place_learns_nothing_of_it(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    with writing(engine) as session:
        make.a_registration(session, session.get_one(Round, round_id), number=OTHER)

    heard = asterisk.dial(START, ("ask-number", "09137654321#"), RIGHT, ROADS, caller_id="")

    assert heard.prompts[-3:] == ["ask-subject", "number-will-be-confirmed", "goodbye"]
    assert [kept.state for kept in registrations(engine)] == [RegistrationState.WAITING]


# --- who may not ---


def test_more_registrations_a_day_than_the_settings_allow_are_refused(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, round_id: int
):
    with writing(engine) as session:
        for _ in range(settings.registrations_per_day):
            make.a_registration(session, make.a_round(session, Phase.CLOSED), number=OWN)

    heard = asterisk.dial(START, RIGHT, ROADS)

    assert heard.prompts == [*BEFORE_THE_PLACE, "too-many-today", "goodbye"]
    assert heard.finished
    assert len(registrations(engine)) == settings.registrations_per_day


@on_sqlite
@pytest.mark.parametrize("reason", BlockReason)
def test_a_blocked_number_that_is_keyed_in_is_refused(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, reason: BlockReason
):
    with writing(engine) as session:
        blocked.block(session, OTHER, reason)

    heard = asterisk.dial(START, ("ask-number", "09137654321#"), RIGHT, ROADS, caller_id="")

    assert heard.prompts[-2:] == [f"blocked-{reason}", "goodbye"]
    assert registrations(engine) == []


# --- in english ---


def test_in_english_everything_is_said_in_english_and_the_callback_will_be_too(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(("main-menu", "9"), *YES)

    (kept,) = registrations(engine)
    assert kept.language == "en"
    assert heard.prompts == [*PATH[:2], "main-menu", *PATH[2:], *TOLD]
    switch = heard.clips.index("main-menu") + 1
    assert {folder.name for folder in heard.folders[switch:]} == {"en"}
    assert heard.said("registered", language="en", ticket=kept.ticket)


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

    heard = asterisk.dial(START, ("confirm-number", close), ("after confirm-number", "1"), ROADS)

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

    heard = asterisk.dial(START, ("confirm-number", remove), ("after confirm-number", "1"), ROADS)

    assert heard.prompts == BEFORE_THE_PLACE
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


def test_when_the_database_is_away_the_dialplan_apologises_and_the_next_call_is_served(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, caplog: pytest.LogCaptureFixture
):
    give_back: list[Callable[[], None]] = []

    heard = asterisk.dial(
        *(START, RIGHT, ("ask-subject", lambda: give_back.append(take_away(engine)))),
        ("after subject-9", "1"),
    )
    give_back[0]()

    assert heard.prompts[-1] == "subject-9"
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
    calls = make.at_once(20, lambda _: asterisk.call(Steps(*YES)))

    (kept,) = registrations(engine)
    assert all(heard.finished and heard.said("ticket-again", ticket=kept.ticket) for heard in calls)
    assert sum("registered" in heard.prompts for heard in calls) == 1


# --- the log ---


def test_no_log_line_names_a_number_even_when_the_database_fails(
    asterisk: FakeAsterisk, engine: Engine, round_id: int, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    asterisk.dial(START, ("confirm-number", "2"), ("ask-number", "09137654321#"), RIGHT, *REST)
    with writing(engine) as session:
        session.execute(update(Registration).values(ticket="0"))
        session.connection().exec_driver_sql("ALTER TABLE events RENAME TO no_events")

    failed = asterisk.dial(START, RIGHT, ROADS)

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
    places, at_operators = (heard.prompts.count(said) for said in ("message-offer", "operator-registered"))
    assert len(registrations(engine)) - before == min(places, 1) + at_operators
    assert heard.prompts.count("registered") == min(places, 1) or caller.gone
