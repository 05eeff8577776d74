"""Planning rounds, starting and ending them."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api import reason_schemas, schemas, views
from api.access import MayChange, MayConduct, MayPlan, Writing
from api.ids import PathId
from api.rounds import round_schemas
from db import models
from hotline.rounds import officials, phases, planning, round_permissions

router = APIRouter(prefix="/rounds", tags=["rounds"])

_MAY_BE_NONE = ("capacity", "substitute_id")


@router.post("", status_code=201)
def make(body: round_schemas.RoundIn, user: MayPlan, session: Writing) -> schemas.Round:
    """Make a round. A refusal says what is wrong."""
    values = _columns(session, body.model_dump())
    official = officials.get(session, values.pop("official_id"))
    made = planning.make(session, official=official, who=user.username, **values)
    return views.find_round(session, made)


@router.patch("/{round_id}")
def change(
    round_id: PathId, body: round_schemas.RoundChange, user: MayPlan, session: Writing
) -> schemas.Round:
    """Change a round, or the future part of a live one; the reason is public."""
    round_ = phases.get(session, round_id)
    given = body.model_dump(exclude_unset=True)
    values = {name: value for name, value in given.items() if value is not None or name in _MAY_BE_NONE}
    if "languages" in values:
        values["languages"] = ",".join(values["languages"])
    planning.change(session, round_, who=user.username, **_columns(session, values))
    return views.find_round(session, round_)


@router.post("/{round_id}/cancel")
def cancel(round_id: PathId, body: reason_schemas.Reason, user: MayPlan, session: Writing) -> schemas.Round:
    """Cancel the round; the reason is public, and its registrants move to the next one."""
    return _do(planning.cancel, round_id, body, user, session)


@router.post("/{round_id}/open")
def begin(round_id: PathId, body: reason_schemas.Reason, user: MayConduct, session: Writing) -> schemas.Round:
    """Start the callbacks; the first claim after the planned start does the same."""
    return _do(planning.open_now, round_id, body, user, session)


@router.post("/{round_id}/end")
def end(round_id: PathId, body: reason_schemas.Reason, user: MayChange, session: Writing) -> schemas.Round:
    """End the round; a conversation in progress goes on.

    Its official and desks that serve it may do so, too.
    """
    round_ = phases.get(session, round_id)
    round_permissions.end(session, round_, user, body.reason)
    return views.find_round(session, round_)


def _do(
    deed: Callable[..., None],
    round_id: int,
    body: reason_schemas.Reason,
    user: models.User,
    session: Session,
) -> schemas.Round:
    round_ = phases.get(session, round_id)
    deed(session, round_, who=user.username, reason=body.reason)
    return views.find_round(session, round_)


def _columns(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with officials in place of their ids."""
    if "deputy_ids" in values:
        values["deputies"] = [officials.get(session, id_) for id_ in dict.fromkeys(values.pop("deputy_ids"))]
    if "substitute_id" in values:
        id_ = values.pop("substitute_id")
        values["substitute"] = officials.get(session, id_) if id_ else None
    return values
