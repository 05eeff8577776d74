"""What the office releases of a request to everybody."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.access import Reading, SignedIn, Writing, requires
from api.ids import PathId
from api.requests import request_schemas as wire
from api.requests.requests import seen_by
from db.models import User
from hotline.requests import releases, requests

router = APIRouter(prefix="/requests", tags=["requests"])

MayRelease = Annotated[User, Depends(requires(*releases.MODERATORS))]


@router.get("/{request_id}/release")
def show_release(request_id: PathId, user: SignedIn, session: Reading) -> wire.Release | None:
    """What is public of it; null: nothing."""
    seen_by(session, user, requests.get(session, request_id))
    found = releases.find(session, request_id)
    if found is None:
        return None
    row, pictures = found
    return wire.Release(
        text=row.text, pictures=list(pictures), with_point=row.with_point, who=row.who, at=row.at
    )


@router.post("/{request_id}/release", status_code=204)
def release(request_id: PathId, body: wire.ReleaseIn, user: MayRelease, session: Writing) -> None:
    """Release it in these words, with these pictures; once more: in others. The rest is not public."""
    seen_by(session, user, requests.get(session, request_id))
    releases.release(
        session,
        request_id,
        text=body.text,
        shown=body.pictures,
        with_point=body.with_point,
        who=user.username,
    )


@router.delete("/{request_id}/release", status_code=204)
def withdraw(request_id: PathId, user: MayRelease, session: Writing) -> None:
    """It is public no more."""
    seen_by(session, user, requests.get(session, request_id))
    releases.withdraw(session, request_id, who=user.username)
