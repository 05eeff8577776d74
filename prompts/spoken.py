"""Common rules for reading numbers, dates and times aloud, composed of clips.

A number is a list of words: `number-20`, or `number-20-and` and `number-20-on` before another word. The last
word of an ordinal is `ordinal-5`. Rules of one language are in its own module (`persian`, `english`).
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

PAUSE = "pause"
"""The clip of silence between groups of digits."""

Words = list[tuple[int, str]]
"""The values of a number's words, each with its link to the next; the last has none."""

_LIMIT = 1_000_000_000
_MOBILE = (4, 3, 2, 2)  # 0913 123 45 67
_LAND_LINE = (3, 4, 4)  # 031 3222 1234
_NUMBERS = {7: (3, 4), 8: (4, 4), 9: (3, 3, 3)}
"""The groups of ticket and tracking numbers, by their number of digits."""


class Speech(ABC):
    """How one language reads its slots: a method for each kind of slot returns clips."""

    comma: str
    """The mark that ends a clip in the middle of a sentence, so that the voice does not fall."""
    words: Mapping[int, str]
    """The number words as the synthetic voice needs them: 0–20, the tens, and the scales."""
    ordinals: Mapping[int, str]
    """The words that end an ordinal."""
    links: Mapping[str, str]
    """The suffix of a word before another word, by the name of the link."""

    @abstractmethod
    def scaled(self, many: int, scale: int) -> Words:
        """Return the words of `many` times 100, 1,000 or 1,000,000."""

    @abstractmethod
    def link(self, scale: int, rest: int) -> str:
        """Return the name of the link between the part of this scale and the rest."""

    @abstractmethod
    def date(self, day: dt.date) -> list[str]:
        """Return the clips that read the day and the month."""

    @abstractmethod
    def time(self, at: dt.time) -> list[str]:
        """Return the clips that read a clock time, as people say it."""

    @abstractmethod
    def plain(self, text: str) -> str:
        """Return a text of the catalogue as people write and read it."""

    def clip_texts(self) -> dict[str, str]:
        """Return the text of every clip that is made from number words, by its id."""
        texts = {f"digit-{n}": self.words[n] for n in range(10)}
        for value, word in self.words.items():
            texts[f"number-{value}"] = word
            for link, suffix in self.links.items():
                texts[f"number-{value}-{link}"] = f"{word}{suffix}{self.comma}"
        return texts | {f"ordinal-{value}": f"{word}{self.comma}" for value, word in self.ordinals.items()}

    def spelled(self, number: int) -> str:
        """Return the number in words, as one text for the voice."""
        return " ".join(
            f"{self.words[value]}{self.links.get(link, '')}" for value, link in self._words(number)
        )

    def digits(self, text: str) -> list[str]:
        """Return the clips that read a ticket or tracking number digit by digit, a pause between groups.

        Leading zeros are kept. Raises ValueError if `text` is not all digits.
        """
        return _in_groups(text, _NUMBERS.get(len(text)) or _fours(len(text)))

    def phone(self, text: str) -> list[str]:
        """Return the clips that read a telephone number in the groups people use.

        `text` is the national form, such as 09131234567 or 03132221234; a number of another length
        is read in fours. Raises ValueError if it is not all digits.
        """
        if len(text) != sum(_MOBILE):
            return _in_groups(text, _fours(len(text)))
        return _in_groups(text, _MOBILE if text.startswith("09") else _LAND_LINE)

    def count(self, number: int) -> list[str]:
        """Return the clips that read `number`. Raises ValueError unless 0 ≤ number < 1,000,000,000."""
        return list(self._clips(self._words(number), "number"))

    def ordinal(self, number: int) -> list[str]:
        """Return the clips that read a place: 1 is "first". Raises ValueError like `count`, and for 0."""
        return list(self._clips(self._words(number, least=1), "ordinal"))

    def weekday(self, day: dt.date) -> list[str]:
        """Return the clip that names the day of the week."""
        return [f"weekday-{day.isoweekday()}"]

    def ordinal_text(self, number: int) -> str:
        """Return what `ordinal(number)` says, in one text for the voice. Raises like `ordinal`."""
        return self._text(self._words(number, least=1), self.ordinals)

    def _words(self, number: int, least: int = 0) -> Words:
        if not least <= number < _LIMIT:
            raise ValueError(f"{number} cannot be read: it must be from {least} to {_LIMIT - 1:,}")
        if number <= 20:
            return [(number, "")]
        scale = next(scale for scale in (1_000_000, 1_000, 100, 10) if number >= scale)
        many, rest = divmod(number, scale)
        words = [(many * 10, "")] if scale == 10 else self.scaled(many, scale)
        if not rest:
            return words
        return [*words[:-1], (words[-1][0], self.link(scale, rest)), *self._words(rest)]

    @staticmethod
    def _clips(words: Words, last: str) -> Iterator[str]:
        for value, link in words[:-1]:
            yield f"number-{value}-{link}" if link else f"number-{value}"
        yield f"{last}-{words[-1][0]}"

    def _text(self, words: Words, last: Mapping[int, str]) -> str:
        linked = [self.words[value] + self.links.get(link, "") for value, link in words[:-1]]
        return " ".join([*linked, last[words[-1][0]]])


def add_comma(text: str, comma: str) -> str:
    """Return the text with a comma unless it has a mark already, so that the voice stays up."""
    return text if text[-1] in f"{comma}:" else text + comma


def _fours(length: int) -> list[int]:
    """Cut `length` digits into groups of four from the right."""
    return [length % 4] * bool(length % 4) + [4] * (length // 4)


def _in_groups(text: str, sizes: Iterable[int]) -> list[str]:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{text!r} is not a row of digits")
    clips: list[str] = []
    rest = iter(text)
    for size in sizes:
        clips += [PAUSE] * bool(clips)
        clips += [f"digit-{digit}" for digit in islice(rest, size)]
    return clips
