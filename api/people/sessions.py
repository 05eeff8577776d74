"""Signing in and out, the second factor's step, and the signed-in person."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Request, Response
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api import cookies, schemas, views
from api.access import Anybody, Database, InForce, InSession, Reading, Writing, find_session
from api.limits import Guesses, Hashing
from api.people import account_schemas, directory
from db.engine import reading, writing
from db.models import SignIn, User
from hotline import audit
from hotline.errors import Refused
from hotline.people import accounts, lockout, second_factor, sign_in_steps, sign_ins, staff
from hotline.setup import first_visit
from settings import Settings

router = APIRouter(tags=["session"])
log = logging.getLogger("api")


@router.get("/session")
def step(request: Request, engine: Database, settings: InForce) -> account_schemas.SignInStep:
    """The sign-in page's next step."""
    try:
        return _step(find_session(request, engine, settings), settings)
    except Refused:
        with reading(engine) as session:
            is_first = not settings.ldap_url and first_visit.is_open(session)
        return _step(None, settings, nobody="first-visit" if is_first else "password")


@router.post("/session/first")
def first_administrator(
    body: account_schemas.FirstVisit,
    request: Request,
    response: Response,
    engine: Database,
    settings: InForce,
) -> schemas.Me | account_schemas.SignInStep:
    """Make an empty installation's first administrator, by the code from its log. It works once."""
    guesses: Guesses = request.app.state.passwords
    with _refusals_noted(request, engine):
        guesses.check(cookies.find_address(request))
        with reading(engine) as session:
            right = first_visit.is_right(session, body.code, settings)
        if not right:
            guesses.wrong(cookies.find_address(request))
            raise Refused("wrong-code", "not the code that the log shows last")
    given = {"username": body.username, "name": body.name, "password": body.new}
    with writing(engine) as session:
        user = first_visit.create_administrator(session, code=body.code, settings=settings, **given)
        begun = cookies.begin(request, response, session, user, settings)
        return _in_or_next(session, begun, request, response, settings)


@router.post("/session")
def sign_in(
    body: account_schemas.SignIn, request: Request, response: Response, engine: Database, settings: InForce
) -> schemas.Me | account_schemas.SignInStep:
    """Sign in; the answer sets the cookie. It returns the person, or the next step."""
    with _refusals_noted(request, engine):
        proved = _who_proved(body, request, engine, settings)
    with writing(engine) as session:
        user = staff.get(session, proved.id)
        if user.password_hash != proved.password_hash:
            raise Refused("wrong-credentials", "the password was changed at this moment")
        due = user.password_given
        begun = cookies.begin(request, response, session, user, settings, password_due=due)
        return _in_or_next(session, begun, request, response, settings)


@router.post("/session/code")
def show_code(  # noqa: PLR0917
    body: account_schemas.Code,
    sign_in: InSession,
    request: Request,
    response: Response,
    engine: Database,
    settings: InForce,
) -> schemas.Me | account_schemas.SignInStep:
    """Show the second factor after the password: an authenticator's code, or a recovery code."""
    with _refusals_noted(request, engine):
        with writing(engine) as session:  # its own transaction: a failure must be counted
            mine = sign_ins.lock_session(session, sign_in)
            right = second_factor.show(session, mine, body.code, settings)
            if right:
                cookies.renew(request, response, session, mine)
                answer = _in_or_next(session, mine, request, response, settings)
        if not right:
            raise Refused("wrong-code", "not the code of this moment, or used already")
    return answer


@router.post("/session/password")
def choose_password(  # noqa: PLR0917
    body: account_schemas.NewPassword,
    sign_in: InSession,
    request: Request,
    response: Response,
    engine: Database,
    settings: InForce,
) -> schemas.Me | account_schemas.SignInStep:
    """Choose a password instead of one that somebody else set; my other sessions end."""
    if (step := sign_in_steps.step(sign_in, settings)) != "new-password":
        sign_in_steps.check(sign_in, settings)
        raise Refused("forbidden", f"no new password is due: {step}")
    hashing: Hashing = request.app.state.hashing
    if hashing.run(lambda: accounts.is_right(sign_in.user.password_hash, body.new)):
        raise Refused("password-same", "this is the password that was set for you")
    with writing(engine) as session:
        mine = sign_ins.lock_session(session, sign_in)
        sign_in_steps.choose_password(session, mine, body.new, settings)
        cookies.renew(request, response, session, mine)
        audit.record(session, mine.user.username, "password-changed", f"person {mine.user.username}")
        return _in_or_next(session, mine, request, response, settings)


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, session: Writing) -> None:
    """Sign out; without a session nothing happens."""
    if username := sign_ins.sign_out(session, cookies.read_cookie(request)):
        audit.record(session, username, "signed-out", f"person {username}")
    cookies.drop_cookie(request, response)


