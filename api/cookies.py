"""What a browser keeps of a person: the session's cookie, and a mark that they signed in there before.

Whoever tries somebody's name with wrong passwords locks it for strangers' browsers; the mark lets the
person's own ones in all the same.
"""

import hmac
import secrets
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session

from db.engine import now
from db.models import SignIn, User
from hotline.people import sign_ins
from settings import Settings

COOKIE = "hotline_session"
PEER = "hotline137.peer"
"""Where a request's scope keeps who is at the other end of the connection, whatever a proxy says."""
_HOST = "__Host-"
"""So a cookie is called that only a page of this very host can have set, by HTTPS."""
_SECURE = "__Secure-"
"""So a cookie that has a path is called, which none by HTTP can have set."""
_REMEMBERED = timedelta(days=365)
_PATH = "/api/v1/session"
_IN_A_CALL = timedelta(days=1)
"""So much longer than its session a cookie lives: the server ends a session, and never in a conversation."""


def address(request: Request) -> str:
    """The browser's address, as the connection or a trusted proxy says it; if that is none, the proxy's own.

    Empty if nobody has one.
    """
    for client in (request.scope.get("client"), request.scope.get(PEER)):
        with suppress(ValueError):
            return str(ip_address(client[0] if client else ""))
    return ""


def cookie_of(request: Request, name: str = COOKIE) -> str:
    """The value of the cookie that `keep_cookie` set; empty if there is none.

    By HTTPS none counts that a page of a neighbouring name, or one by HTTP, could have set.
    """
    safe = request.cookies.get(_HOST + name, "")
    return safe if _is_https(request) else request.cookies.get(name, safe)


def keep_cookie(
    request: Request, response: Response, value: str, lasts: timedelta, name: str = COOKIE
) -> None:
    """Have the browser keep it: out of the reach of scripts, and never sent from another site."""
    response.set_cookie(_full(request, name), value, **_safely(request, lasts))


def drop_cookie(request: Request, response: Response, name: str = COOKIE) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(_full(request, name), secure=_is_https(request), httponly=True, samesite="strict")


def begin(
    request: Request,
    response: Response,
    session: Session,
    user: User,
    settings: Settings,
    *,
    second_factor: bool = False,
    password_due: bool = False,
) -> SignIn:
    """Begin a session in this browser, in the place of the one that it had."""
    sign_ins.sign_out(session, cookie_of(request))
    lasts = timedelta(hours=settings.session_hours)
    cookie = sign_ins.sign_in(
        session,
        user,
        lasts=lasts,
        address=address(request),
        agent=request.headers.get("user-agent", ""),
        second_factor=second_factor,
        password_due=password_due,
    )
    session.flush()
    keep_cookie(request, response, cookie, lasts + _IN_A_CALL)
    return session.get_one(SignIn, sign_ins.cookie_hash(cookie))


def renew(request: Request, response: Response, session: Session, sign_in: SignIn) -> None:
    """The session may more from now on: whoever knew its cookie before does not know the new one."""
    cookie = sign_ins.renew(session, sign_in)
    keep_cookie(request, response, cookie, sign_in.expires_at - now(session) + _IN_A_CALL)


def remember(request: Request, response: Response, sign_in: SignIn, settings: Settings) -> None:
    """Mark that this person has signed in here."""
    mark = secrets.token_hex(16)
    signed = f"{mark}.{_signature(sign_in.user_id, mark, settings)}"
    response.set_cookie(_name(request, sign_in.user_id), signed, path=_PATH, **_safely(request, _REMEMBERED))


def mark_of(request: Request, user_id: int, settings: Settings) -> str | None:
    """The mark, if this person signed in here before."""
    mark, _, signature = request.cookies.get(_name(request, user_id), "").partition(".")
    right = hmac.compare_digest(signature.encode(), _signature(user_id, mark, settings).encode())
    return mark if right else None


def _name(request: Request, user_id: int) -> str:
    name = f"hotline_knows_{user_id}"
    return _SECURE + name if _is_https(request) else name


def _signature(user_id: int, mark: str, settings: Settings) -> str:
    return settings.secret_for(f"browser {user_id} {mark}")


def _safely(request: Request, lasts: timedelta) -> dict[str, Any]:
    return {
        "max_age": int(lasts.total_seconds()),
        "httponly": True,
        "samesite": "strict",
        "secure": _is_https(request),
    }


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"


def _full(request: Request, name: str) -> str:
    return _HOST + name if _is_https(request) else name
