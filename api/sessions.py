"""Signing in and out, and who am I."""

from threading import BoundedSemaphore

from fastapi import APIRouter, Request, Response

from api import schemas, views
from api.access import COOKIE, Database, Reading, SignedIn, Writing
from db.engine import reading, writing
from hotline import users
from hotline.errors import Refused

router = APIRouter(tags=["session"])

HASHES_AT_ONCE = 2
"""A flood of sign-ins must leave processor time for everything else."""
_QUEUE_S = 5


@router.post("/session")
def sign_in(body: schemas.SignIn, request: Request, response: Response, engine: Database) -> schemas.Me:
    """Sign in; the answer sets the cookie."""
    with reading(engine) as session:
        known = users.known_hash(session, body.username)
    hashing: BoundedSemaphore = request.app.state.hashing
    if not hashing.acquire(timeout=_QUEUE_S):
        raise Refused("too-many-attempts", "too many people sign in at this moment")
    try:
        right = users.is_right(known, body.password)
    finally:
        hashing.release()
    with writing(engine) as session:  # its own transaction: a failure must be counted
        user = users.verify(session, body.username, right=right)
    if user is None:
        raise Refused("wrong-credentials", "no such name, or the password is wrong")
    with writing(engine) as session:
        cookie = users.sign_in(session, user)
        me = views.me_view(session, user)
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(users.SESSION_LENGTH.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return me


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, session: Writing) -> None:
    """Sign out; without a session nothing happens."""
    users.sign_out(session, request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE)


@router.get("/me")
def me(user: SignedIn, session: Reading) -> schemas.Me:
    """The signed-in person."""
    return views.me_view(session, user)
