"""A place that was carried over, or whose round is over or cancelled: what its citizen hears."""

from datetime import datetime

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import OfficialKind, Registration, Round
from db.states import Outcome, Phase, RegistrationState
from hotline import numbers
from hotline.line import carry_over, confirmation_calls, registration
from hotline.rounds import phases
from prompts.catalogue import list_clips
from tests import factories as make
from tests.ivr.scripts.own_place import take_up_call
from tests.ivr.scripts.registering import OTHER, OWN, START, TOLD, YES
from tests.ivr.scripts.two_rounds import ASKED, DAY, UNREACHED, WAITING, at, two_rounds
from tests.kit.fake_asterisk import FakeAsterisk, Heard

CHOICES = ["choices", "follow-up-menu", "goodbye"]
FOLLOW_UP = [("main-menu", "2"), ("follow-up-menu", "#")]


def left_in(
    engine: Engine, first: Phase, then: Phase | None, *, carried: bool = True, **values: object
) -> tuple[Registration, datetime | None]:
    """Make OWN's registration, third in a round that is over or cancelled. Return it and the start of the
    next round. `carried`: the scheduler has carried it over.
    """
    with writing(engine) as session:
        left, following = two_rounds(session, first, then)
        make.some_registrations(session, left, 2)
        own = make.a_registration(session, left, number=OWN, registered_at=now(session), **values)
        if following and then is not Phase.CANCELLED:
            make.some_registrations(session, following, 1)
        if carried:
            carry_over.carry_over(session)
        return own, following.starts_at if following else None


def as_it_is(engine: Engine, kept: Registration) -> Registration:
    with reading(engine) as session:
        return session.get_one(Registration, kept.id)


def by_ticket(asterisk: FakeAsterisk, own: Registration) -> Heard:
    """A stranger, or the owner on another telephone, asks with the ticket number."""
    return asterisk.dial(("main-menu", "2"), ("follow-up-ask", own.ticket), caller_id="09139999999")


# --- carried over ---


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("state", [WAITING, UNREACHED])
def test_carried_place_tells_priority_place_and_time_on_key_1(
    asterisk: FakeAsterisk, engine: Engine, language: str, state: RegistrationState
) -> None:
    own, starts = left_in(engine, Phase.OVER, Phase.OPEN, state=state)
    switch = [("main-menu", "9")] if language == "en" else []

    heard = asterisk.dial(*switch, START)

    assert heard.prompts[-7:] == [
        *("carried-over", "ticket-is", "ticket-again", "place", "round-at", "will-call", "goodbye"),
    ]
    assert heard.said("carried-over", language=language)
    assert heard.said("ticket-is", language=language, ticket=own.ticket)
    assert heard.said("place", language=language, place=3)
    assert heard.said("round-at", language=language, **at(starts))


@pytest.mark.parametrize("language", ["fa", "en"])
def test_carried_place_tells_the_same_on_follow_up(
    asterisk: FakeAsterisk, engine: Engine, language: str
) -> None:
    _, starts = left_in(engine, Phase.OVER, Phase.CLOSED)
    switch = [("main-menu", "9")] if language == "en" else []

    heard = asterisk.dial(*switch, *FOLLOW_UP)

    assert heard.prompts[-7:] == ["active-registration", "carried-over", "place", "round-at", *CHOICES]
    assert heard.said("place", language=language, place=3)
    assert heard.said("round-at", language=language, **at(starts))
    after = heard.clips.index("active-registration.1")
    assert {folder.name for folder in heard.folders[after:]} == {language}


def test_carried_place_tells_a_stranger_nothing_personal(asterisk: FakeAsterisk, engine: Engine) -> None:
    own, starts = left_in(engine, Phase.OVER, Phase.OPEN)

    heard = by_ticket(asterisk, own)

    assert heard.prompts[4:] == ["carried-over", "place", "round-at", "goodbye"]
    assert heard.said("round-at", **at(starts))
    number = list_clips("fa", "confirm-number", number=numbers.format_national(own.number))
    assert not {clip for clip in number if clip.startswith("digit-")} & set(heard.clips)
    assert not [clip for clip in heard.clips if clip.startswith("office-")]


@pytest.mark.parametrize(
    ("phase", "when"),
    [
        (Phase.PLANNED, []),  # its notice is not out
        (Phase.ANNOUNCED, ["round-at"]),
        (Phase.LIVE, ["round-has-begun"]),
    ],
)
def test_carried_place_tells_its_time_only_if_public(
    asterisk: FakeAsterisk, engine: Engine, phase: Phase, when: list[str]
) -> None:
    left_in(engine, Phase.OVER, phase)

    assert asterisk.dial(*FOLLOW_UP).prompts[4:] == ["carried-over", "place", *when, *CHOICES]


