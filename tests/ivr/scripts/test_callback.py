"""Being called back: only a person presses 1, and the dialplan learns of it before anything else is said."""

import pytest
from sqlalchemy import Engine, event, select, update

from db.engine import reading, writing
from db.models import Callback, Official, Round
from db.states import CallbackState
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, KEPT_ON_HOLD, Deed, End, FakeAsterisk, Heard

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # asked one simple question

OFFICE = "office-district-7"
INTRO = ["HOTLINE_LANGUAGE=fa", "callback-intro"]
ASKED = [*INTRO, "callback-press-one"]
YES = ["HOTLINE_CONFIRMED=yes", "HOTLINE_FINISHED=1"]
NO = ["HOTLINE_CONFIRMED=no", "callback-goodbye", "HOTLINE_FINISHED=1"]


@pytest.fixture
def token(engine: Engine) -> str:
    """The token of a callback whose citizen has just picked up: the seventh district's manager speaks."""
    with writing(engine) as session:
        callback = make.a_callback(session, CallbackState.DIALING)
        session.execute(update(Official).values(clip=OFFICE))
        return callback.token


def answer(asterisk: FakeAsterisk, token: str, *steps: tuple[str, Deed]) -> Heard:
    """The citizen whose phone was called answers it."""
    return asterisk.dial(*steps, script="callback", channel_id=token, caller_id="137")


def test_a_person_presses_1_after_the_question(asterisk: FakeAsterisk, token: str):
    heard = answer(asterisk, token, ("after callback-press-one", "1"))

    assert heard.order == [*ASKED, *YES]
    assert heard.said("callback-intro")
    assert heard.said("callback-press-one", office=OFFICE)


@pytest.fixture
def recorded(engine: Engine, token: str) -> str:
    """The same callback in a round whose conversations are recorded."""
    with writing(engine) as session:
        session.execute(update(Round).values(recorded=True))
    return token


TOLD = [*INTRO, "callback-recorded", "HOTLINE_RECORDED=yes"]


def test_who_is_recorded_is_told_before_they_press_1(asterisk: FakeAsterisk, recorded: str):
    heard = answer(asterisk, recorded, ("after callback-press-one-recorded", "1"))

    assert heard.order == [*TOLD, "callback-press-one-recorded", *YES]


def test_early_key_1_still_plays_the_introduction(asterisk: FakeAsterisk, recorded: str):
    heard = answer(asterisk, recorded, ("callback-intro", "1"))

    assert heard.order == [*TOLD, *YES]


def test_no_key_cuts_the_announcement_short(asterisk: FakeAsterisk, recorded: str):
    heard = answer(asterisk, recorded, ("callback-recorded", "1"), ("after callback-press-one-recorded", "1"))

    assert heard.order == [*TOLD, "callback-press-one-recorded", *YES]


def test_silence_in_a_recorded_round_hears_the_slow_question(asterisk: FakeAsterisk, recorded: str) -> None:
    heard = answer(asterisk, recorded)

    slow = "callback-press-one-recorded-slow"
    assert heard.order == [*TOLD, "callback-press-one-recorded", "no-key-again", slow, *NO]


def test_who_hangs_up_while_being_told_is_not_recorded(asterisk: FakeAsterisk, recorded: str):
    heard = answer(asterisk, recorded, ("callback-recorded", HANG_UP))

    assert "HOTLINE_RECORDED" not in heard.variables


def test_a_person_in_a_hurry_presses_1_while_we_say_who_calls(asterisk: FakeAsterisk, token: str):
    heard = answer(asterisk, token, ("callback-intro", "1"))

    assert heard.order == [*INTRO, *YES]


def test_a_person_presses_1_while_the_question_is_read(asterisk: FakeAsterisk, token: str):
    heard = answer(asterisk, token, ("callback-press-one", "1"))

    assert heard.order == [*ASKED, *YES]


@pytest.mark.parametrize("key", "023456789#")
def test_a_person_may_press_wrong_once(asterisk: FakeAsterisk, token: str, key: str):
    heard = answer(asterisk, token, ("callback-press-one", key), ("callback-press-one-slow", "1"))

    assert heard.order == [*ASKED, "wrong-key", "callback-press-one-slow", *YES]


