"""Numbers, ordinals, telephone numbers, dates and times as each language reads them aloud."""

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from prompts import catalogue
from prompts.catalogue import list_clips, load
from prompts.spoken import PAUSE, Speech

LANGUAGES = catalogue.list_languages()
DENSE = [*range(10_000), *range(10_000, 1_000_000, 389)]


def speech(language: str) -> Speech:
    return load(language).speech


def said(language: str, clip_ids: list[str]) -> str:
    """The words of the clips, written plainly."""
    book = load(language)
    return " ".join(book.speech.plain(book.texts[clip]).strip(" ،,") for clip in clip_ids)


def reference(language: str, number: int, to: str = "cardinal") -> str:
    """Return num2words' text, without the marks between English words."""
    words = num2words(number, lang=language, to=to).replace(",", "").replace("-", " ")
    # num2words writes «سیم», which is the word for silver and wire; people write «سی‌ام»
    return words[:-3] + "سی‌ام" if language == "fa" and words.split()[-1] == "سیم" else words


# Numbers


@pytest.mark.parametrize("language", LANGUAGES)
def test_dense_numbers_are_read_as_num2words_says(language: str) -> None:
    wrong = [n for n in DENSE if said(language, speech(language).count(n)) != reference(language, n)]
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
@given(number=st.integers(0, 999_999) | st.integers(0, 999).map(lambda n: n * 1000))
def test_any_number_below_a_million_is_read_as_num2words_says(language: str, number: int) -> None:
    assert said(language, speech(language).count(number)) == reference(language, number)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ordinals_are_read_as_num2words_says(language: str) -> None:
    places = [n for n in DENSE if n > 1]
    wrong = [
        n for n in places if said(language, speech(language).ordinal(n)) != reference(language, n, "ordinal")
    ]
    assert not wrong


@pytest.mark.parametrize(("language", "first"), [("en", "first"), ("fa", "اول")])
def test_first_ordinal_has_a_word_of_its_own(language: str, first: str) -> None:
    assert said(language, speech(language).ordinal(1)) == first


@pytest.mark.parametrize("language", LANGUAGES)
@given(number=st.integers(2, 999_999_999))
def test_clips_of_an_ordinal_say_its_text(language: str, number: int) -> None:
    reader = speech(language)
    assert said(language, reader.ordinal(number)) == reader.plain(reader.ordinal_text(number))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "number"), [("count", -1), ("count", 10**9), ("ordinal", 0)])
def test_number_out_of_range_is_refused(language: str, kind: str, number: int) -> None:
    read: Callable[[int], list[str]] = getattr(speech(language), kind)
    with pytest.raises(ValueError, match="cannot be read"):
        read(number)


# Digits


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("number", "groups"),
    [
        ("09131234567", "0913 123 45 67"),
        ("03132221234", "031 3222 1234"),
        ("1234567890", "12 3456 7890"),
        ("137", "137"),
    ],
)
def test_telephone_number_is_read_in_usual_groups(language: str, number: str, groups: str) -> None:
    heard = "".join(
        " " if clip == PAUSE else clip.removeprefix("digit-") for clip in speech(language).phone(number)
    )
    assert heard == groups


@pytest.mark.parametrize("text", ["", "12 34", "۱۲۳۴", "-1"])
def test_text_without_digits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a row of digits"):
        speech("fa").digits(text)


# Dates


@pytest.mark.parametrize(
    ("day", "persian", "english"),
    [
        (dt.date(2026, 11, 24), "سوم آذر", "the twenty fourth of November"),
        (dt.date(2025, 3, 21), "اول فروردین", "the twenty first of March"),  # Nowruz 1404
        (dt.date(2025, 3, 20), "سی‌ام اسفند", "the twentieth of March"),  # 1403 is a leap year
        (dt.date(2024, 3, 20), "اول فروردین", "the twentieth of March"),  # Nowruz 1403
        (dt.date(2024, 3, 19), "بیست و نهم اسفند", "the nineteenth of March"),  # 1402 is none
        (dt.date(2026, 3, 20), "بیست و نهم اسفند", "the twentieth of March"),  # nor is 1404
        (dt.date(2026, 9, 22), "سی و یکم شهریور", "the twenty second of September"),
        (dt.date(2028, 2, 29), "دهم اسفند", "the twenty ninth of February"),
    ],
)
def test_date_is_read_in_the_calendar_of_the_language(day: dt.date, persian: str, english: str) -> None:
    assert said("fa", speech("fa").date(day)) == persian
    assert said("en", speech("en").date(day)) == english


