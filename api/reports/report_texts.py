"""The words of exported reports, in both languages."""

from collections.abc import Mapping
from datetime import date

from api.sheets import Cell
from hotline import dates
from hotline.dates import Language
from hotline.reports.report_facts import By
from hotline.reports.reports import Row
from hotline.timetable import days

WORDS: Mapping[Language, Mapping[str, str]] = {
    "fa": {
        "official": "مسئول",
        "district": "منطقه",
        "subject": "موضوع",
        "week": "هفته از شنبه",
        "day": "روز",
        "iso": "تاریخ میلادی",
        "total": "همه",
        "none": "بدون موضوع",
        "whole_city": "کل شهر",
        "registered": "ثبت‌نام تازه",
        "carried_in": "انتقالی از نوبت‌های پیش",
        "reached": "گفت‌وگو انجام شد",
        "not_reached": "گفت‌وگو انجام نشد",
        "carried_out": "منتقل‌شده به نوبت بعدی",
        "calls": "تماس‌ها",
        "conversations": "گفت‌وگوها",
        "median_minutes": "میانهٔ زمان ثبت‌نام تا گفت‌وگو (دقیقه)",
        "p90_minutes": "نود درصد شهروندان زودتر از (دقیقه)",
        "calls_per_hour": "تماس در ساعت",
        "conversations_per_hour": "گفت‌وگو در ساعت",
        "idle_share": "سهمی از زمان که مسئول منتظر ماند",
        "never_called": "نوبت به ایشان نرسید",
        "calling": "در حال تماس",
        "cancelled": "خود شهروند لغو کرد",
        "merged": "جای پیشین همین شماره ماند",
        "unconfirmed": "شماره تأیید نشد",
        "no_answer": "پاسخ نداد",
        "busy": "مشغول بود",
        "rejected": "تماس را رد کرد",
        "unreachable": "در دسترس نبود",
        "not_confirmed": "عدد یک را نزد",
        "hung_up": "پیش از گفت‌وگو قطع کرد",
        "failed": "تماس برقرار نشد",
        "call_again": "دوباره تماس بگیریم",
        "refused": "دیگر نمی‌خواهد",
        "wrong_number": "شماره اشتباه بود",
    },
    "en": {
        "official": "Official",
        "district": "District",
        "subject": "Subject",
        "week": "Week from Saturday",
        "day": "Day",
        "iso": "ISO date",
        "total": "All",
        "none": "No subject",
        "whole_city": "Whole city",
        "registered": "New registrations",
        "carried_in": "Carried over from earlier rounds",
        "reached": "Spoken with",
        "not_reached": "Not spoken with",
        "carried_out": "Carried on to the next round",
        "calls": "Calls",
        "conversations": "Conversations",
        "median_minutes": "Median time from registration to conversation (minutes)",
        "p90_minutes": "Nine in ten sooner than (minutes)",
        "calls_per_hour": "Calls per hour",
        "conversations_per_hour": "Conversations per hour",
        "idle_share": "Share of time the official waited",
        "never_called": "Not called in this round",
        "calling": "Being called",
        "cancelled": "Given up by the citizen",
        "merged": "The number kept its older place",
        "unconfirmed": "Number not confirmed",
        "no_answer": "No answer",
        "busy": "Busy",
        "rejected": "Call rejected",
        "unreachable": "Not reachable",
        "not_confirmed": "Did not press 1",
        "hung_up": "Hung up before the conversation",
        "failed": "Fault of the system",
        "call_again": "To be called again",
        "refused": "No longer wished to speak",
        "wrong_number": "Wrong number",
    },
}

_NAMES: Mapping[By, tuple[str, ...]] = {
    By.ROUND: ("official", "day", "iso"),
    By.OFFICIAL: ("official",),
    By.DISTRICT: ("district",),
    By.SUBJECT: ("subject",),
    By.WEEK: ("week", "iso"),
}


def name_columns(by: By, language: Language) -> list[str]:
    """The columns that name a row."""
    return [WORDS[language][column] for column in _NAMES[by]]


def names(by: By, row: Row, language: Language) -> list[Cell]:
    """What names the row, a cell for each of these columns."""
    words = WORDS[language]
    name = (row.name_fa if language == "fa" else row.name_en) or ""
    if by is By.ROUND:
        day = days.local_day(row.starts_at) if row.starts_at else None
        return [name, *_dated(day, language)]
    if by is By.OFFICIAL:
        return [name]
    if by is By.DISTRICT:
        return [words["whole_city"] if row.district is None else row.district]
    if by is By.SUBJECT:
        return [words["none"] if row.subject is None else name]
    return _dated(row.week, language)


def _dated(day: date | None, language: Language) -> list[Cell]:
    return [dates.day(day, language), day.isoformat()] if day else ["", ""]
