"""The key of a caller who finds all lines full, and the overflow callback that follows."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import BlockReason, LeftOutcome, OutboundCall
from hotline.line import blocked
from hotline.outbound import overflow, queue
from settings import Settings
from tests.kit.fake_asterisk import CUT, HANG_UP, Deed, End, FakeAsterisk, Heard, transactions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # what is kept is shown in test_left_numbers

NUMBER, SHOWN = "+989131234567", "09131234567"
ASKED = ["HOTLINE_LANGUAGE=fa", "left-call-intro", "left-call-question"]


def left(engine: Engine) -> list[OutboundCall]:
    with reading(engine) as session:
        return list(session.scalars(select(OutboundCall)))


def press(asterisk: FakeAsterisk, caller_id: str = SHOWN) -> Heard:
    return asterisk.dial(script="leave-number", caller_id=caller_id)


def test_key_1_keeps_the_number_by_one_commit_silently(asterisk: FakeAsterisk, engine: Engine) -> None:
    begun = transactions(engine)
    heard = press(asterisk)
    assert (heard.variables["HOTLINE_LEFT"], heard.clips, heard.finished) == ("kept", [], True)
    assert len(begun) == 1
    assert [each.number for each in left(engine)] == [NUMBER]


def test_key_1_in_ten_calls_keeps_one_number(asterisk: FakeAsterisk, engine: Engine) -> None:
    assert {press(asterisk).variables["HOTLINE_LEFT"] for _ in range(10)} == {"kept"}
    assert len(left(engine)) == 1


@pytest.mark.parametrize("caller_id", ["", "137", "+441632960961", "0912", "blocked"])
def test_number_that_may_not_be_called_is_refused(
    asterisk: FakeAsterisk, engine: Engine, caller_id: str
) -> None:
    if caller_id == "blocked":
        with writing(engine) as session:
            blocked.block(session, NUMBER, BlockReason.NUISANCE, who="u")
    heard = press(asterisk, SHOWN if caller_id == "blocked" else caller_id)
    assert heard.variables["HOTLINE_LEFT"] == "not"
    assert left(engine) == []


def test_database_failure_promises_nothing(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(overflow, "keep", fails)
    heard = press(asterisk)
    assert "HOTLINE_LEFT" not in heard.variables
    assert not heard.finished


@pytest.fixture
def token(engine: Engine, settings: Settings) -> str:
    """The channel of a call that is on its way."""
    with writing(engine) as session:
        overflow.keep(session, NUMBER, settings)
        session.execute(update(OutboundCall).values(due_at=now(session) - timedelta(seconds=1)))
        (due,) = queue.list_due(session, overflow.CALLS, 1)
        placed = queue.claim(session, overflow.CALLS, due)
        assert placed and placed.token
        return placed.token


def answer(asterisk: FakeAsterisk, token: str, *steps: tuple[str, Deed]) -> Heard:
    """Somebody picks up."""
    return asterisk.dial(*steps, script="left-number", channel_id=token, caller_id="137")


def outcome(engine: Engine) -> str | None:
    (one,) = left(engine)
    return one.answer or (LeftOutcome.UNREACHED if one.answered_at else None)


def test_key_1_in_the_overflow_callback_sets_the_menus_caller(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    heard = answer(asterisk, token, ("left-call-question", "1"))
    assert heard.variables["HOTLINE_CALLER"] == NUMBER
    assert (outcome(engine), heard.finished) == (LeftOutcome.REACHED, True)


def test_key_1_before_the_question_is_the_answer(asterisk: FakeAsterisk, engine: Engine, token: str) -> None:
    heard = answer(asterisk, token, ("left-call-intro", "1"))
    assert (heard.clips, heard.variables["HOTLINE_CALLER"]) == (["left-call-intro"], NUMBER)
    assert outcome(engine) == LeftOutcome.REACHED


def test_key_2_prevents_further_overflow_callbacks(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    heard = answer(asterisk, token, ("left-call-question", "2"))
    assert heard.clips[-1] == "left-call-not-you"
    assert ("HOTLINE_CALLER" in heard.variables, outcome(engine)) == (False, LeftOutcome.REFUSED)
    with writing(engine) as session:
        queue.finish(session, token)
    assert press(asterisk).variables["HOTLINE_LEFT"] == "not"


def test_machine_without_a_key_is_unreached(asterisk: FakeAsterisk, engine: Engine, token: str) -> None:
    heard = answer(asterisk, token)
    assert heard.clips[-1] == "left-call-later"
    assert ("HOTLINE_CALLER" in heard.variables, outcome(engine)) == (False, LeftOutcome.UNREACHED)


@pytest.mark.parametrize("end", [HANG_UP, CUT])
def test_hang_up_at_the_question_is_unreached(
    asterisk: FakeAsterisk, engine: Engine, token: str, end: End
) -> None:
    heard = answer(asterisk, token, ("left-call-question", end))
    assert heard.variables.get("HOTLINE_CALLER") is None
    assert outcome(engine) is LeftOutcome.UNREACHED


def test_restarted_script_after_the_key_goes_to_the_menu(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    answer(asterisk, token, ("left-call-question", "1"))
    again = asterisk.dial(script="left-number", channel_id=token, caller_id="137", again="fa")
    assert (again.clips, again.variables["HOTLINE_CALLER"]) == ([], NUMBER)


def test_unknown_channel_ends_the_script(asterisk: FakeAsterisk) -> None:
    assert not answer(asterisk, "left-0").finished
