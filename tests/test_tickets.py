"""Ticket numbers: short enough to key in, safe against a slip of the finger."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import tickets
from hotline.errors import Refused
from tests.factories import a_ticket

SAMPLE = ["0000000", *(tickets.draw() for _ in range(200)), *(a_ticket() for _ in range(200))]


def accepted(text: str) -> bool:
    try:
        tickets.parse(text)
    except Refused as refused:
        assert refused.code == "ticket-invalid"
        return False
    return True


def test_given_drawn_tickets_when_read_then_each_has_seven_digits_and_is_accepted() -> None:
    assert all(re.fullmatch("[0-9]{7}", ticket) and tickets.parse(ticket) == ticket for ticket in SAMPLE)


def test_given_many_draws_when_compared_then_they_are_spread_over_the_whole_range() -> None:
    drawn = [tickets.draw() for _ in range(2000)]
    assert len(set(drawn)) > 1900
    assert {ticket[0] for ticket in drawn} == set("0123456789")


def test_given_a_ticket_when_any_one_digit_is_wrong_then_it_is_refused() -> None:
    slips = [
        (ticket, ticket[:place] + digit + ticket[place + 1 :])
        for ticket in SAMPLE
        for place in range(tickets.LENGTH)
        for digit in "0123456789"
        if digit != ticket[place]
    ]
    assert len(slips) == len(SAMPLE) * 7 * 9
    assert [slip for slip in slips if accepted(slip[1])] == []


def test_given_a_ticket_when_any_two_neighbours_are_swapped_then_it_is_refused() -> None:
    swaps = [
        (ticket, ticket[:place] + right + left + ticket[place + 2 :])
        for ticket in SAMPLE
        for place, (left, right) in enumerate(pairwise(ticket))
        if left != right
    ]
    assert len(swaps) > len(SAMPLE) * 4
    assert [swap for swap in swaps if accepted(swap[1])] == []


@pytest.mark.parametrize("script", ["۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"])
def test_given_a_ticket_in_persian_or_arabic_digits_when_parsed_then_it_is_the_same(script: str) -> None:
    for ticket in SAMPLE:
        assert tickets.parse("".join(script[int(digit)] for digit in ticket)) == ticket


def test_given_a_ticket_with_spaces_when_parsed_then_they_do_not_matter() -> None:
    ticket = SAMPLE[-1]
    assert tickets.parse(f" {ticket[:3]} {ticket[3:]}\n") == ticket


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "000000", "00000000", "0" * 10_000, "۰" * 10_000),
        *(
            "abcdefg",
            "000000x",
            "-000000",
            "0000000\u200f",
            "${EXTEN}",
            "'or'1'1",
            "²000000",
            "００００００x",
        ),
    ],
)
def test_given_text_that_is_no_ticket_when_parsed_then_it_is_refused(text: str) -> None:
    assert not accepted(text)


def test_given_a_ticket_far_before_more_digits_when_parsed_then_it_is_refused() -> None:
    assert not accepted("0000000" + " " * 100 + "9")


@given(st.text())
def test_given_any_text_when_parsed_then_it_is_seven_plain_digits_or_a_refusal(text: str) -> None:
    if accepted(text):
        assert re.fullmatch("[0-9]{7}", tickets.parse(text))