@pytest.mark.parametrize("key", ["1", "2"])
def test_cancelled_round_tells_the_next_one(asterisk: FakeAsterisk, engine: Engine, key: str) -> None:
    _, starts = left_in(engine, Phase.CANCELLED, Phase.OPEN)

    heard = asterisk.dial(("main-menu", key))

    assert "carried-over" not in heard.prompts
    told = [said for said in heard.prompts if said in ("carried-cancelled", "place", "round-at")]
    assert told[:3] == ["carried-cancelled", "place", "round-at"]
    assert heard.said("round-at", **at(starts))


def test_place_carried_twice_tells_only_the_last_reason(asterisk: FakeAsterisk, engine: Engine) -> None:
    own, _ = left_in(engine, Phase.CANCELLED, Phase.OPEN)
    with writing(engine) as session:
        second = session.get_one(Round, as_it_is(engine, own).round_id)
        phases.end_round(session, second)
        third = make.a_round(session, Phase.OPEN)
        third.official = second.official
        third.starts_at, third.ends_at = third.starts_at + 2 * DAY, third.ends_at + 2 * DAY
        session.flush()
        carry_over.carry_over(session)

    assert as_it_is(engine, own).rounds_missed == 2
    assert asterisk.dial(*FOLLOW_UP).prompts[4] == "carried-over"


def test_carried_place_comes_before_the_opening_time(asterisk: FakeAsterisk, engine: Engine) -> None:
    _, starts = left_in(engine, Phase.OVER, Phase.ANNOUNCED)

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[3:10] == [
        *("active-registration", "carried-over", "place", "round-at"),
        *("next-round-when", "registration-opens", "main-menu"),
    ]
    assert heard.said("round-at", **at(starts))


WORDS = {
    (Phase.OVER, WAITING): "status-not-reached",
    (Phase.OVER, UNREACHED): "status-unreached",
    (Phase.CANCELLED, WAITING): "status-round-cancelled",
    (Phase.CANCELLED, UNREACHED): "status-round-cancelled",
}


# --- a round that is over, or cancelled, and what comes next ---


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize(("phase", "state"), WORDS)
def test_round_without_a_next_asks_nothing_of_the_citizen(
    asterisk: FakeAsterisk, engine: Engine, phase: Phase, state: RegistrationState, language: str
) -> None:
    own, _ = left_in(engine, phase, None, state=state)
    told = [WORDS[phase, state], "next-round-to-come"]
    switch = [("main-menu", "9")] if language == "en" else []

    heard = asterisk.dial(*switch, *FOLLOW_UP)

    assert heard.prompts[-6:] == ["active-registration", *told, *CHOICES]
    assert all(heard.said(prompt, language=language) for prompt in told)
    assert by_ticket(asterisk, own).prompts[4:] == [*told, "goodbye"]
    assert asterisk.dial(START, ("main-menu", "3")).prompts[3:7] == [
        *("active-registration", *told, "no-round-open"),
    ]


@pytest.mark.parametrize(("phase", "word"), [(p, w) for (p, s), w in WORDS.items() if s is WAITING])
def test_next_round_is_told_before_the_scheduler_carries_over(
    asterisk: FakeAsterisk, engine: Engine, phase: Phase, word: str
) -> None:
    own, starts = left_in(engine, phase, Phase.ANNOUNCED, carried=False)

    heard = by_ticket(asterisk, own)

    assert heard.prompts[4:] == [word, "next-round-at", "goodbye"]
    assert heard.said("next-round-at", **at(starts))


@pytest.mark.parametrize("then", [Phase.PLANNED, Phase.CANCELLED])
def test_hidden_or_cancelled_next_round_tells_no_time(
    asterisk: FakeAsterisk, engine: Engine, then: Phase
) -> None:
    own, _ = left_in(engine, Phase.OVER, then, carried=False)

    assert by_ticket(asterisk, own).prompts[4:] == ["status-not-reached", "next-round-to-come", "goodbye"]


