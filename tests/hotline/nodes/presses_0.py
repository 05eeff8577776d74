"""Callers who press 0 on one of three nodes, and where the operators' line is then."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import Desk, Round
from hotline.callbacks import operators_line_node, waiting_callers
from hotline.callbacks.operators_line_node import Side
from hotline.line import registration
from hotline.nodes import round_affinity
from hotline.rounds import phases
from tests import factories as make


def presses_0_in(session: Session, node: str) -> tuple[Side, int, waiting_callers.Outlook]:
    """Press 0 as the script does. Return where the line is, the place, and the outlook."""
    side = operators_line_node.hold(session, node)
    place = registration.register(
        session,
        round_id=phases.get_operators_line(session).id,
        number=make.a_number(),
        tell=False,
    ).registration_id
    outlook = waiting_callers.forecast_for(session, place)
    if side is Side.COMES:
        operators_line_node.follow(session, node)
    return side, place, outlook


def presses_0(engine: Engine, node: str) -> tuple[Side, int, waiting_callers.Outlook]:
    """In one transaction."""
    with writing(engine) as session:
        return presses_0_in(session, node)


def lives(engine: Engine, line: int) -> str | None:
    with reading(engine) as session:
        return round_affinity.find_node_of_round(session, line)


def first_desk(session: Session) -> Desk:
    return session.scalars(select(Desk).order_by(Desk.id).limit(1)).one()


def waits(engine: Engine, place: int, node: str) -> None:
    with writing(engine) as session:
        assert waiting_callers.record_waiting(session, place, f"channel-{place}", node)


def another_waits(session: Session, line: int) -> None:
    place = make.a_registration(session, session.get_one(Round, line))
    assert waiting_callers.record_waiting(session, place.id, "channel", "one")
