"""How Persian reads numbers, Jalali dates and clock times.

Words carry the vowel signs that the voice needs.
"""

import datetime as dt
import re

import jdatetime

from prompts.spoken import Speech, Words

_ONES = "صفر یک دو سه چَهار پنج شش هفت هشت نُه ده یازده دوازده سیزده چَهارْدَه پانزده شانزده هفده هجده نوزده"
_TENS = "بیست سی چهل پنجاه شصت هفتاد هشتاد نَوَد"
_HUNDREDS = "صد دویست سیصد چَهارصد پانصد ششصد هفتصد هشتصد نُهصد"
_FIRSTS = (
    "یکم دوم سوم چَهارُم پنجم ششم هفتم هشتم نهم دهم "
    "یازدهم دوازدهم سیزدهم چَهارْدَهُم پانزدهم شانزدهم هفدهم هجدهم نوزدهم"
)
_TENTHS = "بیستم سی‌اُم چِهِلُم پنجاهُم شَصتُم هفتادُم هشتادُم نَوَدُم"
_HUNDREDTHS = "صدُم دِویسْتُم سیصدُم چَهارْصَدُم پانْصَدُم شِشصَدُم هَفْتصَدُم هَشْتصَدُم نُهصَدُم"

VOWEL_SIGNS = "".join(map(chr, range(0x064B, 0x0653)))
"""Tanwin, the short vowels, shadda and sukun."""
EZAFE = "\u0650"
"""The vowel that joins a word to the next: «ساعتِ نُه»."""
AND = "\u064f"
"""«و» as it is spoken inside a number: «بیستُ یک»."""

_AND_WRITTEN = re.compile(rf"{AND}(?=[ ،.]|$)")
# Tanwin stays, since «لطفاً» is written with it.
_SIGNS_NOT_WRITTEN = dict.fromkeys(map(ord, VOWEL_SIGNS.replace("\u064b", "")))
_EZAFE_OF = {2: "دویِ", 3: "سهٔ"}  # after a vowel it is written differently
# The part of the day, by the hour at which it begins
_PARTS = {0: "night", 1: "small-hours", 4: "morning", 12: "noon", 13: "afternoon", 16: "evening", 20: "night"}


def _values(ones: str, tens: str, hundreds: str, first: int) -> dict[int, str]:
    return {
        **dict(enumerate(ones.split(), first)),
        **{10 * n: word for n, word in enumerate(tens.split(), 2)},
        **{100 * n: word for n, word in enumerate(hundreds.split(), 1)},
    }


_WORDS = _values(_ONES, _TENS, _HUNDREDS, 0) | {1_000: "هزار", 1_000_000: "میلیون"}
_ORDINALS = _values(_FIRSTS, _TENTHS, _HUNDREDTHS, 1) | {1_000: "هزارم", 1_000_000: "میلیونم"}
_LINKS = {"and": AND}


class Persian(Speech):
    """Persian, with the calendar and the parts of the day of Iran."""

    comma = "،"
    words = _WORDS
    ordinals = _ORDINALS
    links = _LINKS

    def scaled(self, many: int, scale: int) -> Words:
        """Return the words: hundreds are one word, and a thousand is «هزار», never «یک هزار»."""
        if scale == 100 or (many, scale) == (1, 1_000):
            return [(many * scale, "")]
        return [*self._words(many), (scale, "")]

    def link(self, scale: int, rest: int) -> str:
        """Return «و», which joins everything."""
        return "and"

    def clip_texts(self) -> dict[str, str]:
        """Return also the hours, and the days of a month: «سومِ»."""
        on_the_clock = (*range(1, 21), 30, 40, 50)
        hours = {f"hour-{n}": f"{_EZAFE_OF.get(n, self.words[n] + EZAFE)}،" for n in on_the_clock}
        days = {f"day-{n}": f"{self.ordinal_text(n)}{EZAFE}،" for n in range(2, 32)}
        return super().clip_texts() | hours | days | {"ordinal-first": "اول،", "day-1": f"اول{EZAFE}،"}

    def ordinal(self, number: int) -> list[str]:
        """Return the clips; 1 alone is «اول», though 21 is «بیست و یکم»."""
        return ["ordinal-first"] if number == 1 else super().ordinal(number)

    def date(self, day: dt.date) -> list[str]:
        """Return the clips of the Jalali day and month: «سومِ آذر ماه»."""
        local = jdatetime.date.fromgregorian(date=day)
        return [f"day-{local.day}", f"month-{local.month}"]

    def time(self, at: dt.time) -> list[str]:
        """Return the clips: «ساعتِ نُه و نیمِ صبح», «ساعتِ یک ربع به چهارِ بعد از ظهر»."""
        hour, minute = at.hour, at.minute
        if minute == 45:
            hour = (hour + 1) % 24
            clock = ["time-quarter-to", f"hour-{_on_the_clock(hour)}"]
        elif minute == 0:
            clock = [f"hour-{_on_the_clock(hour)}"]
        else:
            named = {15: ["time-quarter"], 30: ["time-half"]}
            minutes = named.get(minute) or self._minutes(minute)
            clock = [f"number-{_on_the_clock(hour)}-and", *minutes]
        part = next(name for begins, name in reversed(_PARTS.items()) if hour >= begins)
        return ["time-at", *clock, f"time-{part}"]

    def _minutes(self, minute: int) -> list[str]:
        *before, last = self.count(minute)
        return [*before, last.replace("number-", "hour-")]

    def plain(self, text: str) -> str:
        """Return the text without the signs for the voice, and «و» written out."""
        written = _AND_WRITTEN.sub(" و", text).replace("گفتگو", "گفت‌وگو")
        return written.translate(_SIGNS_NOT_WRITTEN)


def _on_the_clock(hour: int) -> int:
    return (hour - 1) % 12 + 1
