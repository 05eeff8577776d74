"""A caller who presses no key: an operator once a day, then a message, and more time next call."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import Limit, Registration, Request, Round, SilentCaller
from db.states import Phase, RegistrationState
from hotline.line import silent_callers
from hotline.subjects import OTHER
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import HANG_UP, NOTHING_SAID, FakeAsterisk
from tests.kit.fake_channel import RECORDING

OWN = "+989131234567"
PERSON = ["operator-busy", "operator-registered", "ticket-again", "goodbye"]
MESSAGE = ["silence-speak", "report-recorded", "report-recorded-again", "goodbye"]


def a_free_desk(engine: Engine) -> None:
    """One that takes whoever waits on the line."""
    with writing(engine) as session:
        desk = make.a_desk(session)
        make.a_user(session, desk)
        desk.takes_live = True


def reports(engine: Engine) -> list[Request]:
    """Return the reports recorded after the tone."""
    with reading(engine) as session:
        return list(session.scalars(select(Request).order_by(Request.id)))


def in_line(engine: Engine) -> list[Registration]:
    """Return the callers who wait for an operator's call."""
    with reading(engine) as session:
        line = select(Registration).join(Round).where(Round.is_operators_line.is_(True))
        return list(session.scalars(line.order_by(Registration.id)))


