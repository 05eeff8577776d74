"""The call before one's turn: what 1, 2, silence and a place that has moved on lead to."""

from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Registration
from db.states import HeadsUpAnswer, RegistrationState
from hotline.outbound import heads_up
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, Deed, End, FakeAsterisk, Heard, transactions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # what is kept is shown in test_heads_up

INTRO = ["HOTLINE_LANGUAGE=fa", "near-call-intro"]
ASKED = [*INTRO, "near-call-question"]
END = "HOTLINE_FINISHED=1"


@dataclass
class Placed:
    """Somebody who is near, and the call to them."""

    engine: Engine
    id: int
    round: int
    token: str

    def state(self) -> RegistrationState:
        with reading(self.engine) as session:
            return session.get_one(Registration, self.id).state

    def answer(self) -> str | None:
        with reading(self.engine) as session:
            return make.heads_up_call(session, self.id).answer


@pytest.fixture
def placed(engine: Engine) -> Placed:
    return place(engine, "fa")


def place(engine: Engine, language: str) -> Placed:
    with writing(engine) as session:
        near_one = make.a_registration(session, make.a_round(session), language=language)
        heads_up.tell(session, 5, call_beyond=0)
        token = make.claim_heads_up(session, near_one.id)
        assert token
        return Placed(engine, near_one.id, near_one.round_id, token)


def answer(asterisk: FakeAsterisk, token: str, *steps: tuple[str, Deed]) -> Heard:
    """The citizen picks up."""
    return asterisk.dial(*steps, script="turn-near", channel_id=token, caller_id="137")


@pytest.mark.parametrize("moment", ["near-call-question", "after near-call-question"])
def test_a_1_is_kept_and_the_place_stays(asterisk: FakeAsterisk, placed: Placed, moment: str):
    heard = answer(asterisk, placed.token, (moment, "1"))

    assert heard.order[-2:] == ["near-call-reachable", END]
    assert (placed.answer(), placed.state()) == (HeadsUpAnswer.REACHABLE, RegistrationState.WAITING)


def test_early_key_only_ends_the_introduction(asterisk: FakeAsterisk, placed: Placed):
    answer(asterisk, placed.token, ("near-call-intro", "2"), ("near-call-question", "1"))

    assert placed.answer() == HeadsUpAnswer.REACHABLE


def test_question_follows_the_caller_and_the_office(asterisk: FakeAsterisk, placed: Placed):
    heard = answer(asterisk, placed.token, ("near-call-question", "2"))

    assert heard.order == [*ASKED, "near-call-next-round", END]
    assert (placed.answer(), placed.state()) == (HeadsUpAnswer.NEXT_ROUND, RegistrationState.UNREACHED)


def test_an_english_citizen_hears_english(asterisk: FakeAsterisk, engine: Engine):
    placed = place(engine, "en")

    heard = answer(asterisk, placed.token, ("near-call-question", "2"))

    assert heard.order[0] == "HOTLINE_LANGUAGE=en"
    assert placed.answer() == HeadsUpAnswer.NEXT_ROUND


def test_silence_changes_nothing(asterisk: FakeAsterisk, placed: Placed):
    heard = answer(asterisk, placed.token)

    assert heard.order[: len(ASKED) + 1] == [*ASKED, "no-key-again"]
    assert heard.finished
    assert (placed.answer(), placed.state()) == (None, RegistrationState.WAITING)


@pytest.mark.parametrize("key", "03456789#")
def test_one_wrong_key_is_forgiven(asterisk: FakeAsterisk, placed: Placed, key: str):
    answer(asterisk, placed.token, ("near-call-question", key), ("near-call-question", "2"))

    assert placed.answer() == HeadsUpAnswer.NEXT_ROUND


def test_a_2_for_a_place_that_has_moved_on_promises_nothing(asterisk: FakeAsterisk, placed: Placed):
    with writing(placed.engine) as session:
        session.get_one(Registration, placed.id).state = RegistrationState.CANCELLED

    heard = answer(asterisk, placed.token, ("near-call-question", "2"))

    assert heard.order == [*ASKED, "near-call-too-late", END]
    assert (placed.answer(), placed.state()) == (None, RegistrationState.CANCELLED)


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["near-call-intro", "near-call-question", "after near-call-question"])
def test_who_hangs_up_changes_nothing(asterisk: FakeAsterisk, placed: Placed, moment: str, how: End):
    heard = answer(asterisk, placed.token, (moment, how))

    assert not heard.finished
    assert (placed.answer(), placed.state()) == (None, RegistrationState.WAITING)


def test_who_hangs_up_after_the_key_has_asked_for_the_next_round(asterisk: FakeAsterisk, placed: Placed):
    answer(asterisk, placed.token, ("near-call-question", "2"), ("near-call-next-round", HANG_UP))

    assert placed.state() is RegistrationState.UNREACHED


@pytest.mark.parametrize("token", ["near-unknown", "callback-1", ""])
def test_a_call_that_nobody_asked_for_says_nothing(asterisk: FakeAsterisk, placed: Placed, token: str):
    heard = answer(asterisk, token)

    assert not heard.finished
    assert placed.answer() is None


def test_it_costs_two_transactions_and_none_while_anybody_speaks(
    asterisk: FakeAsterisk, engine: Engine, placed: Placed
):
    begun = transactions(engine)
    in_use: set[int] = set()

    asterisk.dial(
        ("near-call-question", "2"),
        script="turn-near",
        channel_id=placed.token,
        every_clip=lambda: in_use.add(engine.pool.checkedout()),
    )

    assert len(begun) == 2
    assert in_use == {0}
