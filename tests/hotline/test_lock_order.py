"""Two that want the same rows at one moment: the second waits, and nobody is thrown out (PostgreSQL)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from db import events
from db.engine import hold_lock, now, reading, writing
from db.models import Callback, Desk, Hearing, Registration, Request, Round, UrgentMatter
from db.states import CallbackState
from dialer.callback_writer import CallbackWriter
from hotline import heartbeats
from hotline.callbacks import (
    assignment,
    claims,
    conversations,
    cut_conversations,
    direct_routing,
    serving,
    transitions,
    waiting_callers,
)
from hotline.citizens.erasure import delete_citizen
from hotline.desks import supervising
from hotline.nodes import round_affinity
from hotline.requests import closing, urgent
from hotline.rounds import phases
from ivr.conversation import Conversation
from settings import Settings
from tests.factories import (
    a_callback,
    a_desk,
    a_registration,
    a_request,
    a_round,
    a_user,
    some_registrations,
)
from tests.hotline.callbacks.test_call_again_now import served_and_cut_off
from tests.ivr.scripts.registering import OWN
from tests.kit.fake_asterisk import FakeAsterisk
from tests.kit.refusal import refusal

pytestmark = pytest.mark.parametrize("backend", ["postgresql"])

_WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


Deed = Callable[[Session], object]


def beside(engine: Engine, holds: Deed, act: Deed, then: Deed = events.hold_order) -> None:
    """`act` begins while another transaction `holds` something, which `then` goes on and commits.

    It goes on to the log: a deadlock, if `act` holds that and waits for a row.
    """

    def acts() -> None:
        with writing(engine) as session:
            act(session)

    with ThreadPoolExecutor(1) as threads:
        with writing(engine) as session:
            holds(session)
            done = threads.submit(acts)
            pause = threading.Event()
            while not done.done():
                with reading(engine) as other:
                    if other.scalar(_WAITING):
                        break
                pause.wait(0.01)
            then(session)
        done.result(20)


def hold(session: Session, kind: type[Round | Desk], id_: int) -> None:
    session.scalars(select(kind.id).where(kind.id == id_).with_for_update(key_share=True)).one()


def _hold_request(session: Session, id_: int) -> None:
    session.scalars(select(Request.id).where(Request.id == id_).with_for_update(of=Request)).one()


def test_phone_that_has_moved_to_another_node_is_not_gone(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        desk_id = a_desk(session).id
        heartbeats.record_phone(session, desk_id, "PJSIP/desk-1-of-two", "two")
    of_two = CallbackWriter(settings.model_copy(update={"node": "two"}), engine)
    beside(
        engine,
        lambda session: heartbeats.record_phone(session, desk_id, "PJSIP/desk-1-of-one", "one"),
        lambda _session: of_two.desk_phone(desk_id, None),
    )
    with reading(engine) as session:
        desk = session.get_one(Desk, desk_id)
        assert (desk.node, desk.phone_connected, desk.channel) == ("one", True, "PJSIP/desk-1-of-one")


def test_merge_waits_for_who_accepts_several(engine: Engine) -> None:
    with writing(engine) as session:
        first, second = a_request(session).id, a_request(session).id

    def merges(session: Session) -> None:
        closing.merge(session, second, first, who="u")

    def goes_on(session: Session) -> None:
        _hold_request(session, second)
        events.hold_order(session)

    beside(engine, lambda session: _hold_request(session, first), merges, goes_on)
    with reading(engine) as session:
        assert session.get_one(Request, second).duplicate_of_id == first


def test_first_call_ahead_waits_for_a_claim(engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session, opened=False)
        some_registrations(session, round_, 1)
        id_ = round_.id

    def calls(session: Session) -> None:
        assert round_affinity.settle(session, id_, "main")
        assert claims.call_ahead(session, session.get_one(Round, id_))

    def claims_it(session: Session) -> None:
        hold(session, Round, id_)
        events.hold_order(session)

    beside(engine, lambda session: events.hold_line(session, id_), calls, claims_it)
    with reading(engine) as session:
        assert session.get_one(Round, id_).node == "main"


def test_second_place_waits_for_a_deletion(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        first, second = a_round(session), a_round(session)
        place = a_registration(session, first, number=OWN)
        ids = first.id, second.id, place.id
    call = SimpleNamespace(language="fa", channel_id="c-1")
    talk = Conversation(call=call, engine=engine, settings=settings, number=OWN, context=None)  # type: ignore[arg-type]
    talk.add(ids[2], subject=3)

    def deletes(session: Session) -> None:
        session.get_one(Registration, ids[2], with_for_update=True)
        events.hold_order(session)

    def registers(session: Session) -> None:
        talk.place(session, ids[1])

    beside(engine, lambda session: hold_lock(session, OWN), registers, deletes)
    with reading(engine) as session:
        assert session.get_one(Registration, ids[2]).subject == 3


def test_round_end_beside_a_next_does_both(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        round_, desk = a_round(session), a_desk(session)
        user = a_user(session, desk)
        some_registrations(session, round_, 1)
        serving.serve(session, desk, round_.id, settings)
        live = claims.claim(session, round_id=round_.id, desk_id=desk.id, user_id=user.id)
        assert live is not None
        live.state, live.talking_at, round_.paused_at = CallbackState.TALKING, now(session), now(session)
        desk_id, round_id, live_id = desk.id, round_.id, live.id

    def asks(session: Session) -> None:
        serving.ask_next(session, session.get_one(Desk, desk_id), live_id, settings, confirmed=True)

    beside(engine, lambda session: hold(session, Round, round_id), asks)
    with reading(engine) as session:
        assert session.get_one(Callback, live_id).state is CallbackState.PARTING
        assert session.get_one(Round, round_id).paused_at is None


def test_round_opening_beside_a_first_call_does_both(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, opened=False)
        some_registrations(session, round_, 1)
        id_ = round_.id

    def calls(session: Session) -> None:
        assert claims.call_ahead(session, session.get_one(Round, id_))

    beside(engine, lambda session: hold(session, Round, id_), calls)
    with reading(engine) as session:
        assert session.get_one(Round, id_).opened_at is not None


def test_end_beside_a_supervision_change_stops_both(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        talking = a_callback(session, CallbackState.TALKING)
        assert talking.desk_id is not None
        desks = [a_desk(session) for _ in range(2)]
        for desk in desks:
            supervising.hear(session, desk, talking.desk_id, Hearing.LISTEN, who="somebody")
        transitions.move(session, talking.token, CallbackState.ENDED, ended_at=now(session))
        last = desks[-1].id
    beside(engine, lambda session: hold(session, Desk, last), supervising.end_over)
    with reading(engine) as session:
        assert supervising.list_hearing(session) == []


def test_desk_claiming_by_hand_is_passed_over(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 2)
        called_ahead = claims.call_ahead(session, round_)
        assert called_ahead is not None
        transitions.move(session, called_ahead.token, CallbackState.WAITING)
        desk = a_desk(session)
        user = a_user(session, desk)
        serving.serve(session, desk, round_.id, settings)
        desk.next_asked_at = now(session)
        claim = {"round_id": round_.id, "desk_id": desk.id, "user_id": user.id}

    def next_one(session: Session) -> None:
        assert claims.claim(session, **claim) is not None

    # the log is held, as after the first two that meet; a claim that waits for it must not be waited for
    beside(engine, events.hold_order, next_one, then=assignment.match)
    with reading(engine) as session:
        assert session.get_one(Callback, called_ahead.id).desk_id is None


def test_locked_desk_is_passed_over_for_the_next(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        (place,) = some_registrations(session, phases.get_operators_line(session), 1)
        assert waiting_callers.record_waiting(session, place.id, "channel")
        held, free = (a_desk(session) for _ in range(2))
        for desk in (held, free):
            a_user(session, desk)
            desk.takes_live = True

    def gives(session: Session) -> None:
        desk = direct_routing.give(session, may_dial=True)
        assert desk and desk.id == free.id

    beside(engine, lambda session: hold(session, Desk, held.id), gives)


def test_hang_up_beside_an_assignment_does_both(engine: Engine) -> None:
    with writing(engine) as session:
        (place,) = some_registrations(session, phases.get_operators_line(session), 1)
        assert waiting_callers.record_waiting(session, place.id, "channel")
        desk = a_desk(session)
        a_user(session, desk)
        desk.takes_live = True
    beside(
        engine,
        lambda session: direct_routing.give(session, may_dial=True),
        lambda session: waiting_callers.leave(session, "channel"),
    )
    with reading(engine) as session:
        assert transitions.find_by_registration(session, place.id)
        assert waiting_callers.find(session, place.id) is None


def test_resume_beside_a_lost_phone_does_both(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        waits = a_callback(session, CallbackState.HELD)
        waits.on_hold_at = waits.held_until = now(session)
        desk, id_ = waits.desk_id or 0, waits.id

    def goes(session: Session) -> None:
        conversations.adjust_holds(session, desk, there=False, settings=settings)
        heartbeats.record_phone(session, desk, None)

    def resumes(session: Session) -> None:
        conversations.resume(session, session.get_one(Callback, id_), settings)

    beside(engine, lambda session: hold(session, Desk, desk), goes, resumes)
    with reading(engine) as session:
        assert session.get_one(Callback, id_).on_hold_at is None


def test_deletion_beside_a_claim_takes_the_next(engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        first, second = some_registrations(session, round_, 2)
        desk = a_desk(session)
        user = a_user(session, desk)

    def take(session: Session) -> None:
        taken.append(claims.claim(session, round_id=round_.id, desk_id=desk.id, user_id=user.id))

    taken: list[Callback | None] = []
    beside(engine, lambda session: delete_citizen(session, first.number, who="x", give_up=True), take)
    assert taken and taken[0] and taken[0].registration_id == second.id


def test_deletion_of_a_claimed_citizen_waits_and_is_refused(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        first, _ = some_registrations(session, round_, 2)
        desk = a_desk(session)
        user = a_user(session, desk)

    def delete(session: Session) -> None:
        assert refusal(delete_citizen, session, first.number, who="x", give_up=True) == "in-call"

    claim = {"round_id": round_.id, "desk_id": desk.id, "user_id": user.id}
    beside(engine, lambda session: claims.claim(session, **claim), delete)


def test_danger_said_again_beside_a_take_does_both(engine: Engine, asterisk: FakeAsterisk) -> None:
    with writing(engine) as session:
        desk = a_desk(session)
        desk.takes_live = True
        a_callback(session, CallbackState.TALKING, a_user(session, desk))
        matter_id = urgent.record_from_caller(session, OWN).id

    def holds(session: Session) -> None:
        this = select(UrgentMatter.id).where(UrgentMatter.id == matter_id)
        session.scalars(this.with_for_update()).one()

    heard: list[str] = []

    def says_so_again(_session: Session) -> None:
        heard.extend(asterisk.dial(("main-menu", "3"), ("report-danger", "0")).prompts)

    beside(engine, holds, says_so_again, then=lambda session: urgent.take(session, matter_id, who="sara"))
    assert "urgent-first" in heard
    with reading(engine) as session:
        assert [matter.number for matter in urgent.list_open(session)] == [OWN]
        assert urgent.get(session, matter_id).taken_by == "sara"


def test_call_again_waits_for_no_cap(engine: Engine, settings: Settings) -> None:
    """A held lock on the caps delays nobody: `toll.check_room` counts, and locks nothing."""
    with writing(engine) as session:
        desk, cut = served_and_cut_off(session, settings)
        desk_id, cut_id, round_id = desk.id, cut.id, cut.round_id

    def calls_again(session: Session) -> None:
        callback, at = session.get_one(Callback, cut_id), session.get_one(Desk, desk_id)
        assert cut_conversations.call_again_now(session, callback, at, settings).id != cut_id

    def takes_line(session: Session) -> None:
        events.hold_line(session, round_id)
        events.hold_order(session)

    beside(engine, lambda session: hold_lock(session, "toll"), calls_again, takes_line)
