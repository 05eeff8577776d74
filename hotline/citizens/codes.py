"""One-time codes for sign-in: limits, derivation of the digits, and the check of a typed code.

Nothing here checks whether a number is known or blocked: neither an answer nor its delay may tell. No row
contains a code. It is derived from the row's salt and the secret in the state folder.
"""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import BlockedNumber, CitizenCode, CodeWay, OutboundKind, OutboxKind, OutboxMessage
from db.trusted_time import trusted_now
from hotline.citizens import browsers
from hotline.clock import is_quiet
from hotline.errors import Refused, count_seconds_until
from hotline.messages import outbox
from hotline.numbers import convert_digits
from hotline.outbound import queue
from settings import Settings

LASTS = timedelta(minutes=5)
TRIES = 5
AGAIN = timedelta(seconds=30)
"""How long a used code is accepted once more: the response to its first use may have been lost."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_OF_A_NUMBER = ((_HOUR, 3), (_DAY, 10))
"""Maximum number of codes of a number in a period. All unknown browsers share a limit for written codes
and another for spoken ones. Each known browser has its own for both. So a stranger cannot use up the owner's
codes. If one way is used up, a new owner has the other."""
_OF_ITS_BROWSERS = ((_HOUR, 6), (_DAY, 20))
"""Maximum number of codes of all known browsers of a number together."""
_SHARE_OF_CALLS = 5
"""One in this many calls under the caps may speak a code. Anybody may ask for a code; the other calls are for
people with a place in a line."""
_SHARE_OF_KNOWN = 5
"""One in this many codes of all numbers is reserved for known browsers. A stranger who asks for codes of
thousands of numbers does not lock out earlier visitors."""


def list_ways(settings: Settings) -> Sequence[CodeWay]:
    """Return the ways in which this city sends codes, the usual one first."""
    offered = {
        CodeWay.SMS: bool(settings.sms_provider),
        CodeWay.CALL: True,
        CodeWay.MESSENGER: bool(settings.bale_key),
    }
    return [way for way, is_offered in offered.items() if is_offered]


def ask(
    session: Session, number: str, way: CodeWay, language: str, settings: Settings, *, browser: str
) -> CitizenCode:
    """Give the E.164 `number` a code, which only the browser with this secret can use.

    An earlier code of the same browser ends; those of other browsers stay.

    Raises Refused("way-not-offered" | "way-needs-mobile" | "way-not-now" | "too-many-codes").
    """
    at = now(session)
    if way not in list_ways(settings):
        raise Refused("way-not-offered", "codes do not go out that way here")
    if way is not CodeWay.CALL and not number.startswith(outbox.MOBILE):
        raise Refused("way-needs-mobile", "a land line can only be called")
    if way is CodeWay.CALL and is_quiet(at, settings.quiet_hours):
        raise Refused("way-not-now", "nobody is called in the quiet hours")
    hold_lock(session, number)
    there = browsers.find_browser(browser, number)
    known = browsers.is_known(session, number, there)
    _check_number(session, at, number, way, there if known else None)
    _check_city(session, at, way, settings, known=known)
    replaced = update(CitizenCode).where(
        CitizenCode.number == number, CitizenCode.browser == there, CitizenCode.ended_at.is_(None)
    )
    session.execute(replaced.values(ended_at=at).execution_options(synchronize_session=False))
    code = CitizenCode(
        number=number,
        way=way,
        language=language,
        salt=secrets.token_hex(16),
        browser=there,
        known=known,
        asked_at=at,
        expires_at=at + LASTS,
    )
    session.add(code)
    session.flush()
    if way is CodeWay.CALL:
        queue.add(session, OutboundKind.SIGN_IN_CODE, number, at, code_id=code.id)
    else:
        outbox.tell_code(session, code)
    return code


def _check_number(session: Session, at: datetime, number: str, way: CodeWay, known: str | None) -> None:
    mine = CitizenCode.number == number, CitizenCode.known.is_(known is not None)
    this = (*mine, _of_way(way) if known is None else CitizenCode.browser == known)
    for within, most in _OF_A_NUMBER:
        _check_most(session, at, within, most, *this)
    if known is not None:
        for within, most in _OF_ITS_BROWSERS:
            _check_most(session, at, within, most, *mine)


def _check_city(session: Session, at: datetime, way: CodeWay, settings: Settings, *, known: bool) -> None:
    """Check the limits of all numbers together; written codes and spoken codes have separate limits.

    If somebody uses up the text messages, everybody can still sign in by a call. No share is reserved for
    numbers with a place in a line: refusing all others would tell who has one. Raises
    Refused("too-many-codes").
    """
    if way is CodeWay.CALL:
        by = settings.calls_per_hour, settings.calls_per_day
        hour, day = (max(1, cap // _SHARE_OF_CALLS) for cap in by)
    else:
        hour, day = settings.codes_per_hour, settings.codes_per_day
    of = _of_way(way)
    for within, most in ((_HOUR, hour), (_DAY, day)):
        _check_most(session, at, within, most, of)
        if not known:
            strangers = CitizenCode.known.is_(False)
            _check_most(session, at, within, most - most // _SHARE_OF_KNOWN, strangers, of)


def _of_way(way: CodeWay) -> ColumnElement[bool]:
    """Condition on CitizenCode: it is spoken, or written, as a code of this way is."""
    return CitizenCode.way == way if way is CodeWay.CALL else CitizenCode.way != CodeWay.CALL


def _check_most(
    session: Session, at: datetime, within: timedelta, most: int, *of: ColumnElement[bool]
) -> None:
    asked = select(CitizenCode.asked_at).where(CitizenCode.asked_at > at - within, *of)
    newest = asked.order_by(CitizenCode.asked_at.desc())
    if oldest := session.scalar(newest.offset(most - 1).limit(1)):
        raise Refused(
            "too-many-codes",
            "enough codes were asked for; the last one may still come",
            after_s=count_seconds_until(oldest + within, at),
        )


def read_digits(code: CitizenCode, settings: Settings) -> str:
    """Return the code's six digits."""
    return _digits(code.id, code.salt, settings)


