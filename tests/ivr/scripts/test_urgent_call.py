"""The call to a supervisor, and a caller's wait for the emergency service: what is said, and what is kept."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import RescueCall, UrgentMatter
from hotline.callbacks import rescue_calls
from hotline.line import urgent_calls
from hotline.requests import urgent
from hotline.rounds import phases
from settings import Settings
from tests import factories as make
from tests.ivr.scripts.registering import on_sqlite
from tests.kit.fake_asterisk import HANG_UP, FakeAsterisk, answering

pytestmark = on_sqlite

BEGINS = ["urgent-call-intro"]
CALLER = "1700000000.7"


def placed(engine: Engine, settings: Settings, *, caller: str = "") -> str:
    """A supervisor is being called; the token."""
    city = settings.model_copy(update={"supervisor_numbers": ("+989130000001",)})
    with writing(engine) as session:
        request_id = None if caller else make.a_request(session, tracking="12345674").id
        made_at = now(session) - timedelta(minutes=5, seconds=3)
        session.add(UrgentMatter(request_id=request_id, number=caller or None, made_at=made_at))
        session.flush()
        due = urgent_calls.find_due(session, city)
        assert due
        taken = urgent_calls.take_up(session, due, city)
        assert taken
        return taken[0]


def taken_by(engine: Engine) -> str | None:
    with reading(engine) as session:
        return session.scalars(select(UrgentMatter)).one().taken_by


def test_key_1_of_the_supervisor_takes_the_matter(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
) -> None:
    token = placed(engine, settings)
    heard = asterisk.dial(("urgent-call-question", "1"), script="urgent", channel_id=token)
    assert heard.prompts == [*BEGINS, "urgent-call-request", "urgent-call-question", "urgent-call-taken"]
    assert heard.said("urgent-call-request", tracking="12345674", minutes=5)
    assert taken_by(engine) == "supervisor's phone"


def test_key_9_of_the_supervisor_switches_to_english(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
) -> None:
    token = placed(engine, settings, caller="+989131234567")
    steps = [("urgent-call-question", "9"), ("urgent-call-question", "1")]
    heard = asterisk.dial(*steps, script="urgent", channel_id=token)
    assert heard.prompts.count("urgent-call-caller") == 2
    assert taken_by(engine)


@pytest.mark.parametrize("how", ["silence", "hangs up"])
def test_voicemail_does_not_take_the_matter(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, how: str
) -> None:
    token = placed(engine, settings)
    steps = [("urgent-call-question", HANG_UP)] if how == "hangs up" else []
    asterisk.dial(*steps, script="urgent", channel_id=token)
    assert taken_by(engine) is None


def test_matter_taken_meanwhile_stays_with_the_first(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings
) -> None:
    token = placed(engine, settings)

    def sara() -> None:
        with writing(engine) as session:
            urgent.take(session, session.scalars(select(UrgentMatter.id)).one(), who="sara")

    steps = [("urgent-call-question", sara), ("urgent-call-question", "1")]
    heard = asterisk.dial(*steps, script="urgent", channel_id=token)
    assert (heard.prompts[-1], taken_by(engine)) == ("urgent-call-over", "sara")


@pytest.mark.parametrize("token", ["urgent-unknown", ""])
def test_unrequested_call_says_nothing(asterisk: FakeAsterisk, token: str) -> None:
    assert not asterisk.dial(script="urgent", channel_id=token).finished


# The emergency service


def _rescue(engine: Engine) -> RescueCall:
    with reading(engine) as session:
        return session.scalars(select(RescueCall)).one()


def test_unanswered_emergency_service_repeats_its_number(settings: Settings, engine: Engine) -> None:
    with writing(engine) as session:
        matter = urgent.record_from_caller(session, "+989131234567").id

    def nobody() -> None:
        with writing(engine) as session:
            rescue_calls.record_end(session, _rescue(engine).token)

    with answering(settings.model_copy(update={"urgent_number": "125"}), engine) as asterisk:
        steps = [("urgent-connecting", nobody)]
        heard = asterisk.dial(*steps, script="rescue", argument=f"{matter}-en", channel_id=CALLER)
    assert heard.prompts == ["urgent-connecting", "urgent-number", "urgent-number", "goodbye"]
    assert heard.clips[1:4] == ["digit-1", "digit-2", "digit-5"]
    assert heard.variables["HOTLINE_LANGUAGE"] == "en"
    assert _rescue(engine).channel == CALLER


@pytest.mark.parametrize("at_work", [True, False])
def test_unanswered_emergency_service_leads_to_a_desk_at_work(
    settings: Settings, engine: Engine, at_work: bool
) -> None:
    with writing(engine) as session:
        desk = make.a_desk(session)
        make.a_user(session, desk)
        desk.takes_live = at_work
        place = make.a_registration(session, phases.get_operators_line(session), number="+989131234567").id
        matter = urgent.record_from_caller(session, "+989131234567", place).id
        rescue_calls.record_end(session, rescue_calls.ask(session, matter, CALLER).token)
    with answering(settings.model_copy(update={"urgent_number": "125"}), engine) as asterisk:
        heard = asterisk.dial(script="rescue", argument=f"{matter}-fa", channel_id=CALLER)
    waits, alone = ["urgent-first", "urgent-or-number"], ["urgent-number", "urgent-number", "goodbye"]
    assert heard.prompts == ["urgent-connecting", *(waits if at_work else alone)]
    assert heard.variables["HOTLINE_STAYS"] == (str(place) if at_work else "")
    assert heard.finished


@pytest.mark.parametrize("argument", ["", "x", "999-fa", "-"])
def test_unknown_rescue_dials_nobody(asterisk: FakeAsterisk, engine: Engine, argument: str) -> None:
    assert not asterisk.dial(script="rescue", argument=argument, channel_id=CALLER).finished
    with reading(engine) as session:
        assert session.scalars(select(RescueCall)).all() == []
