"""Moves and cancellations of a place, which a call to its own number asks about."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.engine import now
from db.models import BlockReason, Confirmation, ConfirmationKind, OutboxMessage, Registration, Round
from db.states import Fact, RegistrationState
from hotline.citizens import erasure
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.line import blocked, confirmation_calls, confirmations, registration
from hotline.line.registration import Registered
from hotline.messages import outbox
from hotline.sms_inbox import commands, registrations
from tests import factories as make
from tests.hotline.line.confirming import (
    CALLER,
    NUMBER,
    a_place,
    code,
    kept,
    keyed_in,
    placed,
    soon,
    wants_number,
    wants_out,
)

R = RegistrationState


def test_agreed_new_number_takes_over_the_place(
    session: Session,
) -> None:
    place = a_place(session)
    token = placed(session, wants_number(session, place))
    assert place.number == CALLER
    told = confirmation_calls.answer(session, token, yes=True)
    assert isinstance(told, Registered) and told.ticket == place.ticket
    assert (place.number, place.state) == (NUMBER, R.WAITING)
    assert entries.list_by_registration(session, place.id)[-1].fact is Fact.NUMBER_CHANGED
    assert session.scalars(select(OutboxMessage.to)).all() == [CALLER]


@pytest.mark.parametrize("how", ["declines", "never picks up"])
def test_declined_or_unanswered_new_number_changes_nothing(session: Session, how: str) -> None:
    place = a_place(session)
    id_ = wants_number(session, place)
    if how == "declines":
        confirmation_calls.answer(session, placed(session, id_), yes=False)
    else:
        for _ in range(3):
            confirmation_calls.record_end(session, placed(session, soon(session, id_)))
    assert confirmation_calls.list_due(session, 10) == []
    assert (kept(session, id_).decided_at is not None, place.number, place.state) == (True, CALLER, R.WAITING)


def test_new_number_with_a_place_changes_nothing(
    session: Session,
) -> None:
    place = a_place(session)
    make.a_registration(session, session.get_one(Round, place.round_id), number=NUMBER)
    told = confirmation_calls.answer(session, placed(session, wants_number(session, place)), yes=True)
    assert isinstance(told, Refused) and told.code == "number-taken"
    assert place.number == CALLER


def test_place_asked_for_by_text_gives_way_to_one_that_moves(session: Session) -> None:
    """Anybody can forge a text message that asks for a place for the new number."""
    place = a_place(session)
    texted = registrations.ask(session, round_id=place.round_id, number=NUMBER, language="fa", per_day=3)

    told = confirmation_calls.answer(session, placed(session, wants_number(session, place)), yes=True)

    assert isinstance(told, Registered) and told.ticket == place.ticket
    session.refresh(texted)
    assert (place.number, texted.state) == (NUMBER, R.CANCELLED)
    assert registration.get_by_ticket(session, texted.ticket).id == place.id


def test_refused_move_leaves_what_was_asked_for_by_text(session: Session) -> None:
    place = a_place(session)
    texted = registrations.ask(session, round_id=place.round_id, number=NUMBER, language="fa", per_day=3)
    token = placed(session, wants_number(session, place))
    place.state = R.CALLING
    session.flush()

    assert isinstance(confirmation_calls.answer(session, token, yes=True), Refused)
    session.refresh(texted)
    assert texted.state is R.UNCONFIRMED


def test_last_of_two_agreed_new_numbers_counts(
    session: Session,
) -> None:
    place, last = a_place(session), make.a_number()
    first_token = placed(session, wants_number(session, place))
    last_token = placed(session, wants_number(session, place, last))
    assert isinstance(confirmation_calls.answer(session, first_token, yes=True), Refused)
    assert isinstance(confirmation_calls.answer(session, last_token, yes=True), Registered)
    assert place.number == last


def test_blocked_new_number_is_not_called(
    session: Session,
) -> None:
    place = a_place(session)
    blocked.block(session, NUMBER, BlockReason.OWNER)
    wants_number(session, place)
    assert confirmation_calls.list_due(session, 10) == []


def test_agreement_during_a_call_changes_nothing(
    session: Session,
) -> None:
    place = a_place(session)
    token = placed(session, wants_number(session, place))
    place.state = R.CALLING
    session.flush()
    assert isinstance(confirmation_calls.answer(session, token, yes=True), Refused)
    assert place.number == CALLER


@pytest.mark.parametrize(("yes", "after"), [(True, R.CANCELLED), (False, R.WAITING)])
def test_wish_to_cancel_is_decided_by_the_number(
    session: Session, yes: bool, after: RegistrationState
) -> None:
    place = a_place(session)
    confirmation_calls.answer(session, placed(session, wants_out(session, place)), yes=yes)
    assert place.state is after
    assert [m.kind for m in session.scalars(select(OutboxMessage))] == ["cancelled"] * yes


def test_unanswered_wish_to_cancel_keeps_the_place(session: Session) -> None:
    place = a_place(session)
    id_ = wants_out(session, place)
    for _ in range(3):
        confirmation_calls.record_end(session, placed(session, soon(session, id_)))
    assert (place.state, confirmation_calls.list_due(session, 10)) == (R.WAITING, [])


def test_cancelling_by_a_replaced_number_keeps_the_place(
    session: Session,
) -> None:
    place = a_place(session)
    token = placed(session, wants_out(session, place))
    registration.change_number(session, place.id, NUMBER)
    assert isinstance(confirmation_calls.answer(session, token, yes=True), Refused)
    assert place.state is R.WAITING


def test_repeated_forged_wishes_are_refused(
    session: Session,
) -> None:
    place = a_place(session)
    for _ in range(3):
        confirmation_calls.answer(session, placed(session, wants_out(session, place)), yes=False)
    assert code(lambda: wants_out(session, place)) == "asked-enough"
    numbers_ = []
    for _ in range(4):
        numbers_.append(code(lambda: wants_move(session, place, make.a_number())))
        call_in_vain(session)
    assert numbers_ == [""] * 3 + ["asked-enough"]


def call_in_vain(session: Session) -> None:
    """Three calls about each open wish reach nobody."""
    for id_ in session.scalars(select(Confirmation.id).where(Confirmation.decided_at.is_(None))).all():
        for _ in range(3):
            confirmation_calls.record_end(session, placed(session, soon(session, id_)))


def test_wish_that_the_owner_confirmed_costs_none_of_the_day(session: Session) -> None:
    for _ in range(5):
        place = a_place(session)
        confirmation_calls.answer(session, placed(session, wants_out(session, place)), yes=True)
        assert place.state is R.CANCELLED


def test_forged_wishes_bar_the_owner_from_no_code(session: Session) -> None:
    place = make.a_registration(session, make.a_round(session), number=NUMBER)
    for _ in range(3):
        confirmations.ask_cancellation(session, place.id)
        call_in_vain(session)
    assert code(lambda: confirmations.ask_cancellation(session, place.id)) == "asked-enough"

    commands.execute(session, NUMBER, "لغو", "1", per_day=3, most_answers=2000, public_url="")
    (given_up_by,) = outbox.find_newest_codes(session, NUMBER)
    commands.execute(session, NUMBER, f"لغو {given_up_by}", "2", per_day=3, most_answers=2000, public_url="")

    session.refresh(place)
    assert place.state is R.CANCELLED


def test_forged_wishes_to_cancel_are_one_with_the_owners(session: Session) -> None:
    place = a_place(session)
    token = placed(session, wants_out(session, place))
    assert len({confirmations.ask_cancellation(session, place.id) for _ in range(5)}) == 1
    assert confirmation_calls.answer(session, token, yes=True) is None
    assert place.state is R.CANCELLED


def test_forged_wish_to_move_stops_no_call_to_the_owner(session: Session) -> None:
    place = a_place(session)
    token = placed(session, soon(session, confirmations.ask_number(session, place.id, NUMBER, per_day=3).id))
    other = make.a_number()
    asked = [code(lambda: confirmations.ask_number(session, place.id, other, per_day=3)) for _ in range(5)]
    assert asked == ["already-asked"] * 5
    assert not isinstance(confirmation_calls.answer(session, token, yes=True), Refused)


Asks = Callable[[Session, Registration], int]


def wants_move(session: Session, place: Registration, number: str = NUMBER) -> int:
    return confirmations.ask_number(session, place.id, number, per_day=3).id


def wants_cancelled(session: Session, place: Registration) -> int:
    return confirmations.ask_cancellation(session, place.id)


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [
        (wants_move, wants_cancelled, ConfirmationKind.CANCELLATION),
        (wants_cancelled, wants_move, ConfirmationKind.NUMBER),
    ],
)
def test_last_of_moving_and_cancelling_is_asked_alone(
    session: Session, first: Asks, last: Asks, kind: ConfirmationKind
) -> None:
    place = a_place(session)
    first(session, place)
    last(session, place)
    still_open = session.scalars(select(Confirmation).where(Confirmation.decided_at.is_(None))).all()
    assert [(wish.kind, bool(wish.new_number)) for wish in still_open] == [
        (kind, kind is ConfirmationKind.NUMBER)
    ]


def test_wish_during_the_call_about_another_is_refused(session: Session) -> None:
    place = a_place(session)
    token = placed(session, wants_out(session, place))
    assert code(lambda: wants_move(session, place)) == "already-asked"
    assert confirmation_calls.answer(session, token, yes=True) is None
    assert place.state is R.CANCELLED


def test_open_wish_changed_is_neither_counted_nor_called_sooner(session: Session) -> None:
    """A forger changes it over and over, between two calls."""
    place = a_place(session)
    id_ = soon(session, wants_move(session, place))
    confirmation_calls.record_end(session, placed(session, id_))
    second = kept(session, id_).not_before
    for _ in range(5):
        changed = [wants_cancelled(session, place), wants_move(session, place, make.a_number())]
        confirmations.start_calls_soon(session, changed)
        assert changed == [id_, id_]
    wish = kept(session, id_)
    assert (wish.not_before, wish.attempts) == (second, 1)
    confirmation_calls.answer(session, placed(session, soon(session, id_)), yes=False)
    asked = []
    for _ in range(3):
        asked.append(code(lambda: wants_move(session, place, make.a_number())))
        call_in_vain(session)
    assert asked == ["", "", "asked-enough"]


def move_of_the_release_before(session: Session, place: Registration) -> str:
    """A wish of the release before: the new number alone is asked. Return the token of its call."""
    wish = Confirmation(
        kind=ConfirmationKind.NUMBER,
        number=NUMBER,
        asked_by=place.number,
        registration_id=place.id,
        asked_at=now(session),
        not_before=now(session),
    )
    session.add(wish)
    session.flush()
    return placed(session, wish.id)


def test_new_number_of_the_release_before_moves_nothing(session: Session) -> None:
    """Nothing tells whether such a wish came in the call that made the place, or in a forged one."""
    place = a_place(session)
    place.call_id, place.registered_at = "1.137", now(session)
    told = confirmation_calls.answer(session, move_of_the_release_before(session, place), yes=True)
    assert isinstance(told, Refused) and told.code == "wrong-state"
    assert place.number == CALLER


def test_second_new_number_of_the_old_release_moves_nothing(session: Session) -> None:
    place = a_place(session)
    wants_number(session, place, make.a_number())
    token = move_of_the_release_before(session, place)
    assert isinstance(confirmation_calls.answer(session, token, yes=True), Refused)
    assert place.number == CALLER


@pytest.mark.parametrize(("yes", "after"), [(True, ""), (False, "cancelled")])
def test_answer_about_a_place_cancelled_meanwhile_says_so(session: Session, yes: bool, after: str) -> None:
    place = a_place(session)
    id_ = wants_out(session, place)
    token = placed(session, id_)
    kept(session, id_).decided_at = now(session)
    registration.cancel(session, place.id)
    told = confirmation_calls.answer(session, token, yes=yes)
    assert (told.code if isinstance(told, Refused) else "") == after


def test_no_to_a_wish_that_is_over_keeps_the_place(session: Session) -> None:
    place = a_place(session)
    id_ = wants_out(session, place)
    token = placed(session, id_)
    kept(session, id_).decided_at = now(session)
    session.flush()
    assert confirmation_calls.answer(session, token, yes=False) is None
    assert isinstance(confirmation_calls.answer(session, token, yes=True), Refused)
    assert place.state is R.WAITING


def test_forged_wish_leaves_the_move_that_the_owner_agreed_to(session: Session) -> None:
    place = a_place(session)
    to_new = placed(session, wants_number(session, place))
    confirmations.ask_number(session, place.id, make.a_number(), per_day=3)
    assert isinstance(confirmation_calls.answer(session, to_new, yes=True), Registered)
    assert place.number == NUMBER


@pytest.mark.parametrize("state_", [R.CALLING, R.REACHED, R.CLOSED, R.CANCELLED])
def test_wish_for_a_fixed_place_is_refused(session: Session, state_: RegistrationState) -> None:
    place = a_place(session, state_)
    assert code(lambda: wants_number(session, place)) == "wrong-state"
    assert code(lambda: wants_out(session, place)) == "wrong-state"


def test_only_pending_wishes_are_kept(
    session: Session,
) -> None:
    waits, decided = keyed_in(session, 2)
    confirmation_calls.answer(session, placed(session, decided), yes=True)
    confirmation_calls.record_end(session, kept(session, decided).token or "")
    of_place = wants_number(session, a_place(session))
    long_ago = now(session) - timedelta(days=31)
    session.execute(update(Confirmation).values(asked_at=long_ago))
    session.execute(
        update(Confirmation).where(Confirmation.decided_at.is_not(None)).values(decided_at=long_ago)
    )
    (new,) = keyed_in(session)
    confirmations.forget(session)
    assert set(session.scalars(select(Confirmation.id))) == {waits, new}
    assert of_place not in {waits, new}
    assert {c.kind for c in session.scalars(select(Confirmation))} == {ConfirmationKind.REGISTRATION}


def test_no_lasts_thirty_days_from_its_saying(session: Session) -> None:
    """It was said two days after the question, which was asked 31 days ago."""
    asked, said = now(session) - timedelta(days=31), now(session) - timedelta(days=29)
    number = make.a_number()
    no = Confirmation(
        kind=ConfirmationKind.REGISTRATION,
        number=number,
        asked_at=asked,
        not_before=asked,
        decided_at=said,
        agreed=False,
    )
    session.add(no)
    session.flush()
    confirmations.forget(session)
    assert confirmations.may_not_call(session, number)


def wants_to_move(session: Session, place: Registration) -> int:
    return soon(session, confirmations.ask_number(session, place.id, NUMBER, per_day=3).id)


@pytest.mark.parametrize("wish", [wants_out, wants_to_move])
def test_no_to_a_change_of_their_own_outlasts_an_erasure(
    session: Session, wish: Callable[[Session, Registration], int]
) -> None:
    place = a_place(session)
    id_ = wish(session, place)
    token = placed(session, id_)
    confirmation_calls.answer(session, token, yes=False)
    confirmation_calls.record_end(session, token)
    erasure.delete_citizen(session, place.number, who="u", give_up=True)
    session.expire_all()
    assert kept(session, id_).asked_by is None
    assert not confirmations.may_not_call(session, CALLER)
