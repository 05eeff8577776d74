"""A node is gone: nobody pays for it, those whose calls were cut are first, and its rounds are another's."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import (
    Callback,
    CallerNow,
    Desk,
    LeftOutcome,
    OutboundCall,
    OutboundKind,
    PlacedCall,
    Registration,
    Round,
)
from db.states import CallbackState as C
from db.states import Outcome, RegistrationState
from hotline.callbacks import claims, lost_nodes, waiting_callers
from hotline.nodes import leases, round_affinity
from hotline.outbound import overflow, queue
from hotline.rounds import phases
from hotline.trunk import call_caps
from settings import Settings
from tests import factories as make
from tests.hotline.nodes.conftest import silent
from tests.kit.databases import in_both

Make = Callable[..., list[leases.Lease]]


class Gone:
    """Two nodes; a round on the first, with callbacks in each of these states."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings
        with writing(engine) as session:
            round_ = make.a_round(session)
            round_.node, self.round = "one", round_.id

    def callback(self, state: C, **values: object) -> str:
        """It was placed on the first node, for the round."""
        with writing(self.engine) as session:
            callback = make.a_callback(session, state)
            callback.round_id = callback.registration.round_id = self.round
            callback.node, callback.placed_at = "one", now(session)
            for name, value in values.items():
                setattr(callback, name, value)
            number = callback.registration.number
            session.add(PlacedCall(token=callback.token, number=number, at=now(session), node="one"))
            return callback.token

    def is_found(self) -> bool:
        with reading(self.engine) as session:
            return "one" in lost_nodes.list_dead(session)

    def goes(self) -> None:
        """Its lease is over, and the second takes its work over, step by step."""
        with writing(self.engine) as session:
            silent(session, "one")
        assert self.is_found()
        with writing(self.engine) as session:
            assert lost_nodes.declare_dead(session, "one", "two")
        with writing(self.engine) as session:
            assert lost_nodes.free_rounds(session, "one") == 0, (
                "not while anybody has not gone back to the line"
            )
            tokens = lost_nodes.list_cut(session, "one")
        for token in [*tokens, *tokens]:  # whoever goes on with it may do so again
            with writing(self.engine) as session:
                lost_nodes.close(session, token, self.settings)
        with writing(self.engine) as session:
            assert lost_nodes.free_rounds(session, "one") == 1
        assert not self.is_found()

    def of(self, token: str) -> tuple[Callback, Registration]:
        with reading(self.engine) as session:
            callback = session.scalars(select(Callback).where(Callback.token == token)).one()
            return callback, session.get_one(Registration, callback.registration_id)


@pytest.fixture
def gone(engine: Engine, settings: Settings, nodes: Make) -> Gone:
    nodes("one", "two")
    return Gone(engine, settings)


@in_both
def test_calls_of_a_lost_node_end_for_free_and_are_due(
    gone: Gone,
) -> None:
    returned = [gone.callback(state, desk_id=None) for state in (C.DIALING, C.RINGING, C.ANSWERED, C.WAITING)]
    again = [gone.callback(C.TALKING), gone.callback(C.HELD)]
    said = gone.callback(C.PARTING, said=Outcome.REACHED)
    gone.goes()
    due = dict.fromkeys(returned, Outcome.RETURNED) | dict.fromkeys(again, Outcome.CALL_AGAIN)
    for token, outcome in due.items():
        callback, place = gone.of(token)
        assert (callback.state, callback.outcome) == (C.CLOSED, outcome)
        assert place.state is RegistrationState.WAITING and place.attempts == 0
        with reading(gone.engine) as session:
            assert place.not_before is None or place.not_before <= now(session)
            assert session.get_one(PlacedCall, token).ended_at
    callback, place = gone.of(said)
    assert callback.outcome is Outcome.REACHED and place.state is RegistrationState.REACHED


