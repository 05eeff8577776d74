"""The key of a caller who finds all lines full, and the call that follows: what is asked, kept and said."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import BlockReason, LeftNumber, LeftOutcome
from hotline.line import blocked, left_numbers
from settings import Settings
from tests.kit.fake_asterisk import CUT, HANG_UP, Deed, End, FakeAsterisk, Heard, transactions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # what is kept is shown in test_left_numbers

NUMBER, SHOWN = "+989131234567", "09131234567"
ASKED = ["HOTLINE_LANGUAGE=fa", "left-call-intro", "left-call-question"]


def left(engine: Engine) -> list[LeftNumber]:
    with reading(engine) as session:
        return list(session.scalars(select(LeftNumber)))


def press(asterisk: FakeAsterisk, caller_id: str = SHOWN) -> Heard:
    return asterisk.dial(script="leave-number", caller_id=caller_id)


def test_given_a_caller_when_they_press_1_then_the_number_is_kept_by_one_commit_and_nothing_is_played(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    begun = transactions(engine)
    heard = press(asterisk)
    assert (heard.variables["HOTLINE_LEFT"], heard.clips, heard.finished) == ("kept", [], True)
    assert len(begun) == 1
    assert [each.number for each in left(engine)] == [NUMBER]


def test_given_a_caller_when_they_press_1_in_ten_calls_then_each_hears_that_it_is_kept_and_it_is_one(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    assert {press(asterisk).variables["HOTLINE_LEFT"] for _ in range(10)} == {"kept"}
    assert len(left(engine)) == 1


@pytest.mark.parametrize("caller_id", ["", "137", "+441632960961", "0912", "blocked"])
def test_given_whom_we_may_not_call_when_they_press_1_then_they_hear_so_and_nothing_is_kept(
    asterisk: FakeAsterisk, engine: Engine, caller_id: str
) -> None:
    if caller_id == "blocked":
        with writing(engine) as session:
            blocked.block(session, NUMBER, BlockReason.NUISANCE, who="u")
    heard = press(asterisk, SHOWN if caller_id == "blocked" else caller_id)
    assert heard.variables["HOTLINE_LEFT"] == "not"
    assert left(engine) == []


def test_given_a_database_that_fails_when_they_press_1_then_nothing_is_said_to_be_kept(
    asterisk: FakeAsterisk, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(left_numbers, "keep", fails)
    heard = press(asterisk)
    assert "HOTLINE_LEFT" not in heard.variables
    assert not heard.finished


@pytest.fixture
def token(engine: Engine, settings: Settings) -> str:
    """The channel of a call that is on its way."""
    with writing(engine) as session:
        left_numbers.keep(session, NUMBER, settings)
        session.execute(update(LeftNumber).values(due_at=now(session) - timedelta(seconds=1)))
        (due,) = left_numbers.due(session, 1)
        placed = left_numbers.take_up(session, due)
        assert placed and placed.token
        return placed.token


def answer(asterisk: FakeAsterisk, token: str, *steps: tuple[str, Deed]) -> Heard:
    """Somebody picks up."""
    return asterisk.dial(*steps, script="left-number", channel_id=token, caller_id="137")


def outcome(engine: Engine) -> LeftOutcome | None:
    (one,) = left(engine)
    return one.outcome


def test_given_somebody_who_answers_when_they_press_1_then_the_menu_is_told_whose_call_it_is(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    heard = answer(asterisk, token, ("left-call-question", "1"))
    assert heard.variables["HOTLINE_CALLER"] == NUMBER
    assert (outcome(engine), heard.finished) == (LeftOutcome.REACHED, True)


def test_given_somebody_in_haste_when_they_press_1_before_the_question_then_that_is_the_answer(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    heard = answer(asterisk, token, ("left-call-intro", "1"))
    assert (heard.clips, heard.variables["HOTLINE_CALLER"]) == (["left-call-intro"], NUMBER)
    assert outcome(engine) == LeftOutcome.REACHED


def test_given_whoever_never_called_when_they_press_2_then_they_are_not_called_again_for_it(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    heard = answer(asterisk, token, ("left-call-question", "2"))
    assert heard.clips[-1] == "left-call-not-you"
    assert ("HOTLINE_CALLER" in heard.variables, outcome(engine)) == (False, LeftOutcome.REFUSED)
    with writing(engine) as session:
        left_numbers.ended(session, token)
    assert press(asterisk).variables["HOTLINE_LEFT"] == "not"


def test_given_a_machine_that_answers_when_no_key_comes_then_it_is_not_let_in_nor_called_again(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    heard = answer(asterisk, token)
    assert heard.clips[-1] == "left-call-later"
    assert ("HOTLINE_CALLER" in heard.variables, outcome(engine)) == (False, LeftOutcome.UNREACHED)


@pytest.mark.parametrize("end", [HANG_UP, CUT])
def test_given_whoever_hangs_up_at_the_question_then_they_are_not_let_in(
    asterisk: FakeAsterisk, engine: Engine, token: str, end: End
) -> None:
    heard = answer(asterisk, token, ("left-call-question", end))
    assert heard.variables.get("HOTLINE_CALLER") is None
    assert outcome(engine) is LeftOutcome.UNREACHED


def test_given_a_script_that_broke_off_after_the_key_when_asked_again_then_it_goes_on_to_the_menu(
    asterisk: FakeAsterisk, engine: Engine, token: str
) -> None:
    answer(asterisk, token, ("left-call-question", "1"))
    again = asterisk.dial(script="left-number", channel_id=token, caller_id="137", again="fa")
    assert (again.clips, again.variables["HOTLINE_CALLER"]) == ([], NUMBER)


def test_given_a_channel_of_nobody_when_answered_then_it_breaks_off(asterisk: FakeAsterisk) -> None:
    assert not answer(asterisk, "left-0").finished
