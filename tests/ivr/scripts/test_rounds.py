"""What a caller hears of rounds that are over, cancelled or full, of places carried on, and of who speaks."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Confirmation, OfficialKind, Registration, Round
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline import numbers
from hotline.line import carry_over, confirmation_calls, registration
from hotline.rounds import planning, rounds
from prompts.catalogue import clips
from tests import factories as make
from tests.kit.fake_asterisk import Deed, FakeAsterisk, Heard, transactions

OWN = "+989131234567"
OTHER = "+989137654321"
DAY = timedelta(days=1)
WAITING, UNREACHED = RegistrationState.WAITING, RegistrationState.UNREACHED
MENU = ["greeting", "main-menu"]
CHOICES = ["choices", "follow-up-menu", "goodbye"]
START, RIGHT, ROADS, NO_MESSAGE = (
    ("main-menu", "1"),
    ("confirm-number", "1"),
    ("ask-subject", "1"),
    ("message-offer", "#"),
)
YES = [START, RIGHT, ROADS, NO_MESSAGE]
FOLLOW_UP = [("main-menu", "2"), ("follow-up-menu", "#")]
TOLD = ["registered", "ticket-again", "ahead-none", "expectation", "will-call"]
ASKED = ["ask-subject", "message-offer", "goodbye"]


def two_rounds(session: Session, first: Phase, then: Phase | None) -> tuple[Round, Round | None]:
    """Two rounds of one official, the second a day after the first; None: it is not made yet."""
    left = make.a_round(session, first)
    if then is None:
        return left, None
    following = make.a_round(session, then)
    following.official = left.official
    if then is not Phase.LIVE:
        following.starts_at, following.ends_at = following.starts_at + DAY, following.ends_at + DAY
    session.flush()
    return left, following


def left_in(
    engine: Engine, first: Phase, then: Phase | None, *, carried: bool = True, **values: object
) -> tuple[Registration, datetime | None]:
    """OWN's registration, third in a round that is over or cancelled, after the clerk came by (or not); when
    the next round is.
    """
    with writing(engine) as session:
        left, following = two_rounds(session, first, then)
        make.some_registrations(session, left, 2)
        own = make.a_registration(session, left, number=OWN, registered_at=now(session), **values)
        if following and then is not Phase.CANCELLED:
            make.some_registrations(session, following, 1)
        if carried:
            carry_over.run(session)
        return own, following.starts_at if following else None


def as_it_is(engine: Engine, kept: Registration) -> Registration:
    with reading(engine) as session:
        return session.get_one(Registration, kept.id)


def by_ticket(asterisk: FakeAsterisk, own: Registration) -> Heard:
    """A stranger, or the owner on another telephone, asks with the ticket number."""
    return asterisk.dial(("main-menu", "2"), ("follow-up-ask", own.ticket), caller_id="09139999999")


def at(moment: datetime | None) -> dict[str, datetime]:
    assert moment
    return {"day": moment, "date": moment, "time": moment}


# --- carried over ---


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("state", [WAITING, UNREACHED])
def test_given_a_place_that_was_carried_over_when_the_owner_presses_1_then_priority_place_and_time_are_told(
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
def test_given_a_place_that_was_carried_over_when_the_owner_follows_it_up_then_the_same_is_told(
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


def test_given_a_place_that_was_carried_over_when_a_stranger_has_the_ticket_then_nothing_personal_is_told(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    own, starts = left_in(engine, Phase.OVER, Phase.OPEN)

    heard = by_ticket(asterisk, own)

    assert heard.prompts[3:] == ["carried-over", "place", "round-at", "goodbye"]
    assert heard.said("round-at", **at(starts))
    number = clips("fa", "confirm-number", number=numbers.national(own.number))
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
def test_given_a_place_carried_into_a_round_when_followed_up_then_its_time_is_told_if_it_is_public(
    asterisk: FakeAsterisk, engine: Engine, phase: Phase, when: list[str]
) -> None:
    left_in(engine, Phase.OVER, phase)

    assert asterisk.dial(*FOLLOW_UP).prompts[3:] == ["carried-over", "place", *when, *CHOICES]


@pytest.mark.parametrize("key", ["1", "2"])
def test_given_a_round_that_was_cancelled_when_the_owner_calls_then_that_and_the_next_one_are_told(
    asterisk: FakeAsterisk, engine: Engine, key: str
) -> None:
    _, starts = left_in(engine, Phase.CANCELLED, Phase.OPEN)

    heard = asterisk.dial(("main-menu", key))

    assert "carried-over" not in heard.prompts
    told = [said for said in heard.prompts if said in ("carried-cancelled", "place", "round-at")]
    assert told[:3] == ["carried-cancelled", "place", "round-at"]
    assert heard.said("round-at", **at(starts))


def test_given_a_place_carried_twice_when_only_the_first_round_was_cancelled_then_that_is_past(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    own, _ = left_in(engine, Phase.CANCELLED, Phase.OPEN)
    with writing(engine) as session:
        second = session.get_one(Round, as_it_is(engine, own).round_id)
        rounds.end_round(session, second)
        third = make.a_round(session, Phase.OPEN)
        third.official = second.official
        third.starts_at, third.ends_at = third.starts_at + 2 * DAY, third.ends_at + 2 * DAY
        session.flush()
        carry_over.run(session)

    assert as_it_is(engine, own).rounds_missed == 2
    assert asterisk.dial(*FOLLOW_UP).prompts[3] == "carried-over"


def test_given_a_carried_place_in_a_round_that_is_yet_to_open_when_the_owner_presses_1_then_it_is_told_first(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    _, starts = left_in(engine, Phase.OVER, Phase.ANNOUNCED)

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[2:9] == [
        *("active-registration", "carried-over", "place", "round-at"),
        *("next-round-when", "registration-opens", "main-menu"),
    ]
    assert heard.said("round-at", **at(starts))


# --- a round that is over, or cancelled, and what comes next ---

WORDS = {
    (Phase.OVER, WAITING): "status-not-reached",
    (Phase.OVER, UNREACHED): "status-unreached",
    (Phase.CANCELLED, WAITING): "status-round-cancelled",
    (Phase.CANCELLED, UNREACHED): "status-round-cancelled",
}


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize(("phase", "state"), WORDS)
def test_given_a_round_that_left_somebody_when_no_next_one_is_made_then_they_need_do_nothing(
    asterisk: FakeAsterisk, engine: Engine, phase: Phase, state: RegistrationState, language: str
) -> None:
    own, _ = left_in(engine, phase, None, state=state)
    told = [WORDS[phase, state], "next-round-to-come"]
    switch = [("main-menu", "9")] if language == "en" else []

    heard = asterisk.dial(*switch, *FOLLOW_UP)

    assert heard.prompts[-6:] == ["active-registration", *told, *CHOICES]
    assert all(heard.said(prompt, language=language) for prompt in told)
    assert by_ticket(asterisk, own).prompts[3:] == [*told, "goodbye"]
    assert asterisk.dial(START, ("main-menu", "3")).prompts[2:6] == [
        *("active-registration", *told, "no-round-open"),
    ]


@pytest.mark.parametrize(("phase", "word"), [(p, w) for (p, s), w in WORDS.items() if s is WAITING])
def test_given_a_next_round_when_the_clerk_has_not_come_by_then_its_time_is_told_all_the_same(
    asterisk: FakeAsterisk, engine: Engine, phase: Phase, word: str
) -> None:
    own, starts = left_in(engine, phase, Phase.ANNOUNCED, carried=False)

    heard = by_ticket(asterisk, own)

    assert heard.prompts[3:] == [word, "next-round-at", "goodbye"]
    assert heard.said("next-round-at", **at(starts))


@pytest.mark.parametrize("then", [Phase.PLANNED, Phase.CANCELLED])
def test_given_a_next_round_that_is_not_public_or_is_cancelled_when_followed_up_then_no_time_is_told(
    asterisk: FakeAsterisk, engine: Engine, then: Phase
) -> None:
    own, _ = left_in(engine, Phase.OVER, then, carried=False)

    assert by_ticket(asterisk, own).prompts[3:] == ["status-not-reached", "next-round-to-come", "goodbye"]


def test_given_a_place_in_a_round_that_is_over_when_another_official_is_open_then_1_registers_with_them(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    own, _ = left_in(engine, Phase.OVER, None)
    with writing(engine) as session:
        another = make.a_round(session, Phase.OPEN)
        another.official.kind = OfficialKind.DEPUTY

    heard = asterisk.dial(*YES)

    assert heard.prompts[-6:] == TOLD[:3] + ASKED, "who has been here before knows the rest"
    with reading(engine) as session:
        place = registration.find(session, own.ticket)
        assert (place.round_id, place.state) == (own.round_id, WAITING)
        fresh = session.query(Registration).filter_by(round_id=another.id).one()
        assert (fresh.number, fresh.rounds_missed) == (OWN, 0)
    heard = asterisk.dial(("main-menu", "2"), ("after own-place-on", "1"), ("follow-up-menu", "#"))
    assert heard.prompts[5:7] == ["active-registration", "status-waiting"], "what comes next is the first"


@pytest.mark.parametrize("state", [WAITING, UNREACHED])
def test_given_a_place_in_a_round_that_is_over_when_its_owner_cancels_then_it_goes_no_further(
    asterisk: FakeAsterisk, engine: Engine, state: RegistrationState
) -> None:
    own, _ = left_in(engine, Phase.OVER, None, state=state)

    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "2"), ("cancel-confirm", "5")),
        ("owner-ticket", f"{own.ticket}#"),
    )

    assert heard.prompts[-2:] == ["cancelled-now", "goodbye"]
    assert as_it_is(engine, own).state is RegistrationState.CANCELLED


@pytest.mark.parametrize("state", [WAITING, UNREACHED])
def test_given_a_place_in_a_round_that_is_over_when_its_owner_names_another_number_then_it_is_carried_to_it(
    asterisk: FakeAsterisk, engine: Engine, state: RegistrationState
) -> None:
    own, _ = left_in(engine, Phase.OVER, None, state=state)

    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "3"), ("owner-ticket", f"{own.ticket}#")),
        *(("ask-number", f"{numbers.national(OTHER)}#"), ("confirm-number", "1")),
    )

    assert heard.said("change-number-asked", number=numbers.national(OTHER))
    assert as_it_is(engine, own).number == own.number, "until its owner agrees"
    with writing(engine) as session:
        (asked,) = session.query(Confirmation)
        asked.not_before = now(session)  # the caller has hung up
        session.flush()
        taken_up = confirmation_calls.take_up(session, asked.id)
        assert taken_up and taken_up.token
        confirmation_calls.answer(session, taken_up.token, yes=True)
    assert as_it_is(engine, own).number == OTHER


def test_given_a_second_ticket_that_was_merged_when_followed_up_then_the_older_place_is_told(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    with writing(engine) as session:
        left, following = two_rounds(session, Phase.OVER, Phase.OPEN)
        assert following
        older = make.a_registration(session, left, number=OWN)
        anew = registration.register(session, round_id=following.id, number=OWN)
        make.some_registrations(session, following, 3)
        carry_over.run(session)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "4"), ("follow-up-ask", anew.ticket))

    assert heard.prompts[-4:] == ["carried-over", "place", "round-at", "goodbye"]
    assert heard.said("place", place=1)
    assert asterisk.dial(START).said("ticket-is", ticket=older.ticket)


def test_given_nobody_answered_in_two_rounds_when_followed_up_then_that_and_registering_anew_are_told(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    values = {"rounds_unanswered": 1, "last_outcome": Outcome.NO_ANSWER}
    own, _ = left_in(engine, Phase.OVER, Phase.OPEN, state=UNREACHED, **values)

    assert as_it_is(engine, own).state is RegistrationState.CLOSED
    assert by_ticket(asterisk, own).prompts[3:] == ["status-given-up", "goodbye"]
    assert asterisk.dial(*YES).prompts[-6:] == [*TOLD[:2], "ahead-some", *ASKED]


def test_given_nobody_answered_in_a_second_round_when_it_still_goes_on_then_no_third_is_promised(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    values = {"rounds_unanswered": 1, "rounds_missed": 1, "last_outcome": Outcome.BUSY}
    own, _ = left_in(engine, Phase.LIVE, None, state=UNREACHED, **values)

    assert by_ticket(asterisk, own).prompts[3:] == ["status-given-up", "goodbye"]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.WRONG_NUMBER])
def test_given_a_place_closed_for_another_reason_when_followed_up_then_only_its_end_is_told(
    asterisk: FakeAsterisk, engine: Engine, outcome: Outcome
) -> None:
    values = {"rounds_unanswered": 1, "rounds_missed": 1, "last_outcome": outcome}
    own, _ = left_in(engine, Phase.OVER, None, state=RegistrationState.CLOSED, **values)

    assert by_ticket(asterisk, own).prompts[3:] == ["status-closed", "goodbye"]


# --- full ---


def an_open_round(engine: Engine, kind: OfficialKind, *, places: int | None, taken: int = 0) -> Round:
    with writing(engine) as session:
        round_ = make.a_round(session, Phase.OPEN)
        round_.official.kind, round_.capacity = kind, places
        round_.official.clip = (
            "office-mayor" if kind is OfficialKind.MAYOR else "office-deputy-urban-services"
        )
        make.some_registrations(session, round_, taken)
        return round_


def of_round(engine: Engine, round_: Round) -> list[Registration]:
    with reading(engine) as session:
        return session.query(Registration).filter_by(round_id=round_.id, number=OWN).all()


MAYOR, DEPUTY = OfficialKind.MAYOR, OfficialKind.DEPUTY


def test_given_a_full_round_when_it_is_the_only_one_then_that_is_told_before_a_number_is_asked(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    an_open_round(engine, MAYOR, places=2, taken=2)

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[2:5] == ["round-when", "round-full", "main-menu"]


def test_given_a_full_round_when_another_is_announced_then_that_one_is_told(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    an_open_round(engine, MAYOR, places=2, taken=2)
    with writing(engine) as session:
        coming = make.a_round(session, Phase.ANNOUNCED)

    heard = asterisk.dial(START)

    assert heard.prompts[3:7] == ["round-full", "next-round-when", "registration-opens", "main-menu"]
    assert heard.said("next-round-when", office="office-mayor", **at(coming.starts_at))


def test_given_a_full_round_when_another_has_room_then_it_is_offered_and_taken(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    full = an_open_round(engine, MAYOR, places=2, taken=2)
    free = an_open_round(engine, DEPUTY, places=2)

    heard = asterisk.dial(START, ("choose-kind", "1"), ("after kind-deputy", "2"), *YES[1:])

    assert heard.prompts[2:] == [
        *("choose-kind", "round-when", "round-full", "choose-kind", "choices", "kind-deputy"),
        *("round-when", "confirm-number", *TOLD, *ASKED),
    ]
    assert (len(of_round(engine, full)), len(of_round(engine, free))) == (0, 1)


def test_given_every_round_is_full_when_one_after_the_other_is_tried_then_the_menu_comes_back(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    an_open_round(engine, MAYOR, places=1, taken=1)
    an_open_round(engine, DEPUTY, places=1, taken=1)

    heard = asterisk.dial(START, ("choose-kind", "1"), ("choose-kind", "2"), ("main-menu", "3"))

    told = ["round-when", "round-full"]
    assert heard.prompts[2:10] == [
        *("choose-kind", *told, "choose-kind", *told),
        *("main-menu", "report-category"),
    ]


@pytest.mark.parametrize("state", [WAITING, RegistrationState.UNCONFIRMED])
def test_given_a_full_round_when_the_caller_has_a_place_in_it_then_that_counts(
    asterisk: FakeAsterisk, engine: Engine, state: RegistrationState
) -> None:
    full = an_open_round(engine, MAYOR, places=3, taken=2)
    with writing(engine) as session:
        make.a_registration(session, session.get_one(Round, full.id), number=OWN, state=state)

    steps = YES[:1] if state is WAITING else YES[:2]
    heard = asterisk.dial(*steps)

    assert "round-full" not in heard.prompts
    assert ("already-registered" if state is WAITING else "registered") in heard.prompts
    assert [place.state for place in of_round(engine, full)] == [WAITING]


def test_given_somebody_cancelled_when_a_caller_wants_the_place_then_it_is_free(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    round_ = an_open_round(engine, MAYOR, places=2, taken=1)
    with writing(engine) as session:
        given_up = make.a_registration(session, session.get_one(Round, round_.id))
        registration.cancel(session, given_up.id)

    heard = asterisk.dial(*YES)

    assert "registered" in heard.prompts


def filling(engine: Engine, *full: Round) -> Callable[[], None]:
    """What takes the last places of these rounds."""

    def fill() -> None:
        with writing(engine) as session:
            for round_ in full:
                registration.register(session, round_id=round_.id, number=make.a_number())

    return fill


def test_given_a_round_that_fills_up_during_the_call_when_it_is_the_only_one_then_that_ends_the_call(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    round_ = an_open_round(engine, MAYOR, places=1)

    heard = asterisk.dial(START, ("confirm-number", filling(engine, round_)), *after_confirm())

    assert heard.prompts[-3:] == ["confirm-number", "full-meanwhile", "goodbye"]
    assert heard.finished
    assert of_round(engine, round_) == []


def after_confirm() -> list[tuple[str, Deed]]:
    return [("after confirm-number", "1")]


def test_given_a_round_that_fills_up_during_the_call_when_another_has_room_then_three_transactions_do(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    first, second = (an_open_round(engine, kind, places=1) for kind in (MAYOR, DEPUTY))
    fill = filling(engine, first)
    begun = transactions(engine)

    heard = asterisk.dial(
        *(START, ("choose-kind", "1"), ("confirm-number", fill), *after_confirm()),
        *(("after kind-deputy", "2"), RIGHT),
    )

    meanwhile = heard.prompts.index("full-meanwhile")
    assert heard.prompts[meanwhile:] == [
        *("full-meanwhile", "choose-kind", "choices", "kind-deputy", "round-when"),
        *("confirm-number", *TOLD, "goodbye"),
    ]
    assert len(begun) - 1 == 3, "the test's own one aside"
    assert (len(of_round(engine, first)), len(of_round(engine, second))) == (0, 1)


def test_given_both_rounds_fill_up_during_the_call_when_tried_then_the_call_ends_after_three_transactions(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    both = [an_open_round(engine, kind, places=1) for kind in (MAYOR, DEPUTY)]
    fill = filling(engine, *both)
    begun = transactions(engine)

    heard = asterisk.dial(
        *(START, ("choose-kind", "1"), ("confirm-number", fill), *after_confirm()),
        *(("after kind-deputy", "2"), RIGHT),
    )

    assert heard.prompts.count("full-meanwhile") == 2
    assert heard.prompts[-2:] == ["full-meanwhile", "goodbye"]
    assert heard.finished
    assert len(begun) - 1 == 3
    assert of_round(engine, both[0]) == of_round(engine, both[1]) == []


def test_given_a_round_that_fills_up_when_the_only_other_is_full_as_well_then_the_call_ends(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    first = an_open_round(engine, MAYOR, places=1)
    an_open_round(engine, DEPUTY, places=1, taken=1)

    heard = asterisk.dial(
        *(START, ("choose-kind", "1"), ("confirm-number", filling(engine, first)), *after_confirm()),
        ("after kind-deputy", "2"),
    )

    assert heard.prompts[-3:] == ["round-when", "round-full", "goodbye"]
    assert heard.finished


@pytest.mark.parametrize("kind", [MAYOR, OfficialKind.DISTRICT_MANAGER])
def test_given_two_open_rounds_of_one_official_when_a_caller_registers_then_it_is_for_the_soonest_with_room(
    asterisk: FakeAsterisk, engine: Engine, kind: OfficialKind
) -> None:
    with writing(engine) as session:
        soon, late = two_rounds(session, Phase.OPEN, Phase.OPEN)
        assert late
        soon.official.kind, soon.capacity = kind, 1
        soon.official.district = 7 if kind is OfficialKind.DISTRICT_MANAGER else None
    chosen = ("choose-kind", "3"), ("ask-district", "7#")

    heard = asterisk.dial(*YES, caller_id="09137654321")
    assert heard.said("round-when", office="office-mayor", **at(soon.starts_at))
    assert heard.prompts[2] == "round-when", "there is nothing to choose"
    heard = asterisk.dial(START, *(chosen if kind is not MAYOR else [("choose-kind", "1")]), *YES[1:])

    assert "round-full" in heard.prompts
    assert heard.said("round-when", office="office-mayor", **at(late.starts_at))
    assert (len(of_round(engine, soon)), len(of_round(engine, late))) == (0, 1)


# --- languages, and who speaks ---


@pytest.mark.parametrize(
    ("spoken", "caller", "warned"),
    [
        ("fa", "en", True),
        ("en", "fa", True),
        ("fa", "fa", False),
        ("fa,en", "en", False),
        ("fa,en", "fa", False),
    ],
)
def test_given_a_caller_in_a_language_when_the_official_does_not_speak_it_then_it_is_told_before_registering(
    asterisk: FakeAsterisk, engine: Engine, spoken: str, caller: str, warned: bool
) -> None:
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN).languages = spoken
    switch = [("main-menu", "9")] if caller == "en" else []

    heard = asterisk.dial(*switch, *YES)

    assert heard.prompts[-8:] == TOLD + ASKED, "and goes on"
    assert ("speaks-other-language" in heard.prompts) is warned
    if warned:
        assert heard.said("speaks-other-language", language=caller)
        assert heard.prompts.index("speaks-other-language") < heard.prompts.index("confirm-number")


SUBSTITUTE = "office-deputy-urban-planning"


def substituted(session: Session, round_: Round) -> None:
    deputies = [make.an_official(session) for _ in range(2)]
    for deputy, clip in zip(deputies, (SUBSTITUTE, "office-deputy-urban-services"), strict=True):
        deputy.kind, deputy.clip = OfficialKind.DEPUTY, clip
    round_.substitute, round_.deputies = deputies[0], [deputies[1]]


def test_given_a_substitute_when_a_caller_registers_then_who_speaks_is_told_and_not_who_sits_beside(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    with writing(engine) as session:
        substituted(session, make.a_round(session, Phase.OPEN))

    heard = asterisk.dial(*YES)

    assert heard.prompts[2:5] == ["round-when", "substitute-speaks", "confirm-number"]
    assert heard.said("substitute-speaks", office=SUBSTITUTE)
    offices = [clip for clip in heard.clips if clip.startswith("office-")]
    assert offices == ["office-mayor", SUBSTITUTE]


def test_given_a_substitute_when_a_citizen_is_called_back_then_it_is_who_speaks_that_is_named(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    with writing(engine) as session:
        callback = make.a_callback(session, CallbackState.DIALING)
        substituted(session, session.get_one(Round, callback.registration.round_id))

    heard = asterisk.dial(
        ("after callback-press-one", "1"), script="callback", channel_id=callback.token, caller_id="137"
    )

    assert heard.said("callback-intro", office=SUBSTITUTE)
    assert heard.said("callback-press-one", office=SUBSTITUTE)
    assert {clip for clip in heard.clips if clip.startswith("office-")} == {SUBSTITUTE}


def test_given_a_substitute_when_the_owner_of_a_number_is_asked_then_it_is_who_speaks_that_is_named(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    with writing(engine) as session:
        round_ = make.a_round(session)
        substituted(session, round_)
        taken = confirmation_calls.take_up(session, make.keyed_in(session, round_).id)
        assert taken and taken.token

    heard = asterisk.dial(
        ("confirm-call-press-one", "1"), script="confirm", channel_id=taken.token, caller_id="137"
    )

    assert heard.said("confirm-call-intro", office=SUBSTITUTE)


# --- what is never offered ---


def closed_but_live(session: Session) -> Round:
    """A round that was opened, whose registration has ended."""
    round_ = make.a_round(session, Phase.LIVE)
    round_.registration_until = now(session) - timedelta(minutes=1)
    return round_


NOT_OFFERED: dict[str, Callable[[Session], Round]] = {
    "live, registration over": closed_but_live,
    **{
        str(phase): lambda session, phase=phase: make.a_round(session, phase)  # type: ignore[misc]
        for phase in (Phase.PLANNED, Phase.CLOSED, Phase.OVER, Phase.CANCELLED)
    },
}


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_given_a_round_that_takes_nobody_now_when_a_caller_presses_1_then_it_is_neither_offered_nor_told(
    asterisk: FakeAsterisk, engine: Engine, name: str
) -> None:
    with writing(engine) as session:
        NOT_OFFERED[name](session)

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[2:5] == ["no-round-open", "main-menu", "report-category"]


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_given_a_round_that_takes_nobody_now_when_another_does_then_only_that_is_offered(
    asterisk: FakeAsterisk, engine: Engine, name: str
) -> None:
    with writing(engine) as session:
        hidden, open_ = NOT_OFFERED[name](session), make.a_round(session, Phase.OPEN)
        hidden.official.kind, open_.official.kind = MAYOR, DEPUTY

    heard = asterisk.dial(*YES)

    assert heard.prompts[2] == "round-when"
    assert heard.prompts[-8:] == TOLD + ASKED
    assert len(of_round(engine, open_)) == 1


def test_given_nothing_is_open_when_the_next_one_is_cancelled_or_not_public_then_the_one_after_is_told(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    with writing(engine) as session:
        cancelled, planned, coming = (
            make.a_round(session, phase) for phase in (Phase.ANNOUNCED, Phase.PLANNED, Phase.ANNOUNCED)
        )
        planned.registration_from -= timedelta(minutes=5)
        planned.announce_at = planned.registration_from
        planning.cancel(session, cancelled, who="command line", reason="سفر")
        coming.official.clip = SUBSTITUTE

    heard = asterisk.dial(START, ("main-menu", "3"))

    assert heard.prompts[2:5] == ["next-round-when", "registration-opens", "main-menu"]
    assert heard.said("next-round-when", office=SUBSTITUTE, **at(coming.starts_at))
