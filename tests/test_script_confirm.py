"""The call that confirms a keyed-in number: whoever picks up decides, and nobody else can."""

from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Registration
from db.states import RegistrationState
from hotline import confirmations
from hotline.registration import register
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, Deed, End, FakeAsterisk, Heard, transactions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # what is kept is shown in test_confirmations

INTRO = ["HOTLINE_LANGUAGE=fa", "confirm-call-intro"]
ASKED = [*INTRO, "confirm-call-press-one"]
END = "HOTLINE_FINISHED=1"


@dataclass
class Placed:
    """A number that was keyed in, and the call to it."""

    engine: Engine
    id: int
    token: str

    def state(self) -> RegistrationState:
        with reading(self.engine) as session:
            return session.get_one(Registration, self.id).state


@pytest.fixture
def placed(engine: Engine) -> Placed:
    return place(engine, "fa")


def place(engine: Engine, language: str) -> Placed:
    with writing(engine) as session:
        round_ = make.a_round(session)
        told = register(
            session, round_id=round_.id, number=make.a_number(), language=language, confirmed=False
        )
        confirmation = confirmations.take_up(session, told.registration_id)
        assert confirmation and confirmation.token
        return Placed(engine, told.registration_id, confirmation.token)


def answer(asterisk: FakeAsterisk, token: str, *steps: tuple[str, Deed]) -> Heard:
    """Whoever has that number picks up."""
    return asterisk.dial(*steps, script="confirm", channel_id=token, caller_id="137")


@pytest.mark.parametrize(
    "moment", ["confirm-call-intro", "confirm-call-press-one", "after confirm-call-press-one"]
)
def test_a_1_puts_the_registration_into_the_line(asterisk: FakeAsterisk, placed: Placed, moment: str):
    heard = answer(asterisk, placed.token, (moment, "1"))

    assert heard.order[-2:] == ["confirm-call-done", END]
    assert placed.state() is RegistrationState.WAITING


def test_a_2_cancels_it(asterisk: FakeAsterisk, placed: Placed):
    heard = answer(asterisk, placed.token, ("confirm-call-press-one", "2"))

    assert heard.order == [*ASKED, "confirm-call-refused", END]
    assert placed.state() is RegistrationState.CANCELLED


def test_silence_decides_nothing(asterisk: FakeAsterisk, placed: Placed):
    heard = answer(asterisk, placed.token)

    assert heard.order[:4] == [*ASKED, "no-key-again"]
    assert heard.finished
    assert placed.state() is RegistrationState.UNCONFIRMED


@pytest.mark.parametrize("key", "03456789#")
def test_one_wrong_key_is_forgiven_and_none_leads_to_the_operators(
    asterisk: FakeAsterisk, placed: Placed, key: str
):
    heard = answer(asterisk, placed.token, ("confirm-call-press-one", key), ("confirm-call-press-one", "1"))

    assert heard.order == [*ASKED, "wrong-key", "confirm-call-press-one", "confirm-call-done", END]
    assert placed.state() is RegistrationState.WAITING


def test_the_call_is_in_the_language_of_the_registration(asterisk: FakeAsterisk, engine: Engine):
    english = place(engine, "en")

    heard = answer(asterisk, english.token, ("confirm-call-press-one", "1"))

    assert heard.languages == {"en"}
    assert heard.variables["HOTLINE_LANGUAGE"] == "en"


@pytest.mark.parametrize("stranger", ["confirm-" + "f" * 32, "1700000000.17", "", "confirm-' OR 1=1 --"])
def test_a_channel_that_nobody_placed_decides_nothing(
    asterisk: FakeAsterisk, placed: Placed, stranger: str, caplog: pytest.LogCaptureFixture
):
    heard = asterisk.dial(script="confirm", agi_uniqueid=stranger)

    assert heard.order == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert placed.state() is RegistrationState.UNCONFIRMED


def test_an_answer_to_a_call_that_has_ended_for_us_changes_nothing(
    asterisk: FakeAsterisk, engine: Engine, placed: Placed
):
    def end() -> None:
        with writing(engine) as session:
            confirmations.ended(session, placed.token)

    heard = answer(
        asterisk, placed.token, ("confirm-call-press-one", end), ("after confirm-call-press-one", "1")
    )

    assert heard.finished
    assert placed.state() is RegistrationState.UNCONFIRMED


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize(
    "moment",
    ["confirm-call-intro", "confirm-call-press-one", "after confirm-call-press-one", "no-key-again"],
)
def test_who_hangs_up_decides_nothing(asterisk: FakeAsterisk, placed: Placed, moment: str, how: End):
    heard = answer(asterisk, placed.token, (moment, how))

    assert heard.order[-1] == moment.removeprefix("after ")
    assert not heard.finished
    assert placed.state() is RegistrationState.UNCONFIRMED


@pytest.mark.parametrize("key", "12")
def test_who_hangs_up_after_the_key_has_decided(asterisk: FakeAsterisk, placed: Placed, key: str):
    said = {"1": "confirm-call-done", "2": "confirm-call-refused"}[key]

    answer(asterisk, placed.token, ("confirm-call-press-one", key), (said, HANG_UP))

    assert placed.state() is not RegistrationState.UNCONFIRMED


def test_it_costs_two_transactions_and_none_while_anybody_speaks(
    asterisk: FakeAsterisk, engine: Engine, placed: Placed
):
    begun = transactions(engine)
    in_use: set[int] = set()

    asterisk.dial(
        ("confirm-call-press-one", "1"),
        script="confirm",
        channel_id=placed.token,
        every_clip=lambda: in_use.add(engine.pool.checkedout()),
    )

    assert len(begun) == 2
    assert in_use == {0}
