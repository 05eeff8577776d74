"""Keys of programs: an administrator issues and revokes them."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.access import MayAdminister, MayInspect, Reading, Writing
from api.people import key_schemas as wire
from db import models
from hotline.people import api_keys

router = APIRouter(prefix="/keys", tags=["keys"])

Prefix = Annotated[str, Path(pattern="^[0-9a-z]{1,8}$")]


@router.get("")
def list_keys(_user: MayInspect, session: Reading) -> list[wire.Key]:
    """All keys, newest first, revoked ones last."""
    return [_view(key) for key in api_keys.list_all(session)]


@router.post("", status_code=201)
def issue(body: wire.KeyIn, user: MayAdminister, session: Writing) -> wire.IssuedKey:
    """Issue a key; the answer shows it this once."""
    key, secret = api_keys.issue(
        session, name=body.name, may=body.scopes, per_minute=body.per_minute, who=user.username
    )
    return wire.IssuedKey(key=_view(key), secret=secret)


@router.delete("/{prefix}")
def revoke(prefix: Prefix, user: MayAdminister, session: Writing) -> wire.Key:
    """Revoke a key; it is refused from this moment on."""
    return _view(api_keys.revoke(session, prefix, who=user.username))


def _view(key: models.ApiKey) -> wire.Key:
    return wire.Key(
        prefix=key.prefix,
        name=key.name,
        scopes=api_keys.list_scopes(key),
        per_minute=key.per_minute,
        made_at=key.made_at,
        made_by=key.made_by,
        revoked_at=key.revoked_at,
        last_used_at=key.used_minute,
    )
