"""Numbers that may not register."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api import schemas
from api.access import InForce, MayMove, MayWatch, Reading, Writing
from api.line import blocked_schemas
from db import models
from hotline import numbers
from hotline.line import blocked

router = APIRouter(prefix="/blocked", tags=["blocked numbers"])

_ANY_PREFIX = ("+",)
"""A number can be unblocked even if the allowed prefixes have changed since."""


def _view(row: models.BlockedNumber) -> blocked_schemas.BlockedNumber:
    return blocked_schemas.BlockedNumber(
        number=numbers.format_national(row.number),
        reason=row.reason,
        note=row.note,
        who=row.who,
        blocked_at=row.blocked_at,
    )


@router.get("")
def list_blocked(
    _user: MayWatch, session: Reading, text: Annotated[schemas.Text, Query(max_length=100)] = ""
) -> list[blocked_schemas.BlockedNumber]:
    """Blocked numbers, newest first; `text` filters by digits or note."""
    return [_view(row) for row in blocked.search(session, text)]


@router.post("", status_code=201)
def block(
    body: blocked_schemas.BlockIn, user: MayMove, session: Writing, settings: InForce
) -> blocked_schemas.BlockedNow:
    """Block a number and cancel its places."""
    number = numbers.parse(body.number, settings.allowed_prefixes)
    was_blocked = blocked.is_blocked(session, number)
    given_up = blocked.block(session, number, body.reason, note=body.note.strip(), who=user.username)
    return blocked_schemas.BlockedNow(
        blocked=_view(session.get_one(models.BlockedNumber, number)),
        given_up=given_up,
        being_called=blocked.is_being_called(session, number),
        was_blocked=was_blocked,
    )


@router.get("/{number}/places")
def count_places(
    number: Annotated[schemas.Text, Path(max_length=40)], _user: MayMove, session: Reading, settings: InForce
) -> int:
    """How many places of the number blocking would cancel."""
    return blocked.count_places(session, numbers.parse(number, settings.allowed_prefixes))


@router.delete("/{number}", status_code=204)
def unblock(
    number: Annotated[schemas.Text, Path(max_length=40)], user: MayMove, session: Writing, settings: InForce
) -> None:
    """Unblock a number; nothing happens if it is not blocked."""
    blocked.unblock(session, numbers.parse(number, _ANY_PREFIX, settings.allowed_prefixes), who=user.username)
