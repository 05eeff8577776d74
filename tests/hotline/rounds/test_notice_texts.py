"""The words of notices in both languages: who, when and how, in a text of any length."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from db.models import Official, OfficialKind, Round
from hotline import dates
from hotline.dates import Language
from hotline.rounds import notices
from settings import CITY
from tests.factories import HOUR

HERE = "https://137.example"
HOSTILE = "</script><b>\"'&\u202e\u2066\x00\x0b\nنام\u200cها"
DAY = 24 * HOUR
_ZWNJ = "\u200c"


def an_office(fa: str, en: str) -> Official:
    return Official(kind=OfficialKind.DEPUTY, office_fa=fa, office_en=en, clip="office-x")


MAYOR = ("شهردار اصفهان", "Mayor of Isfahan")
DEPUTY = ("معاون شهرسازی", "Deputy for Urban Planning")
SERVICES = ("معاون خدمات شهری", "Deputy for Urban Services")


def round_at(start: datetime, hours: float = 3, **values: Any) -> Round:
    """A round of the mayor's that begins then, in Iran; registration from a day until an hour before."""
    start = start.replace(tzinfo=CITY)
    defaults: dict[str, Any] = {
        "id": 7,
        "official": an_office(*MAYOR),
        "deputies": [],
        "announce_at": start - 3 * DAY,
        "start_set_at": start - 9 * DAY,
        "registration_from": start - DAY,
        "registration_until": start - HOUR,
        "starts_at": start,
        "ends_at": start + hours * HOUR,
        "minutes": 6,
        "languages": "fa,en",
        "reason": "",
        "changes": 0,
    }
    return Round(**defaults | values)


def fa(round_: Round) -> notices.Notice:
    return notices.format_text(round_, "fa", HERE)


def en(round_: Round) -> notices.Notice:
    return notices.format_text(round_, "en", HERE)


NINE = datetime(2026, 12, 2, 9)


def test_persian_notice_says_who_when_and_how() -> None:
    notice = fa(round_at(NINE, deputies=[an_office(*DEPUTY), an_office(*SERVICES)], capacity=30))
    when = "چهارشنبه ۱۱ آذر ۱۴۰۵ از ساعت ۹ تا ۱۲"
    assert notice.title == f"گفت‌وگوی تلفنی شهردار اصفهان با شهروندان: {when}"
    assert notice.body == (
        f"شهردار اصفهان {when} از راه تلفن ۱۳۷ پاسخگوی شهروندان است. "
        "معاون شهرسازی و معاون خدمات شهری نیز در کنار ایشان حضور دارند. "
        "برای ثبت‌نام، از سه‌شنبه ۱۰ آذر ساعت ۹ تا چهارشنبه ۱۱ آذر ساعت ۸ با ۱۳۷ تماس بگیرید. "
        "شمارهٔ نوبت می‌گیرید و در زمان گفت‌وگو به‌نوبت با شما تماس می‌گیریم. "
        "هر گفت‌وگو حدود ۶ دقیقه است. ظرفیت ثبت‌نام ۳۰ نفر است. "
        "اگر در این دور به شما نرسیم، در دور بعدی همین مسئول، بدون ثبت‌نام دوباره، پیش از دیگران با شما "
        "تماس می‌گیریم."
    )
    assert notice.short == (
        f"{when}، شهردار اصفهان در تلفن ۱۳۷ پاسخگوی شهروندان است. "
        "ثبت‌نام با شماره‌گیری ۱۳۷، از سه‌شنبه ۱۰ آذر ساعت ۹ تا چهارشنبه ۱۱ آذر ساعت ۸. "
        f"هر کس که به او نرسیم، در دور بعدی پیش از دیگران است.\n{HERE}/public/rounds/7"
    )


def test_english_notice_says_who_when_and_how() -> None:
    notice = en(round_at(NINE, deputies=[an_office(*DEPUTY)]))
    when = "Wednesday 2 December 2026, 09:00 to 12:00"
    assert notice.title == f"Mayor of Isfahan speaks with citizens by phone: {when}"
    assert notice.body == (
        f"The Mayor of Isfahan answers citizens on the phone number 137: {when} (Iran time). "
        "Also present: Deputy for Urban Planning. "
        "To register, dial 137: Tuesday 1 December, 09:00, to Wednesday 2 December, 08:00. "
        "You get a ticket number, and during the round we call you back in order. "
        "A conversation takes about 6 minutes. "
        "Whom we do not reach in this round is called first in this official's next one, "
        "without registering again."
    )
    assert notice.short.endswith(f"first in the next round.\n{HERE}/public/rounds/7?lang=en")


@pytest.mark.parametrize(
    ("start", "hours", "persian", "english"),
    [
        (
            datetime(2026, 12, 2, 22),
            3,
            "از چهارشنبه ۱۱ آذر ساعت ۲۲ تا پنجشنبه ۱۲ آذر ۱۴۰۵ ساعت ۱",
            "Wednesday 2 December, 22:00, to Thursday 3 December 2026, 01:00",
        ),
        (
            datetime(2026, 12, 2, 21, 30),
            2.5,
            "چهارشنبه ۱۱ آذر ۱۴۰۵ از ساعت ۲۱:۳۰ تا ۲۴",
            "Wednesday 2 December 2026, 21:30 to 24:00",
        ),
        (
            datetime(2026, 12, 3, 0),
            1.25,
            "پنجشنبه ۱۲ آذر ۱۴۰۵ از ساعت ۰۰:۰۰ تا ۱:۱۵",
            "Thursday 3 December 2026, 00:00 to 01:15",
        ),
        (  # Nowruz of 1406
            datetime(2027, 3, 21, 10),
            2,
            "یکشنبه ۱ فروردین ۱۴۰۶ از ساعت ۱۰ تا ۱۲",
            "Sunday 21 March 2027, 10:00 to 12:00",
        ),
        (  # into it
            datetime(2027, 3, 20, 23),
            2,
            "از شنبه ۲۹ اسفند ۱۴۰۵ ساعت ۲۳ تا یکشنبه ۱ فروردین ۱۴۰۶ ساعت ۱",
            "Saturday 20 March, 23:00, to Sunday 21 March 2027, 01:00",
        ),
        (  # the last day of the leap year 1403
            datetime(2025, 3, 20, 9),
            3,
            "پنجشنبه ۳۰ اسفند ۱۴۰۳ از ساعت ۹ تا ۱۲",
            "Thursday 20 March 2025, 09:00 to 12:00",
        ),
    ],
)
def test_day_and_year_edges_are_right_in_both_calendars(
    start: datetime, hours: float, persian: str, english: str
) -> None:
    round_ = round_at(start, hours)
    assert fa(round_).title.endswith(f": {persian}")
    assert en(round_).title.endswith(f": {english}")


