"""Which phone a desk's room lets in: the browser of who is signed in at the desk, or the desk's SIP phone.

The account's password opens nothing by itself. A browser dials a key made of its sign-in, which ends with the
sign-in, and which no other person at the desk has. A SIP phone dials a key of the desk, which its person
reads on the page. The key is renewed when somebody else gets the desk, and when the office disables its
person or ends their sign-ins.
"""

import hmac
import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import core
from db.models import Desk, User
from hotline import audit, limits
from hotline.people import sign_ins
from settings import Settings

_WRONG_KEYS = limits.Bucket(10, 60)
"""Guesses of a desk's SIP key. All eight digits would take two centuries."""


def key_of(sign_in_hash: str, desk_id: int, settings: Settings) -> str:
    """Return what the browser of this sign-in dials to come into the desk's room."""
    return settings.secret_for(f"room of desk {desk_id} {sign_in_hash}")


def renew_sip_key(session: Session, desk: Desk, *, who: str) -> None:
    """Give the desk's SIP phone another key. The dialer hangs up a phone that dialled the old one."""
    desk.sip_key = f"{secrets.randbelow(10**8):08}"
    session.flush()
    audit.record(session, who, "desk-phone-key-renewed", f"desk {desk.id}")


def find_sip_key(session: Session, desk: Desk, *, who: str) -> str:
    """Return what the desk's SIP phone dials after the extension. A desk without a key is given one."""
    if not desk.sip_key:
        renew_sip_key(session, desk, who=who)
    assert desk.sip_key  # noqa: S101
    return desk.sip_key


def end_sip_key(session: Session, desk_id: int | None, *, who: str) -> None:
    """Renew the key, if there is one, of a desk whose person goes, comes or is signed out."""
    desk = session.get(Desk, desk_id, with_for_update=True) if desk_id else None
    if desk and desk.sip_key:
        renew_sip_key(session, desk, who=who)


def admit(session: Session, desk_id: int, key: str, settings: Settings, *, sip: bool) -> bool:
    """Return whether the phone that dials this key may come into the desk's room now.

    Records the sign-in or the key by which the phone has come in.
    """
    desk = session.get(Desk, desk_id, with_for_update=True)
    if desk is None:
        return False
    if sip:
        return _admit_sip_phone(session, desk, key)
    found = _sign_in(session, desk_id, key, settings)
    if desk.phone != "browser" or desk.number is not None or found is None:
        return False
    desk.admitted_by = found
    return True


def _admit_sip_phone(session: Session, desk: Desk, key: str) -> bool:
    if desk.phone != "sip" or desk.number is not None or not desk.sip_key or len(key) != len(desk.sip_key):
        return False
    connection, guesses = core(session), f"sip key of desk {desk.id}"
    if limits.left(connection, _WRONG_KEYS, guesses) < 1:
        return False
    if not hmac.compare_digest(key, desk.sip_key):
        limits.pay(connection, _WRONG_KEYS, guesses)
        return False
    desk.admitted_by = desk.sip_key
    return True


def _sign_in(session: Session, desk_id: int, key: str, settings: Settings) -> str | None:
    """The sign-in of the desk's person whose key this is, while it lasts."""
    person = session.scalar(select(User.id).where(User.desk_id == desk_id))
    if person is None:
        return None
    idle = timedelta(minutes=settings.session_idle_minutes)
    lasting = (each.token_hash for each in sign_ins.sessions_of(session, person, idle))
    return next((h for h in lasting if hmac.compare_digest(key, key_of(h, desk_id, settings))), None)