def test_key_1_registers_with_another_open_official(asterisk: FakeAsterisk, engine: Engine) -> None:
    own, _ = left_in(engine, Phase.OVER, None)
    with writing(engine) as session:
        another = make.a_round(session, Phase.OPEN)
        another.official.kind = OfficialKind.DEPUTY

    heard = asterisk.dial(*YES)

    assert heard.prompts[-6:] == TOLD[:3] + ASKED, "who has been here before knows the rest"
    with reading(engine) as session:
        place = registration.get_by_ticket(session, own.ticket)
        assert (place.round_id, place.state) == (own.round_id, WAITING)
        fresh = session.query(Registration).filter_by(round_id=another.id).one()
        assert (fresh.number, fresh.rounds_missed) == (OWN, 0)
    heard = asterisk.dial(("main-menu", "2"), ("after own-place-on", "1"), ("follow-up-menu", "#"))
    assert heard.prompts[6:8] == ["active-registration", "status-waiting"], "what comes next is the first"


def owner_agrees(engine: Engine, number: str) -> None:
    """Press 1 in the call to this number."""
    called, token = take_up_call(engine) or ("", "")
    assert called == number
    with writing(engine) as session:
        confirmation_calls.answer(session, token, yes=True)
        confirmation_calls.record_end(session, token)


@pytest.mark.parametrize("state", [WAITING, UNREACHED])
def test_place_cancelled_after_its_round_is_not_carried(
    asterisk: FakeAsterisk, engine: Engine, state: RegistrationState
) -> None:
    own, _ = left_in(engine, Phase.OVER, None, state=state)

    heard = asterisk.dial(
        ("main-menu", "2"),
        ("follow-up-menu", "2"),
        ("cancel-confirm", "5"),
    )

    assert heard.prompts[-2:] == ["cancel-call-soon", "goodbye"]
    owner_agrees(engine, own.number)
    assert as_it_is(engine, own).state is RegistrationState.CANCELLED


@pytest.mark.parametrize("state", [WAITING, UNREACHED])
def test_place_of_an_ended_round_moves_to_the_new_number(
    asterisk: FakeAsterisk, engine: Engine, state: RegistrationState
) -> None:
    own, _ = left_in(engine, Phase.OVER, None, state=state)

    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "3")),
        *(("ask-number", f"{numbers.format_national(OTHER)}#"), ("confirm-number", "1")),
    )

    assert heard.prompts[-2:] == ["change-call-soon", "goodbye"]
    owner_agrees(engine, own.number)
    assert as_it_is(engine, own).number == own.number, "until the other number's owner agrees, too"
    owner_agrees(engine, OTHER)
    assert as_it_is(engine, own).number == OTHER


def test_merged_ticket_tells_the_older_place(asterisk: FakeAsterisk, engine: Engine) -> None:
    with writing(engine) as session:
        left, following = two_rounds(session, Phase.OVER, Phase.OPEN)
        assert following
        older = make.a_registration(session, left, number=OWN)
        anew = registration.register(session, round_id=following.id, number=OWN)
        make.some_registrations(session, following, 3)
        carry_over.carry_over(session)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "4"), ("follow-up-ask", anew.ticket))

    assert heard.prompts[-4:] == ["carried-over", "place", "round-at", "goodbye"]
    assert heard.said("place", place=1)
    assert asterisk.dial(START).said("ticket-is", ticket=older.ticket)


def test_place_given_up_after_two_rounds_allows_registering(asterisk: FakeAsterisk, engine: Engine) -> None:
    values = {"rounds_unanswered": 1, "last_outcome": Outcome.NO_ANSWER}
    own, _ = left_in(engine, Phase.OVER, Phase.OPEN, state=UNREACHED, **values)

    assert as_it_is(engine, own).state is RegistrationState.CLOSED
    assert by_ticket(asterisk, own).prompts[4:] == ["status-given-up", "goodbye"]
    assert asterisk.dial(*YES).prompts[-6:] == [*TOLD[:2], "ahead-some", *ASKED]


def test_second_missed_round_still_live_promises_no_third(asterisk: FakeAsterisk, engine: Engine) -> None:
    values = {"rounds_unanswered": 1, "rounds_missed": 1, "last_outcome": Outcome.BUSY}
    own, _ = left_in(engine, Phase.LIVE, None, state=UNREACHED, **values)

    assert by_ticket(asterisk, own).prompts[4:] == ["status-given-up", "goodbye"]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.WRONG_NUMBER])
def test_place_closed_for_another_reason_tells_its_end_alone(
    asterisk: FakeAsterisk, engine: Engine, outcome: Outcome
) -> None:
    values = {"rounds_unanswered": 1, "rounds_missed": 1, "last_outcome": outcome}
    own, _ = left_in(engine, Phase.OVER, None, state=RegistrationState.CLOSED, **values)

    assert by_ticket(asterisk, own).prompts[4:] == ["status-closed", "goodbye"]
