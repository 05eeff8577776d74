"""The owner of a place, or of several: gives one up, and has another number called."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import BlockReason, Confirmation, ConfirmationKind, Message, MessageKind, Registration, Round
from db.states import HOLDS_PLACE, Phase, RegistrationState
from hotline.line import blocked
from tests import factories as make
from tests.ivr.scripts.own_place import ASKED, CHOICES, OWNER, TICKET, UNKNOWN, asked, kept
from tests.kit.fake_asterisk import FakeAsterisk

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked two simple questions


def become(engine: Engine, registration: Registration, state: RegistrationState) -> None:
    with writing(engine) as session:
        session.get_one(Registration, registration.id).state = state


# --- the owner ---


def test_the_owner_hears_status_and_place_at_once(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("after other-ticket", "#"), caller_id=own.number)

    assert heard.prompts == [*OWNER, *CHOICES, "goodbye"]
    assert heard.said("active-registration", office="office-mayor")
    assert heard.said("ahead-some", ahead=2)
    assert heard.finished


def test_the_owner_hears_it_again_with_the_ticket_number(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "1"), ("follow-up-menu", "#")), caller_id=own.number
    )

    assert heard.prompts == [
        *(
            *OWNER,
            *CHOICES[:2],
            "ticket-is",
            "status-waiting",
            "ahead-some",
            "round-has-begun",
            *CHOICES[:2],
            "goodbye",
        ),
    ]
    assert heard.said("ticket-is", ticket=TICKET)


def test_the_owner_who_hears_it_again_and_again_comes_to_an_end(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), *[("follow-up-menu", "1")] * 3, caller_id=own.number)

    assert heard.prompts[-1] == "goodbye"
    assert heard.finished


CANCELS = [("main-menu", "2"), ("follow-up-menu", "2"), ("cancel-confirm", "5")]


def test_the_owner_cancels_with_a_second_key_that_is_meant_and_the_ticket_number(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    heard = asterisk.dial(*CANCELS, ("owner-ticket", TICKET + "#"), caller_id=own.number)

    assert heard.prompts[-5:] == [
        *("follow-up-menu", "cancel-confirm", "owner-ticket", "cancelled-now", "goodbye"),
    ]
    assert kept(engine, own).state is RegistrationState.CANCELLED
    with reading(engine) as session:
        assert [m.kind for m in session.scalars(select(Message))] == [MessageKind.CANCELLED]


def test_a_place_that_somebody_else_asked_for_is_given_up_without_a_ticket_number(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    become(engine, own, RegistrationState.UNCONFIRMED)

    heard = asterisk.dial(*CANCELS, caller_id=own.number)

    assert heard.prompts[-3:] == ["cancel-confirm", "cancelled-now", "goodbye"]
    assert kept(engine, own).state is RegistrationState.CANCELLED
    with reading(engine) as session:
        assert session.scalars(select(Message)).all() == []


def test_a_ticket_number_that_leads_to_the_place_will_do(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    with writing(engine) as session:
        gave_way = make.a_registration(
            session, make.a_round(session), state=RegistrationState.CANCELLED, merged_into_id=own.id
        )

    heard = asterisk.dial(*CANCELS, ("owner-ticket", gave_way.ticket + "#"), caller_id=own.number)

    assert heard.prompts[-2:] == ["cancelled-now", "goodbye"]


NO_TICKET = [
    *([("owner-ticket", "#")], [("after owner-ticket", "")]),
    [("owner-ticket", "1#"), ("owner-ticket", UNKNOWN + "#"), ("owner-ticket", "#")],
    [("owner-ticket", UNKNOWN + "#")] * 3,
]


@pytest.mark.parametrize("keyed", NO_TICKET)
@pytest.mark.parametrize(("key", "said", "asked"), [("1", "cancel-call-soon", 1), ("#", "not-cancelled", 0)])
def test_who_has_no_ticket_number_is_called_and_keeps_the_place_until_then(
    asterisk: FakeAsterisk,
    engine: Engine,
    own: Registration,
    keyed: list[tuple[str, str]],
    key: str,
    said: str,
    asked: int,
):
    heard = asterisk.dial(*CANCELS, *keyed, ("cancel-call-offer", key), caller_id=own.number)

    assert heard.prompts[-3:] == ["cancel-call-offer", said, "goodbye"]
    assert kept(engine, own).state is RegistrationState.WAITING
    with reading(engine) as session:
        calls = [(c.kind, c.number, c.registration_id) for c in session.scalars(select(Confirmation))]
    assert calls == [(ConfirmationKind.CANCELLATION, own.number, own.id)] * asked


def test_who_is_silent_about_the_ticket_number_keeps_the_place(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    heard = asterisk.dial(*CANCELS, caller_id=own.number)

    assert heard.prompts[-2:] == ["ticket-again", "goodbye"]
    assert kept(engine, own).state is RegistrationState.WAITING
    with reading(engine) as session:
        assert session.scalars(select(Confirmation)).all() == []


def test_who_asks_for_that_call_too_often_is_told_so(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    steps = [*CANCELS, ("owner-ticket", "#"), ("cancel-call-offer", "1")]
    calls = [asterisk.dial(*steps, caller_id=own.number) for _ in range(4)]

    assert [heard.prompts[-2] for heard in calls] == ["cancel-call-soon"] * 3 + ["too-many-today"]


@pytest.mark.parametrize("key", "12346789#")
def test_any_other_key_keeps_the_registration(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, key: str
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "2"), ("cancel-confirm", key)), caller_id=own.number
    )

    assert heard.prompts[-3:] == ["cancel-confirm", "not-cancelled", "goodbye"]
    assert kept(engine, own).state is RegistrationState.WAITING


def test_silence_keeps_the_registration(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "2"), caller_id=own.number)

    assert heard.prompts[-2:] == ["ticket-again", "goodbye"]
    assert kept(engine, own).state is RegistrationState.WAITING


def test_who_is_being_called_at_that_moment_cannot_cancel_and_is_asked_to_hang_up(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "2")),
        ("cancel-confirm", lambda: become(engine, own, RegistrationState.CALLING)),
        *(("after cancel-confirm", "5"), ("owner-ticket", TICKET + "#")),
        caller_id=own.number,
    )

    assert heard.prompts[-4:] == ["cancel-confirm", "owner-ticket", "status-calling", "goodbye"]
    assert kept(engine, own).state is RegistrationState.CALLING


CHANGES = [
    *(("main-menu", "2"), ("follow-up-menu", "3"), ("owner-ticket", TICKET + "#")),
    *(("ask-number", "09137654321#"), ("confirm-number", "1")),
]
OTHER = "+989137654321"


def test_the_owner_names_another_number_whose_owner_is_called_first(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    heard = asterisk.dial(*CHANGES, caller_id=own.number)

    assert heard.prompts[-6:] == [
        *("follow-up-menu", "owner-ticket", "ask-number", "confirm-number", "change-number-asked", "goodbye"),
    ]
    assert heard.said("change-number-asked", number="09137654321")
    assert kept(engine, own).number == own.number, "nobody is lost if nobody picks up there"
    (call,) = asked(engine)
    assert (call.kind, call.number, call.asked_by) == (ConfirmationKind.NUMBER, OTHER, own.number)
    with reading(engine) as session:
        assert call.not_before < now(session) + timedelta(seconds=10), "the caller has hung up"


def test_three_other_numbers_a_day_are_enough(asterisk: FakeAsterisk, own: Registration):
    calls = [asterisk.dial(*CHANGES, caller_id=own.number) for _ in range(4)]

    assert [heard.prompts[-2] for heard in calls] == ["change-number-asked"] * 3 + ["too-many-today"]


@pytest.mark.parametrize("keyed", NO_TICKET)
def test_who_has_no_ticket_number_cannot_change_the_number(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, keyed: list[tuple[str, str]]
):
    heard = asterisk.dial(*CHANGES[:2], *keyed, caller_id=own.number)

    assert heard.prompts[-2:] == ["change-needs-ticket", "goodbye"]
    assert asked(engine) == []


def has_a_place(session: Session, round_: Round) -> None:
    make.a_registration(session, round_, number=OTHER)


def is_blocked(session: Session, _round: Round) -> None:
    blocked.block(session, OTHER, BlockReason.OWNER)


@pytest.mark.parametrize("given", [has_a_place, is_blocked])
def test_nothing_is_heard_of_the_other_number(
    asterisk: FakeAsterisk,
    engine: Engine,
    own: Registration,
    given: Callable[[Session, Round], None],
):
    with writing(engine) as session:
        given(session, session.get_one(Round, own.round_id))

    heard = asterisk.dial(*CHANGES, caller_id=own.number)

    assert heard.prompts[-2:] == ["change-number-asked", "goodbye"]
    assert kept(engine, own).number == own.number


def test_the_number_of_one_who_is_being_called_stays(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    become(engine, own, RegistrationState.CALLING)

    heard = asterisk.dial(*CHANGES, caller_id=own.number)

    assert heard.prompts[-2:] == ["status-calling", "goodbye"]
    assert kept(engine, own).number == own.number


def test_a_number_that_is_yet_to_be_confirmed_stays(
    asterisk: FakeAsterisk, engine: Engine, own: Registration
):
    become(engine, own, RegistrationState.UNCONFIRMED)

    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "3"), caller_id=own.number)

    assert heard.prompts[-3:] == ["follow-up-menu", "status-unconfirmed", "goodbye"]
    assert kept(engine, own).number == own.number


def test_the_owner_may_ask_about_another_ticket(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    with writing(engine) as session:
        other = make.a_registration(session, make.a_round(session), state=RegistrationState.REACHED)

    heard = asterisk.dial(
        *(("main-menu", "2"), ("after other-ticket", "4"), ("follow-up-ask", other.ticket)),
        caller_id=own.number,
    )

    assert heard.prompts == [*OWNER, *CHOICES, "follow-up-ask", "status-reached", "goodbye"]


@pytest.fixture
def three(engine: Engine, own: Registration) -> list[Registration]:
    """Places of one number, the oldest first: the mayor's, a district's, and the district's next round."""
    with writing(engine) as session:
        first, second = make.a_round(session), make.a_round(session, Phase.OPEN)
        first.official.clip = "office-district-7"
        second.official = first.official
        late = [make.a_registration(session, round_, number=own.number) for round_ in (first, second)]
        for seconds, place in enumerate(late):
            place.registered_at = now(session) + timedelta(seconds=seconds)
    return [own, *late]


