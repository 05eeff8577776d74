"""Numbers as they are read aloud in Persian: counts, ticket numbers and telephone numbers.

Each is composed of clips: `digit-7`; `number-20`, or `number-20-and` where «و» follows.
"""

from collections.abc import Iterable
from itertools import islice, zip_longest

PAUSE = "pause"
"""The clip of silence between groups of digits."""

_ONES = "صفر یک دو سه چَهار پنج شش هفت هشت نُه ده یازده دوازده سیزده چَهارْدَه پانزده شانزده هفده هجده نوزده"
_TENS = "بیست سی چهل پنجاه شصت هفتاد هشتاد نَوَد"
_HUNDREDS = "صد دویست سیصد چَهارصد پانصد ششصد هفتصد هشتصد نُهصد"

WORDS: dict[int, str] = {
    **dict(enumerate(_ONES.split())),
    **{10 * n: word for n, word in enumerate(_TENS.split(), 2)},
    **{100 * n: word for n, word in enumerate(_HUNDREDS.split(), 1)},
    1_000: "هزار",
    1_000_000: "میلیون",
}
"""The number words, with the vowel signs that the synthetic voice needs."""

VOWEL_SIGNS = "".join(map(chr, range(0x064B, 0x0653)))
"""Tanwin, the short vowels, shadda and sukun."""

_AND = -1  # stands for «و» among the values of a number
_MOBILE = (4, 3, 2, 2)  # 0913 123 45 67
_LAND_LINE = (3, 4, 4)  # 031 3222 1234
_TICKET = (3, 4)


def clip_texts() -> dict[str, str]:
    """Return the text of every number clip by its id."""
    texts = {f"digit-{n}": WORDS[n] for n in range(10)}
    for value, word in WORDS.items():
        texts[f"number-{value}"] = word
        texts[f"number-{value}-and"] = f"{word}ُ،"  # the comma keeps the voice from falling
    return texts


def count(number: int) -> list[str]:
    """Return the clips that read `number`. Raises ValueError unless 0 ≤ number < 1,000,000,000."""
    words = _words(number)
    return [
        f"number-{word}-and" if following == _AND else f"number-{word}"
        for word, following in zip_longest(words, words[1:])
        if word != _AND
    ]


def count_text(number: int) -> str:
    """Return what `count(number)` says, in plain spelling: 21 is «بیست و یک». Raises like `count`."""
    text = " ".join("و" if word == _AND else WORDS[word] for word in _words(number))
    return text.translate(dict.fromkeys(map(ord, VOWEL_SIGNS)))


def digits(text: str) -> list[str]:
    """Return the clips that read a ticket number digit by digit, with a pause between groups.

    Leading zeros are kept. Raises ValueError if `text` is not all digits.
    """
    return _in_groups(text, _TICKET if len(text) == sum(_TICKET) else _fours(len(text)))


def phone(text: str) -> list[str]:
    """Return the clips that read a telephone number in the groups people use.

    `text` is the national form, such as 09131234567 or 03132221234; a number of another length is
    read in fours. Raises ValueError if it is not all digits.
    """
    if len(text) != sum(_MOBILE):
        return _in_groups(text, _fours(len(text)))
    return _in_groups(text, _MOBILE if text.startswith("09") else _LAND_LINE)


def _words(number: int) -> list[int]:
    """Return the values whose words read `number`: 1,045 is [1000, _AND, 40, _AND, 5]."""
    if not 0 <= number < 1_000_000_000:
        raise ValueError(f"{number} cannot be read: it must be from 0 to 999,999,999")
    if number <= 20:
        return [number]
    scale = next(scale for scale in (1_000_000, 1_000, 100, 10) if number >= scale)
    many, rest = divmod(number, scale)
    if scale < 1_000:
        words = [many * scale]
    elif number < 2_000:
        words = [1_000]  # «هزار», never «یک هزار»
    else:
        words = [*_words(many), scale]
    return [*words, _AND, *_words(rest)] if rest else words


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
