"""How English reads numbers, dates and clock times; the calendar is the Gregorian one."""

import datetime as dt

from prompts.spoken import Speech, Words

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_FIRSTS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_SCALES = {100: "hundred", 1_000: "thousand", 1_000_000: "million"}
_WORDS = {
    **dict(enumerate(_ONES.split())),
    **{10 * n: word for n, word in enumerate(_TENS.split(), 2)},
    **_SCALES,
}
_ORDINALS = {
    **dict(enumerate(_FIRSTS.split(), 1)),
    **{10 * n: f"{word[:-1]}ieth" for n, word in enumerate(_TENS.split(), 2)},
    **{value: f"{word}th" for value, word in _SCALES.items()},
}
_LINKS = {"on": "", "and": " and"}
_NAMED = {15: "time-quarter-past", 30: "time-half-past", 45: "time-quarter-to"}
# The part of the day, by the hour at which it begins
_PARTS = {0: "night", 1: "morning", 12: "afternoon", 18: "evening", 21: "night"}


class English(Speech):
    """British English."""

    comma = ","
    words = _WORDS
    ordinals = _ORDINALS
    links = _LINKS

    def scaled(self, many: int, scale: int) -> Words:
        """Return the words: "three hundred"."""
        *before, (last, _) = self._words(many)
        return [*before, (last, "on"), (scale, "")]

    def link(self, scale: int, rest: int) -> str:
        """Return "and" before what is below a hundred: "one hundred and five"."""
        return "and" if scale > 10 and rest < 100 else "on"

    def clip_texts(self) -> dict[str, str]:
        """Return also the full hours, and the days of a month."""
        hours = {f"hour-{n}": f"{self.words[n]} o'clock," for n in range(1, 12)}
        days = {f"day-{n}": f"the {self.ordinal_text(n)}," for n in range(1, 32)}
        return super().clip_texts() | hours | days

    def date(self, day: dt.date) -> list[str]:
        """Return the clips of the day and month: "the third, of December"."""
        return [f"day-{day.day}", f"month-{day.month}"]

    def time(self, at: dt.time) -> list[str]:
        """Return the clips: "half past nine in the morning", "twelve noon", "nine, oh five"."""
        hour, minute = at.hour, at.minute
        if minute == 0 and hour % 12 == 0:
            return ["time-noon" if hour else "time-midnight"]
        on_the_clock = (hour - 1 + (minute == 45)) % 12 + 1
        if minute in _NAMED:
            clock = [_NAMED[minute], f"number-{on_the_clock}-on"]
        elif minute == 0:
            clock = [f"hour-{on_the_clock}"]
        else:
            minutes = [*["time-oh"] * (minute < 10), *self.count(minute)]
            clock = [f"number-{on_the_clock}-on", *minutes[:-1], f"{minutes[-1]}-on"]
        part = next(name for begins, name in reversed(_PARTS.items()) if hour >= begins)
        return [*clock, f"time-{part}"]

    def plain(self, text: str) -> str:
        """Return the text unchanged: English has no signs for the voice."""
        return text