LIST = ["greeting", "main-menu", "own-places", "own-place", "own-place-on", "own-place-on"]


# --- the owner of several places ---


def test_the_owner_of_several_places_hears_which_and_goes_to_one(
    asterisk: FakeAsterisk, engine: Engine, three: list[Registration]
):
    with reading(engine) as session:
        at = session.get_one(Round, three[2].round_id).starts_at

    heard = asterisk.dial(
        *(("main-menu", "2"), ("after own-place-on", "3"), ("follow-up-menu", "1"), ("follow-up-menu", "#")),
        caller_id=three[0].number,
    )

    assert heard.prompts[:7] == [*LIST, "active-registration"]
    assert heard.said("own-places", count=3)
    assert heard.said("own-place", office="office-mayor", key=1)
    assert heard.said("own-place-on", office="office-district-7", day=at, date=at, key=3)
    assert heard.said("ticket-is", ticket=three[2].ticket)


def test_the_owner_of_more_than_four_hears_four_and_then_the_others(
    asterisk: FakeAsterisk, engine: Engine, three: list[Registration]
):
    with writing(engine) as session:
        for seconds in range(3):
            place = make.a_registration(session, make.a_round(session), number=three[0].number)
            place.registered_at = now(session) + timedelta(hours=1, seconds=seconds)
        last = place.ticket

    heard = asterisk.dial(
        *(("main-menu", "2"), ("after choose-others", "5"), ("after choose-others", "2")),
        *(("follow-up-menu", "1"), ("follow-up-menu", "#")),
        caller_id=three[0].number,
    )

    said = [prompt for prompt in heard.prompts if prompt.startswith("own-place")]
    assert len(said) == 1 + 6
    assert heard.said("own-places", count=6)
    assert heard.said("choices", count=5)
    assert heard.said("choices", count=3), "the last two, and back to the first"
    assert heard.said("ticket-is", ticket=last)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_of_them_can_be_given_up(
    asterisk: FakeAsterisk, engine: Engine, three: list[Registration], which: int
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("own-place", str(which + 1)), *CANCELS[1:]),
        ("owner-ticket", three[which].ticket + "#"),
        caller_id=three[0].number,
    )

    assert heard.prompts[-2:] == ["cancelled-now", "goodbye"]
    cancelled = [kept(engine, place).state is RegistrationState.CANCELLED for place in three]
    assert cancelled == [place == which for place in range(3)]


