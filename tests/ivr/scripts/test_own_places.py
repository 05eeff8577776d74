"""The owner of a place, or of several, calls: hears of each, and goes from one to another."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import Registration, Round
from db.states import HOLDS_PLACE, Phase, RegistrationState
from tests import factories as make
from tests.ivr.scripts.own_place import ASKED, CANCELS, CHOICES, OWNER, TICKET, asked, become
from tests.kit.fake_asterisk import FakeAsterisk

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked two simple questions


# --- the owner ---


def test_the_owner_hears_status_and_place_at_once(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("after follow-up-menu", "#"), caller_id=own.number)

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
            *CHOICES,
            "ticket-is",
            "status-waiting",
            "ahead-some",
            "round-has-begun",
            *CHOICES,
            "goodbye",
        ),
    ]
    assert heard.said("ticket-is", ticket=TICKET)


def test_the_owner_who_hears_it_again_and_again_comes_to_an_end(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), *[("follow-up-menu", "1")] * 3, caller_id=own.number)

    assert heard.prompts[-1] == "goodbye"
    assert heard.finished


def test_the_owner_may_ask_about_another_ticket(asterisk: FakeAsterisk, engine: Engine, own: Registration):
    with writing(engine) as session:
        other = make.a_registration(session, make.a_round(session), state=RegistrationState.REACHED)

    heard = asterisk.dial(
        *(("main-menu", "2"), ("after follow-up-menu", "4"), ("follow-up-ask", other.ticket)),
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


LIST = ["greeting", "menu-english", "main-menu", "own-places", "own-place", "own-place-on", "own-place-on"]


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

    assert heard.prompts[:8] == [*LIST, "active-registration"]
    assert heard.said("own-places", count=3)
    assert heard.said("own-place", office="office-mayor", key=1)
    assert heard.said("own-place-on", office="office-district-7", day=at, date=at, key=3)
    assert heard.said("ticket-is", ticket=three[2].ticket)


def test_more_than_four_places_are_told_in_fours(
    asterisk: FakeAsterisk, engine: Engine, three: list[Registration]
):
    with writing(engine) as session:
        for seconds in range(3):
            place = make.a_registration(session, make.a_round(session), number=three[0].number)
            place.registered_at = now(session) + timedelta(hours=1, seconds=seconds)
        last = place.ticket

    heard = asterisk.dial(
        *(("main-menu", "2"), ("after choose-others", "9"), ("after choose-others", "3")),
        *(("follow-up-menu", "1"), ("follow-up-menu", "#")),
        caller_id=three[0].number,
    )

    said = [prompt for prompt in heard.prompts if prompt.startswith("own-place")]
    assert len(said) == 1 + 6
    assert heard.said("own-places", count=6)
    assert heard.said("choices", count=4) and not heard.said("choices", count=5)
    assert heard.said("ticket-is", ticket=last)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_of_them_can_be_given_up(
    asterisk: FakeAsterisk, engine: Engine, three: list[Registration], which: int
):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("own-place", str(which + 1)), *CANCELS[1:]),
        caller_id=three[0].number,
    )

    assert heard.prompts[-2:] == ["cancel-call-soon", "goodbye"]
    assert [call.registration_id for call in asked(engine)] == [three[which].id]


def test_the_owner_goes_from_one_to_another_in_one_call(asterisk: FakeAsterisk, three: list[Registration]):
    heard = asterisk.dial(
        *(
            ("main-menu", "2"),
            ("own-place", "1"),
            ("follow-up-menu", "9"),
            ("after follow-up-end", "5"),
            ("own-place", "2"),
        ),
        ("follow-up-menu", "#"),
        caller_id=three[0].number,
    )

    assert heard.said("active-registration", office="office-mayor")
    assert heard.said("active-registration", office="office-district-7")
    assert heard.finished


def test_nine_says_the_other_choices_of_the_owner(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(
        *(("main-menu", "2"), ("follow-up-menu", "9"), ("after follow-up-end", "4")), caller_id=own.number
    )

    more = ["choices", "other-ticket", "follow-up-end"]
    assert heard.prompts[: len(OWNER) + 6] == [*OWNER, *CHOICES, *more, "follow-up-ask"]
    assert heard.said("choices", count=4) and heard.said("choices", count=2)


@pytest.mark.parametrize("key", ["4", "#"])
def test_key_of_the_second_page_is_the_same_on_the_first(asterisk: FakeAsterisk, own: Registration, key: str):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", key), caller_id=own.number)

    assert heard.prompts[len(OWNER) + len(CHOICES)] == {"4": "follow-up-ask", "#": "goodbye"}[key]


def test_who_has_one_place_has_no_other_to_go_to(asterisk: FakeAsterisk, own: Registration):
    heard = asterisk.dial(("main-menu", "2"), ("follow-up-menu", "5"), caller_id=own.number)

    assert "wrong-key" in heard.prompts
    assert "other-place" not in heard.prompts


@pytest.mark.parametrize("state", sorted(set(RegistrationState) - set(HOLDS_PLACE)))
def test_who_has_nothing_active_is_asked_for_a_ticket_number(
    asterisk: FakeAsterisk, engine: Engine, own: Registration, state: RegistrationState
):
    become(engine, own, state)

    assert asterisk.dial(("main-menu", "2"), caller_id=own.number).prompts[:4] == ASKED
