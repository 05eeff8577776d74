"""Which phone a desk's room lets in: the browser of who is signed in at the desk, or the desk's SIP phone.

The account's password opens nothing by itself. A browser dials a key made of its sign-in, which ends with the
sign-in, and which no other person at the desk has. A SIP phone dials a key that an administrator can renew.
"""

import hmac
import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Desk, User
from hotline import audit
from hotline.people import sign_ins
from settings import Settings


def key_of(sign_in_hash: str, desk_id: int, settings: Settings) -> str:
    """Return what the browser of this sign-in dials to come into the desk's room."""
    return settings.secret_for(f"room of desk {desk_id} {sign_in_hash}")


def renew_sip_key(session: Session, desk: Desk, *, who: str) -> None:
    """Give the desk's SIP phone another key; a phone that is in the room stays until it hangs up."""
    desk.sip_key = f"{secrets.randbelow(10**8):08}"
    session.flush()
    audit.record(session, who, "desk-phone-key-renewed", f"desk {desk.id}")


def admit(session: Session, desk_id: int, key: str, settings: Settings, *, sip: bool) -> bool:
    """Return whether the phone that dials this key may come into the desk's room now.

    Records the sign-in that has brought a browser's phone in.
    """
    desk = session.get(Desk, desk_id, with_for_update=True)
    if desk is None:
        return False
    if sip:
        is_its_phone = desk.phone == "sip" and desk.number is None
        return is_its_phone and hmac.compare_digest(key, desk.sip_key or "")
    found = _sign_in(session, desk_id, key, settings)
    if desk.phone != "browser" or desk.number is not None or found is None:
        return False
    desk.admitted_by = found
    return True


def _sign_in(session: Session, desk_id: int, key: str, settings: Settings) -> str | None:
    """The sign-in of the desk's person whose key this is, while it lasts."""
    person = session.scalar(select(User.id).where(User.desk_id == desk_id))
    if person is None:
        return None
    idle = timedelta(minutes=settings.session_idle_minutes)
    lasting = (each.token_hash for each in sign_ins.sessions_of(session, person, idle))
    return next((h for h in lasting if hmac.compare_digest(key, key_of(h, desk_id, settings))), None)