def test_registration_over_new_year_names_both_years() -> None:
    nowruz = datetime(2027, 3, 21, 10)
    assert "از شنبه ۲۹ اسفند ۱۴۰۵ ساعت ۱۰ تا یکشنبه ۱ فروردین ۱۴۰۶ ساعت ۹" in fa(round_at(nowruz)).body


@pytest.mark.parametrize("language", ["fa", "en"])
def test_each_day_and_month_has_its_name(
    language: Language,
) -> None:
    days = [dates.format_day(date(2026, 3, 21) + timedelta(days=n), language) for n in range(365)]
    assert len({d.split()[0] for d in days}) == 7
    assert len({d.split()[2] for d in days}) == 12
    assert len(set(days)) == 365
    if language == "fa":
        assert days[0] == "شنبه ۱ فروردین ۱۴۰۵"
        assert [d.split()[0] for d in days[1:7]] == [
            "یکشنبه",
            "دوشنبه",
            f"سه{_ZWNJ}شنبه",
            "چهارشنبه",
            "پنجشنبه",
            "جمعه",
        ]


def test_substitute_is_named_with_the_official() -> None:
    substitute = an_office(*DEPUTY)
    round_ = round_at(NINE, substitute=substitute, deputies=[substitute, an_office(*SERVICES)])
    notice = fa(round_)
    assert notice.body.startswith("معاون شهرسازی (به‌جای شهردار اصفهان) چهارشنبه")
    assert "معاون خدمات شهری نیز در کنار ایشان حضور دارد." in notice.body
    assert en(round_).body.startswith("The Deputy for Urban Planning (in place of the Mayor of Isfahan) ")


def test_cancelled_notice_says_why_and_keeps_places() -> None:
    round_ = round_at(NINE, cancelled_at=NINE.replace(tzinfo=UTC) - DAY, reason="آلودگی هوا")
    notice = fa(round_)
    assert notice.title.startswith("گفت‌وگوی تلفنی شهردار اصفهان با شهروندان لغو شد: چهارشنبه")
    assert "برگزار نمی‌شود. دلیل: آلودگی هوا. هر کس برای این دور ثبت‌نام کرده است جای خود را" in notice.body
    assert "با ۱۳۷ تماس بگیرید" not in notice.body
    assert notice.short.startswith("لغو شد: ") and "آلودگی هوا" in notice.short
    assert en(round_).short.startswith("Cancelled: ") and "keeps their place" in en(round_).body


def test_changed_notice_says_why_and_the_new_hours() -> None:
    round_ = round_at(NINE, changed_at=NINE.replace(tzinfo=UTC) - 2 * DAY, changes=1, reason="جلسهٔ شورا!")
    assert fa(round_).title.startswith("تغییر در گفت‌وگوی تلفنی")
    assert fa(round_).body.startswith(
        "این دور گفت‌وگو تغییر کرده است. دلیل: جلسهٔ شورا! شهردار اصفهان چهارشنبه"
    )
    assert "جلسهٔ شورا!" in fa(round_).short
    assert en(round_).title.startswith("Changed: ")


def test_change_before_the_notice_is_not_public() -> None:
    round_ = round_at(NINE, changed_at=NINE.replace(tzinfo=UTC) - 4 * DAY, changes=1, reason="درونی")
    assert notices.read_content(round_) == "announced"
    assert "درونی" not in fa(round_).body


@pytest.mark.parametrize("language", ["fa", "en"])
def test_short_text_fits_any_name_and_keeps_its_link(
    language: Language,
) -> None:
    for length in (1, 60, 100, 130, 200):
        official = an_office("ن" * length, "n" * length)
        for values in ({}, {"cancelled_at": NINE.replace(tzinfo=UTC), "reason": "ر" * 500}):
            notice = notices.format_text(round_at(NINE, official=official, **values), language, HERE)
            assert len(notice.short) <= notices.LONGEST
            assert f"\n{HERE}/public/rounds/7" in notice.short
            assert ("۱۱ آذر" if language == "fa" else "2 December") in notice.short


def test_hostile_names_keep_direction_and_line() -> None:
    office = an_office(HOSTILE, HOSTILE)
    round_ = round_at(NINE, official=office, reason=HOSTILE, cancelled_at=NINE.replace(tzinfo=UTC))
    for notice in (fa(round_), en(round_)):
        told = notice.title + notice.body + notice.short.split("\n")[0]
        assert not set(told) & set("\u202e\u2066\x00\x0b\n")
        assert f"نام{_ZWNJ}ها" in told
    assert notices.clean_line(HOSTILE) == f"</script><b>\"'& نام{_ZWNJ}ها"
