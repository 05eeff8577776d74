"""A test call and a test message: one at a time, limited by the hour, to allowed numbers."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import AuditEntry, BlockReason, OutboxKind, OutboxMessage, TrialCall, TrialResult
from hotline.line import blocked
from hotline.setup import trial_calls, trial_texts
from settings import Settings
from tests.factories import at_once
from tests.kit.refusal import refusal

NUMBER, OTHER = "۰۹۱۳ ۱۲۳ ۴۵۶۷", "09137654321"
R = TrialResult


def ask(session: Session, settings: Settings, number: str = NUMBER) -> TrialCall:
    return trial_calls.ask(session, number, who="admin", language="fa", settings=settings)


def placed(session: Session, settings: Settings, number: str = NUMBER) -> str:
    call = trial_calls.take_up(session, ask(session, settings, number).id)
    assert call and call.token
    return call.token


def send(session: Session, settings: Settings, number: str = NUMBER) -> OutboxMessage:
    return trial_texts.ask(session, number, who="admin", language="fa", settings=settings)


@pytest.fixture
def texting(settings: Settings) -> Settings:
    return settings.model_copy(update={"sms_provider": "console"})


def test_test_call_pressed_twice_is_one(engine: Engine, settings: Settings) -> None:
    def press(_: int) -> int:
        with writing(engine) as session:
            return ask(session, settings).id

    assert len(set(at_once(4, press))) == 1
    with writing(engine) as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.subject) == ("trial-call", "+989…67")
        assert refusal(ask, session, settings, OTHER) == "trial-under-way"


def test_database_refuses_a_second_test_call(session: Session, settings: Settings) -> None:
    first = ask(session, settings)
    session.add(TrialCall(number="+989137654321", language="fa", asked_at=first.asked_at))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()
    with pytest.raises(IntegrityError):
        session.execute(
            text(
                "INSERT INTO trial_calls (number, language, asked_at, slot) "
                "SELECT '+989137654321', 'fa', CURRENT_TIMESTAMP, NULL"
            )
        )


def test_finished_test_call_is_masked_and_keeps_its_result(session: Session, settings: Settings) -> None:
    token = placed(session, settings)
    trial_calls.record_refusal(session, token, "first", 503, goes_on=True)
    trial_calls.record_refusal(session, token, "second", 486, goes_on=False)
    trial_calls.record_end(session, token, R.BUSY)
    trial_calls.record_end(session, token, R.UNKNOWN)
    (call,) = trial_calls.list_latest(session)
    assert (call.number, call.result, call.slot) == ("+989…67", R.BUSY, None)
    assert (call.tried, call.trunk, call.said) == ("first 503", "second", 486)
    assert trial_calls.list_in_progress(session) == {}


def test_long_list_of_refusing_trunks_is_truncated(session: Session, settings: Settings) -> None:
    token = placed(session, settings)
    for _ in range(20):
        trial_calls.record_refusal(session, token, "a-trunk-of-20-letters", 503, goes_on=True)
    session.commit()
    assert len(trial_calls.list_latest(session)[0].tried) == 300


def test_test_call_without_a_dialer_is_given_up(session: Session, settings: Settings) -> None:
    asked = ask(session, settings)
    asked.asked_at -= trial_calls.IN_TIME
    session.flush()
    assert trial_calls.find_due(session) is None and trial_calls.take_up(session, asked.id) is None
    assert trial_calls.find_result(session, asked) is None
    asked.asked_at -= timedelta(seconds=40)
    session.flush()
    assert trial_calls.find_result(session, asked) is R.NOT_PLACED
    assert ask(session, settings, OTHER).id != asked.id
    assert trial_calls.list_latest(session)[1].result is R.NOT_PLACED


def test_test_call_of_a_dead_dialer_expires(session: Session, settings: Settings) -> None:
    token = placed(session, settings)
    assert refusal(ask, session, settings, OTHER) == "trial-under-way"
    session.execute(update(TrialCall).values(placed_at=now(session) - timedelta(minutes=15)))
    assert ask(session, settings, OTHER).slot == 1
    assert trial_calls.list_latest(session)[1].result is R.UNKNOWN
    assert trial_calls.find_by_token(session, token) is None


@pytest.mark.parametrize("backend", ["sqlite"])
def test_test_calls_are_limited_to_six_an_hour(session: Session, settings: Settings) -> None:
    for _ in range(trial_calls.PER_HOUR):
        trial_calls.record_end(session, placed(session, settings), R.HEARD)
    assert refusal(ask, session, settings) == "too-many-trials"
    an_hour_ago = now(session) - timedelta(hours=1, minutes=1)
    session.execute(update(TrialCall).values(asked_at=an_hour_ago))
    assert ask(session, settings).slot == 1
    session.execute(update(TrialCall).values(asked_at=an_hour_ago - timedelta(days=7)))
    trial_calls.record_end(session, placed(session, settings, NUMBER), R.HEARD)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "number-invalid"),
        ("137", "number-invalid"),
        ("=1+1", "number-invalid"),
        ("+" * 40, "number-invalid"),
        ("+12025550123", "number-not-allowed"),
        ("9686", "number-not-allowed"),
        ("09139999999", "trial-number-blocked"),
    ],
)
def test_uncallable_number_is_refused_for_calls_and_texts(
    session: Session, texting: Settings, number: str, code: str
) -> None:
    blocked.block(session, "+989139999999", BlockReason.OWNER)
    assert refusal(ask, session, texting, number) == code
    assert refusal(send, session, texting, number) == code
    assert trial_calls.list_latest(session) == trial_texts.list_latest(session) == []


@pytest.mark.parametrize("backend", ["sqlite"])
def test_test_message_is_sent_once_and_six_times_an_hour(session: Session, texting: Settings) -> None:
    first = send(session, texting)
    assert send(session, texting).id == first.id
    assert (first.to, first.kind) == ("+989131234567", OutboxKind.ANSWER)
    earlier = first.made_at - timedelta(minutes=1)
    for which in range(1, trial_texts.PER_HOUR):
        session.execute(update(OutboxMessage).values(made_at=earlier))
        assert len({first.id, send(session, texting).id}) == 2, which
    session.execute(update(OutboxMessage).values(made_at=earlier))
    assert refusal(send, session, texting) == "too-many-trials"


@pytest.mark.parametrize("backend", ["sqlite"])
def test_test_message_needs_a_mobile_and_a_provider(
    session: Session, settings: Settings, texting: Settings
) -> None:
    assert refusal(send, session, settings) == "trial-no-provider"
    assert refusal(send, session, texting, "03132345678") == "trial-needs-mobile"
