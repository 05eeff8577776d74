"""Callers who wait for an operator on the line, and desks that take them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, Round
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import direct_routing, waiting_callers
from hotline.line import registration
from hotline.rounds import phases, round_permissions
from tests import factories as make

C, R, O = CallbackState, RegistrationState, Outcome  # noqa: E741


def operators_line(session: Session) -> Round:
    return phases.get_operators_line(session)


def joins(session: Session, count: int = 1) -> list[int]:
    """Let callers join the operators' line."""
    return [
        registration.register(
            session, round_id=operators_line(session).id, number=make.a_number(), tell=False
        ).registration_id
        for _ in range(count)
    ]


def stays(session: Session, *ids: int) -> None:
    for id_ in ids:
        assert waiting_callers.record_waiting(session, id_, f"channel-{id_}")


def a_live_desk(session: Session, takes: bool | None = True, **values: Any) -> Desk:
    desk = make.a_desk(session)
    make.a_user(session, desk)
    for name, value in {"takes_live": takes, **values}.items():
        setattr(desk, name, value)
    session.flush()
    return desk


def given(engine: Engine, *, may_dial: bool = True) -> list[tuple[int, int | None, bool]]:
    """Return the assignments of the free desks: the place, the desk, and whether they are on the line."""
    while True:
        with writing(engine) as session:
            if not direct_routing.give(session, may_dial=may_dial):
                break
    with reading(engine) as session:
        live = session.scalars(select(Callback).where(Callback.state != C.CLOSED).order_by(Callback.id))
        return [(c.registration_id, c.desk_id, waiting_callers.is_on_the_line(session, c)) for c in live]


def person_at(session: Session, desk: Desk) -> Any:
    user = round_permissions.find_at_desk(session, desk.id)
    assert user
    return user


def talked(session: Session, minutes: float, desk: Desk) -> None:
    """A conversation of the operators' line that lasted so long."""
    at = now(session)
    registration = make.a_registration(session, operators_line(session), state=R.REACHED)
    began = at - timedelta(hours=1)
    session.add(
        Callback(
            registration=registration,
            round_id=registration.round_id,
            desk_id=desk.id,
            token=f"callback-{registration.id}",
            state=C.CLOSED,
            outcome=O.REACHED,
            claimed_at=began,
            placed_at=began,
            talking_at=began,
            ended_at=began + timedelta(minutes=minutes),
        )
    )
    session.flush()
