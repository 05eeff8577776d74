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

from db.engine import now
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


def test_drawn_tickets_have_eight_valid_digits() -> None:
    assert all(re.fullmatch("[0-9]{8}", ticket) and tickets.parse(ticket) == ticket for ticket in SAMPLE)


def test_older_tickets_of_seven_digits_are_accepted() -> None:
    assert all(len(ticket) == 7 and tickets.parse(ticket) == ticket for ticket in OLDER)


def test_no_number_is_both_ticket_and_tracking_number() -> None:
    """Eight digits are a ticket, or a tracking number from when those had eight."""
    older = [f"{n:07}" + damm.calc_check_digit(f"{n:07}") for n in range(0, 10**7, 9973)]
    drawn = [tickets.draw(tickets.TRACKING) for _ in range(200)]
    assert all(tickets.is_tracking(number) and not accepted(number) for number in (*older, *drawn))
    assert not any(tickets.is_tracking(number) for number in (*SAMPLE, *OLDER))


def test_nearly_exhausted_numbers_still_offer_a_free_one(
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
    session.execute(insert(Registration.__table__).values(whose), used)
    assert free in islice(tickets.offer_numbers(session, Registration.ticket, small), tickets._DRAWS + 1)
    some_registrations(session, a_round(session), 1, ticket=free)
    assert len(list(tickets.offer_numbers(session, Registration.ticket, small))) == tickets._DRAWS


def test_drawn_tickets_spread_over_the_range() -> None:
    drawn = [tickets.draw() for _ in range(2000)]
    assert len(set(drawn)) > 1900
    assert {ticket[0] for ticket in drawn} == set("0123456789")


def test_any_single_wrong_digit_is_refused() -> None:
    slips = [
        (ticket, ticket[:place] + digit + ticket[place + 1 :])
        for ticket in SAMPLE
        for place in range(tickets.TICKET.length)
        for digit in "0123456789"
        if digit != ticket[place]
    ]
    assert len(slips) == len(SAMPLE) * 8 * 9
    assert [slip for slip in slips if accepted(slip[1])] == []


def test_any_swapped_neighbours_are_refused() -> None:
    swaps = [
        (ticket, ticket[:place] + right + left + ticket[place + 2 :])
        for ticket in SAMPLE
        for place, (left, right) in enumerate(pairwise(ticket))
        if left != right
    ]
    assert len(swaps) > len(SAMPLE) * 4
    assert [swap for swap in swaps if accepted(swap[1])] == []


@pytest.mark.parametrize("script", ["۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"])
def test_ticket_in_persian_or_arabic_digits_is_the_same(script: str) -> None:
    for ticket in SAMPLE:
        assert tickets.parse("".join(script[int(digit)] for digit in ticket)) == ticket


def test_spaces_in_a_ticket_are_ignored() -> None:
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
def test_text_without_a_ticket_is_refused(text: str) -> None:
    assert not accepted(text)


def test_digits_far_after_a_ticket_are_refused() -> None:
    assert not accepted("0000000" + " " * 100 + "9")


@given(st.text())
def test_any_text_is_plain_digits_or_refused(text: str) -> None:
    if accepted(text):
        assert re.fullmatch("[0-9]{7,8}", tickets.parse(text))
