"""Desks: which phone each has, and the outcome that its person never said."""

import pytest
from sqlalchemy.orm import Session

from db.models import Desk
from db.states import CallbackState, Outcome, RegistrationState
from hotline import audit
from hotline.desks import desk_phones, desks
from hotline.errors import Refused
from settings import Settings
from tests.factories import a_callback, a_desk, a_note, a_user, written_of
from tests.kit.databases import on_one  # noqa: F401  (fixture)

WHY = "اپراتور رفته است"


def test_given_a_desk_when_its_phone_changes_then_its_kind_and_number_do_and_the_log_shows_it(
    session: Session,
) -> None:
    desk = desks.get(session, 7, 60)
    for kind, number, stored in (
        ("number", "+989131234567", ("sip", "+989131234567")),
        ("sip", None, ("sip", None)),
        ("browser", None, ("browser", None)),
    ):
        desk_phones.choose(session, desk, kind, number, who="admin")
        assert (desk.phone, desk.number) == stored
        assert desks.phone_kind(desk) == kind
    with pytest.raises(Refused, match="no-desk-number"):
        desk_phones.choose(session, desk, "number", None, who="admin")
    reasons = [entry.reason for entry in audit.search(session, subject="desk 7")]
    assert reasons == ["browser", "sip", "telephone +989131234567"]


@pytest.mark.parametrize("desk_id", [0, -1, 61, 2**31 - 1])
def test_given_a_number_that_no_desk_has_when_asked_for_then_none_is_made(
    session: Session, desk_id: int
) -> None:
    with pytest.raises(Refused, match="not-found"):
        desks.get(session, desk_id, 60)


def test_given_a_person_who_never_returns_when_somebody_says_the_outcome_then_the_desk_is_free(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, CallbackState.ENDED)
    a_note(session, callback, "یادداشت میز")
    desk = session.get_one(Desk, callback.desk_id)
    assert desks.in_hand(session) == {desk.id: callback}
    desks.say_outcome(session, desk, callback.id, Outcome.REACHED, who="admin", reason=WHY, settings=settings)
    session.refresh(callback)
    assert (callback.state, callback.outcome, written_of(callback)) == (
        CallbackState.CLOSED,
        Outcome.REACHED,
        ["یادداشت میز"],
    )
    assert callback.registration.state is RegistrationState.REACHED
    assert desks.in_hand(session) == {}
    (entry,) = audit.search(session, action="outcome-said")
    assert (entry.who, entry.subject, entry.reason) == (
        "admin",
        f"callback {callback.id}",
        f"desk {desk.id}, reached: {WHY}",
    )


@pytest.mark.parametrize(
    ("state", "outcome", "reason", "code"),
    [
        (CallbackState.ENDED, Outcome.REACHED, "  ", "reason-missing"),
        (CallbackState.TALKING, Outcome.REACHED, WHY, "wrong-state"),  # they still speak
        (CallbackState.ENDED, Outcome.RETURNED, WHY, "wrong-state"),  # as if never taken: they spoke
        (CallbackState.CLOSED, Outcome.REACHED, WHY, "wrong-state"),
    ],
)
def test_given_a_desk_when_an_outcome_cannot_be_said_then_nothing_changes(
    session: Session, settings: Settings, state: CallbackState, outcome: Outcome, reason: str, code: str
) -> None:
    callback = a_callback(session, state)
    desk = session.get_one(Desk, callback.desk_id)
    with pytest.raises(Refused, match=code):
        desks.say_outcome(session, desk, callback.id, outcome, who="admin", reason=reason, settings=settings)
    session.refresh(callback)
    assert callback.state is state
    assert audit.search(session, action="outcome-said") == []


def test_given_a_desk_with_another_citizen_by_now_when_the_old_outcome_is_said_then_it_is_refused(
    session: Session, settings: Settings
) -> None:
    user = a_user(session, a_desk(session))
    old = a_callback(session, CallbackState.CLOSED, user)
    new = a_callback(session, CallbackState.ENDED, user)
    desk = session.get_one(Desk, user.desk_id)
    with pytest.raises(Refused, match="wrong-state"):
        desks.say_outcome(session, desk, old.id, Outcome.REACHED, who="admin", reason=WHY, settings=settings)
    assert new.state is CallbackState.ENDED


def test_given_a_citizen_taken_and_never_called_when_returned_for_the_desk_then_the_place_waits_again(
    session: Session, settings: Settings
) -> None:
    callback = a_callback(session, CallbackState.CLAIMED)
    desk = session.get_one(Desk, callback.desk_id)
    desks.say_outcome(
        session, desk, callback.id, Outcome.RETURNED, who="admin", reason=WHY, settings=settings
    )
    assert callback.registration.state is RegistrationState.WAITING


def test_given_people_at_desks_when_asked_then_each_desk_knows_whose_it_is(session: Session) -> None:
    user = a_user(session, a_desk(session))
    a_desk(session)
    assert desks.people(session) == {user.desk_id: user}