def test_days_of_each_jalali_year_follow_each_other() -> None:
    reader = speech("fa")
    first = dt.date(2021, 3, 21)  # the first of Farvardin 1400
    read = [tuple(reader.date(first + dt.timedelta(days))) for days in range(365 * 40)]
    year = [(f"day-{d}", f"month-{m}") for m in range(1, 13) for d in range(1, 32 - (m > 6) - (m == 12))]
    leap_day = ("day-30", "month-12")
    assert [day for day in read if day != leap_day] == (year * 41)[: len(read) - read.count(leap_day)]
    leap_years = {
        1400 + sum(day == ("day-1", "month-1") for day in read[:at]) - 1
        for at, day in enumerate(read)
        if day == leap_day
    }
    assert leap_years == {1403, 1408, 1412, 1416, 1420, 1424, 1428, 1432, 1436}


@pytest.mark.parametrize(
    ("day", "persian", "english"),
    [
        (dt.date(2026, 11, 25), "چهارشنبه", "Wednesday"),
        (dt.date(2026, 11, 27), "جمعه", "Friday"),
        (dt.date(2026, 11, 28), "شنبه", "Saturday"),
    ],
)
def test_weekday_of_a_date_is_right(day: dt.date, persian: str, english: str) -> None:
    assert said("fa", speech("fa").weekday(day)) == persian
    assert said("en", speech("en").weekday(day)) == english


# Times


@pytest.mark.parametrize(
    ("at", "persian", "english"),
    [
        ("00:00", "ساعت دوازده شب", "midnight"),
        ("00:20", "ساعت دوازده و بیست شب", "twelve twenty at night"),
        ("03:45", "ساعت یک ربع به چهار صبح", "a quarter to four in the morning"),
        ("02:30", "ساعت دو و نیم بامداد", "half past two in the morning"),
        ("09:00", "ساعت نه صبح", "nine o'clock in the morning"),
        ("09:05", "ساعت نه و پنج صبح", "nine oh five in the morning"),
        ("09:30", "ساعت نه و نیم صبح", "half past nine in the morning"),
        ("11:45", "ساعت یک ربع به دوازده ظهر", "a quarter to twelve in the morning"),
        ("12:00", "ساعت دوازده ظهر", "twelve noon"),
        ("12:45", "ساعت یک ربع به یک بعد از ظهر", "a quarter to one in the afternoon"),
        ("15:15", "ساعت سه و ربع بعد از ظهر", "a quarter past three in the afternoon"),
        ("16:00", "ساعت چهار عصر", "four o'clock in the afternoon"),
        ("18:25", "ساعت شش و بیست و پنج عصر", "six twenty five in the evening"),
        ("23:45", "ساعت یک ربع به دوازده شب", "a quarter to twelve at night"),
    ],
)
def test_time_is_read_as_people_say_it(at: str, persian: str, english: str) -> None:
    time = dt.time.fromisoformat(at)
    assert said("fa", speech("fa").time(time)) == persian
    assert said("en", speech("en").time(time)) == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_minute_and_day_has_its_clips(language: str) -> None:
    reader, texts = speech(language), load(language).texts
    minutes = [reader.time(dt.time(hour, minute)) for hour in range(24) for minute in range(60)]
    days = [dt.date(2024, 1, 1) + dt.timedelta(n) for n in range(1500)]
    read = [*minutes, *map(reader.date, days), *map(reader.weekday, days)]
    assert {clip for clip_ids in read for clip in clip_ids} <= texts.keys()
    assert len({tuple(clip_ids) for clip_ids in minutes}) == 24 * 60


@pytest.mark.parametrize(
    ("utc", "clip_ids"),
    [
        ("2025-03-20T20:29+00:00", ["weekday-4", "time-at", "number-11-and", "number-50-and", "hour-9"]),
        ("2025-03-20T20:30+00:00", ["weekday-5", "time-at", "hour-12", "time-night"]),
    ],
)
def test_moment_is_read_in_local_day_and_hour(utc: str, clip_ids: list[str]) -> None:
    moment = dt.datetime.fromisoformat(utc)
    heard = list_clips("fa", "lines-full-until", day=moment, time=moment)
    assert heard[1 : 1 + len(clip_ids)] == clip_ids
