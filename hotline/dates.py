"""Days and hours as citizens read them, in Iran's time: Jalali in Persian, Gregorian in English."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal, get_args

import jdatetime

from hotline.words import PUBLIC
from settings import CITY

Language = Literal["fa", "en"]

LANGUAGES: tuple[Language, ...] = get_args(Language)

_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def format_digits(value: object, language: Language) -> str:
    """Return the value as text with the language's digits."""
    return str(value).translate(_PERSIAN_DIGITS) if language == "fa" else str(value)


def format_day(when: date, language: Language, *, with_year: bool = True) -> str:
    """Return «چهارشنبه ۱۱ آذر ۱۴۰۵» or "Wednesday 2 December 2026" for a day, or for a moment in Iran."""
    local = when.astimezone(CITY).date() if isinstance(when, datetime) else when
    shown = jdatetime.date.fromgregorian(date=local) if language == "fa" else local
    weekday = PUBLIC.text(language, "weekdays", str(local.isoweekday()))
    month = PUBLIC.text(language, "months", str(shown.month))
    words = [weekday, shown.day, month]
    return format_digits(" ".join(map(str, [*words, shown.year] if with_year else words)), language)


def format_clock(moment: datetime, language: Language) -> str:
    """Return the hour and minute in Iran: «۹», «۹:۳۰», «۰۰:۰۰»; "09:00"."""
    local = moment.astimezone(CITY)
    if language == "en" or local.hour == 0:
        return format_digits(f"{local:%H:%M}", language)
    return format_digits(f"{local.hour}:{local.minute:02}" if local.minute else local.hour, language)


def format_year(at: datetime, language: Language) -> int:
    """Return the year in Iran in the language's calendar."""
    local = at.astimezone(CITY).date()
    return int(jdatetime.date.fromgregorian(date=local).year) if language == "fa" else local.year


def format_moment(at: datetime, language: Language, *, with_year: bool = True) -> str:
    """Return a day and an hour: «چهارشنبه ۱۱ آذر ۱۴۰۵ ساعت ۹»."""
    facts = {"day": format_day(at, language, with_year=with_year), "clock": format_clock(at, language)}
    return PUBLIC.fill(language, "dates", "moment", facts)


def format_span(start: datetime, end: datetime, language: Language, *, with_year: bool = True) -> str:
    """Return a time span; a shared day or year appears once, and an end at midnight is 24:00."""
    last = end - timedelta(microseconds=1)
    until = format_clock(end, language)
    if end.astimezone(CITY).time() == datetime.min.time():
        until = format_digits("24" if language == "fa" else "24:00", language)
    two_years = format_year(start, language) != format_year(last, language)
    last_day = format_day(last, language, with_year=with_year)
    first_day = format_day(start, language, with_year=with_year and two_years)
    same = start.astimezone(CITY).date() == last.astimezone(CITY).date()
    facts = {"since": format_clock(start, language), "until": until}
    if same:
        return PUBLIC.fill(language, "dates", "span-one-day", facts | {"day": last_day})
    return PUBLIC.fill(language, "dates", "span", facts | {"first": first_day, "last": last_day})


def join_words(words: Sequence[str], language: Language) -> str:
    """Return a list as text: «الف، ب و ج», "a, b and c"."""
    comma, and_ = (PUBLIC.text(language, "dates", name) for name in ("comma", "and"))
    return and_.join([comma.join(words[:-1]), words[-1]] if len(words) > 1 else words)
