"""A key pressed late, twice, or for «again»: it takes nothing away that is to be told."""

import socket
from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, select
from stdnum import damm

from db.engine import reading, writing
from db.models import Rating, Registration, Request
from db.states import Phase, RequestState
from hotline import numbers
from tests import factories as make
from tests.kit.fake_asterisk import FakeAsterisk, Heard
from tests.kit.fake_channel import RECORDING, Channel
from tests.kit.typist import Silent, TypedChannel

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # keys know no database

OWN = "+989131234567"
TRACKING = "12345678" + damm.calc_check_digit("12345678")
TOLD = ["registered", "ticket-again", "ahead-none", "expectation", "will-call"]
REGISTERED = ["greeting", "menu-english", "main-menu", "round-when", "confirm-number", *TOLD]
Step = tuple[str, float, str]
"""A prompt, and the keys that are pressed so many seconds after it began, one each half a second."""
REGISTER: Step = ("main-menu", 1.0, "1")
REPORTS: list[Step] = [("main-menu", 1.0, "3"), ("report-category", 1.0, "2"), ("report-district", 1.0, "7#")]


class Presses(TypedChannel):
    """A caller who presses keys some time after a prompt has begun for the first time."""

    steps: Sequence[Step] = ()

    def _until_key(self, clip: str, keys: str, offset: int = 0) -> tuple[str, int]:
        begun, now = self._heard.prompts[-1], self._clock() - self._begun
        for prompt, after, pressed in self.steps:
            if prompt == begun:
                self._typed += [(now + after + place / 2, key) for place, key in enumerate(pressed)]
        self.steps = [step for step in self.steps if step[0] != begun]
        key, at = super()._until_key(clip, keys, offset)
        if key:
            self._heard.cut_off.append(len(self._heard.clips) - 1)
        return key, at


def press(asterisk: FakeAsterisk, *steps: Step, clip: float = 2.0) -> Heard:
    def channel(wire: socket.socket, heard: Heard) -> Channel:
        made = Presses(wire, heard, asterisk.clock, (), lambda _: clip)
        made.steps = steps
        return made

    return asterisk.call(Silent(), channel=channel, caller_id=numbers.format_national(OWN))


@pytest.fixture
def open_round(engine: Engine) -> int:
    with writing(engine) as session:
        return make.a_round(session, Phase.OPEN).id


def subject(engine: Engine) -> int | None:
    with reading(engine) as session:
        return session.scalars(select(Registration.subject)).one()


@pytest.mark.parametrize("late", [1.7, 2.5, 3.6, 5.0])
def test_late_hash_of_an_entry_does_not_cut_the_answer(
    asterisk: FakeAsterisk, engine: Engine, late: float
) -> None:
    with writing(engine) as session:
        make.a_request(session, RequestState.ACCEPTED, number=None, tracking=TRACKING)
    pressed_at = 1.0 + (len(TRACKING) - 1) / 2 + late
    steps: list[Step] = [("main-menu", 1.0, "2"), ("follow-up-ask", 1.0, TRACKING)]

    heard = press(asterisk, *steps, ("follow-up-ask", pressed_at, "#"))

    assert heard.prompts == [
        "greeting",
        "menu-english",
        "main-menu",
        "follow-up-ask",
        "request-accepted",
        "goodbye",
    ]
    assert heard.said("request-accepted") and heard.said("goodbye")


def test_second_late_hash_skips_the_answer(asterisk: FakeAsterisk, engine: Engine) -> None:
    with writing(engine) as session:
        make.a_request(session, RequestState.ACCEPTED, number=None, tracking=TRACKING)
    steps: list[Step] = [("main-menu", 1.0, "2"), ("follow-up-ask", 1.0, TRACKING)]

    heard = press(asterisk, *steps, ("request-accepted", 0.5, "##"), clip=4.0)

    assert not heard.said("request-accepted") and heard.said("goodbye")


@pytest.mark.parametrize("keys", ["11", "111"])
def test_double_yes_to_the_number_chooses_no_subject(
    asterisk: FakeAsterisk, engine: Engine, open_round: int, keys: str
) -> None:
    heard = press(asterisk, REGISTER, ("confirm-number", 1.0, keys))

    assert heard.prompts[: len(REGISTERED)] == REGISTERED
    assert heard.said("will-call")
    assert subject(engine) is None


def test_key_right_after_a_double_yes_chooses_nothing(
    asterisk: FakeAsterisk, engine: Engine, open_round: int
) -> None:
    heard = press(asterisk, REGISTER, ("confirm-number", 1.0, "113"))

    assert heard.prompts[: len(REGISTERED)] == REGISTERED
    assert subject(engine) is None


@pytest.mark.parametrize(
    ("steps", "chosen"),
    [
        ([("confirm-number", 1.0, "13")], 3),
        ([("confirm-number", 1.0, "1"), ("confirm-number", 2.2, "1")], 1),
    ],
    ids=["another key", "more than a second later"],
)
def test_subject_typed_ahead_is_chosen(
    asterisk: FakeAsterisk, engine: Engine, open_round: int, steps: list[Step], chosen: int
) -> None:
    press(asterisk, REGISTER, *steps)

    assert subject(engine) == chosen


def test_double_press_at_the_main_menu_registers_nothing(
    asterisk: FakeAsterisk, engine: Engine, open_round: int
) -> None:
    heard = press(asterisk, ("main-menu", 1.0, "11"))

    assert {"round-when", "confirm-number"} <= set(heard.prompts)
    with reading(engine) as session:
        assert session.scalars(select(Registration).where(Registration.round_id == open_round)).all() == []


