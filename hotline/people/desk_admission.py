"""Admission of phones: the account by which a phone registers as a desk, and the key that opens the room.

A desk has two accounts, one for a browser and one for a SIP phone. The browser's password derives from the
sign-in that took the account last, and ends with it. The SIP phone's derives from the desk's SIP key. That
key is renewed when the desk changes hands, or when the office disables its person or ends their sign-ins.
Each node's dialer gives the passwords to its Asterisk (dialer/desk_passwords.py).

A password alone opens no room. A browser dials a key derived from its sign-in, which nobody else at the desk
has. A SIP phone dials the desk's SIP key, which its person reads on the page with the password.
"""

import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db import events
from db.models import Callback, Desk, SignIn, User
from db.states import ON_THE_PHONE
from db.trusted_time import trusted_now
from hotline import audit, limits
from hotline.nodes import phones, round_affinity
from hotline.people import sign_ins
from settings import Settings

_WRONG_KEYS = limits.Bucket(10, 60)
"""Guesses of a desk's SIP key: trying all eight digits would take two centuries."""


def make_key(sign_in_hash: str, desk_id: int, settings: Settings) -> str:
    """Return the key that the browser of this sign-in dials to enter the desk's room."""
    return settings.secret_for(f"room of desk {desk_id} {sign_in_hash}")


def take_account(session: Session, desk_id: int, sign_in_hash: str, settings: Settings) -> str:
    """Give the desk's browser account to this sign-in, and return its password.

    The former sign-in loses it.
    """
    desk = session.get_one(Desk, desk_id, with_for_update=True)
    if desk.phone_sign_in != sign_in_hash:
        desk.phone_sign_in = sign_in_hash
        session.flush()
        events.append_desk(session, desk_id, "account")
    return _password(settings, desk_id, sign_in_hash)


def list_passwords(session: Session, settings: Settings) -> dict[tuple[int, bool], str | None]:
    """Return the password of each account, by desk and whether it is the SIP phone's.

    None: the account is closed. The browser's sign-in is over, or the SIP phone has no key.
    """
    ids = range(1, settings.desks + 1)  # some desks have no row yet
    found: dict[tuple[int, bool], str | None] = {(id_, sip): None for id_ in ids for sip in (False, True)}
    lasts = _is_signed_in(session, settings, Desk.phone_sign_in)
    for id_, sip_key, sign_in, is_lasting in session.execute(
        select(Desk.id, Desk.sip_key, Desk.phone_sign_in, lasts).where(Desk.id.in_(ids))
    ):
        found[id_, True] = _password(settings, id_, f"sip {sip_key}") if sip_key else None
        found[id_, False] = _password(settings, id_, sign_in) if sign_in and is_lasting else None
    return found


def _password(settings: Settings, desk_id: int, of: str) -> str:
    return settings.secret_for(f"password of desk {desk_id} {of}")


class SipAccount(NamedTuple):
    """Password of a desk's SIP phone, and the digits that it dials after the extension."""

    password: str
    key: str


def find_sip_account(session: Session, desk: Desk, settings: Settings, *, who: str) -> SipAccount:
    """Return the account of the desk's SIP phone, and create a missing key.

    After an upgrade a running Asterisk may know only the former version's password, until it restarts.
    """
    key, node = find_sip_key(session, desk, who=who), phones.find_node(session, desk)
    if phones.has_desk_passwords(session, node.name if node else settings.node):
        return SipAccount(_password(settings, desk.id, f"sip {key}"), key)
    return SipAccount(settings.secret_for(f"desk-{desk.id}-sip"), key)


def renew_sip_key(session: Session, desk: Desk, *, who: str) -> None:
    """Give the desk's SIP phone another key and, by it, another password.

    The dialer hangs up a phone that dialled the old key.
    """
    desk.sip_key = f"{secrets.randbelow(10**8):08}"
    session.flush()
    audit.record(session, who, "desk-phone-key-renewed", f"desk {desk.id}")
    events.append_desk(session, desk.id, "account")


def find_sip_key(session: Session, desk: Desk, *, who: str) -> str:
    """Return the digits that the desk's SIP phone dials after the extension, and create a missing key."""
    if not desk.sip_key:
        renew_sip_key(session, desk, who=who)
    assert desk.sip_key  # noqa: S101
    return desk.sip_key


