"""A citizen's cookies and session. They are separate from the staff's, and open none of its routes."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from api import cookies, limits
from api.access import Database
from api.limits import Guesses
from db.engine import reading, writing
from db.models import CitizenSession, CodeWay
from hotline import numbers
from hotline.citizens import browsers, codes, sessions
from hotline.errors import Refused
from settings import Settings

ACCESS, REFRESH = "hotline_my", "hotline_my_refresh"
BROWSER = "hotline_my_browser"
"""The cookie that links asking for a code with showing it (hotline.citizens.browsers)."""
_SCHEME = APIKeyCookie(name=ACCESS, scheme_name="citizen", auto_error=False)
"""The cookie's name in the API's document. By HTTPS the real name begins with `__Host-` (api.cookies)."""


def signed_in(
    request: Request, engine: Database, _: Annotated[str | None, Security(_SCHEME)] = None
) -> CitizenSession:
    """Return the session of the access cookie. Raises Refused("not-signed-in")."""
    access = cookies.cookie_of(request, ACCESS)
    with reading(engine) as session:
        found = sessions.of_access(session, access) if access else None
    if found is None:
        raise Refused("not-signed-in", "sign in by your number, or refresh the session")
    if found.used_at is None:
        with suppress(DatabaseError), writing(engine) as session:  # reading must work while the disk is full
            sessions.used(session, access)
    return found


Citizen = Annotated[CitizenSession, Depends(signed_in)]


def _acting(citizen: Citizen, engine: Database) -> Iterator[Session]:
    with writing(engine) as session:
        sessions.go_on(session, citizen)
        yield session


Acting = Annotated[Session, Depends(_acting, scope="function")]
"""A transaction that stores something under the citizen's number: it runs wholly before or after «delete me».
"""


def ask_code(
    request: Request,
    response: Response,
    engine: Database,
    settings: Settings,
    *,
    number: str,
    way: CodeWay,
    language: str,
) -> None:
    """Send the typed number a code that only this browser can show; the request costs its address one.

    Raises Refused("number-invalid" | "number-not-allowed" | "too-many-attempts"), and what codes.ask raises.
    """
    called = numbers.parse(number, settings.allowed_prefixes)
    asked: Guesses = request.app.state.codes_asked
    daily: Guesses = request.app.state.codes_daily
    address = cookies.address(request)
    asked.take(address)
    daily.take(limits.site(address))
    browser = browsers.secret(cookies.cookie_of(request, BROWSER))
    free = False
    try:
        with writing(engine) as session:
            free = codes.ask(session, called, way, language, settings, browser=browser).known
    except Refused as refused:
        free = refused.code.startswith("way-")  # no code was sent by a missing channel
        raise
    finally:
        if free:
            asked.give_back(address)
            daily.give_back(limits.site(address))
    cookies.keep_cookie(request, response, browser, browsers.LASTS, BROWSER)


def sign_in(
    request: Request, response: Response, engine: Database, settings: Settings, *, number: str, typed: str
) -> CitizenSession:
    """Start a session in this browser and end the browser's old one.

    Raises Refused("wrong-code" | "too-many-attempts"). A number without a code looks the same as a wrong
    code.
    """
    guesses: Guesses = request.app.state.code_guesses
    address = cookies.address(request)
    guesses.take(address)
    with writing(engine) as session:  # its own transaction: a wrong attempt must be counted
        tokens = _begin(request, session, settings, number, typed)
    if tokens is None:
        raise Refused("wrong-code", "not the code of this number, or it has run out")
    guesses.give_back(address)
    keep(request, response, tokens)
    cookies.keep_cookie(request, response, cookies.cookie_of(request, BROWSER), browsers.LASTS, BROWSER)
    return tokens.session


def _begin(
    request: Request, session: Session, settings: Settings, number: str, typed: str
) -> sessions.Tokens | None:
    try:
        called = numbers.parse(number, settings.allowed_prefixes)
    except Refused:
        return None
    code = codes.show(session, called, typed, settings, browser=cookies.cookie_of(request, BROWSER))
    if code is None:
        return None
    sessions.end_by_refresh(session, cookies.cookie_of(request, REFRESH))
    return sessions.begin(session, code, request.headers.get("user-agent", ""), settings)


def refresh(request: Request, response: Response, engine: Database, settings: Settings) -> CitizenSession:
    """Return the session with new tokens. Raises Refused("not-signed-in")."""
    with writing(engine) as session:  # its own transaction: a reused token must end the session
        tokens = sessions.rotate(session, cookies.cookie_of(request, REFRESH), settings)
    if tokens is None:
        raise Refused("not-signed-in", "this session is over; sign in by your number")
    keep(request, response, tokens)
    return tokens.session


def current(request: Request, response: Response, engine: Database, settings: Settings) -> CitizenSession:
    """Return the session, renewed by its refresh token if needed. Raises Refused("not-signed-in")."""
    try:
        return signed_in(request, engine)
    except Refused:
        if not cookies.cookie_of(request, REFRESH):
            raise
        return refresh(request, response, engine, settings)


def keep(request: Request, response: Response, tokens: sessions.Tokens) -> None:
    """Set the session's two cookies."""
    cookies.keep_cookie(request, response, tokens.access, sessions.ACCESS, ACCESS)
    cookies.keep_cookie(request, response, tokens.refresh, sessions.REFRESH, REFRESH)


def drop(request: Request, response: Response) -> None:
    """Delete the session's two cookies."""
    for name in (ACCESS, REFRESH):
        cookies.drop_cookie(request, response, name)


def sign_out(request: Request, response: Response, session: Session) -> None:
    """End this browser's session, even if a cookie has expired; without a session nothing happens."""
    sessions.end_by_refresh(session, cookies.cookie_of(request, REFRESH))
    if mine := sessions.of_access(session, cookies.cookie_of(request, ACCESS)):
        sessions.end(session, mine.id)
    drop(request, response)
