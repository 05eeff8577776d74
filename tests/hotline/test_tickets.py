"""Ticket numbers: short enough to key in, safe against a slip of the finger."""

import re
import secrets
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.orm import Session
from stdnum import damm

from db.engine import core, now
from db.models import Registration
from db.states import RegistrationState
from hotline import tickets
from hotline.errors import Refused
from tests.factories import a_round, a_ticket, some_registrations

OLDER = ["0000000", *(f"{n:06}" + damm.calc_check_digit(f"{n:06}") for n in range(0, 10**6, 9973))]
SAMPLE = [*(tickets.draw() for _ in range(200)), *(a_ticket() for _ in range(200))]


def accepted(text: str) -> bool:
    try:
        tickets.parse(text)
    except Refused as refused:
        assert refused.code == "ticket-invalid"
        return False
    return True


def test_given_drawn_tickets_when_read_then_each_has_eight_digits_and_is_accepted() -> None:
    assert all(re.fullmatch("[0-9]{8}", ticket) and tickets.parse(ticket) == ticket for ticket in SAMPLE)


def test_given_a_ticket_from_when_they_had_seven_digits_when_read_then_it_is_accepted() -> None:
    assert all(len(ticket) == 7 and tickets.parse(ticket) == ticket for ticket in OLDER)


def test_given_any_number_when_it_is_a_ticket_then_it_is_no_tracking_number_and_the_reverse() -> None:
    """Eight digits are a ticket, or a tracking number from when those had eight."""
    older = [f"{n:07}" + damm.calc_check_digit(f"{n:07}") for n in range(0, 10**7, 9973)]
    drawn = [tickets.draw(tickets.TRACKING) for _ in range(200)]
    assert all(tickets.is_tracking(number) and not accepted(number) for number in (*older, *drawn))
    assert not any(tickets.is_tracking(number) for number in (*SAMPLE, *OLDER))


def test_given_a_kind_of_number_that_is_nearly_used_up_when_offered_then_a_free_one_is_soon_there(
    session: Session,
) -> None:
    small = tickets.Kind(5, "1")
    every = [tickets._whole(small, n) for n in range(10_000)]
    free = secrets.choice(every)
    whose = {
        "round_id": a_round(session).id,
        "language": "fa",
        "state": RegistrationState.CLOSED,
        "registered_at": now(session),
        **dict.fromkeys(("moved_up", "rounds_missed", "rounds_unanswered", "attempts"), 0),
        "moved_reason": "",
    }
    used = [{"number": f"+98913{ticket:0>7}", "ticket": ticket} for ticket in every if ticket != free]
    core(session).execute(insert(Registration.__table__).values(whose), used)
    assert free in islice(tickets.offers(session, Registration.ticket, small), tickets._DRAWS + 1)
    some_registrations(session, a_round(session), 1, ticket=free)
    assert len(list(tickets.offers(session, Registration.ticket, small))) == tickets._DRAWS


def test_given_many_draws_when_compared_then_they_are_spread_over_the_whole_range() -> None:
    drawn = [tickets.draw() for _ in range(2000)]
    assert len(set(drawn)) > 1900
    assert {ticket[0] for ticket in drawn} == set("0123456789")


def test_given_a_ticket_when_any_one_digit_is_wrong_then_it_is_refused() -> None:
    slips = [
        (ticket, ticket[:place] + digit + ticket[place + 1 :])
        for ticket in SAMPLE
        for place in range(tickets.TICKET.length)
        for digit in "0123456789"
        if digit != ticket[place]
    ]
    assert len(slips) == len(SAMPLE) * 8 * 9
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
        *("", "0", "000000", "00000000", "000000000", "0" * 10_000, "۰" * 10_000),
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
def test_given_any_text_when_parsed_then_it_is_plain_digits_or_a_refusal(text: str) -> None:
    if accepted(text):
        assert re.fullmatch("[0-9]{7,8}", tickets.parse(text))
