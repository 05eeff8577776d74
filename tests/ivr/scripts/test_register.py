"""Key 1: registering for a round: what is pressed, what is told, and who may not."""

import pytest
from sqlalchemy import Engine, func, select

from db.engine import now, reading, writing
from db.models import BlockReason, Confirmation, Round
from db.states import HOLDS_PLACE, Phase, RegistrationState
from hotline import tickets
from hotline.line import blocked, confirmations
from prompts.catalogue import list_clips
from settings import Settings
from tests import factories as make
from tests.ivr.scripts.registering import (
    ASKED,
    BEFORE_THE_PLACE,
    DEPUTY,
    FOUR,
    INTRODUCED,
    NO_MESSAGE,
    OTHER,
    OWN,
    PATH,
    PERSON,
    REST,
    RIGHT,
    SAFE,
    START,
    TOLD,
    YES,
    on_sqlite,
    registrations,
)
from tests.kit.fake_asterisk import WORKING, FakeAsterisk, Steps

# --- the path ---


def test_a_citizen_registers_with_four_keys(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(
        *(("after main-menu", "1"), ("after confirm-number", "1")),
        *(("after subject-others", "4"), ("after message-offer", "#")),
    )

    (kept,) = registrations(engine)
    assert (kept.round_id, kept.number, kept.state) == (round_id, OWN, RegistrationState.WAITING)
    assert tickets.parse(kept.ticket) == kept.ticket
    assert (kept.subject, kept.voice_message, kept.language) == (4, None, "fa")
    assert heard.prompts == [
        *(*INTRODUCED, "confirm-number", *TOLD),
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


def test_registered_caller_hears_ticket_and_place_again(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    with writing(engine) as session:
        round_ = session.get_one(Round, round_id)
        before_me, own = make.some_registrations(session, round_, 2)
        own.number = OWN

    heard = asterisk.dial(START)

    assert [kept.id for kept in registrations(engine)] == [before_me.id, own.id]
    assert heard.prompts == [
        *INTRODUCED[:3],
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

    assert [prompt for prompt in heard.prompts if not prompt.startswith(("subject", "choices"))] == PATH
    assert [kept.subject for kept in registrations(engine)] == [3]


@on_sqlite
def test_key_during_the_ticket_waits_for_its_question(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    heard = asterisk.dial(START, ("confirm-number", "1"), ("registered", "5"), *REST)

    (kept,) = registrations(engine)
    assert heard.said("registered", ticket=kept.ticket)
    assert kept.subject == 1, "a key in it that is no burst's is for nothing"

    other = asterisk.dial(("greeting", "117#"), caller_id="09131234568")
    assert other.said("registered-brief", office="office-mayor", ticket=registrations(engine)[-1].ticket)
    assert registrations(engine)[-1].subject == 7


@on_sqlite
def test_keys_typed_ahead_are_dropped_after_a_surprise(asterisk: FakeAsterisk, engine: Engine, round_id: int):
    with writing(engine) as session:
        full = session.get_one(Round, round_id)
        full.capacity = 1
        make.some_registrations(session, full, 1)
        make.a_round(session, Phase.OPEN).official.kind = DEPUTY
        make.a_round(session, Phase.OPEN).official.kind = DEPUTY

    heard = asterisk.dial(("greeting", "111112"))

    assert "round-full" in heard.prompts
    assert heard.prompts[-4:] == PERSON, "it asks again, and nothing is pressed"
    assert [kept.round_id for kept in registrations(engine)].count(round_id) == 1


@on_sqlite
def test_what_is_pressed_during_a_transaction_is_not_lost(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(("greeting", "11"), (WORKING, "8"), ("after subject-others", "2"), NO_MESSAGE)
    assert heard.finished
    assert registrations(engine)[0].subject == 2, "after a pause it answers nothing"


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


def test_unreached_citizen_is_greeted_with_the_carried_place(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    with writing(engine) as session:
        round_ = session.get_one(Round, round_id)
        make.some_registrations(session, round_, 3)
        carried = make.some_registrations(session, round_, 2, rounds_missed=1)[1]
        carried.number, starts = OWN, round_.starts_at

    heard = asterisk.dial(START)

    assert heard.prompts == [
        *INTRODUCED[:3],
        *("carried-over", "ticket-is", "ticket-again", "place", "round-at", "will-call", "goodbye"),
    ]
    assert heard.said("ticket-is", ticket=carried.ticket)
    assert heard.said("place", place=2)
    assert heard.said("round-at", day=starts, date=starts, time=starts)


@on_sqlite
def test_returning_citizen_hears_no_explanation(asterisk: FakeAsterisk, engine: Engine, round_id: int):
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
def test_keyed_in_number_sounds_the_same_whatever_its_state(
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
        *("ask-number", *list_clips("fa", "confirm-number", number="09137654321")[:1]),
        *("number-will-be-confirmed", "goodbye"),
    ]
    assert len(registrations(engine)) == before + (state is None)
    with reading(engine) as session:
        assert session.scalar(select(func.count(Confirmation.id))) == 1, "and it counts"


# --- who may not ---


def test_registrations_above_the_daily_limit_are_refused(
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
def test_keyed_in_blocked_number_is_never_called(
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


def test_english_caller_gets_english_prompts_and_callback(
    asterisk: FakeAsterisk, engine: Engine, round_id: int
):
    heard = asterisk.dial(("main-menu", "9"), *YES)

    (kept,) = registrations(engine)
    assert kept.language == "en"
    assert heard.prompts == [*PATH[:3], "menu-persian", "main-menu", *PATH[3:]]
    switch = heard.clips.index("menu-persian") + 1
    assert {folder.name for folder in heard.folders[switch:]} == {"en"}
    assert heard.said("registered", language="en", ticket=kept.ticket)
