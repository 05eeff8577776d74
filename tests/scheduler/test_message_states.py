"""The states of a text message: unsaid, sent, listed, tried again."""

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from db.engine import now, reading, writing
from db.models import AuditEntry, Delivery, OutboxKind, OutboxMessage, Registration
from db.states import Phase, RegistrationState
from hotline.line import blocked, registration
from hotline.messages import delivery
from hotline.outbound import heads_up
from ops import cli
from scheduler import jobs, wording
from settings import Settings
from tests.factories import a_number, a_round, some_registrations
from tests.kit.outbox import NEVER
from tests.scheduler.citizens_messages import said, told

ISFAHAN_LINE = "+983132212345"


# What is true no more is not said


@pytest.mark.parametrize("state", [RegistrationState.CANCELLED, RegistrationState.REACHED])
def test_citizen_out_of_the_line_gets_no_message(session: Session, state: RegistrationState) -> None:
    round_ = a_round(session)
    round_.registration_until = round_.ends_at
    registration.register(session, round_id=round_.id, number=a_number())
    heads_up.tell(session, 5)
    assert [bool(said(session, text_message)) for text_message in told(session)] == [True, True]
    session.execute(update(Registration).values(state=state))
    session.expire_all()
    assert [said(session, text_message) for text_message in told(session)] == [None, None]


def test_changed_number_gets_its_text_unless_fixed_or_blocked(
    session: Session,
) -> None:
    round_, number = a_round(session, Phase.OPEN), a_number()
    made = registration.register(session, round_id=round_.id, number=a_number())
    (text_message,) = told(session)
    registration.change_number(session, made.registration_id, number)
    words = wording.find_words(session, text_message)
    assert words is not None and words.to == number
    registration_ = session.get_one(Registration, made.registration_id)
    registration_.number = ISFAHAN_LINE
    assert said(session, text_message) is None
    registration_.number = number
    blocked.block(session, number, blocked.BlockReason.OWNER)
    assert said(session, text_message) is None


# The command line and the scheduler


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_ENV_FILE", "/nonexistent")
    return CliRunner()


def test_message_list_masks_numbers_and_filters_by_state(engine: Engine, command: CliRunner) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        numbers = [a_number() for _ in range(3)]
        for number in numbers:
            registration.register(session, round_id=round_.id, number=number)
        failed = told(session)[0]
        failed.state, failed.error = Delivery.FAILED, "Kavenegar 411"
        notice = OutboxMessage(key="n", kind=OutboxKind.NOTICE, to="https://city.example/s3cr3t", body="{}")
        notice.made_at = notice.not_before = now(session)
        session.add(notice)
    shown = command.invoke(cli.app, ["message", "list"])
    assert shown.exit_code == 0, shown.output
    assert len(shown.output.splitlines()) == 4
    assert not any(number in shown.output or number[3:] in shown.output for number in numbers)
    assert f"+989…{numbers[0][-2:]}" in shown.output
    assert "city.example" in shown.output and "s3cr3t" not in shown.output
    (line,) = command.invoke(cli.app, ["message", "list", "--state", "failed"]).output.splitlines()
    assert line.split()[0] == str(failed.id)
    assert "Kavenegar 411" in line


def test_retry_accepts_failed_or_expired_messages_only(engine: Engine, command: CliRunner) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        for _ in range(4):
            registration.register(session, round_id=round_.id, number=a_number())
        states = (Delivery.FAILED, Delivery.EXPIRED, Delivery.SENT, Delivery.SENDING)
        for text_message, state in zip(told(session), states, strict=True):
            text_message.state, text_message.attempts = state, delivery.ATTEMPTS
            text_message.expires_at = text_message.made_at
    ids = [1, 2, 3, 4]
    codes = [command.invoke(cli.app, ["message", "retry", str(id_)]).exit_code for id_ in (*ids, 99)]
    assert codes == [0, 0, 1, 1, 1]
    with reading(engine) as session:
        for text_message in told(session)[:2]:
            assert (text_message.state, text_message.attempts, text_message.expires_at) == (
                Delivery.PENDING,
                0,
                None,
            )
            assert text_message.not_before <= now(session)
        assert [m.state for m in told(session)[2:]] == [Delivery.SENT, Delivery.SENDING]
        retried = AuditEntry.action == "message-retried"
        entries = session.scalars(select(AuditEntry).where(retried).order_by(AuditEntry.id)).all()
        assert [e.subject for e in entries] == ["message 1", "message 2"]


def test_jobs_of_the_scheduler_notify_and_send(
    engine: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with writing(engine) as session:
        some_registrations(session, a_round(session), 3)
    chosen = settings.model_copy(update={"sms_provider": "console", "turn_near_places": 2})
    run = {job.name: job.run for job in jobs.JOBS}
    run["turn-near"](engine, chosen)
    with writing(engine) as session:
        assert len(told(session)) == 2
    run["outbox"](engine, chosen.model_copy(update={"quiet_hours": NEVER}))
    with reading(engine) as session:
        assert {m.state for m in told(session)} == {Delivery.SENT}
    assert sum("text message" in line for line in caplog.messages) == 2
