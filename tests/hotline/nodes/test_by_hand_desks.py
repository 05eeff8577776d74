"""A desk that takes citizens by hand, and serves no round: its phone and its citizen are on one node."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, Node, Round
from db.states import CallbackState as C
from db.states import Outcome
from hotline.callbacks import claims, closing, placing, transitions, unreached_desks
from hotline.nodes import administration as commands
from hotline.nodes import leases, phones, round_affinity
from settings import Settings
from tests import factories as make
from tests.kit.databases import in_both
from tests.kit.refusal import refusal

Make = Callable[..., list[leases.Lease]]


class ByHand:
    """A desk with its phone on node one, and a round with two citizens; `two` has more room."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self._settings = engine, settings
        with writing(engine) as session:
            session.execute(update(Node).where(Node.name == "two").values(capacity=900))
            desk = make.a_desk(session)
            desk.node, desk.channel = "one", "PJSIP/desk-1"
            self.user, self.desk = make.a_user(session, desk).id, desk.id
            round_ = make.a_round(session)
            make.some_registrations(session, round_, 2)
            self.round = round_.id

    def claims(self) -> str:
        with writing(self.engine) as session:
            taken = claims.claim(session, round_id=self.round, desk_id=self.desk, user_id=self.user)
            assert taken is not None
            return taken.token

    def asks_call(self, token: str) -> str | None:
        """Why not; None: it is asked for."""
        with writing(self.engine) as session:
            callback = transitions.find_by_token(session, token)
            assert callback is not None
            if session.get_one(Desk, self.desk).phone != "browser":
                return refusal(transitions.ask_call, session, callback, self._settings)
            transitions.ask_call(session, callback, self._settings)
            return None

    def settle(self) -> str | None:
        """Let each dialer handle the pending call. Return the node of the round then."""
        for node in ("two", "one"):
            with writing(self.engine) as session:
                round_affinity.settle(session, self.round, node)
        with reading(self.engine) as session:
            return round_affinity.find_node_of_round(session, self.round)

    def lives(self, node: str | None) -> None:
        with writing(self.engine) as session:
            session.get_one(Round, self.round).node = node

    def phone(self, **values: object) -> None:
        with writing(self.engine) as session:
            session.execute(update(Desk).where(Desk.id == self.desk).values(**values))

    def astray(self) -> bool:
        """Whether its browser is told to sign in elsewhere."""
        with reading(self.engine) as session:
            return any(phones.list_astray(session, node) for node in ("one", "two"))

    def belongs_to(self) -> str | None:
        with reading(self.engine) as session:
            node = phones.find_node(session, session.get_one(Desk, self.desk))
            return node.name if node else None

    def to_place(self, node: str) -> list[str]:
        with reading(self.engine) as session:
            return list(placing.list_to_place(session, node))

    def taken_up(self, token: str, node: str) -> bool:
        with writing(self.engine) as session:
            return placing.take_up(session, token, node) is not None

    def change(self, token: str, **values: object) -> None:
        with writing(self.engine) as session:
            session.execute(update(Callback).where(Callback.token == token).values(**values))


@pytest.fixture
def by_hand(engine: Engine, session: Session, settings: Settings, nodes: Make) -> ByHand:
    session.commit()
    nodes("one", "two")
    return ByHand(engine, settings)


@in_both
def test_first_manual_call_puts_the_round_where_the_phone_is(
    by_hand: ByHand,
) -> None:
    token = by_hand.claims()
    assert by_hand.asks_call(token) is None
    assert by_hand.settle() == "one", "although the other has more room"
    assert by_hand.to_place("one") == [token] and by_hand.taken_up(token, "one")
    assert not by_hand.astray()


@in_both
def test_manual_call_waits_for_the_phone_at_the_rounds_node(
    by_hand: ByHand,
) -> None:
    by_hand.lives("two")
    assert not by_hand.astray()
    token = by_hand.claims()
    assert by_hand.astray() and by_hand.belongs_to() == "two"
    assert by_hand.asks_call(token) is None
    assert by_hand.astray(), "also if it was faster"
    for away in ({"node": "one"}, {"phone_connected": False, "channel": None}):
        by_hand.phone(**away)
        assert by_hand.to_place("two") == by_hand.to_place("one") == []
        assert not by_hand.taken_up(token, "two"), "nobody is called who would find nobody"
    by_hand.phone(phone_connected=True, channel="PJSIP/desk-2", node="two")
    assert by_hand.to_place("two") == [token] and by_hand.taken_up(token, "two")
    assert not by_hand.astray()


