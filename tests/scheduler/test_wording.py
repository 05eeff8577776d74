"""The words of citizens' text messages: of every kind, in both languages."""

from collections.abc import Mapping

import pytest
from sqlalchemy.orm import Session

from db.engine import now
from db.models import TO_WEBHOOKS, OutboxKind, Registration
from db.states import Phase, RegistrationState
from hotline import dates
from hotline.line import registration
from hotline.messages import outbox
from hotline.rounds import phases
from hotline.words import WordsError
from scheduler import wording
from tests.factories import HOUR, a_number, a_registration, a_round, some_registrations
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.scheduler.citizens_messages import said, told, two_rounds

OFFICES = ["شهردار اصفهان", "معاون خدمات شهری", "مدیر منطقهٔ پانزده"]
KINDS = [kind for kind in OutboxKind if kind not in (*TO_WEBHOOKS, OutboxKind.ANSWER)]
_OF_OTHERS = ("request_", "followed_", "sign_in_", "urgent", OutboxKind.ROUND_ANNOUNCED)
OF_ROUNDS = [kind for kind in KINDS if not kind.startswith(_OF_OTHERS)]
EXAMPLES = {
    "ticket": "۱۲۳۴۵۶۷",
    "place": "۱۲۳۴",
    "when": "چهارشنبه ۳۱ اردیبهشت از ساعت ۹:۳۰ تا ۱۲:۳۰",
    "from": "چهارشنبه ۳۱ اردیبهشت ساعت ۹:۳۰ تا پنجشنبه ۱ خرداد ساعت ۱۲:۳۰",
    "day": "چهارشنبه ۳۱ اردیبهشت",
    "tracking": "۱۲۳۴۵۶۷۸",
    "category": "روشنایی و چراغ‌های خیابان‌ها",
    "number": "۰۹۱۳۱۲۳۴۵۶۷",
    "code": "۱۲۳۴۵۶",
    "link": "نشانی " * 10,
    "digits": "۱۲۳۴۵۶۷۴",
    "ways": "\n".join(["لغو ۱۲۳۴۵۶۷۴ : معاون خدمات شهری"] * 3),
    "reply": "آسفالت خیابان ترمیم شد و روشنایی آن کامل است. " * 2 + "سپاس از شما شهروند.",
}


def texts(language: str) -> Mapping[str, str]:
    return wording.TEXTS.table(language, "texts")


# The catalogue


def test_each_kind_has_one_text_with_equal_slots_per_language() -> None:
    names = {language: set(texts(language)) for language in wording.TEXTS.languages()}
    assert set(names) == {"fa", "en"}
    assert names["fa"] == names["en"]
    assert {kind.value for kind in KINDS} <= names["fa"]
    for name in names["fa"]:
        slots = wording.TEXTS.slots("fa", "texts", name)
        assert slots == wording.TEXTS.slots("en", "texts", name)
        if name == "sign_in_code":
            assert slots == {"code"}
        elif name.startswith("urgent"):
            assert slots in ({"number"}, {"tracking", "category"})
        elif name.startswith("round_announced"):
            assert slots == {"office", "when"} | ({"from"} if name.endswith("later") else set())
        elif not name.startswith("answer-"):
            of_request = name.startswith(("request_", "followed_"))
            assert ("tracking" if of_request else "ticket") in slots


@pytest.mark.parametrize("office", OFFICES)
def test_persian_text_is_short_and_uses_persian_letters(
    office: str,
) -> None:
    for name in texts("fa"):
        text = wording.TEXTS.fill("fa", "texts", name, EXAMPLES | {"office": office})
        assert len(text) <= 3 * 67, (name, len(text))
        assert not any(sign.isascii() and sign.isalnum() for sign in text), name
        assert not set(text) & set("يكةىﻻ٠١٢٣٤٥٦٧٨٩"), name  # Arabic letters and digits
        assert text == text.strip() and "{" not in text


