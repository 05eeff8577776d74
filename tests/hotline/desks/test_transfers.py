"""A conversation goes on at another desk: who can take it, what moves with it, and what it costs nobody."""

from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import AuditEntry, BreakReason, Callback, Desk, Hearing, Role, Round, User
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import breaks, conversations, cut_conversations, serving, transitions
from hotline.desks import transfers
from hotline.errors import Refused
from settings import Settings
from tests import factories as make
from tests.hotline.callbacks.conversing import look, time_passes
from tests.kit.databases import on_both  # noqa: F401  (fixture)
from tests.kit.refusal import refusal

C = CallbackState
NOTE = "نشانی را پرسیده‌ام"


@pytest.fixture
def mine(session: Session) -> Callback:
    """A conversation of the first desk."""
    return make.a_callback(session, C.TALKING, make.a_user(session, make.a_desk(session), "first"))


@pytest.fixture
def other(session: Session) -> User:
    """An operator at a second desk, with their phone."""
    return _an_operator(session, "second")


def _an_operator(session: Session, username: str) -> User:
    desk = make.a_desk(session)
    desk.phone_connected = True
    return make.a_user(session, desk, username)


def _give(session: Session, callback: Callback, to: User, settings: Settings, note: str = NOTE) -> Callback:
    assert to.desk_id is not None
    return transfers.give(session, callback, to.desk_id, note, settings, by=_person(session, callback))


def _person(session: Session, callback: Callback) -> User:
    """Return the person who speaks, or who spoke before the transfer."""
    return session.get_one(User, callback.user_id)


def _takers(session: Session, callback: Callback) -> list[str]:
    return [taker.person.username for taker in transfers.list_takers(session, callback)]


def _actions(session: Session) -> list[tuple[str, str, str]]:
    found = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(entry.who, entry.action, entry.subject) for entry in found]


@pytest.mark.parametrize("on_hold", [False, True])
def test_given_conversation_moves_to_the_other_desk(
    session: Session, mine: Callback, other: User, settings: Settings, on_hold: bool
) -> None:
    first, by = mine.desk_id, _person(session, mine)
    by.name = "مینا"
    if on_hold:
        conversations.hold(session, mine, settings)
    given = _give(session, mine, other, settings)
    assert (given.state, given.desk_id, given.user_id) == (C.HELD, other.desk_id, other.id)
    assert (given.given_by_desk_id, given.on_hold_at) == (first, None)
    assert [(note.by, note.written) for note in given.notes] == [("مینا", NOTE)]
    assert given.held_until is not None and given.held_until > now(session)
    assert serving.clear_request(session, given), "the dialer leads them into the room as after a cut"
    assert cut_conversations.find_at_desk(session, first or 0) is None
    assert ("first", "conversation-given", f"callback {mine.id}") in _actions(session)
    assert given.registration.state is RegistrationState.CALLING


def test_given_conversation_replaces_the_request_for_the_next(
    session: Session, mine: Callback, other: User, settings: Settings
) -> None:
    desk = session.get_one(Desk, other.desk_id)
    desk.next_asked_at = now(session)
    _give(session, mine, other, settings)
    assert desk.next_asked_at is None


def test_absent_busy_or_resting_desk_cannot_take_a_transfer(
    session: Session, mine: Callback, other: User
) -> None:
    away, resting, busy, hears, gone = (_an_operator(session, name) for name in ("a", "b", "c", "d", "e"))
    session.get_one(Desk, away.desk_id).phone_connected = False
    breaks.begin_break(session, session.get_one(Desk, resting.desk_id), BreakReason.MEAL)
    make.a_callback(session, C.TALKING, busy)
    session.get_one(Desk, hears.desk_id).hears_desk_id = busy.desk_id
    gone.disabled_at = now(session)
    session.flush()
    assert _takers(session, mine) == ["second"]