@router.get("/me")
def me(user: Anybody, session: Reading) -> schemas.Me:
    """The signed-in person."""
    return views.describe_me(session, user)


def _in_or_next(
    session: Session, sign_in: SignIn, request: Request, response: Response, settings: Settings
) -> schemas.Me | account_schemas.SignInStep:
    """Return the signed-in person, or the next step."""
    if sign_in_steps.step(sign_in, settings) != "done":
        return _step(sign_in, settings)
    cookies.remember(request, response, sign_in, settings)
    record_sign_in(session, request, sign_in.user)
    return views.describe_me(session, sign_in.user)


def _who_proved(body: account_schemas.SignIn, request: Request, engine: Engine, settings: Settings) -> User:
    theirs = directory.find_proved(body.username, body.password, request, engine, settings)
    if theirs is not None:
        return theirs
    with reading(engine) as session:
        known = accounts.find_hash(session, body.username)
        person = accounts.find_by_name(session, body.username)
        locked_s = lockout.find_locked_seconds(session, body.username)
    mark = cookies.mark_of(request, person.id, settings) if person else None
    who = mark or cookies.find_address(request)
    right = is_right(request, who, known, body.password, locked_s=0 if mark else locked_s)
    with writing(engine) as session:  # its own transaction: a failure must be counted
        user = accounts.verify(session, body.username, right=right, known_browser=mark is not None)
    if user is None:
        raise Refused("wrong-credentials", "no such name, or the password is wrong")
    return user


def is_right(request: Request, who: str, password_hash: str, password: str, *, locked_s: int = 0) -> bool:
    """Return whether the password is right. `who` pays a guess first, and gets it back for a right one.

    Raises Refused("too-many-attempts") if `who` has no guess left, the name is locked, or too many wait for
    the processor. The last case is not the guesser's fault, so it is free.
    """
    guesses: Guesses = request.app.state.passwords
    hashing: Hashing = request.app.state.hashing
    guesses.take(who)
    if locked_s:
        raise lockout.refuse_locked(locked_s)
    try:
        right = hashing.run(lambda: accounts.is_right(password_hash, password))
    except Refused:
        guesses.give_back(who)
        raise
    if right:
        guesses.give_back(who)
    return right


def record_sign_in(session: Session, request: Request, user: User) -> None:
    """Record in the audit log that the person signed in, and from which address."""
    audit.record(session, user.username, "signed-in", f"address {cookies.find_address(request)}")


@contextmanager
def _refusals_noted(request: Request, engine: Engine) -> Iterator[None]:
    """Record a refusal's address: in the log, for fail2ban (docs/sign-in.md), and in the audit log, once in a
    while.

    No name is recorded: people type passwords there. An address with too many attempts writes nothing any
    more.
    """
    try:
        yield
    except Refused as refused:
        if refused.code == "directory-away":  # nobody guessed anything
            raise
        address = cookies.find_address(request)
        log.warning("sign-in refused (%s) from %s", refused.code, address)
        if refused.code in ("wrong-credentials", "wrong-code"):
            with writing(engine) as session:
                audit.record_once(session, audit.STRANGER, "sign-in-refused", f"address {address}")
        raise


def _step(
    sign_in: SignIn | None, settings: Settings, *, nobody: account_schemas.Step = "password"
) -> account_schemas.SignInStep:
    step: account_schemas.Step = sign_in_steps.step(sign_in, settings) if sign_in else nobody
    return account_schemas.SignInStep(step=step, city=bool(settings.oidc_issuer))