def end_sip_key(session: Session, desk_id: int | None, *, who: str) -> None:
    """Renew the existing key of a desk whose person goes, comes or is signed out."""
    desk = session.get(Desk, desk_id, with_for_update=True) if desk_id else None
    if desk and desk.sip_key:
        renew_sip_key(session, desk, who=who)


def admit(session: Session, desk_id: int, key: str, settings: Settings, *, sip: bool) -> bool:
    """Return whether the phone that dials this key may enter the desk's room now.

    Record the sign-in or key that admitted it.
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
    guesses = f"sip key of desk {desk.id}"
    if limits.count_left(session, _WRONG_KEYS, guesses) < 1:
        return False
    if not hmac.compare_digest(key, desk.sip_key):
        limits.pay(session, _WRONG_KEYS, guesses)
        return False
    desk.admitted_by = desk.sip_key
    return True


def _sign_in(session: Session, desk_id: int, key: str, settings: Settings) -> str | None:
    """Return the desk person's lasting sign-in that this key belongs to."""
    person = session.scalar(select(User.id).where(User.desk_id == desk_id))
    if person is None:
        return None
    lasting = (each.token_hash for each in sign_ins.list_sessions(session, person, _idle(settings)))
    return next((h for h in lasting if hmac.compare_digest(key, make_key(h, desk_id, settings))), None)


def _idle(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.session_idle_minutes)


_SITS = exists().where(User.desk_id == Desk.id, User.disabled_at.is_(None))
_WITH_CITIZEN = exists().where(
    or_(Callback.desk_id == Desk.id, Callback.screen_desk_id == Desk.id), Callback.state.in_(ON_THE_PHONE)
)
_BY_OLD_KEY = and_(
    Desk.phone == "sip",
    Desk.number.is_(None),
    Desk.sip_key.is_not(None),
    Desk.admitted_by.is_distinct_from(Desk.sip_key),
)
"""Condition that the SIP phone in the room dialled a renewed key, or none."""


def _is_signed_out(session: Session, settings: Settings) -> ColumnElement[bool]:
    """Return the condition that the browser phone's sign-in is over, or its person has left the desk.

    A clock that jumped ends no sign-in here: a phone that is hung up does not return by itself.
    """
    is_signed_in = _is_signed_in(session, settings, Desk.admitted_by)
    return and_(Desk.phone == "browser", Desk.admitted_by.is_not(None), ~is_signed_in)


def _is_signed_in(
    session: Session, settings: Settings, of: InstrumentedAttribute[str | None]
) -> ColumnElement[bool]:
    """Return the condition that this sign-in of the desk lasts, and its person still has the desk."""
    lasts = sign_ins.is_lasting(trusted_now(session), _idle(settings))
    return exists().where(SignIn.token_hash == of, User.id == SignIn.user_id, User.desk_id == Desk.id, *lasts)


def is_signed_out(session: Session, desk_id: int, settings: Settings) -> bool:
    """Return whether the desk's phone is a browser whose sign-in is over."""
    query = select(Desk.id).where(Desk.id == desk_id, _is_signed_out(session, settings))
    return session.scalar(query) is not None


def list_unwelcome_phones(
    session: Session, settings: Settings, node: str | None = None
) -> Sequence[tuple[int, str]]:
    """List desks, of this `node` or of any, and the channel of a phone that must leave their room.

    A browser must leave if the desk has no person, or the sign-in that admitted it is over. A SIP phone must
    leave if its key is old. A phone with a citizen, or with one on the way, stays: nobody is cut off. Any
    other telephone stays.
    """
    is_left_behind = or_(
        and_(Desk.phone == "browser", ~_SITS), _is_signed_out(session, settings), _BY_OLD_KEY
    )
    query = select(Desk.id, Desk.channel).where(
        Desk.phone_connected,
        Desk.channel.is_not(None),
        is_left_behind,
        ~_WITH_CITIZEN,
        round_affinity.where_mine(Desk.node),
    )
    return [(desk, channel) for desk, channel in session.execute(query, {"node": node}) if channel]