def test_official_of_another_round_cannot_take_a_transfer(
    session: Session, mine: Callback, other: User
) -> None:
    other.role = Role.OFFICIAL
    session.flush()
    assert _takers(session, mine) == []
    other.official_id = session.get_one(Round, mine.round_id).official_id
    session.flush()
    assert _takers(session, mine) == [], "has not sat down"
    desk, round_ = session.get_one(Desk, other.desk_id), session.get_one(Round, mine.round_id)
    desk.round_id = mine.round_id
    session.flush()
    assert _takers(session, mine) == [], "wants nobody yet: what is said beside the phone is for no citizen"
    desk.next_asked_at = now(session)
    session.flush()
    assert _takers(session, mine) == ["second"]
    round_.paused_at = now(session)
    session.flush()
    assert _takers(session, mine) == [], "is paused"


def test_desk_serving_another_round_cannot_take_a_transfer(
    session: Session, mine: Callback, other: User
) -> None:
    desk = session.get_one(Desk, other.desk_id)
    desk.round_id, desk.next_asked_at = make.a_callback(session, C.WAITING).round_id, now(session)
    session.flush()
    assert _takers(session, mine) == []


def test_undo_at_the_receiving_desk_does_not_return_the_citizen(
    session: Session, mine: Callback, other: User, settings: Settings
) -> None:
    desk = session.get_one(Desk, other.desk_id)
    desk.round_id, desk.next_asked_at = mine.round_id, now(session)
    session.flush()
    given = _give(session, mine, other, settings)
    transitions.move(session, given.token, C.TALKING, held_until=None)
    assert refusal(conversations.send_back, session, desk, make.a_callback(session, C.PARTING)) == "desk-busy"


def test_hang_up_right_after_giving_does_not_end_the_talk(
    session: Session, mine: Callback, other: User, settings: Settings
) -> None:
    seen_before = SimpleNamespace(token=mine.token, desk_id=mine.desk_id, state=C.TALKING, on_hold_at=None)
    given = _give(session, mine, other, settings)
    assert refusal(conversations.end_for_desk, session, seen_before) == "wrong-state"
    assert given.state is C.HELD


@pytest.mark.parametrize("why", ["own", "away", "none"])
def test_transfer_to_an_unfit_desk_is_refused_and_the_talk_stays(
    session: Session, mine: Callback, other: User, settings: Settings, why: str
) -> None:
    wanted = {"own": mine.desk_id, "away": other.desk_id, "none": 999}[why]
    if why == "away":
        session.get_one(Desk, other.desk_id).phone_connected = False
        session.flush()
    refused = refusal(transfers.give, session, mine, wanted or 0, "", settings, by=_person(session, mine))
    assert refused == "desk-unavailable"
    session.refresh(mine)
    assert (mine.state, mine.given_by_desk_id) == (C.TALKING, None)


@pytest.mark.parametrize("state", sorted(set(C) - {C.TALKING}))
def test_transfer_without_a_conversation_is_refused(
    session: Session, other: User, settings: Settings, state: CallbackState
) -> None:
    callback = make.a_callback(session, state)  # held: cut, and not on hold
    assert refusal(_give, session, callback, other, settings) == "wrong-state"


def test_absent_receiving_phone_makes_the_place_due_at_once(
    session: Session, mine: Callback, other: User, settings: Settings
) -> None:
    given = _give(session, mine, other, settings)
    session.get_one(Desk, other.desk_id).phone_connected = False
    session.flush()
    time_passes(session, given, settings.hold_seconds * make.SECOND)
    look(session, settings)
    conversations.record_line_end(session, given, settings, hung_up=True)
    place = given.registration
    assert (given.outcome, place.state, place.attempts) == (
        Outcome.CALL_AGAIN,
        RegistrationState.WAITING,
        0,
    )