def test_second_silence_without_a_free_desk_makes_a_place(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial()

    (kept,) = in_line(engine)
    assert (kept.number, kept.state) == (OWN, RegistrationState.WAITING)
    assert heard.prompts[-4:] == PERSON
    assert heard.said("operator-registered", ticket=kept.ticket)
    assert heard.finished


def test_second_silence_with_a_free_desk_connects_at_once(asterisk: FakeAsterisk, engine: Engine):
    a_free_desk(engine)

    heard = asterisk.dial()

    (kept,) = in_line(engine)
    assert heard.prompts[-1] == "operator-now"
    assert heard.variables["HOTLINE_STAYS"] == str(kept.id)


def test_hang_up_before_the_second_silence_makes_no_place(asterisk: FakeAsterisk, engine: Engine):
    asterisk.dial(("main-menu-slow", HANG_UP))

    assert in_line(engine) == []


def test_second_silent_call_tells_the_place_that_still_waits(asterisk: FakeAsterisk, engine: Engine):
    asterisk.dial()

    heard = asterisk.dial()

    (kept,) = in_line(engine)
    assert heard.prompts[-4:] == PERSON
    assert heard.said("operator-registered", ticket=kept.ticket)


def test_second_silent_call_after_the_operators_takes_a_message(asterisk: FakeAsterisk, engine: Engine):
    asterisk.dial()
    with writing(engine) as session:
        session.execute(update(Registration).values(state=RegistrationState.REACHED))

    heard = asterisk.dial()

    assert heard.prompts[-4:] == MESSAGE
    assert [kept.state for kept in in_line(engine)] == [RegistrationState.REACHED]
    (report,) = reports(engine)
    assert (report.number, report.category) == (OWN, OTHER)
    assert asterisk.dial().prompts[-1] == "goodbye-how", "one message a day"
    with writing(engine) as session:
        session.execute(update(SilentCaller).values(operator_at=now(session) - timedelta(days=1, minutes=1)))
    assert asterisk.dial().prompts[-4:] == PERSON


@pytest.mark.parametrize("caller_id", ["", "anonymous", "+4930123456"])
@pytest.mark.parametrize(
    ("steps", "asked"),
    [((), ["ask-number"]), ((("main-menu", "0"),), ["ask-number", "no-key-again", "ask-number-slow"])],
)
def test_silence_without_a_number_to_call_takes_a_message(
    asterisk: FakeAsterisk,
    engine: Engine,
    caller_id: str,
    steps: tuple[tuple[str, str], ...],
    asked: list[str],
):
    heard = asterisk.dial(*steps, caller_id=caller_id)

    assert heard.prompts[-len(asked) - 4 :] == [*asked, *MESSAGE]
    assert heard.prompts.count("ask-number") == 1
    assert in_line(engine) == []
    (report,) = reports(engine)
    assert report.number is None
    assert heard.said("report-recorded", tracking=report.tracking)


@pytest.mark.parametrize("caller_id", ["", "anonymous"])
def test_silent_withheld_caller_may_key_a_number_in(asterisk: FakeAsterisk, engine: Engine, caller_id: str):
    """An operator calls there once its owner has pressed 1, as after key 0."""
    heard = asterisk.dial(("ask-number", "09131234567#"), ("confirm-number", "1"), caller_id=caller_id)

    assert heard.prompts[-4:] == ["ask-number", "confirm-number", "number-will-be-confirmed", "goodbye"]
    (place,) = in_line(engine)
    assert (place.number, place.state) == (OWN, RegistrationState.UNCONFIRMED)
    assert reports(engine) == []


@pytest.mark.parametrize(
    "keys",
    [
        (("ask-number", "#"),),
        (("ask-number", "123#"), ("ask-number", "123#"), ("ask-number", "123#")),
        (("ask-number", "09131234567#"),),  # and silence when it is read back
    ],
)
def test_withheld_caller_whose_number_is_not_kept_may_speak(
    asterisk: FakeAsterisk, engine: Engine, keys: tuple[tuple[str, str], ...]
):
    heard = asterisk.dial(*keys, caller_id="")

    assert heard.prompts[-4:] == MESSAGE
    assert in_line(engine) == []
    assert len(reports(engine)) == 1


def test_silence_after_the_tone_keeps_no_message(asterisk: FakeAsterisk, engine: Engine):
    heard = asterisk.dial((RECORDING, NOTHING_SAID), caller_id="")

    assert heard.prompts[-3:] == ["silence-speak", "report-nothing", "silence-no-number"]
    assert reports(engine) == []


def test_eleventh_withheld_message_of_an_hour_is_refused(asterisk: FakeAsterisk, engine: Engine):
    ends = [asterisk.dial(caller_id="").prompts[-1] for _ in range(11)]

    assert ends == ["goodbye"] * 10 + ["silence-no-number"]
    assert len(reports(engine)) == 10


def test_known_silent_caller_has_a_person_after_one_silence(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    with writing(engine) as session:
        silent_callers.record_silence(session, OWN)

    heard = asterisk.dial()

    assert heard.prompts == ["greeting", "menu-english", "main-menu-slow", *PERSON]
    assert heard.waits_ms == [settings.answer_seconds * 2000]


def test_caller_once_late_gets_slow_prompts_and_double_time(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
):
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)
    asterisk.dial(("no-key-again", "1"), ("confirm-number", "1"))

    heard = asterisk.dial(("after main-menu-slow", "2"))

    assert heard.prompts[:3] == ["greeting", "menu-english", "main-menu-slow"]
    assert set(heard.waits_ms) == {settings.answer_seconds * 2000}


def test_skipped_optional_question_is_no_lateness(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)

    asterisk.dial(("main-menu", "1"), ("confirm-number", "1"))

    with reading(engine) as session:
        assert session.scalars(select(SilentCaller)).all() == []


def test_only_old_lateness_is_deleted(
    engine: Engine,
):
    with writing(engine) as session:
        for number, days in (("+989131234567", 91), ("+989131234568", 89)):
            silent_callers.record_silence(session, number)
            session.flush()
            at = now(session) - timedelta(days=days)
            session.execute(update(SilentCaller).filter_by(number=number).values(silent_at=at))

        silent_callers.forget(session)

        assert session.scalars(select(SilentCaller.number)).all() == ["+989131234568"]


def test_lateness_with_an_operators_turn_is_kept_for_the_day(
    engine: Engine,
):
    with writing(engine) as session:
        silent_callers.record_silence(session, OWN)
        session.flush()
        session.execute(update(SilentCaller).values(silent_at=now(session) - timedelta(days=91)))
        session.expire_all()

        assert silent_callers.has_turn(session, OWN)
        session.flush()
        silent_callers.forget(session)

        assert not silent_callers.has_turn(session, OWN), "once a day"


def test_message_keeps_no_number_that_can_be_guessed(engine: Engine, settings: Settings):
    """A hash without a key of all numbers of a city is made in minutes."""
    with writing(engine) as session:
        assert silent_callers.may_leave_message(session, OWN, settings)
        (kept,) = session.scalars(select(Limit.who))
        assert kept != hashlib.blake2b(f"silent {OWN}".encode(), digest_size=16).hexdigest()
        assert not silent_callers.may_leave_message(session, OWN, settings)