@pytest.mark.parametrize("apart", [1.2, 1.8])
def test_slow_double_press_registers_and_says_for_whom(
    asterisk: FakeAsterisk, engine: Engine, open_round: int, apart: float
) -> None:
    heard = press(asterisk, REGISTER, ("round-when", apart, "1"), clip=3.0)

    assert "confirm-number" not in heard.prompts
    with reading(engine) as session:
        place = session.scalars(select(Registration)).one()
    assert (place.round_id, place.number, place.subject) == (open_round, OWN, None)
    assert heard.said("registered-brief", office="office-mayor", ticket=place.ticket)
    assert heard.said("ticket-is", ticket=place.ticket)


def test_same_key_two_seconds_later_hears_the_question(
    asterisk: FakeAsterisk, engine: Engine, open_round: int
) -> None:
    heard = press(asterisk, REGISTER, ("round-when", 2.1, "1"), clip=3.0)

    assert "confirm-number" in heard.prompts
    with reading(engine) as session:
        assert session.scalars(select(Registration).where(Registration.round_id == open_round)).all() == []


def test_burst_of_the_greeting_registers_and_says_for_whom(
    asterisk: FakeAsterisk, engine: Engine, open_round: int
) -> None:
    heard = press(asterisk, ("greeting", 0.5, "11"))

    assert "confirm-number" not in heard.prompts
    assert subject(engine) is None
    with reading(engine) as session:
        ticket = session.scalars(select(Registration.ticket)).one()
    assert heard.said("registered-brief", office="office-mayor", ticket=ticket)


def test_double_yes_to_a_request_tells_its_number_twice(
    asterisk: FakeAsterisk,
) -> None:
    heard = press(asterisk, *REPORTS, ("report-review", 1.0, "11"))

    assert heard.prompts[-3:] == ["report-recorded", "report-recorded-again", "goodbye"]


def test_double_yes_to_a_solution_is_no_rating(asterisk: FakeAsterisk, engine: Engine) -> None:
    with writing(engine) as session:
        make.a_request(session, RequestState.REPLIED, number=OWN)

    heard = press(asterisk, ("main-menu", 1.0, "2"), ("request-question", 1.0, "11"))

    assert "request-noted" in heard.prompts
    with reading(engine) as session:
        assert session.scalars(select(Rating.stars)).all() == []


@pytest.mark.parametrize("announcement", ["round-when", "ticket-again", "ahead-none", "will-call"])
def test_star_restarts_an_announcement(asterisk: FakeAsterisk, open_round: int, announcement: str) -> None:
    heard = press(asterisk, REGISTER, ("confirm-number", 1.0, "1"), (announcement, 4.5, "*"), clip=5.0)

    at = REGISTERED.index(announcement)
    assert heard.prompts[: len(REGISTERED) + 1] == [*REGISTERED[: at + 1], *REGISTERED[at:]]


def test_endless_stars_end_the_announcement_once(asterisk: FakeAsterisk, open_round: int) -> None:
    stars: list[Step] = [("round-when", 2.5 * again, "*") for again in range(1, 30)]

    heard = press(asterisk, REGISTER, *stars, clip=5.0)

    assert heard.prompts.count("round-when") == 11
    assert heard.finished


def test_star_in_the_ticket_tells_all_of_it(asterisk: FakeAsterisk, open_round: int) -> None:
    heard = press(asterisk, REGISTER, ("confirm-number", 1.0, "1"), ("registered", 0.4, "*"))

    assert heard.prompts[: len(REGISTERED)] == REGISTERED
    assert all(heard.said(announcement) for announcement in ("ahead-none", "will-call"))


@pytest.mark.parametrize("telling", ["report-recorded", "report-recorded-again"])
def test_key_0_during_the_tracking_number_asks_for_an_operator(asterisk: FakeAsterisk, telling: str) -> None:
    heard = press(asterisk, *REPORTS, ("report-review", 1.0, "1"), (telling, 2.5, "0"), clip=5.0)

    assert "operator-registered" in heard.prompts
    assert heard.said("goodbye")


def test_other_key_during_the_tracking_number_ends_in_goodbye(
    asterisk: FakeAsterisk,
) -> None:
    heard = press(asterisk, *REPORTS, ("report-review", 1.0, "1"), ("report-recorded", 1.5, "5"))

    assert heard.prompts[-1] == "goodbye"


def test_double_menu_key_asks_the_next_question(asterisk: FakeAsterisk, engine: Engine) -> None:
    steps: list[Step] = [
        ("main-menu", 1.0, "33"),
        ("report-category", 3.0, "11"),  # a new thought
        ("report-district", 3.0, "7#"),
        ("report-review", 1.0, "1"),
    ]

    press(asterisk, *steps)

    with reading(engine) as session:
        request = session.scalars(select(Request)).one()
    assert (request.category, request.district) == (1, 7)


def test_double_hash_after_a_recording_is_no_wrong_key(
    asterisk: FakeAsterisk,
) -> None:
    steps = [(prompt, keys) for prompt, _, keys in REPORTS]

    heard = asterisk.dial(*steps, (RECORDING, "##"), ("after report-review", "1"))

    assert "wrong-key" not in heard.prompts
    assert heard.prompts.count("report-review") == 1
