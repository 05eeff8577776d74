"""Telephone numbers as people in a city write, key in and send them."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hotline import numbers
from hotline.errors import Refused

PREFIXES = ("+989", "+9831")
MOBILE, LANDLINE = "+989131234567", "+983132221234"


def refusal(text: str, prefixes: tuple[str, ...] = PREFIXES) -> str:
    with pytest.raises(Refused) as refused:
        numbers.parse(text, prefixes)
    return refused.value.code


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("09131234567", MOBILE),
        ("9131234567", MOBILE),
        ("+989131234567", MOBILE),
        ("00989131234567", MOBILE),
        ("989131234567", MOBILE),
        ("۰۹۱۳۱۲۳۴۵۶۷", MOBILE),
        ("٠٩١٣١٢٣٤٥٦٧", MOBILE),
        ("۰۰۹۸۹۱۳۱۲۳۴۵۶۷", MOBILE),
        ("۰۹۱۳ ۱۲۳ ۴۵۶۷", MOBILE),
        ("(0913) 123-45-67", MOBILE),
        ("\u202b0913\u200c1234567\u202c\u200f", MOBILE),
        ("03132221234", LANDLINE),
        ("3132221234", LANDLINE),
        ("32221234", LANDLINE),
        ("۳۲۲۲۱۲۳۴", LANDLINE),
        ("+98 31 3222 1234", LANDLINE),
        ("00983132221234", LANDLINE),
    ],
)
def test_local_number_in_any_form_is_parsed(text: str, number: str) -> None:
    assert numbers.parse(text, PREFIXES) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("02188881234", "number-not-allowed"),  # Tehran
        ("+14155552671", "number-not-allowed"),
        ("+442079460000", "number-not-allowed"),
        ("00442079460000", "number-not-allowed"),
        ("9686", "number-not-allowed"),  # a service, valid as +98 9686
        ("09686", "number-not-allowed"),
        ("96366", "number-not-allowed"),
        ("09429074818", "number-not-allowed"),  # no mobile
        ("", "number-invalid"),
        ("anonymous", "number-invalid"),
        ("137", "number-invalid"),
        ("0913123456", "number-invalid"),
        ("091312345678", "number-invalid"),
        ("12221234", "number-invalid"),  # no line of Isfahan begins with 1
        ("+++", "number-invalid"),
        ("0" * 10_000, "number-invalid"),
        ("9" * 10_000, "number-invalid"),
        ("۹" * 10_000, "number-invalid"),
        ("${SHELL(id)}", "number-invalid"),
        ("'; DROP TABLE registrations; --", "number-invalid"),
        ("\u202e\u200f\u2066", "number-invalid"),
        ("²³½", "number-invalid"),  # digits, but not of any script
    ],
)
def test_other_number_is_refused_by_its_rule(text: str, code: str) -> None:
    assert refusal(text) == code


@pytest.mark.parametrize(
    "text", ['"09131234567" <evil>', "09131234567${EXTEN}", "0913123\r\nAction: 4567", "0913;1234567"]
)
def test_hostile_text_around_a_number_is_dropped(text: str) -> None:
    assert numbers.parse(text, PREFIXES) == MOBILE


@given(st.text() | st.text(alphabet="0123456789+۰۱۲۳۴۵۶۷۸۹٠١٣٩ -${}'\"\u200f", max_size=100))
@example("0" * 10_000 + "9131234567")
def test_any_text_is_an_allowed_number_or_refused(text: str) -> None:
    try:
        number = numbers.parse(text, PREFIXES)
    except Refused:
        return
    assert re.fullmatch(r"\+98(9|31)\d{8,9}", number, re.ASCII)


@given(
    st.sampled_from([MOBILE, LANDLINE]),
    st.sampled_from(["0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"]),
)
def test_digits_of_any_script_are_the_same_number(number: str, script: str) -> None:
    assert numbers.parse(number.translate({ord(str(d)): script[d] for d in range(10)}), PREFIXES) == number


def test_digits_far_after_a_number_are_refused() -> None:
    assert refusal("09131234567" + " " * 100 + "8") == "number-invalid"


def test_allowed_prefixes_alone_decide() -> None:
    assert numbers.parse("+14155552671", ("+1415",)) == "+14155552671"
    assert refusal("09131234567", ("+1415",)) == "number-not-allowed"
    assert refusal(LANDLINE, ("+989",)) == "number-not-allowed"


def test_number_is_shown_in_national_form() -> None:
    assert numbers.format_national(MOBILE) == "09131234567"
    assert numbers.format_national(LANDLINE) == "03132221234"
    assert numbers.format_national("+14155552671") == "+14155552671"


@pytest.mark.parametrize("text", ["201", "۲۰۱", " 299 ", "31234"])
def test_extension_of_a_desk_is_kept_as_dialled(
    text: str,
) -> None:
    kept = numbers.parse_desk(text, PREFIXES, ("2XX", "31XXX"))
    assert kept == numbers.convert_digits(text).strip()


@pytest.mark.parametrize("text", ["115", "2011", "20", "2x1", "20٫", "301", "-201", "0201"])
def test_other_short_number_of_a_desk_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        numbers.parse_desk(text, PREFIXES, ("2XX", "31XXX"))


def test_citizen_number_of_a_desk_is_parsed_as_usual() -> None:
    assert numbers.parse_desk("09131234567", PREFIXES, ("2XX",)) == MOBILE