@in_both
def test_cut_citizen_is_first_at_the_next_node(
    gone: Gone,
) -> None:
    token = gone.callback(C.TALKING)
    with writing(gone.engine) as session:
        later = make.some_registrations(session, session.get_one(Round, gone.round), 3)
        assert later
    gone.goes()
    with writing(gone.engine) as session:
        assert round_affinity.find_node_of_round(session, gone.round) is None
        assert round_affinity.settle(session, gone.round, "two")
        callback = claims.call_ahead(session, session.get_one(Round, gone.round))
        assert callback is not None and callback.registration_id == gone.of(token)[0].registration_id


@in_both
def test_presence_on_a_lost_node_is_forgotten(
    gone: Gone,
) -> None:
    gone.callback(C.RINGING, desk_id=None)
    with writing(gone.engine) as session:
        desk, other = make.a_desk(session), make.a_desk(session)
        desk.node, desk.channel, other.node = "one", "PJSIP/desk", "two"
        place = make.a_registration(session, phases.get_operators_line(session))
        waiting_callers.record_waiting(session, place.id, "1.1", "one")
        at = now(session)
        session.add(CallerNow(channel="1.1", number="", since=at, node="one"))
        session.add(CallerNow(channel="1.2", number="", since=at, node="two"))
        session.add(PlacedCall(token="confirm-1", number="+98", at=at, node="one"))
        session.add(PlacedCall(token="left-1", number="+98", at=at, ended_at=at, node="one"))
        desk_id, other_id, place_id = desk.id, other.id, place.id
    gone.goes()
    with reading(gone.engine) as session:
        left = session.get_one(Desk, desk_id)
        assert (left.phone_connected, left.channel) == (False, None)
        assert session.get_one(Desk, other_id).phone_connected
        assert waiting_callers.find(session, place_id) is None
        assert list(session.scalars(select(CallerNow.channel))) == ["1.2"]
        call = session.get_one(PlacedCall, "confirm-1")
        assert (call.node, call.ended_at) == ("two", None), "who took over ends it by its own rules"
        assert not call_caps.list_calls_of_other_nodes(session, ["left-1"], "two"), (
            "its own row may not say yet that it is over"
        )


@in_both
@pytest.mark.parametrize(
    ("outcome", "again"),
    [(None, True), (LeftOutcome.UNREACHED, True), (LeftOutcome.REACHED, False), (LeftOutcome.REFUSED, False)],
)
def test_overflow_call_of_a_lost_node_is_repeated_if_unadmitted(
    gone: Gone, engine: Engine, outcome: LeftOutcome | None, again: bool
) -> None:
    with writing(engine) as session:
        at = now(session)
        session.add(OutboundCall(kind=OutboundKind.OVERFLOW, number=make.a_number(), asked_at=at, due_at=at))
        session.flush()
        (due,) = queue.list_due(session, overflow.CALLS, 1)
        row = queue.claim(session, overflow.CALLS, due)
        assert row and row.token and row.number
        token = row.token
        session.add(PlacedCall(token=token, number=row.number, at=at, node="one"))
        if outcome:
            queue.answer(session, token, None if outcome is LeftOutcome.UNREACHED else outcome)
        silent(session, "one")
    with writing(engine) as session:
        assert lost_nodes.declare_dead(session, "one", "two")

    with writing(engine) as session:
        row = session.scalars(select(OutboundCall)).one()
        assert ((row.token, row.attempts, row.answer) == (None, 0, None)) is again
        assert again == (row.due_at > at)
        queue.finish(session, token)  # by the reconciler of the node that lives
        assert (row.ended_at is None) is again


def test_restarting_node_is_left_alone(
    gone: Gone,
) -> None:
    token = gone.callback(C.TALKING)
    assert not gone.is_found()
    with writing(gone.engine) as session:
        assert not lost_nodes.declare_dead(session, "one", "two")
    assert gone.of(token)[0].state is C.TALKING