def test_english_text_fits_the_gsm_alphabet() -> None:
    values = {"ticket": "1234567", "place": "1234", "day": "Wednesday 12 September"}
    values |= {"tracking": "12345678", "reply": "The street has a new surface, and its lamps are lit. " * 2}
    values |= {"category": "Street lighting and lamps", "number": "09131234567"}
    values |= {"code": "123456", "link": "https://137.city.example/public/number"}
    values |= {"digits": "41", "ways": "cancel 12345674 : Mayor"}
    values |= {"office": "Deputy for Urban Planning", "when": "Wednesday 12 September, 9:30 to 12:30"}
    values |= {"from": "Wednesday 12 September, 9:30 to Thursday 13 September, 12:30"}
    for name in texts("en"):
        text = wording.TEXTS.fill("en", "texts", name, values)
        assert text.isascii() and not set(text) & set("[]{}\\^~|`"), name
        assert len(text) <= 2 * 153


def test_unknown_language_text_or_slot_is_refused() -> None:
    with pytest.raises(WordsError, match="no words in 'de'"):
        wording.TEXTS.tables("de")
    with pytest.raises(WordsError, match="no words \\[x\\] in 'fa'"):
        wording.TEXTS.table("fa", "x")
    with pytest.raises(WordsError, match="no words 'x'"):
        wording.TEXTS.fill("fa", "texts", "x", {})
    with pytest.raises(WordsError, match="needs office"):
        wording.TEXTS.fill("fa", "texts", "turn_near", {"ticket": "1"})


# Words


def test_registration_text_names_ticket_day_hours_and_place(session: Session) -> None:
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
        f"شماره نوبت: {ticket.translate(str.maketrans('0123456789', '۰۱۲۳۴۵۶۷۸۹'))}\n"
        "زمان: چهارشنبه ۱۲ اسفند از ساعت ۹ تا ۱۲\n"
        "شما نفر ۱۲ صف هستید و با همین شماره تماس می‌گیریم.\n"
        "تلفن ۱۳۷"
    )
    text = said(session, english)
    assert text is not None
    assert "the Mayor of Isfahan" in text
    assert "Wednesday 3 March, 09:00 to 12:00" in text
    assert "number 13 in the line" in text


def test_operators_line_text_promises_no_day(session: Session) -> None:
    line = phases.get_operators_line(session)
    place = registration.register(session, round_id=line.id, number=a_number())
    text = said(session, told(session)[0])
    assert text is not None
    ticket = dates.format_digits(place.ticket, "fa")
    assert "اپراتور به‌نوبت" in text and ticket in text
    assert "۹۰۰" not in text.replace(ticket, "") and "ساعت" not in text


@pytest.mark.parametrize(
    "name",
    [
        "شهردار\r\nاصفهان",
        "شهردار\u2028اصفهان",
        "شهردار\x00\x07 اصفهان",
        "\u202eشهردار \u2066اصفهان",
    ],
)
def test_hostile_office_name_stays_on_one_line(session: Session, name: str) -> None:
    if "\x00" in name:
        name = name.replace("\x00", "")  # PostgreSQL holds none
    round_ = a_round(session, Phase.OPEN)
    round_.official.office_fa = name
    registration.register(session, round_id=round_.id, number=a_number())
    text = said(session, told(session)[0])
    assert text is not None
    assert text.splitlines()[0] == "شهروند گرامی، برای گفت‌وگو با شهردار اصفهان ثبت‌نام شدید."
    assert len(text.splitlines()) == 5


def test_office_name_is_no_slot_and_is_shortened(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.OPEN)
    round_.official.office_fa = "{ticket}" + "الف" * 60
    registration.register(session, round_id=round_.id, number=a_number())
    text = said(session, told(session)[0])
    assert text is not None
    assert "با {ticket}الف" in text and "الف…" in text
    assert len(text) < 260


def test_each_kind_is_worded_in_both_languages(session: Session) -> None:
    first, next_ = two_rounds(session)
    for language in ("fa", "en"):
        for kind in OF_ROUNDS:
            moved = kind is OutboxKind.CARRIED
            over = {
                OutboxKind.CLOSED: RegistrationState.CLOSED,
                OutboxKind.CANCELLED: RegistrationState.CANCELLED,
            }
            state = over.get(kind, RegistrationState.WAITING)
            round_ = next_ if moved else first
            citizen = a_registration(session, round_, language=language, state=state)
            outbox.tell(session, kind, citizen, about_round=first.id, next_round=next_.id if moved else None)
    texts_ = [said(session, text_message) for text_message in told(session)]
    assert len(texts_) == 2 * len(OF_ROUNDS)
    assert all(texts_)