def test_voicemail_presses_nothing_and_is_no_person(asterisk: FakeAsterisk, token: str):
    heard = answer(asterisk, token)

    assert heard.order == [*ASKED, "no-key-again", "callback-press-one-slow", *NO]


def test_two_wrong_keys_are_no_person(asterisk: FakeAsterisk, token: str):
    heard = answer(asterisk, token, ("callback-intro", "7"), ("after callback-press-one-slow", "#"))

    assert heard.order == [*INTRO, "wrong-key", "callback-press-one-slow", *NO]


def test_star_repeats_the_question(asterisk: FakeAsterisk, token: str):
    heard = answer(asterisk, token, ("callback-press-one", "*"), ("callback-press-one", "1"))

    assert heard.order == [*ASKED, "callback-press-one", *YES]


@pytest.mark.parametrize("stranger", ["callback-" + "f" * 32, "1700000000.17", "", "callback-' OR 1=1 --"])
def test_a_channel_that_is_nobodys_callback_confirms_nothing(
    asterisk: FakeAsterisk, token: str, stranger: str, caplog: pytest.LogCaptureFixture
):
    heard = asterisk.dial(script="callback", agi_uniqueid=stranger)

    assert heard.order == ["HOTLINE_FINISHED=no"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_database_failure_confirms_nothing_and_spares_the_next(
    asterisk: FakeAsterisk, engine: Engine, token: str
):
    def rename(old: str, new: str) -> None:
        with writing(engine) as session:
            session.connection().exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    rename("callbacks", "lost")
    failed = answer(asterisk, token)
    rename("lost", "callbacks")

    assert failed.order == ["HOTLINE_FINISHED=no"]
    assert answer(asterisk, token, ("callback-intro", "1")).finished


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["callback-intro", "callback-press-one", "after callback-press-one"])
def test_who_hangs_up_before_the_1_confirms_nothing(
    asterisk: FakeAsterisk, token: str, moment: str, how: End
):
    heard = answer(asterisk, token, (moment, how))

    assert heard.order[-1] == moment.removeprefix("after ")
    assert "HOTLINE_CONFIRMED" not in heard.variables
    assert not heard.finished


def test_dialplan_speaks_the_registered_language(asterisk: FakeAsterisk, token: str):
    assert answer(asterisk, token, ("callback-intro", HANG_UP)).variables == {"HOTLINE_LANGUAGE": "fa"}


def test_a_callback_costs_one_transaction_and_changes_nothing(
    asterisk: FakeAsterisk, engine: Engine, token: str
):
    begun: list[str] = []
    in_use_while_speaking: set[int] = set()
    event.listen(engine, "begin", lambda _: begun.append("transaction"))

    asterisk.dial(
        ("callback-intro", "1"),
        script="callback",
        channel_id=token,
        every_clip=lambda: in_use_while_speaking.add(engine.pool.checkedout()),
    )

    assert len(begun) == 1
    assert in_use_while_speaking == {0}
    with reading(engine) as session:
        assert session.scalars(select(Callback.state)).all() == [CallbackState.DIALING]  # the dialer moves it


def test_suspected_machine_is_asked_once_and_may_press_1(asterisk: FakeAsterisk, token: str):
    taken_for_a_machine = {"script": "callback", "channel_id": token, "argument": "MACHINE"}

    assert asterisk.dial(**taken_for_a_machine).order == [*ASKED, *NO]
    heard = asterisk.dial(("after callback-press-one", "1"), **taken_for_a_machine)
    assert heard.order == [*ASKED, *YES]


@pytest.mark.parametrize("status", ["HUMAN", "NOTSURE", "HANGUP", ""])
def test_whoever_is_taken_for_a_person_is_asked_twice(asterisk: FakeAsterisk, token: str, status: str):
    heard = asterisk.dial(script="callback", channel_id=token, argument=status)

    assert heard.order == [*ASKED, "no-key-again", "callback-press-one-slow", *NO]


def test_long_hold_ends_the_callback(asterisk: FakeAsterisk, token: str):
    heard = answer(asterisk, token, ("callback-press-one", KEPT_ON_HOLD))

    assert heard.order == [*ASKED, *NO]
    assert heard.waits_ms.count(1000) == 20
