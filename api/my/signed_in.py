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


def find_signed_in(
    request: Request, engine: Database, _: Annotated[str | None, Security(_SCHEME)] = None
) -> CitizenSession:
    """Return the session of the access cookie. Raises Refused("not-signed-in")."""
    access = cookies.read_cookie(request, ACCESS)
    with reading(engine) as session:
        found = sessions.find_by_access(session, access) if access else None
    if found is None:
        raise Refused("not-signed-in", "sign in by your number, or refresh the session")
    if found.used_at is None:
        with suppress(DatabaseError), writing(engine) as session:  # reading must work while the disk is full
            sessions.record_use(session, access)
    return found


Citizen = Annotated[CitizenSession, Depends(find_signed_in)]


def _acting(citizen: Citizen, engine: Database) -> Iterator[Session]:
    with writing(engine) as session:
        sessions.lock_number(session, citizen)
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
    """Send the typed number a code that only this browser can show.

    The request costs its address one, unless the number has signed in here before.

    Raises Refused("number-invalid" | "number-not-allowed" | "too-many-attempts"), and what codes.ask raises.
    """
    called = numbers.parse(number, settings.allowed_prefixes)
    asked: Guesses = request.app.state.codes_asked
    daily: Guesses = request.app.state.codes_daily
    address = cookies.find_address(request)
    browser = browsers.keep_or_make_secret(cookies.read_cookie(request, BROWSER))
    with reading(engine) as session:
        known = browsers.is_known(session, called, browsers.find_browser(browser, called))
    if not known:
        asked.take(address)
        daily.take(limits.find_site(address))
    try:
        with writing(engine) as session:
            codes.ask(session, called, way, language, settings, browser=browser)
    except Refused as refused:
        if refused.code.startswith("way-") and not known:  # no code was sent by a missing channel
            asked.give_back(address)
            daily.give_back(limits.find_site(address))
        raise
    cookies.keep_cookie(request, response, browser, browsers.LASTS, BROWSER)


def sign_in(
    request: Request, response: Response, engine: Database, settings: Settings, *, number: str, typed: str
) -> CitizenSession:
    """Start a session in this browser and end the browser's old one.

    A browser that has a code of this number pays with that code's few tries. All others pay by their address:
    so neighbours at one address lock nobody out who holds a code.

    Raises Refused("wrong-code" | "too-many-attempts"). A number without a code looks the same as a wrong
    code.
    """
    guesses: Guesses = request.app.state.code_guesses
    called = _parsed(number, settings)
    browser = cookies.read_cookie(request, BROWSER)
    with reading(engine) as session:
        has_code = called is not None and codes.is_shown_in(session, called, browser)
    if not has_code:
        guesses.take(cookies.find_address(request))
    with writing(engine) as session:  # its own transaction: a wrong attempt must be counted
        tokens = _begin(request, session, settings, called, typed) if called else None
    if tokens is None:
        raise Refused("wrong-code", "not the code of this number, or it has run out")
    keep(request, response, tokens)
    cookies.keep_cookie(request, response, browser, browsers.LASTS, BROWSER)
    return tokens.session


def _parsed(number: str, settings: Settings) -> str | None:
    with suppress(Refused):
        return numbers.parse(number, settings.allowed_prefixes)
    return None


def _begin(
    request: Request, session: Session, settings: Settings, number: str, typed: str
) -> sessions.Tokens | None:
    code = codes.show(session, number, typed, settings, browser=cookies.read_cookie(request, BROWSER))
    if code is None:
        return None
    sessions.end_by_refresh(session, cookies.read_cookie(request, REFRESH))
    return sessions.begin_session(session, code, request.headers.get("user-agent", ""), settings)


def renew_session(
    request: Request, response: Response, engine: Database, settings: Settings
) -> CitizenSession:
    """Return the session with new tokens. Raises Refused("not-signed-in")."""
    with writing(engine) as session:  # its own transaction: a reused token must end the session
        tokens = sessions.rotate(session, cookies.read_cookie(request, REFRESH), settings)
    if tokens is None:
        raise Refused("not-signed-in", "this session is over; sign in by your number")
    keep(request, response, tokens)
    return tokens.session


def find_current(
    request: Request, response: Response, engine: Database, settings: Settings
) -> CitizenSession:
    """Return the session, renewed by its refresh token if needed. Raises Refused("not-signed-in")."""
    try:
        return find_signed_in(request, engine)
    except Refused:
        if not cookies.read_cookie(request, REFRESH):
            raise
        return renew_session(request, response, engine, settings)


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
    sessions.end_by_refresh(session, cookies.read_cookie(request, REFRESH))
    if mine := sessions.find_by_access(session, cookies.read_cookie(request, ACCESS)):
        sessions.end(session, mine.id)
    drop(request, response)
