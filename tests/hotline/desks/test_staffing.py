"""Desks: which phone each has, and the outcome that its person never said."""

import pytest
from sqlalchemy.orm import Session

from db.models import Desk
from db.states import CallbackState, Outcome, RegistrationState
from hotline import audit
from hotline.desks import desk_phones, staffing
from hotline.errors import Refused
from settings import Settings
from tests.factories import a_callback, a_desk, a_note, a_user, written_of
from tests.kit.databases import on_one  # noqa: F401  (fixture)

WHY = "اپراتور رفته است"


def test_changed_phone_of_a_desk_is_audited(
    session: Session,
) -> None:
    desk = staffing.get(session, 7, 60)
    for kind, number, stored in (
        ("number", "+989131234567", ("sip", "+989131234567")),
        ("sip", None, ("sip", None)),
        ("browser", None, ("browser", None)),
    ):
        desk_phones.choose(session, desk, kind, number, who="admin")
        assert (desk.phone, desk.number) == stored
        assert staffing.find_phone_kind(desk) == kind
    with pytest.raises(Refused, match="no-desk-number"):
        desk_phones.choose(session, desk, "number", None, who="admin")
    reasons = [entry.reason for entry in audit.search(session, subject="desk 7")]
    assert reasons == ["browser", "sip", "telephone +989131234567"]


@pytest.mark.parametrize("desk_id", [0, -1, 61, 2**31 - 1])
def test_number_beyond_the_desks_makes_no_desk(session: Session, desk_id: int) -> None:
    with pytest.raises(Refused, match="not-found"):
        staffing.get(session, desk_id, 60)


def test_outcome_said_for_an_absent_person_frees_the_desk(session: Session, settings: Settings) -> None:
    callback = a_callback(session, CallbackState.ENDED)
    a_note(session, callback, "یادداشت میز")
    desk = session.get_one(Desk, callback.desk_id)
    assert staffing.find_in_hand(session) == {desk.id: callback}
    staffing.record_outcome(
        session, desk, callback.id, Outcome.REACHED, who="admin", reason=WHY, settings=settings
    )
    session.refresh(callback)
    assert (callback.state, callback.outcome, written_of(callback)) == (
        CallbackState.CLOSED,
        Outcome.REACHED,
        ["یادداشت میز"],
    )
    assert callback.registration.state is RegistrationState.REACHED
    assert staffing.find_in_hand(session) == {}
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
def test_outcome_for_another_in_an_unfit_state_changes_nothing(
    session: Session, settings: Settings, state: CallbackState, outcome: Outcome, reason: str, code: str
) -> None:
    callback = a_callback(session, state)
    desk = session.get_one(Desk, callback.desk_id)
    with pytest.raises(Refused, match=code):
        staffing.record_outcome(
            session, desk, callback.id, outcome, who="admin", reason=reason, settings=settings
        )
    session.refresh(callback)
    assert callback.state is state
    assert audit.search(session, action="outcome-said") == []


def test_outcome_for_a_desk_with_a_new_citizen_is_refused(session: Session, settings: Settings) -> None:
    user = a_user(session, a_desk(session))
    old = a_callback(session, CallbackState.CLOSED, user)
    new = a_callback(session, CallbackState.ENDED, user)
    desk = session.get_one(Desk, user.desk_id)
    with pytest.raises(Refused, match="wrong-state"):
        staffing.record_outcome(
            session, desk, old.id, Outcome.REACHED, who="admin", reason=WHY, settings=settings
        )
    assert new.state is CallbackState.ENDED


def test_returned_unused_claim_makes_the_place_wait_again(session: Session, settings: Settings) -> None:
    callback = a_callback(session, CallbackState.CLAIMED)
    desk = session.get_one(Desk, callback.desk_id)
    staffing.record_outcome(
        session, desk, callback.id, Outcome.RETURNED, who="admin", reason=WHY, settings=settings
    )
    assert callback.registration.state is RegistrationState.WAITING


def test_each_desk_knows_its_person(session: Session) -> None:
    user = a_user(session, a_desk(session))
    a_desk(session)
    assert staffing.find_people(session) == {user.desk_id: user}
