"""The call that speaks a sign-in code: the effects of 1, 2, silence and an expired code."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import now, reading, writing
from db.models import CitizenCode, CodeWay
from hotline.citizens import code_calls, codes
from hotline.outbound import queue
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, Deed, End, FakeAsterisk, Heard, transactions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # the queue runs on both

ASKED = ["HOTLINE_LANGUAGE=fa", "code-call-intro", "code-call-question"]
END = "HOTLINE_FINISHED=1"


@dataclass
class Placed:
    """Somebody who has asked for a code, and the call to them."""

    engine: Engine
    settings: Settings
    id: int
    number: str
    token: str
    digits: str

    def lets_in(self) -> bool:
        with writing(self.engine) as session:
            return (
                codes.show(session, self.number, self.digits, self.settings, browser=make.BROWSER) is not None
            )


def place(engine: Engine, settings: Settings, language: str) -> Placed:
    with writing(engine) as session:
        number = make.a_number()
        asked = codes.ask(session, number, CodeWay.CALL, language, settings, browser=make.BROWSER)
        (due,) = queue.list_due(session, code_calls.CALLS, 1)
        call = queue.claim(session, code_calls.CALLS, due)
        assert call and call.token
        return Placed(engine, settings, asked.id, number, call.token, codes.read_digits(asked, settings))


@pytest.fixture
def placed(engine: Engine, settings: Settings) -> Placed:
    return place(engine, settings, "fa")


def answer(asterisk: FakeAsterisk, token: str, *steps: tuple[str, Deed]) -> Heard:
    """Somebody picks up."""
    return asterisk.dial(*steps, script="sign-in-code", channel_id=token, caller_id="137")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_key_1_speaks_the_digits_twice(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, language: str
) -> None:
    placed = place(engine, settings, language)
    heard = answer(asterisk, placed.token, ("code-call-question", "1"))
    assert heard.order[0] == f"HOTLINE_LANGUAGE={language}"
    said = [clip.removeprefix("digit-") for clip in heard.clips if clip.startswith("digit-")]
    assert "".join(said) == placed.digits * 2
    assert heard.order[-2:] == ["code-call-goodbye", END]
    assert placed.lets_in()


def test_key_during_the_digits_does_not_cut_them(asterisk: FakeAsterisk, placed: Placed) -> None:
    heard = answer(asterisk, placed.token, ("code-call-question", "1"), ("code-call-digits", "1"))
    assert heard.order[-4:] == ["code-call-digits", "ticket-again", "code-call-goodbye", END]


def test_key_2_invalidates_the_code(asterisk: FakeAsterisk, placed: Placed) -> None:
    heard = answer(asterisk, placed.token, ("code-call-question", "2"))
    assert heard.order == [*ASKED, "code-call-declined", END]
    assert not placed.lets_in()


def test_voicemail_hears_no_digit(asterisk: FakeAsterisk, placed: Placed) -> None:
    heard = answer(asterisk, placed.token)
    assert heard.order[: len(ASKED)] == ASKED and heard.finished
    assert not any(clip.startswith("digit-") for clip in heard.clips)
    assert "code-call-digits" not in heard.order


@pytest.mark.parametrize("over", ["run out", "replaced"])
def test_expired_code_is_not_spoken(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, placed: Placed, over: str
) -> None:
    with writing(engine) as session:
        if over == "replaced":
            codes.ask(session, placed.number, CodeWay.CALL, "fa", settings, browser=make.BROWSER)
        else:
            session.get_one(CitizenCode, placed.id).expires_at = now(session) - timedelta(seconds=1)
    heard = answer(asterisk, placed.token, ("code-call-question", "1"))
    assert heard.order == [*ASKED, "code-call-too-late", END]


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["code-call-intro", "code-call-question"])
def test_hang_up_without_a_key_leaves_the_code_valid(
    asterisk: FakeAsterisk, placed: Placed, moment: str, how: End
) -> None:
    assert not answer(asterisk, placed.token, (moment, how)).finished
    assert placed.lets_in()


@pytest.mark.parametrize("token", ["code-unknown", "callback-1", ""])
def test_unrequested_call_says_nothing(asterisk: FakeAsterisk, placed: Placed, token: str) -> None:
    assert not answer(asterisk, token).finished


def test_code_call_takes_two_transactions_none_while_speaking(
    asterisk: FakeAsterisk, engine: Engine, placed: Placed
) -> None:
    begun = transactions(engine)
    in_use: set[int] = set()
    asterisk.dial(
        ("code-call-question", "1"),
        script="sign-in-code",
        channel_id=placed.token,
        every_clip=lambda: in_use.add(engine.pool.checkedout()),
    )
    assert len(begun) == 2
    assert in_use == {0}
    with reading(engine) as session:
        assert session.get_one(CitizenCode, placed.id).tries == 0