def test_simultaneous_transfers_to_one_desk_give_it_one(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        both = [make.a_callback(session, C.TALKING).id for _ in range(2)]
        taker = _an_operator(session, "taker").desk_id or 0

    def act(which: int) -> str:
        with writing(engine) as session:
            callback = session.get_one(Callback, both[which])
            try:
                transfers.give(session, callback, taker, "", settings, by=_person(session, callback))
            except Refused as refused:
                return refused.code
        return "given"

    assert sorted(make.at_once(2, act)) == ["desk-unavailable", "given"]


# --- speaking with the other desk first ---


def test_consulted_desk_leaves_the_room_to_receive_the_transfer(
    session: Session, mine: Callback, other: User, settings: Settings
) -> None:
    desk = session.get_one(Desk, other.desk_id)
    by = _person(session, mine)
    for _ in range(2):  # pressed twice
        transfers.consult(session, mine, desk.id, NOTE, settings, by=by)
    assert make.written_of(mine) == [NOTE]
    assert transfers.find_consultation(session, desk) is mine
    assert (desk.hears_desk_id, desk.hears_callback_id, desk.hears_how) == (
        mine.desk_id,
        mine.id,
        Hearing.CONSULT,
    )
    assert [(taker.desk.id, taker.here) for taker in transfers.list_takers(session, mine)] == [
        (desk.id, True)
    ]
    third = _an_operator(session, "third")
    refused = refusal(transfers.consult, session, mine, third.desk_id or 0, "", settings, by=by)
    assert refused == "guest-there"
    _give(session, mine, other, settings)
    assert (desk.hears_desk_id, desk.hears_callback_id, desk.hears_how) == (None, None, None)
    assert transfers.find_consultation(session, desk) is None
    assert [action for who, action, _ in _actions(session) if who == "first"] == [
        "desk-consulted",
        "conversation-given",
    ]


def test_consulted_desk_that_leaves_keeps_the_talk_running(
    session: Session, mine: Callback, other: User, settings: Settings
) -> None:
    desk = session.get_one(Desk, other.desk_id)
    transfers.consult(session, mine, desk.id, "", settings, by=_person(session, mine))
    for _ in range(2):
        transfers.leave(session, desk, who="second")
    assert desk.hears_desk_id is None
    assert mine.state is C.TALKING


# --- the other desk is not there ---


def test_unanswered_transfer_can_be_taken_back(
    session: Session, mine: Callback, other: User, settings: Settings
) -> None:
    by, first = _person(session, mine), mine.desk_id or 0
    session.get_one(Desk, first).phone_connected = True
    _give(session, mine, other, settings)
    assert transfers.find_given_away(session, first) is mine
    for _ in range(2):  # pressed twice
        transfers.take_back(session, mine, settings, by=by)
    assert (mine.state, mine.desk_id, mine.user_id, mine.given_by_desk_id) == (C.HELD, first, by.id, None)
    assert transfers.find_given_away(session, first) is None
    assert serving.clear_request(session, mine), "the dialer leads them into the room as after a cut"
    assert [action for who, action, _ in _actions(session) if who == "first"] == [
        "conversation-given",
        "conversation-taken-back",
    ]


def test_answered_transfer_cannot_be_taken_back(
    session: Session, mine: Callback, other: User, settings: Settings
) -> None:
    by, first = _person(session, mine), mine.desk_id or 0
    _give(session, mine, other, settings)
    for state, on_hold_at in ((C.TALKING, None), (C.HELD, now(session))):
        mine.state, mine.on_hold_at = state, on_hold_at
        session.flush()
        assert transfers.find_given_away(session, first) is None
        assert refusal(transfers.take_back, session, mine, settings, by=by) == "wrong-state"
    mine.state, mine.on_hold_at = C.HELD, None
    session.flush()
    third = _an_operator(session, "third")
    assert refusal(transfers.take_back, session, mine, settings, by=third) == "wrong-state"
    make.a_callback(session, C.TALKING, by)
    assert refusal(transfers.take_back, session, mine, settings, by=by) == "desk-unavailable"
    assert mine.desk_id == other.desk_id
