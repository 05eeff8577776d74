"""What citizens are told by text message: whom, when, once, and in which words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from clerk import process, wording
from db.engine import now, reading, writing
from db.models import AuditEntry, Delivery, Message, MessageKind, Official, Registration, Round
from db.states import Phase, RegistrationState
from hotline import delivery, outbox
from hotline.line import blocked, carry_over, confirmation_calls, registration, turn_near
from hotline.rounds import planning, rounds
from hotline.words import WordsError
from ops import cli
from settings import CITY, QuietHours, Settings
from tests.factories import (
    HOUR,
    a_number,
    a_registration,
    a_round,
    an_official,
    at_once,
    keyed_in,
    some_registrations,
)

ISFAHAN_LINE = "+983132212345"
OFFICES = ["شهردار اصفهان", "معاون خدمات شهری", "مدیر منطقهٔ پانزده"]
KINDS = [kind for kind in MessageKind if kind not in (MessageKind.NOTICE, MessageKind.ANSWER)]
OF_ROUNDS = [kind for kind in KINDS if not kind.startswith("request_")]
START = datetime(2117, 3, 3, 9, 0, tzinfo=CITY)
NEVER = QuietHours(time(0), time(0))
EXAMPLES = {
    "ticket": "۱۲۳۴۵۶۷",
    "place": "۱۲۳۴",
    "when": "چهارشنبه ۳۱ اردیبهشت از ساعت ۹:۳۰ تا ۱۲:۳۰",
    "day": "چهارشنبه ۳۱ اردیبهشت",
    "tracking": "۱۲۳۴۵۶۷۸",
    "link": "نشانی " * 10,
    "digits": "۱۲۳۴۵۶۷۴",
    "ways": "\n".join(["لغو ۱۲۳۴۵۶۷۴ : معاون خدمات شهری"] * 3),
    "reply": "آسفالت خیابان ترمیم شد و روشنایی آن کامل است. " * 2 + "سپاس از شما شهروند.",
}


def told(session: Session, kind: MessageKind | None = None) -> Sequence[Message]:
    query = select(Message).order_by(Message.id)
    return session.scalars(query.where(Message.kind == kind) if kind else query).all()


def texts(language: str) -> Mapping[str, str]:
    return wording.TEXTS.table(language, "texts")


def said(session: Session, text_message: Message) -> str | None:
    session.flush()
    found = wording.words(session, text_message)
    return found and found.text


def two_rounds(session: Session, **values: Any) -> tuple[Round, Round]:
    """A live round of the mayor, and the next one at 9 in the city, on Wednesday the 12th of Esfand 1495."""
    first = a_round(session)
    return first, next_round(session, first.official, **values)


def next_round(session: Session, official: Official, **values: Any) -> Round:
    return planning.make(
        session,
        official=official,
        registration_from=START - 24 * HOUR,
        registration_until=START,
        starts_at=START,
        ends_at=START + 3 * HOUR,
        short_notice=True,
        **values,
    )


# The catalogue


def test_given_every_language_when_read_then_each_kind_has_its_text_with_the_same_slots() -> None:
    names = {language: set(texts(language)) for language in wording.TEXTS.languages()}
    assert set(names) == {"fa", "en"}
    assert names["fa"] == names["en"]
    assert {kind.value for kind in KINDS} <= names["fa"]
    for name in names["fa"]:
        slots = wording.TEXTS.slots("fa", "texts", name)
        assert slots == wording.TEXTS.slots("en", "texts", name)
        if not name.startswith("answer-"):
            assert ("tracking" if name.startswith("request_") else "ticket") in slots


@pytest.mark.parametrize("office", OFFICES)
def test_given_a_persian_text_when_filled_then_it_is_three_parts_at_most_and_reads_as_persian(
    office: str,
) -> None:
    for name in texts("fa"):
        text = wording.TEXTS.fill("fa", "texts", name, EXAMPLES | {"office": office})
        assert len(text) <= 3 * 67, (name, len(text))
        assert not any(sign.isascii() and sign.isalnum() for sign in text), name
        assert not set(text) & set("يكةىﻻ٠١٢٣٤٥٦٧٨٩"), name  # Arabic letters and digits
        assert text == text.strip() and "{" not in text


def test_given_an_english_text_when_filled_then_it_needs_no_more_than_the_telegraph_alphabet() -> None:
    values = {"ticket": "1234567", "place": "1234", "day": "Wednesday 12 September"}
    values |= {"tracking": "12345678", "reply": "The street has a new surface, and its lamps are lit. " * 2}
    values |= {"link": "https://137.city.example/public/request"}
    values |= {"digits": "41", "ways": "cancel 12345674 : Mayor"}
    values |= {"office": "Deputy for Urban Planning", "when": "Wednesday 12 September, 9:30 to 12:30"}
    for name in texts("en"):
        text = wording.TEXTS.fill("en", "texts", name, values)
        assert text.isascii() and not set(text) & set("[]{}\\^~|`"), name
        assert len(text) <= 2 * 153


def test_given_an_unknown_language_text_or_slot_when_asked_then_it_is_refused() -> None:
    with pytest.raises(WordsError, match="no words in 'de'"):
        wording.TEXTS.tables("de")
    with pytest.raises(WordsError, match="no words \\[x\\] in 'fa'"):
        wording.TEXTS.table("fa", "x")
    with pytest.raises(WordsError, match="no words 'x'"):
        wording.TEXTS.fill("fa", "texts", "x", {})
    with pytest.raises(WordsError, match="needs office"):
        wording.TEXTS.fill("fa", "texts", "turn_near", {"ticket": "1"})


# Words


def test_given_a_registration_when_told_then_it_reads_ticket_day_hours_and_place(session: Session) -> None:
    first, next_ = two_rounds(session)
    first.official.office_fa, first.official.office_en = "شهردار اصفهان", "Mayor of Isfahan"
    next_.registration_from = now(session) - HOUR
    next_.announce_at = next_.registration_from
    some_registrations(session, next_, 11)
    for language in ("fa", "en"):
        registration.register(session, round_id=next_.id, number=a_number(), language=language)
    persian, english = told(session)
    ticket = session.get_one(Registration, persian.registration_id).ticket
    assert said(session, persian) == (
        "شهروند گرامی، برای گفت‌وگو با شهردار اصفهان ثبت‌نام شدید.\n"
        f"شماره پیگیری: {ticket.translate(str.maketrans('0123456789', '۰۱۲۳۴۵۶۷۸۹'))}\n"
        "زمان: چهارشنبه ۱۲ اسفند از ساعت ۹ تا ۱۲\n"
        "شما نفر ۱۲ صف هستید و با همین شماره تماس می‌گیریم.\n"
        "تلفن ۱۳۷"
    )
    text = said(session, english)
    assert text is not None
    assert "the Mayor of Isfahan" in text
    assert "Wednesday 3 March, 09:00 to 12:00" in text
    assert "number 13 in the line" in text


def test_given_the_operators_line_when_a_citizen_registers_then_no_day_is_promised(session: Session) -> None:
    line = rounds.operators_line(session)
    registration.register(session, round_id=line.id, number=a_number())
    text = said(session, told(session)[0])
    assert text is not None
    assert "اپراتور به‌نوبت" in text
    assert "۹۰۰" not in text and "ساعت" not in text


@pytest.mark.parametrize(
    "name",
    [
        "شهردار\r\nاصفهان",
        "شهردار\u2028اصفهان",
        "شهردار\x00\x07 اصفهان",
        "\u202eشهردار \u2066اصفهان",
    ],
)
def test_given_a_hostile_name_of_an_office_when_told_then_it_is_one_harmless_line(
    session: Session, name: str
) -> None:
    if "\x00" in name:
        name = name.replace("\x00", "")  # PostgreSQL holds none
    round_ = a_round(session, Phase.OPEN)
    round_.official.office_fa = name
    registration.register(session, round_id=round_.id, number=a_number())
    text = said(session, told(session)[0])
    assert text is not None
    assert text.splitlines()[0] == "شهروند گرامی، برای گفت‌وگو با شهردار اصفهان ثبت‌نام شدید."
    assert len(text.splitlines()) == 5


def test_given_a_name_that_is_a_slot_or_endless_when_told_then_it_is_no_slot_and_shortened(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.OPEN)
    round_.official.office_fa = "{ticket}" + "الف" * 60
    registration.register(session, round_id=round_.id, number=a_number())
    text = said(session, told(session)[0])
    assert text is not None
    assert "با {ticket}الف" in text and "الف…" in text
    assert len(text) < 260


# What is true no more is not said


@pytest.mark.parametrize("state", [RegistrationState.CANCELLED, RegistrationState.REACHED])
def test_given_a_citizen_who_is_out_of_the_line_when_sent_then_nothing_is_said(
    session: Session, state: RegistrationState
) -> None:
    round_ = a_round(session)
    round_.registration_until = round_.ends_at
    registration.register(session, round_id=round_.id, number=a_number())
    turn_near.tell(session, 5)
    assert [bool(said(session, text_message)) for text_message in told(session)] == [True, True]
    session.execute(update(Registration).values(state=state))
    session.expire_all()
    assert [said(session, text_message) for text_message in told(session)] == [None, None]


def test_given_a_changed_number_when_sent_then_the_message_goes_there_and_to_no_land_or_blocked_line(
    session: Session,
) -> None:
    round_, number = a_round(session, Phase.OPEN), a_number()
    made = registration.register(session, round_id=round_.id, number=a_number())
    (text_message,) = told(session)
    registration.change_number(session, made.registration_id, number)
    words = wording.words(session, text_message)
    assert words is not None and words.to == number
    registration_ = session.get_one(Registration, made.registration_id)
    registration_.number = ISFAHAN_LINE
    assert said(session, text_message) is None
    registration_.number = number
    blocked.block(session, number, blocked.BlockReason.OWNER)
    assert said(session, text_message) is None


# Who is told


def test_given_a_land_line_when_it_registers_then_it_is_told_nothing(session: Session) -> None:
    registration.register(session, round_id=a_round(session, Phase.OPEN).id, number=ISFAHAN_LINE)
    assert told(session) == []


@pytest.mark.parametrize("by", ["phone", "again"])
def test_given_a_keyed_in_number_when_its_owner_confirms_then_it_is_told_and_not_before(
    session: Session, by: str
) -> None:
    round_, number = a_round(session, Phase.OPEN), a_number()
    asked = keyed_in(session, round_, number)
    assert told(session) == []
    if by == "phone":
        confirmation = confirmation_calls.take_up(session, asked.id)
        assert confirmation is not None and confirmation.token is not None
        confirmation_calls.answer(session, confirmation.token, yes=True)
    else:
        registration.register(session, round_id=round_.id, number=number)
    (text_message,) = told(session)
    assert (text_message.kind, text_message.to) == (MessageKind.REGISTERED, number)


def test_given_many_tell_at_once_when_they_commit_then_the_citizen_is_told_once(engine: Engine) -> None:
    with writing(engine) as session:
        some_registrations(session, a_round(session), 3)

    def tell(_: int) -> None:
        with writing(engine) as own:
            turn_near.tell(own, 5)

    at_once(4, tell)
    with reading(engine) as session:
        assert len(told(session)) == 3


def test_given_a_live_round_when_the_line_moves_then_each_is_told_once_that_it_is_near(
    session: Session,
) -> None:
    round_ = a_round(session)
    line = some_registrations(session, round_, 8)
    for _ in range(2):
        turn_near.tell(session, 5)
    assert [m.registration_id for m in told(session)] == [r.id for r in line[:5]]
    line[0].state = RegistrationState.CALLING
    session.flush()
    for _ in range(2):
        turn_near.tell(session, 5)
    line[0].state = RegistrationState.WAITING  # nobody answered: back at its own place
    session.flush()
    turn_near.tell(session, 5)
    assert [m.registration_id for m in told(session)] == [r.id for r in line[:6]]
    for text_message in told(session):
        assert text_message.kind is MessageKind.TURN_NEAR
        assert text_message.expires_at is not None
        assert timedelta(minutes=29) < text_message.expires_at - now(session) <= timedelta(minutes=30)


@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.CLOSED, Phase.OVER, Phase.CANCELLED])
def test_given_a_round_that_is_not_live_when_looked_at_then_nobody_is_near(
    session: Session, phase: Phase
) -> None:
    round_ = a_round(session, phase)
    some_registrations(session, round_, 2)
    a_registration(session, rounds.operators_line(session))
    turn_near.tell(session, 5)
    assert told(session) == []


# Not reached, and what is next


def over(session: Session, round_: Round) -> None:
    rounds.end_round(session, round_)
    while carry_over.run(session):
        pass
    carry_over.tell_left(session)


def test_given_a_round_that_is_over_when_the_next_is_known_then_its_day_is_told(session: Session) -> None:
    first, _ = two_rounds(session)
    a_registration(session, first)
    over(session, first)
    (text_message,) = told(session)
    assert text_message.kind is MessageKind.CARRIED
    text = said(session, text_message)
    assert text is not None and "چهارشنبه ۱۲ اسفند از ساعت ۹ تا ۱۲" in text


def test_given_a_substitute_in_the_next_round_when_carried_then_the_text_names_who_will_speak(
    session: Session,
) -> None:
    first = a_round(session)
    deputy = an_official(session)
    deputy.office_fa = "معاون شهرسازی"
    session.flush()
    next_round(session, first.official, substitute=deputy)
    a_registration(session, first)
    over(session, first)
    text = said(session, told(session)[0])
    assert text is not None and "معاون شهرسازی" in text


def test_given_no_next_round_when_one_is_made_later_then_the_citizen_hears_both_in_turn(
    session: Session,
) -> None:
    first = a_round(session)
    a_registration(session, first)
    over(session, first)
    (text_message,) = told(session)
    assert text_message.kind is MessageKind.NOT_REACHED
    assert "زمان نوبت بعد را پیامک می‌کنیم" in (said(session, text_message) or "")
    next_round(session, first.official)
    over(session, first)
    assert [m.kind for m in told(session)] == [MessageKind.NOT_REACHED, MessageKind.CARRIED]
    assert [bool(said(session, m)) for m in told(session)] == [False, True]


def test_given_a_cancelled_round_when_no_next_is_known_then_its_day_is_told_when_it_is(
    session: Session,
) -> None:
    first = a_round(session, Phase.OPEN)
    a_registration(session, first)
    planning.cancel(session, first, who="test", reason="باران")
    carry_over.run(session)
    carry_over.tell_left(session)
    (text_message,) = told(session)
    assert text_message.kind is MessageKind.ROUND_CANCELLED
    assert "زمان نوبت بعد را پیامک می‌کنیم" in (said(session, text_message) or "")
    next_round(session, first.official)
    carry_over.run(session)
    assert [m.kind for m in told(session)] == [MessageKind.ROUND_CANCELLED, MessageKind.CARRIED]
    assert "۱۲ اسفند" in (said(session, told(session)[1]) or "")


def test_given_a_cancelled_round_when_the_next_is_known_then_one_message_tells_both(session: Session) -> None:
    first, next_ = two_rounds(session)
    a_registration(session, first)
    planning.cancel(session, first, who="test", reason="باران")
    carry_over.run(session)
    carry_over.tell_left(session)
    (text_message,) = told(session)
    text = said(session, text_message)
    assert text is not None and "لغو شد" in text and "۱۲ اسفند" in text
    planning.cancel(session, next_, who="test", reason="برف")  # before it is sent
    session.flush()
    assert "۱۲ اسفند" not in (said(session, text_message) or "")


def test_given_nobody_who_answers_in_two_rounds_when_closed_then_the_citizen_is_told(
    session: Session,
) -> None:
    first, _ = two_rounds(session)
    a_registration(session, first, state=RegistrationState.UNREACHED, rounds_unanswered=1)
    over(session, first)
    (text_message,) = told(session)
    assert text_message.kind is MessageKind.CLOSED
    assert "بسته شد" in (said(session, text_message) or "")


def test_given_every_kind_when_worded_then_the_catalogue_has_it_in_both_languages(session: Session) -> None:
    first, next_ = two_rounds(session)
    for language in ("fa", "en"):
        for kind in OF_ROUNDS:
            moved = kind is MessageKind.CARRIED
            over = {
                MessageKind.CLOSED: RegistrationState.CLOSED,
                MessageKind.CANCELLED: RegistrationState.CANCELLED,
            }
            state = over.get(kind, RegistrationState.WAITING)
            round_ = next_ if moved else first
            citizen = a_registration(session, round_, language=language, state=state)
            outbox.tell(session, kind, citizen, about_round=first.id, next_round=next_.id if moved else None)
    texts_ = [said(session, text_message) for text_message in told(session)]
    assert len(texts_) == 2 * len(OF_ROUNDS)
    assert all(texts_)


# The command line and the clerk


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_ENV_FILE", "/nonexistent")
    return CliRunner()


def test_given_messages_when_listed_then_numbers_are_masked_and_a_state_can_be_asked_for(
    engine: Engine, command: CliRunner
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        numbers = [a_number() for _ in range(3)]
        for number in numbers:
            registration.register(session, round_id=round_.id, number=number)
        failed = told(session)[0]
        failed.state, failed.error = Delivery.FAILED, "Kavenegar 411"
        notice = Message(key="n", kind=MessageKind.NOTICE, to="https://city.example/s3cr3t", body="{}")
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


def test_given_a_message_that_failed_or_expired_when_retried_then_it_is_due_and_others_are_refused(
    engine: Engine, command: CliRunner
) -> None:
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


def test_given_the_clerk_when_its_jobs_run_then_the_near_are_told_and_messages_sent(
    engine: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with writing(engine) as session:
        some_registrations(session, a_round(session), 3)
    chosen = settings.model_copy(update={"sms_provider": "console", "turn_near_places": 2})
    jobs = {job.name: job.run for job in process.JOBS}
    jobs["turn-near"](engine, chosen)
    with writing(engine) as session:
        assert len(told(session)) == 2
    jobs["messages"](engine, chosen.model_copy(update={"quiet_hours": NEVER}))
    with reading(engine) as session:
        assert {m.state for m in told(session)} == {Delivery.SENT}
    assert sum("text message" in line for line in caplog.messages) == 2
