"""Cookies: the session, and a mark that a person signed in from this browser before.

Wrong passwords for a name lock it for unknown browsers. The mark still lets the person's own browsers in.
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
"""The scope's key for the other end of the connection, before any proxy's header is believed."""
_HOST = "__Host-"
"""The prefix of a cookie that only a page of this very host can set, by HTTPS."""
_SECURE = "__Secure-"
"""The prefix of a cookie with a path, which no page by HTTP can set."""
_REMEMBERED = timedelta(days=365)
_PATH = "/api/v1/session"
_IN_A_CALL = timedelta(days=1)
"""How much longer than its session a cookie lives. The server ends the session, and never in a conversation.
"""


def find_address(request: Request) -> str:
    """Return the browser's address, from the connection or a trusted proxy's header, else the proxy's own
    address.

    Empty if neither is an IP address.
    """
    for client in (request.scope.get("client"), request.scope.get(PEER)):
        with suppress(ValueError):
            return str(ip_address(client[0] if client else ""))
    return ""


def read_cookie(request: Request, name: str = COOKIE) -> str:
    """Return the value of the cookie that `keep_cookie` set; empty if there is none.

    By HTTPS, only a cookie with the `__Host-` prefix counts. A neighbouring host or a page by HTTP could have
    set any other.
    """
    safe = request.cookies.get(_HOST + name, "")
    return safe if _is_https(request) else request.cookies.get(name, safe)


def keep_cookie(
    request: Request, response: Response, value: str, lasts: timedelta, name: str = COOKIE
) -> None:
    """Set a cookie that scripts cannot read and that browsers never send from another site."""
    response.set_cookie(_full(request, name), value, **_safely(request, lasts))


def drop_cookie(request: Request, response: Response, name: str = COOKIE) -> None:
    """Delete the session's cookie."""
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
    """Start a session in this browser and end the browser's old one."""
    sign_ins.sign_out(session, read_cookie(request))
    lasts = timedelta(hours=settings.session_hours)
    cookie = sign_ins.sign_in(
        session,
        user,
        lasts=lasts,
        address=find_address(request),
        agent=request.headers.get("user-agent", ""),
        second_factor=second_factor,
        password_due=password_due,
    )
    session.flush()
    keep_cookie(request, response, cookie, lasts + _IN_A_CALL)
    return session.get_one(SignIn, sign_ins.hash_cookie(cookie))


def renew(request: Request, response: Response, session: Session, sign_in: SignIn) -> None:
    """Give the session a new cookie when its rights grow: the old cookie may be known to somebody else."""
    cookie = sign_ins.renew(session, sign_in)
    keep_cookie(request, response, cookie, sign_in.expires_at - now(session) + _IN_A_CALL)


def remember(request: Request, response: Response, sign_in: SignIn, settings: Settings) -> None:
    """Set the mark that this person has signed in from this browser."""
    mark = secrets.token_hex(16)
    signed = f"{mark}.{_signature(sign_in.user_id, mark, settings)}"
    response.set_cookie(_name(request, sign_in.user_id), signed, path=_PATH, **_safely(request, _REMEMBERED))


def mark_of(request: Request, user_id: int, settings: Settings) -> str | None:
    """Return the mark if this person has signed in from this browser before."""
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
