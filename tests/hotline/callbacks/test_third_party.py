"""A third person whom a desk calls into its conversation: who may be, how far it comes, why it ends."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry, BlockReason, Callback, Desk, Guest, PlacedCall, Role, User
from db.states import GUEST_MOVES, CallbackState, GuestEnd, GuestState, Outcome
from hotline.callbacks import conversations, third_party, transitions
from hotline.line import blocked
from hotline.trunk import call_caps
from settings import Settings
from tests.factories import a_callback, an_official, told
from tests.hotline.callbacks.conversing import speaks
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal

C, G = CallbackState, GuestState
NUMBER, OTHER, FORBIDDEN = "+989137654321", "+989137654322", "+4930123456"


@pytest.fixture
def callback(session: Session, desk: Desk, settings: Settings) -> Callback:
    return speaks(session, desk, settings)


def ask(session: Session, callback: Callback, settings: Settings, number: str = NUMBER) -> Guest:
    return third_party.ask(session, callback, number, settings, who="operator1")


def placed(session: Session, callback: Callback, settings: Settings) -> Guest:
    guest = ask(session, callback, settings)
    call = third_party.take_up(session, guest.token, settings)
    assert isinstance(call, call_caps.CallPermit) and call == (guest.token, NUMBER, ())
    session.refresh(guest)
    return guest


def over(session: Session, guest: Guest) -> bool:
    """Whether the dialer is to end the call."""
    return next(one.over for one in third_party.list_under_way(session) if one.token == guest.token)


@in_both
def test_third_person_asked_twice_is_one_call(
    session: Session, settings: Settings, callback: Callback
) -> None:
    guest = ask(session, callback, settings)
    assert ask(session, callback, settings).id == guest.id
    assert third_party.take_up(session, guest.token, settings) is not None
    assert third_party.take_up(session, guest.token, settings) is None
    calls = session.scalars(select(PlacedCall.number).where(PlacedCall.token == guest.token)).all()
    assert calls == [NUMBER], "it counts like every call"
    assert third_party.list_in_progress(session).keys() == {guest.token}
    assert refusal(ask, session, callback, settings, OTHER) == "guest-there"
    assert "guest" in [event.what for event in told(session) if event.kind == "desk"]
    assert session.scalars(select(AuditEntry.action)).all().count("guest-asked") == 1


@in_both
def test_disallowed_number_is_refused(session: Session, settings: Settings, callback: Callback) -> None:
    blocked.block(session, OTHER, BlockReason.NUISANCE)
    asked = (ask, session, callback, settings)
    assert refusal(*asked, FORBIDDEN) == "number-not-allowed"
    assert refusal(*asked, OTHER) == "number-blocked"
    assert refusal(*asked, callback.registration.number) == "guest-is-citizen"
    session.add(PlacedCall(token="another", number=NUMBER, at=now(session), ended_at=now(session)))
    session.flush()
    for cap in ("calls_per_number", "calls_per_hour"):
        once = settings.model_copy(update={cap: 1})
        assert refusal(ask, session, callback, once) == "calls-capped"
    assert third_party.list_by_callback(session, callback.id) == []


@in_both
def test_number_of_another_desks_guest_is_refused_until_free(
    session: Session, settings: Settings, callback: Callback
) -> None:
    guest = ask(session, callback, settings)
    other = a_callback(session, C.TALKING)
    assert refusal(ask, session, other, settings) == "guest-elsewhere"
    third_party.end(session, guest, who="operator1")
    assert ask(session, other, settings).state is G.ASKED


@in_both
def test_official_is_called_except_at_their_own_desk(
    session: Session, settings: Settings, callback: Callback, desk: Desk
) -> None:
    mayor, deputy = an_official(session), an_official(session)
    session.flush()
    person = session.scalars(select(User).where(User.desk_id == desk.id)).one()
    person.role, person.official_id = Role.OFFICIAL, mayor.id
    asked = (third_party.ask, session, callback, NUMBER, settings)
    assert refusal(*asked, who=person.username, whom=mayor) == "guest-is-here"
    guest = third_party.ask(session, callback, NUMBER, settings, who=person.username, whom=deputy)
    assert (guest.official_id, guest.department_id, guest.number) == (deputy.id, None, NUMBER)


@pytest.mark.parametrize("state", [C.CLAIMED, C.RINGING, C.WAITING, C.PARTING, C.ENDED])
def test_guest_without_a_conversation_is_refused(
    session: Session, settings: Settings, state: CallbackState
) -> None:
    assert refusal(ask, session, a_callback(session, state), settings) == "wrong-state"


def test_guest_during_hold_needs_the_desks_phone(
    session: Session, settings: Settings, callback: Callback, desk: Desk
) -> None:
    conversations.hold(session, callback, settings)
    guest = placed(session, callback, settings)
    third_party.record_state(session, guest.token, G.TALKING)
    assert not over(session, guest)
    conversations.resume(session, callback, settings)
    assert not over(session, guest), "all three speak"
    desk.phone_connected = False
    session.flush()
    assert over(session, guest)
    third_party.record_end(session, guest.token)
    assert refusal(ask, session, callback, settings) == "desk-phone-away"


@in_both
def test_each_step_of_a_guest_is_reported_once(
    session: Session, settings: Settings, callback: Callback
) -> None:
    guest = placed(session, callback, settings)
    for state in (G.RINGING, G.ANSWERED, G.TALKING, G.RINGING, G.ANSWERED):
        third_party.record_state(session, guest.token, state)
    session.refresh(guest)
    assert (guest.state, guest.talking_at is not None) == (G.TALKING, True)
    third_party.record_end(session, guest.token)
    third_party.record_end(session, guest.token, GuestEnd.BUSY)
    assert (guest.state, guest.ended_by) == (G.ENDED, GuestEnd.LEFT)
    assert callback.state is C.TALKING, "it costs the citizen nothing"


@in_both
def test_unconfirmed_guest_never_speaks(session: Session, settings: Settings, callback: Callback) -> None:
    guest = placed(session, callback, settings)
    third_party.record_state(session, guest.token, G.ANSWERED)
    third_party.record_end_reason(session, guest.token, GuestEnd.NOT_CONFIRMED)
    third_party.record_end(session, guest.token)
    assert (guest.state, guest.ended_by) == (G.FAILED, GuestEnd.NOT_CONFIRMED)


@pytest.mark.parametrize("heard", [GuestEnd.NO_ANSWER, GuestEnd.BUSY, GuestEnd.CAPPED, GuestEnd.FAILED])
def test_failed_guest_call_keeps_its_reason(
    session: Session, settings: Settings, callback: Callback, heard: GuestEnd
) -> None:
    guest = placed(session, callback, settings)
    third_party.record_end(session, guest.token, heard)
    assert (guest.state, guest.ended_by) == (G.FAILED, heard)
    ask(session, callback, settings, OTHER)
    assert [one.number for one in third_party.list_by_callback(session, callback.id)] == [OTHER, NUMBER]


def test_guest_ended_before_the_call_is_not_called(
    session: Session, settings: Settings, callback: Callback
) -> None:
    guest = ask(session, callback, settings)
    for _ in range(2):
        third_party.end(session, guest, who="operator1")
    assert (guest.state, guest.ended_by) == (G.ENDED, GuestEnd.BY_DESK)
    assert third_party.take_up(session, guest.token, settings) is None


@in_both
def test_ringing_guest_ended_by_the_desk_is_hung_up(
    session: Session, settings: Settings, callback: Callback
) -> None:
    guest = placed(session, callback, settings)
    third_party.end(session, guest, who="operator1")
    assert over(session, guest)
    assert refusal(ask, session, callback, settings) == "guest-there", "not before it has ended"
    third_party.record_end(session, guest.token)
    assert (guest.state, guest.ended_by) == (G.ENDED, GuestEnd.BY_DESK)


@pytest.mark.parametrize("ends", ["desk", "citizen"])
def test_ended_conversation_ends_the_ringing_guest(
    session: Session, settings: Settings, callback: Callback, ends: str
) -> None:
    guest = placed(session, callback, settings)
    if ends == "desk":
        conversations.end_for_desk(session, callback, said=Outcome.REACHED)
    else:
        conversations.record_line_end(session, callback, settings, hung_up=True)
    assert over(session, guest)
    third_party.record_end(session, guest.token)
    assert (guest.state, guest.ended_by) == (G.ENDED, GuestEnd.CONVERSATION)


def test_ended_conversation_drops_the_pending_guest(
    session: Session, settings: Settings, callback: Callback
) -> None:
    guest = ask(session, callback, settings)
    transitions.move(session, callback.token, C.PARTING, parting_at=now(session))
    assert third_party.take_up(session, guest.token, settings) is None
    assert (guest.state, guest.ended_by) == (G.ENDED, GuestEnd.CONVERSATION)
    assert session.scalars(select(PlacedCall).where(PlacedCall.token == guest.token)).all() == []


@in_both
def test_guest_call_pending_too_long_is_given_up(
    session: Session, settings: Settings, callback: Callback
) -> None:
    guest = ask(session, callback, settings)
    guest.asked_at -= timedelta(minutes=1)
    session.flush()
    assert third_party.take_up(session, guest.token, settings) is None
    assert (guest.state, guest.ended_by) == (G.FAILED, GuestEnd.FAILED)


def test_cap_reached_meanwhile_ends_the_guest_call(
    session: Session, settings: Settings, callback: Callback
) -> None:
    guest = ask(session, callback, settings)
    session.add(PlacedCall(token="another", number=OTHER, at=now(session), ended_at=now(session)))
    session.flush()
    once = settings.model_copy(update={"calls_per_hour": 1})
    assert third_party.take_up(session, guest.token, once) is call_caps.Cap.PER_HOUR
    assert (guest.state, guest.ended_by) == (G.FAILED, GuestEnd.CAPPED)


def test_every_state_has_its_moves() -> None:
    assert GUEST_MOVES.keys() == set(GuestState)
