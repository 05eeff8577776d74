"""What a browser keeps of a person: the session's cookie, and a mark that they signed in there before.

Whoever tries somebody's name with wrong passwords locks it for strangers' browsers; the mark lets the
person's own ones in all the same.
"""

import hmac
import secrets
from datetime import timedelta
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session

from db.models import SignIn, User
from hotline import users
from settings import Settings

COOKIE = "hotline_session"
_REMEMBERED = timedelta(days=365)
_PATH = "/api/v1/session"


def address(request: Request) -> str:
    """From where the request comes."""
    return request.client.host if request.client else ""


def begin(
    request: Request,
    response: Response,
    session: Session,
    user: User,
    settings: Settings,
    *,
    second_factor: bool = False,
) -> SignIn:
    """Begin a session in this browser, in the place of the one that it had.

    Its cookie is out of the reach of scripts, and never sent from another site.
    """
    users.sign_out(session, request.cookies.get(COOKIE, ""))
    lasts = timedelta(hours=settings.session_hours)
    cookie = users.sign_in(
        session,
        user,
        lasts=lasts,
        address=address(request),
        agent=request.headers.get("user-agent", ""),
        second_factor=second_factor,
    )
    session.flush()
    response.set_cookie(COOKIE, cookie, **_safely(request, lasts))
    return session.get_one(SignIn, users.cookie_hash(cookie))


def remember(request: Request, response: Response, sign_in: SignIn, settings: Settings) -> None:
    """Mark that this person has signed in here."""
    mark = secrets.token_hex(16)
    signed = f"{mark}.{_signature(sign_in.user_id, mark, settings)}"
    response.set_cookie(_name(sign_in.user_id), signed, path=_PATH, **_safely(request, _REMEMBERED))


def mark_of(request: Request, user_id: int, settings: Settings) -> str | None:
    """The mark, if this person signed in here before."""
    mark, _, signature = request.cookies.get(_name(user_id), "").partition(".")
    right = hmac.compare_digest(signature.encode(), _signature(user_id, mark, settings).encode())
    return mark if right else None


def _name(user_id: int) -> str:
    return f"hotline_knows_{user_id}"


def _signature(user_id: int, mark: str, settings: Settings) -> str:
    return settings.secret_for(f"browser {user_id} {mark}")


def _safely(request: Request, lasts: timedelta) -> dict[str, Any]:
    return {
        "max_age": int(lasts.total_seconds()),
        "httponly": True,
        "samesite": "strict",
        "secure": request.url.scheme == "https",
    }