def test_the_ticket_number_of_one_gives_no_other_up(
    asterisk: FakeAsterisk, engine: Engine, three: list[Registration]
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("own-place", "2"), *CANCELS[1:]),
        *(("owner-ticket", TICKET + "#"), ("owner-ticket", "#"), ("cancel-call-offer", "#")),
        caller_id=three[0].number,
    )

    assert heard.prompts[-2:] == ["not-cancelled", "goodbye"]


def test_the_owner_goes_from_one_to_another_in_one_call(asterisk: FakeAsterisk, three: list[Registration]):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("own-place", "1"), ("after other-place", "5"), ("own-place", "2")),
        ("follow-up-menu", "#"),
        caller_id=three[0].number,
    )

    assert heard.said("active-registration", office="office-mayor")
    assert heard.said("active-registration", office="office-district-7")
    assert heard.finished


def test_who_has_one_place_has_no_other_to_go_to(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "5"), caller_id=own.number)

    assert "wrong-key" in heard.prompts
    assert "other-place" not in heard.prompts


@pytest.mark.parametrize("state", sorted(set(RegistrationState) - set(HOLDS_PLACE)))
def test_who_has_nothing_active_is_asked_for_a_ticket_number(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, state: RegistrationState
):
    become(engine, own, state)

    assert asterisk.dial(("main-menu", "2"), caller_id=own.number).prompts[:3] == ASKED