def _digits(id_: int, salt: str, settings: Settings) -> str:
    return f"{int(settings.secret_for(f'citizen code {id_} {salt}'), 16) % 10**6:06}"


def find_sendable(session: Session, code_id: int) -> CitizenCode | None:
    """Return the code if it may still be sent: it is open, and its number is not blocked."""
    blocked = exists().where(BlockedNumber.number == CitizenCode.number)
    going = select(CitizenCode).where(CitizenCode.id == code_id, is_open(now(session)), ~blocked)
    return session.scalar(going)


def is_open(at: datetime) -> ColumnElement[bool]:
    """Condition on CitizenCode: the code can still be used."""
    return and_(CitizenCode.ended_at.is_(None), CitizenCode.expires_at > at)


def is_shown_in(session: Session, number: str, browser: str) -> bool:
    """Return whether this browser has a code of the E.164 `number` with tries left."""
    there = browsers.find_browser(browser, number)
    return bool(there) and bool(session.scalar(select(exists().where(*_shown(now(session), number, there)))))


def _shown(at: datetime, number: str, there: str) -> list[ColumnElement[bool]]:
    """Conditions on CitizenCode: `show` accepts it in the browser with this hash."""
    return [
        CitizenCode.number == number,
        CitizenCode.browser == there,
        CitizenCode.tries < TRIES,
        or_(is_open(at), CitizenCode.used_at > at - AGAIN),
    ]


def show(
    session: Session, number: str, typed: str, settings: Settings, *, browser: str
) -> CitizenCode | None:
    """Check typed digits against the open codes of the E.164 `number` in this browser. Return the code or
    None.

    Each check counts as a try; the caller must commit in both cases. A code that was just used is accepted
    once more (AGAIN).
    """
    at, there = now(session), browsers.find_browser(browser, number)
    if not there:
        return None
    tried = session.execute(
        update(CitizenCode)
        .where(*_shown(at, number, there))
        .values(tries=CitizenCode.tries + 1)
        .returning(CitizenCode.id, CitizenCode.salt)
        .execution_options(synchronize_session=False)
    ).all()
    given = "".join(sign for sign in convert_digits(typed) if sign.isascii() and sign.isdigit())
    right = [row.id for row in tried if hmac.compare_digest(_digits(row.id, row.salt, settings), given)]
    this = update(CitizenCode).execution_options(synchronize_session=False)
    if not right:
        used_up = CitizenCode.id.in_([row.id for row in tried]), CitizenCode.tries >= TRIES
        session.execute(this.where(*used_up, CitizenCode.ended_at.is_(None)).values(ended_at=at))
        return None
    session.execute(
        this.where(CitizenCode.id == right[0], CitizenCode.ended_at.is_(None)).values(ended_at=at)
    )
    session.execute(this.where(CitizenCode.id == right[0], CitizenCode.used_at.is_(None)).values(used_at=at))
    return session.get_one(CitizenCode, right[0], populate_existing=True)


def forget(session: Session) -> None:
    """Delete the codes that no limit counts any more, with the records of their messages and calls."""
    before = trusted_now(session) - _DAY
    session.execute(delete(CitizenCode).where(CitizenCode.asked_at < before))
    sent = delete(OutboxMessage).where(
        OutboxMessage.kind == OutboxKind.SIGN_IN_CODE, OutboxMessage.made_at < before
    )
    session.execute(sent)