@in_both
def test_manual_call_without_the_phone_is_given_up(by_hand: ByHand, settings: Settings) -> None:
    by_hand.lives("two")
    token = by_hand.claims()
    by_hand.asks_call(token)
    with reading(by_hand.engine) as session:
        late = now(session) - placing.STALE - timedelta(seconds=1)
    by_hand.change(token, called_at=late)
    assert by_hand.to_place("two") == [token], "which the dialer takes back instead of placing it"
    other = ByHand(by_hand.engine, settings)
    other.lives("two")
    taken_back = other.claims()
    other.asks_call(taken_back)
    other.change(taken_back, hangup_asked_at=late)
    assert taken_back in by_hand.to_place("two"), "nor does one wait that the desk took back"


@in_both
@pytest.mark.parametrize("number", [None, "+982133334444"])
def test_manual_call_by_a_telephone_elsewhere_is_refused(by_hand: ByHand, number: str | None) -> None:
    by_hand.lives("two")
    by_hand.phone(phone="sip", number=number)
    token = by_hand.claims()
    assert by_hand.asks_call(token) == "desk-phone-elsewhere"
    assert by_hand.belongs_to() == "two", "where it is to sign in, or is called from"


@in_both
def test_drained_node_moves_round_and_phone(by_hand: ByHand, settings: Settings) -> None:
    first = by_hand.claims()
    by_hand.asks_call(first)
    assert by_hand.settle() == "one" and by_hand.taken_up(first, "one")
    with writing(by_hand.engine) as session:
        commands.drain(session, "one", who="somebody")
        assert round_affinity.move_idle(session) == 0
        closing.close(session, first, Outcome.REACHED, settings)
    with writing(by_hand.engine) as session:
        assert round_affinity.move_idle(session) == 1
    assert not by_hand.astray(), "nobody has it yet"
    second = by_hand.claims()
    by_hand.asks_call(second)
    assert by_hand.settle() == "two"
    assert by_hand.astray() and by_hand.belongs_to() == "two"
    assert not by_hand.taken_up(second, "two")
    by_hand.phone(node="two")
    assert by_hand.taken_up(second, "two")
    with writing(by_hand.engine) as session:
        closing.close(session, second, Outcome.REACHED, settings)
    by_hand.phone(node="one")
    assert by_hand.belongs_to() == "two", "also between two citizens: where its last one was"


@in_both
def test_citizen_separated_from_the_desk_phone_is_released(by_hand: ByHand, settings: Settings) -> None:
    by_hand.lives("one")
    token = by_hand.claims()
    by_hand.asks_call(token)
    assert by_hand.taken_up(token, "one")
    with reading(by_hand.engine) as session:
        at = now(session)
    by_hand.change(token, state=C.WAITING, confirmed_at=at)
    assert not by_hand.astray(), "nobody is cut off"
    by_hand.phone(node="two")
    assert by_hand.astray() and by_hand.belongs_to() == "one"
    assert not found(by_hand, settings), "it may just be on the way"
    by_hand.change(token, confirmed_at=at - timedelta(seconds=settings.hold_seconds))
    assert found(by_hand, settings) == [token]
    by_hand.phone(node="one")
    assert not found(by_hand, settings)
    with writing(by_hand.engine) as session:
        assert not unreached_desks.request_end(session, token, settings), "it has just come"
    by_hand.phone(phone_connected=False)
    with writing(by_hand.engine) as session:
        assert unreached_desks.request_end(session, token, settings)
        assert not unreached_desks.request_end(session, token, settings)
        callback = transitions.find_by_token(session, token)
        assert callback is not None and callback.hangup_asked_at and callback.again_at, "as who is freed"


def found(by_hand: ByHand, settings: Settings) -> list[str]:
    with reading(by_hand.engine) as session:
        return list(unreached_desks.list_waiting_too_long(session, settings))


@in_both
def test_draining_node_calls_no_more_by_hand(by_hand: ByHand, settings: Settings) -> None:
    first = by_hand.claims()
    by_hand.asks_call(first)
    assert by_hand.settle() == "one" and by_hand.taken_up(first, "one")
    with writing(by_hand.engine) as session:
        commands.drain(session, "one", who="somebody")
        other = make.a_desk(session)
        other.node, other.channel = "one", "PJSIP/desk-2"
        user = make.a_user(session, other)
        claimed = claims.claim(session, round_id=by_hand.round, desk_id=other.id, user_id=user.id)
    assert claimed is not None
    second = claimed.token
    with writing(by_hand.engine) as session:
        callback = transitions.find_by_token(session, second)
        assert callback is not None
        assert refusal(transitions.ask_call, session, callback, settings) == "node-drains"
        assert round_affinity.move_idle(session) == 0, "somebody speaks yet"
        closing.close(session, first, Outcome.REACHED, settings)
    with writing(by_hand.engine) as session:
        assert round_affinity.move_idle(session) == 1, "or two desks by hand would hold it for ever"
    assert by_hand.asks_call(second) is None
    assert by_hand.settle() == "two"
