"""One's own account: password, second factor, the telephone's PIN, sessions."""

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import segno
from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api import cookies
from api.access import (
    Anybody,
    Database,
    InForce,
    InSession,
    Reading,
    SignedIn,
    WithOwnPassword,
    Writing,
    read_idle_time,
)
from api.people import directory
from api.people.account_schemas import (
    Account,
    Code,
    MySession,
    Offer,
    Password,
    PasswordChange,
    PinChange,
    RecoveryCodes,
)
from api.people.sessions import is_right
from db.engine import writing
from db.models import User
from hotline import audit
from hotline.errors import Refused
from hotline.numbers import convert_digits
from hotline.people import accounts, second_factor, sign_ins
from settings import Settings

router = APIRouter(prefix="/account", tags=["account"])

Hash = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.get("")
def account(user: Anybody, sign_in: InSession, session: Reading, settings: InForce) -> Account:
    """My account."""
    return Account(
        has_pin=user.pin_hash is not None,
        from_directory=user.from_directory,
        second_factor=user.totp_salt is not None,
        second_factor_asked=second_factor.is_asked_of(user, settings),
        recovery_codes_left=second_factor.count_recovery_codes(session, user),
        sessions=[
            MySession(
                id=each.token_hash,
                created_at=each.created_at,
                last_seen_at=each.last_seen_at,
                address=each.address,
                agent=each.agent,
                current=each.token_hash == sign_in.token_hash,
            )
            for each in sign_ins.list_sessions(session, user.id, read_idle_time(settings))
        ],
    )


@router.put("/password", status_code=204)
def change_password(  # noqa: PLR0917
    body: PasswordChange,
    user: Anybody,
    sign_in: InSession,
    request: Request,
    engine: Database,
    settings: InForce,
) -> None:
    """Change my password; my other sessions end."""
    _ask_again(request, user, body.password, engine, settings)
    with writing(engine) as session:
        accounts.set_password(session, user.id, body.new, given=False, city=settings.of_city)
        sign_ins.end_sessions(session, user.id, except_hash=sign_in.token_hash)
        audit.record(session, user.username, "password-changed", f"person {user.username}")


@router.put("/pin", status_code=204)
def change_pin(
    body: PinChange, user: SignedIn, request: Request, engine: Database, settings: InForce
) -> None:
    """Set the PIN with which my called telephone enters the conference room."""
    _ask_again(request, user, body.password, engine, settings)
    with writing(engine) as session:
        accounts.set_pin(session, user.username, convert_digits(body.pin))
        audit.record(session, user.username, "pin-changed", f"person {user.username}")


@router.post("/second-factor/offer")
def offer(
    body: Password, sign_in: WithOwnPassword, request: Request, engine: Database, settings: InForce
) -> Offer:
    """Offer a second factor; it is in use once I show a code of it."""
    if not second_factor.is_due(sign_in, settings):
        _ask_again(request, sign_in.user, body.password, engine, settings)
    with writing(engine) as session:
        uri = second_factor.offer(sign_ins.lock_session(session, sign_in), settings)
    return Offer(
        qr=segno.make(uri, micro=False).svg_data_uri(scale=4),
        secret=parse_qs(urlsplit(uri).query)["secret"][0],
    )


@router.put("/second-factor")
def confirm(  # noqa: PLR0917
    body: Code,
    sign_in: WithOwnPassword,
    request: Request,
    response: Response,
    session: Writing,
    settings: InForce,
) -> RecoveryCodes:
    """Confirm the offered second factor; my other sessions end."""
    mine = sign_ins.lock_session(session, sign_in)
    codes = second_factor.confirm(session, mine, body.code, settings)
    cookies.renew(request, response, session, mine)
    audit.record(session, mine.user.username, "second-factor-set", f"person {mine.user.username}")
    return RecoveryCodes(codes=codes)


@router.post("/second-factor/remove", status_code=204)
def remove(  # noqa: PLR0917
    body: Password,
    user: Anybody,
    sign_in: InSession,
    request: Request,
    engine: Database,
    settings: InForce,
) -> None:
    """Remove my second factor, if the role allows it; my other sessions end."""
    _ask_again(request, user, body.password, engine, settings)
    with writing(engine) as session:
        second_factor.remove(session, sign_ins.lock_session(session, sign_in), settings)
        audit.record(session, user.username, "second-factor-removed", f"person {user.username}")


@router.delete("/sessions", status_code=204)
def end_others(user: Anybody, sign_in: InSession, session: Writing) -> None:
    """End all my sessions but this one."""
    sign_ins.end_sessions(session, user.id, except_hash=sign_in.token_hash)
    _record_ended(session, user)


@router.delete("/sessions/{session_id}", status_code=204)
def end_one(session_id: Hash, user: Anybody, session: Writing) -> None:
    """End one of my sessions."""
    if sign_ins.end_session(session, user.id, session_id):
        _record_ended(session, user)


def _record_ended(session: Session, user: User) -> None:
    audit.record(session, user.username, "sessions-ended", f"person {user.username}")


def _ask_again(request: Request, user: User, password: str, engine: Engine, settings: Settings) -> None:
    """Check the present password again. A wrong one goes into the audit log: somebody else may use the
    browser.
    """
    if user.from_directory:
        right, whose = directory.is_confirmed(request, engine, settings, user, password), "the directory's"
    else:
        right, whose = is_right(request, f"account {user.id}", user.password_hash, password), "the present"
    if not right:
        with writing(engine) as session:
            audit.record(session, user.username, "password-refused", f"person {user.username}")
        raise Refused("wrong-password", f"this is not {whose} password")
