"""Signing in and out, the second factor's step of it, and who am I."""

from threading import BoundedSemaphore

from fastapi import APIRouter, Request, Response

from api import browser, schemas, views
from api.access import Database, InForce, InSession, Reading, SignedIn, Writing, in_session
from api.account_schemas import Code, SignInStep, Step
from api.limits import Guesses
from db.engine import reading, writing
from db.models import SignIn
from hotline import second_factor, users
from hotline.errors import Refused
from settings import Settings

router = APIRouter(tags=["session"])

HASHES_AT_ONCE = 2
"""A flood of sign-ins must leave processor time for everything else."""
_QUEUE_S = 5


@router.get("/session")
def step(request: Request, engine: Database, settings: InForce) -> SignInStep:
    """What the sign-in page asks for."""
    try:
        return _step(in_session(request, engine, settings), settings)
    except Refused:
        return _step(None, settings)


@router.post("/session")
def sign_in(
    body: schemas.SignIn, request: Request, response: Response, engine: Database, settings: InForce
) -> schemas.Me | SignInStep:
    """Sign in; the answer sets the cookie. It is the person, or what is still to be shown."""
    with reading(engine) as session:
        known = users.known_hash(session, body.username)
        person = users.named(session, body.username)
    mark = browser.mark_of(request, person.id, settings) if person else None
    guesses: Guesses = request.app.state.passwords
    who = mark or browser.address(request)
    guesses.check(who)
    right = is_right(request, known, body.password)
    with writing(engine) as session:  # its own transaction: a failure must be counted
        user = users.verify(session, body.username, right=right, known_browser=mark is not None)
    if user is None:
        guesses.wrong(who)
        raise Refused("wrong-credentials", "no such name, or the password is wrong")
    with writing(engine) as session:
        begun = browser.begin(request, response, session, user, settings)
        if second_factor.is_due(begun, settings):
            return _step(begun, settings)
        browser.remember(request, response, begun, settings)
        return views.me_view(session, user)


@router.post("/session/code")
def show_code(  # noqa: PLR0917
    body: Code,
    sign_in: InSession,
    request: Request,
    response: Response,
    engine: Database,
    settings: InForce,
) -> schemas.Me:
    """Show the second factor after the password: an authenticator's code, or a recovery code."""
    with writing(engine) as session:  # its own transaction: a failure must be counted
        mine = session.get_one(SignIn, sign_in.token_hash)
        right = second_factor.show(session, mine, body.code, settings)
    if not right:
        raise Refused("wrong-code", "not the code of this moment, or used already")
    browser.remember(request, response, mine, settings)
    with reading(engine) as session:
        return views.me_view(session, mine.user)


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, session: Writing) -> None:
    """Sign out; without a session nothing happens."""
    users.sign_out(session, request.cookies.get(browser.COOKIE, ""))
    response.delete_cookie(browser.COOKIE)


@router.get("/me")
def me(user: SignedIn, session: Reading) -> schemas.Me:
    """The signed-in person."""
    return views.me_view(session, user)


def is_right(request: Request, password_hash: str, password: str) -> bool:
    """Whether the password is right; waits until the processor is free for it.

    Raises Refused("too-many-attempts") if that takes too long.
    """
    hashing: BoundedSemaphore = request.app.state.hashing
    if not hashing.acquire(timeout=_QUEUE_S):
        raise Refused("too-many-attempts", "too many people sign in at this moment")
    try:
        return users.is_right(password_hash, password)
    finally:
        hashing.release()


def _step(sign_in: SignIn | None, settings: Settings) -> SignInStep:
    step: Step = "password"
    if sign_in is not None:
        due = second_factor.is_due(sign_in, settings)
        step = "done" if not due else "code" if sign_in.user.totp_salt else "set-up"
    return SignInStep(step=step, city=bool(settings.oidc_issuer))
