"""An idle operators' line follows the caller who presses 0 on another node; else it stays where it is."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, CallerNow, Desk, Node, Registration, Round
from db.states import CallbackState as C
from hotline import heartbeats
from hotline.callbacks import callbacks, line_home, live_desks, on_the_line
from hotline.callbacks.line_home import Side
from hotline.line import registration
from hotline.nodes import homes, leases, phones
from hotline.nodes import nodes as commands
from hotline.rounds import rounds
from settings import Settings
from tests import factories as make
from tests.hotline.callbacks.waiting_callers import a_live_desk, given
from tests.hotline.nodes.conftest import silent
from tests.hotline.test_lock_order import beside
from tests.kit.databases import in_both

Make = Callable[..., list[leases.Lease]]


@pytest.fixture
def line(engine: Engine, nodes: Make) -> int:
    """The operators' line, at home on node `one`, with a free desk's browser there."""
    nodes("one", "two", "three")
    with writing(engine) as session:
        line = rounds.operators_line(session)
        line.node = "one"
        session.flush()
        a_live_desk(session, node="one", channel="PJSIP/desk-1")
        return line.id


def presses_0_in(session: Session, node: str) -> tuple[Side, int, on_the_line.Outlook]:
    """As the script does it: where the line is, the place, what is said."""
    side = line_home.hold(session, node)
    place = registration.register(
        session,
        round_id=rounds.operators_line(session).id,
        number=make.a_number(),
        tell=False,
    ).registration_id
    outlook = on_the_line.outlook(session, place)
    if side is Side.COMES:
        line_home.follow(session, node)
    return side, place, outlook


def presses_0(engine: Engine, node: str) -> tuple[Side, int, on_the_line.Outlook]:
    """In one transaction."""
    with writing(engine) as session:
        return presses_0_in(session, node)


def lives(engine: Engine, line: int) -> str | None:
    with reading(engine) as session:
        return homes.of_round(session, line)


def first_desk(session: Session) -> Desk:
    return session.scalars(select(Desk).order_by(Desk.id).limit(1)).one()


def waits(engine: Engine, place: int, node: str) -> None:
    with writing(engine) as session:
        assert on_the_line.stay(session, place, f"channel-{place}", node)


@in_both
def test_given_a_free_desk_when_a_caller_presses_0_on_another_node_then_line_and_desk_come_and_they_meet(
    engine: Engine, line: int
) -> None:
    side, place, outlook = presses_0(engine, "two")
    assert (side, outlook.free, lives(engine, line)) == (Side.COMES, True, "two")
    waits(engine, place, "two")
    with reading(engine) as session:
        assert on_the_line.is_here(session, "two") and not live_desks.has_work(session)
        desk = first_desk(session)
        assert phones.astray(session, "one") == [(desk.id, "PJSIP/desk-1")], "its browser is hung up"
    with writing(engine) as session:
        heartbeats.phone_connected(session, desk.id, None, "one")
        home = phones.node_of(session, first_desk(session))
        assert home is not None and home.name == "two", "and signs in where the caller is"
        heartbeats.phone_connected(session, desk.id, "PJSIP/desk-2", "two")
    assert given(engine) == [(place, desk.id, True)]


@in_both
def test_given_a_line_that_has_followed_when_somebody_else_presses_0_then_it_stays_with_who_waits(
    engine: Engine, line: int
) -> None:
    _, place, _ = presses_0(engine, "two")
    assert presses_0(engine, "one")[0] is Side.ELSEWHERE, "the desk's phone is on its way"
    waits(engine, place, "two")
    with writing(engine) as session:
        heartbeats.phone_connected(session, first_desk(session).id, "PJSIP/desk-2", "two")
    assert presses_0(engine, "one")[0] is Side.ELSEWHERE, "somebody waits there"
    assert presses_0(engine, "two")[0] is Side.HERE
    assert lives(engine, line) == "two"


@in_both
def test_given_a_line_without_a_home_when_a_caller_presses_0_then_it_lives_with_them_if_a_desk_is_free(
    engine: Engine, line: int
) -> None:
    with writing(engine) as session:
        homes.free_rounds(session, [line])
        first_desk(session).phone_connected = False
    assert presses_0(engine, "two")[0] is Side.HERE and lives(engine, line) is None, "whoever serves chooses"
    with writing(engine) as session:
        first_desk(session).phone_connected = True
    assert presses_0(engine, "two")[0] is Side.COMES and lives(engine, line) == "two"


def paused(session: Session, line: int) -> None:
    rounds.pause(session, session.get_one(Round, line))


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


def another_waits(session: Session, line: int) -> None:
    place = make.a_registration(session, session.get_one(Round, line))
    assert on_the_line.stay(session, place.id, "channel", "one")


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
        leases.tell_trunk(session, name, answers=answers)


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
def test_given_a_line_that_is_not_idle_or_cannot_come_when_a_caller_presses_0_elsewhere_then_it_stays(
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
    assert on_the_line.stay(session, place.id, "channel", "two")


@pytest.mark.parametrize(
    "how",
    [
        *(desk_wants_the_next, sip_phone_of_another_round, sip_phone_not_there, owed_outcome),
        *(called_back_before, waits_on_the_callers_node),
    ],
)
@in_both
def test_given_what_does_not_tie_the_line_to_its_node_when_a_caller_presses_0_elsewhere_then_it_comes(
    engine: Engine, line: int, how: Callable[[Session, int], None]
) -> None:
    with writing(engine) as session:
        how(session, line)
    assert presses_0(engine, "two")[0] is Side.COMES
    assert lives(engine, line) == "two"


# --- what the other side does at the same moment ---


@in_both
def test_given_two_callers_on_two_nodes_when_they_press_0_at_the_same_moment_then_one_has_the_line(
    engine: Engine, line: int
) -> None:
    """On `three` and on `two`, of which neither has it."""
    both = threading.Barrier(2, timeout=20)

    def presses(node: str) -> tuple[Side, int, on_the_line.Outlook]:
        both.wait()
        return presses_0(engine, node)

    with ThreadPoolExecutor() as pool:
        told = dict(zip(("two", "three"), pool.map(presses, ("two", "three")), strict=True))
    (winner,) = (node for node, (side, *_) in told.items() if side is Side.COMES)
    (other,) = told.keys() - {winner}
    assert (told[other][0], lives(engine, line)) == (Side.ELSEWHERE, winner)
    with reading(engine) as session:
        assert len(session.scalars(select(Registration)).all()) == 2, "each has the one place"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_given_a_caller_on_the_lines_node_when_another_presses_0_in_that_moment_then_the_line_stays(
    engine: Engine, line: int
) -> None:
    """Whoever is second waits for the place of the first, and sees it."""
    number = make.a_number()
    with writing(engine) as session:
        session.add(CallerNow(channel="1.1", number=number, since=now(session), node="one"))
    waiting = threading.Event()

    @event.listens_for(engine, "before_cursor_execute")
    def _asks(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FOR NO KEY UPDATE" in statement and "rounds.node" in statement:
            waiting.set()

    with ThreadPoolExecutor() as pool:
        with writing(engine) as session:
            assert line_home.hold(session, "one") is Side.HERE
            other = pool.submit(presses_0, engine, "two")
            assert waiting.wait(20)
            registration.register(session, round_id=line, number=number, tell=False)
        assert other.result(20)[0] is Side.ELSEWHERE
    assert lives(engine, line) == "one"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_given_a_line_that_follows_when_two_callers_of_that_node_press_0_then_it_is_there_for_both(
    engine: Engine, line: int
) -> None:
    asked = threading.Semaphore(0)

    @event.listens_for(engine, "before_cursor_execute")
    def _asks(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FOR NO KEY UPDATE" in statement and "rounds.node" in statement:
            asked.release()

    with ThreadPoolExecutor() as pool:
        with writing(engine) as session:
            assert line_home.hold(session, "two") is Side.COMES
            assert asked.acquire(timeout=20)
            others = [pool.submit(presses_0, engine, "two") for _ in range(2)]
            for _ in others:
                assert asked.acquire(timeout=20)
            registration.register(session, round_id=line, number=make.a_number(), tell=False)
            line_home.follow(session, "two")
        assert [other.result(20)[0] for other in others] == [Side.HERE] * 2


# --- if the desk's phone does not come ---


@in_both
def test_given_a_desk_that_does_not_come_when_the_caller_leaves_then_the_line_is_free_and_the_desk_goes_back(
    engine: Engine, line: int
) -> None:
    _, place, _ = presses_0(engine, "two")
    waits(engine, place, "two")
    with writing(engine) as session:
        heartbeats.phone_connected(session, first_desk(session).id, None, "one")
        assert not line_home.is_left_empty(session, "two"), "somebody waits"
    with writing(engine) as session:
        on_the_line.leave(session, f"channel-{place}")
    with reading(engine) as session:
        assert line_home.is_left_empty(session, "two") and not line_home.is_left_empty(session, "one")
    with writing(engine) as session:
        line_home.free(session, "two")
    assert lives(engine, line) is None
    with reading(engine) as session:
        home = phones.node_of(session, first_desk(session))
        assert home is not None and home.name == "one", "where it could be"
    with reading(engine) as session:
        kept = session.get_one(Registration, place)
        assert kept.state == "waiting", "and who waited is called back"


def desk_has_come(session: Session, _line: int) -> None:
    heartbeats.phone_connected(session, first_desk(session).id, "PJSIP/desk-2", "two")


def speaks_there(session: Session, line: int) -> None:
    talks = make.a_callback(session, C.TALKING)
    talks.round_id, talks.placed_at = line, now(session)


def is_alone(session: Session, _line: int) -> None:
    silent(session, "one")
    silent(session, "three")


@pytest.mark.parametrize("how", [desk_has_come, speaks_there, another_waits, is_alone])
@in_both
def test_given_anybody_of_the_line_when_a_caller_leaves_then_it_stays(
    engine: Engine, line: int, how: Callable[[Session, int], None]
) -> None:
    presses_0(engine, "two")
    with writing(engine) as session:
        how(session, line)
        session.flush()
        assert not line_home.is_left_empty(session, "two")
    with writing(engine) as session:
        line_home.free(session, "two")
    assert lives(engine, line) == "two"


@in_both
def test_given_a_citizen_in_hand_by_hand_when_the_line_has_followed_then_they_are_called_from_there_once(
    engine: Engine, line: int, settings: Settings
) -> None:
    with writing(engine) as session:
        a_live_desk(session, takes=False, node="one", channel="PJSIP/desk-3")
        by_hand = session.scalars(select(Desk).order_by(Desk.id.desc())).first()
        assert by_hand
        taken = make.a_callback(session, C.CLAIMED)
        taken.round_id, taken.desk_id, taken.placed_at = line, by_hand.id, None
        token, desk_id = taken.token, by_hand.id
    assert presses_0(engine, "two")[0] is Side.COMES
    with writing(engine) as session:
        callback = callbacks.by_token(session, token)
        assert callback is not None
        callbacks.move(session, token, C.DIALING, called_at=now(session))
        astray = {desk for desk, _ in phones.astray(session, "one")}
        assert desk_id in astray, "its browser goes there, too"
        assert isinstance(callback, Callback)
    with writing(engine) as session:
        assert not homes.settle(session, line, "one", hold=True), "the old node calls nobody more"
        assert homes.settle(session, line, "two", hold=True)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("node", ["one", "two"])
def test_given_a_line_that_somebody_pauses_when_a_caller_presses_0_then_both_happen(
    engine: Engine, line: int, node: str
) -> None:
    """The caller waits for the line's row before they hold the log, for which who pauses it waits."""

    def pauses(session: Session) -> None:
        session.scalars(select(Round.id).where(Round.id == line).with_for_update(key_share=True)).one()

    beside(
        engine,
        holds=pauses,
        act=lambda session: presses_0_in(session, node),
        then=lambda session: rounds.pause(session, session.get_one(Round, line)),
    )
    with reading(engine) as session:
        assert len(session.scalars(select(Registration)).all()) == 1
        assert session.get_one(Round, line).paused_at
