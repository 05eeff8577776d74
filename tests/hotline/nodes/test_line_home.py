"""An idle operators' line follows the caller who presses 0 on another node; else it stays where it is."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import CallerNow, Desk, Node, Round
from db.states import CallbackState as C
from hotline import heartbeats
from hotline.callbacks import direct_routing, waiting_callers
from hotline.callbacks.operators_line_node import Side
from hotline.nodes import administration as commands
from hotline.nodes import draining, phones, round_affinity
from hotline.rounds import phases
from tests import factories as make
from tests.hotline.callbacks.waiting_callers import a_live_desk, given
from tests.hotline.nodes.conftest import silent
from tests.hotline.nodes.presses_0 import another_waits, first_desk, lives, presses_0, waits
from tests.kit.databases import in_both


@in_both
def test_key_0_elsewhere_moves_line_and_desk_to_the_caller(engine: Engine, line: int) -> None:
    side, place, outlook = presses_0(engine, "two")
    assert (side, outlook.free, lives(engine, line)) == (Side.COMES, True, "two")
    waits(engine, place, "two")
    with reading(engine) as session:
        assert waiting_callers.is_here(session, "two") and not direct_routing.has_work(session)
        desk = first_desk(session)
        assert phones.list_astray(session, "one") == [(desk.id, "PJSIP/desk-1")], "its browser is hung up"
    with writing(engine) as session:
        heartbeats.record_phone(session, desk.id, None, "one")
        home = phones.find_node(session, first_desk(session))
        assert home is not None and home.name == "two", "and signs in where the caller is"
        heartbeats.record_phone(session, desk.id, "PJSIP/desk-2", "two")
    assert given(engine) == [(place, desk.id, True)]


@in_both
def test_moved_line_stays_with_its_waiting_caller(engine: Engine, line: int) -> None:
    _, place, _ = presses_0(engine, "two")
    assert presses_0(engine, "one")[0] is Side.ELSEWHERE, "the desk's phone is on its way"
    waits(engine, place, "two")
    with writing(engine) as session:
        heartbeats.record_phone(session, first_desk(session).id, "PJSIP/desk-2", "two")
    assert presses_0(engine, "one")[0] is Side.ELSEWHERE, "somebody waits there"
    assert presses_0(engine, "two")[0] is Side.HERE
    assert lives(engine, line) == "two"


@in_both
def test_homeless_line_settles_with_the_caller_if_a_desk_is_free(engine: Engine, line: int) -> None:
    with writing(engine) as session:
        round_affinity.clear_homes(session, [line])
        first_desk(session).phone_connected = False
    assert presses_0(engine, "two")[0] is Side.HERE and lives(engine, line) is None, "whoever serves chooses"
    with writing(engine) as session:
        first_desk(session).phone_connected = True
    assert presses_0(engine, "two")[0] is Side.COMES and lives(engine, line) == "two"


def paused(session: Session, line: int) -> None:
    phases.pause(session, session.get_one(Round, line))


def desk_away(session: Session, _line: int) -> None:
    first_desk(session).phone_connected = False


def desk_on_its_way(session: Session, _line: int) -> None:
    first_desk(session).node = "two"


def desk_takes_none(session: Session, _line: int) -> None:
    first_desk(session).takes_live = False


def desk_busy(session: Session, _line: int) -> None:
    make.a_callback(session, C.ENDED).desk_id = first_desk(session).id


def sip_phone(session: Session, _line: int) -> None:
    first_desk(session).phone = "sip"


def sip_phone_beside(session: Session, line: int) -> None:
    a_live_desk(session, takes=False, round_id=line, node="one", phone="sip")


def telephone_that_rings(session: Session, line: int) -> None:
    values = {"phone": "sip", "number": make.a_number(), "call_token": "desk-1-x", "phone_connected": False}
    a_live_desk(session, takes=False, round_id=line, node="one", **values)


def telephone_that_is_asked_for(session: Session, line: int) -> None:
    values = {"phone": "sip", "number": make.a_number(), "call_asked_at": now(session)}
    a_live_desk(session, takes=True, node="one", phone_connected=False, **values)


def sip_phone_by_hand(session: Session, line: int) -> None:
    desk = a_live_desk(session, takes=False, node="one", phone="sip")
    taken = make.a_callback(session, C.CLAIMED)
    taken.round_id, taken.desk_id = line, desk.id


def placed(session: Session, line: int) -> None:
    call = make.a_callback(session, C.RINGING)
    call.round_id, call.desk_id, call.placed_at = line, None, now(session)


def asked_for(session: Session, line: int) -> None:
    call = make.a_callback(session, C.DIALING)
    call.round_id, call.desk_id, call.placed_at = line, None, None


def another_hears_that_they_stay(session: Session, line: int) -> None:
    place = make.a_registration(session, session.get_one(Round, line))
    session.add(CallerNow(channel="1.1", number=place.number, since=now(session), node="one"))


def line_silent(session: Session, _line: int) -> None:
    silent(session, "one")


def callers_node_silent(session: Session, _line: int) -> None:
    silent(session, "two")


def callers_node_drained(session: Session, _line: int) -> None:
    commands.drain(session, "two", who="somebody")


def callers_node_cut_off(session: Session, _line: int) -> None:
    for name, answers in (("one", True), ("two", False)):
        draining.tell_trunk(session, name, answers=answers)


def callers_node_full(session: Session, _line: int) -> None:
    session.execute(update(Node).where(Node.name == "two").values(capacity=0))


@pytest.mark.parametrize(
    "how",
    [
        *(paused, desk_away, desk_on_its_way, desk_takes_none, desk_busy),
        *(sip_phone, sip_phone_beside, sip_phone_by_hand),
        *(telephone_that_rings, telephone_that_is_asked_for),
        *(placed, asked_for, another_waits, another_hears_that_they_stay),
        *(line_silent, callers_node_silent, callers_node_drained, callers_node_cut_off, callers_node_full),
    ],
)
@in_both
def test_busy_or_fixed_line_stays_at_its_node(
    engine: Engine, line: int, how: Callable[[Session, int], None]
) -> None:
    with writing(engine) as session:
        how(session, line)
    assert presses_0(engine, "two")[0] is Side.ELSEWHERE
    assert lives(engine, line) == "one"


def desk_wants_the_next(session: Session, line: int) -> None:
    desk = first_desk(session)
    desk.round_id, desk.next_asked_at = line, now(session)


def sip_phone_of_another_round(session: Session, _line: int) -> None:
    a_live_desk(session, node="one", phone="sip", round_id=make.a_round(session).id)


def sip_phone_not_there(session: Session, line: int) -> None:
    a_live_desk(session, round_id=line, node="one", phone="sip", phone_connected=False)


def owed_outcome(session: Session, line: int) -> None:
    owed = make.a_callback(session, C.ENDED, make.a_user(session, make.a_desk(session)))
    owed.round_id, owed.placed_at, owed.ended_at = line, now(session), now(session)


def called_back_before(session: Session, line: int) -> None:
    make.a_registration(session, session.get_one(Round, line))


def waits_on_the_callers_node(session: Session, line: int) -> None:
    place = make.a_registration(session, session.get_one(Round, line))
    assert waiting_callers.record_waiting(session, place.id, "channel", "two")


@pytest.mark.parametrize(
    "how",
    [
        *(desk_wants_the_next, sip_phone_of_another_round, sip_phone_not_there, owed_outcome),
        *(called_back_before, waits_on_the_callers_node),
    ],
)
@in_both
def test_idle_line_follows_despite_unrelated_work(
    engine: Engine, line: int, how: Callable[[Session, int], None]
) -> None:
    with writing(engine) as session:
        how(session, line)
    assert presses_0(engine, "two")[0] is Side.COMES
    assert lives(engine, line) == "two"


@in_both
def test_manual_citizen_is_called_once_from_the_new_node(engine: Engine, line: int) -> None:
    with writing(engine) as session:
        a_live_desk(session, takes=False, node="one", channel="PJSIP/desk-3")
        by_hand = session.scalars(select(Desk).order_by(Desk.id.desc())).first()
        assert by_hand
        taken = make.a_callback(session, C.CLAIMED)
        taken.round_id, taken.desk_id, taken.placed_at = line, by_hand.id, None
        desk_id = by_hand.id
    assert presses_0(engine, "two")[0] is Side.COMES
    with reading(engine) as session:
        astray = {desk for desk, _ in phones.list_astray(session, "one")}
        assert desk_id in astray, "its browser goes there, too"
    with writing(engine) as session:
        assert not round_affinity.settle(session, line, "one", hold=True), "the old node calls nobody more"
        assert round_affinity.settle(session, line, "two", hold=True)
