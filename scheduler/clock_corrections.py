"""Shortening of waits that were stamped by a clock that has been set back since.

A clock that leapt ahead for a minute stamps retries, locks and pauses hours ahead. Once the scheduler sees
the clock set back, each wait is cut to what its rule allows from now. A correctly stamped wait stays, and so
does a time that a person has named.
"""

import logging
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, update
from sqlalchemy.orm import InstrumentedAttribute

from db.engine import now, writing
from db.models import (
    Breaker,
    Callback,
    CallerNow,
    CitizenCode,
    CitizenSession,
    Confirmation,
    Delivery,
    FailedSignIn,
    Node,
    OutboundCall,
    OutboundKind,
    OutboxMessage,
    Picture,
    PlacedCall,
    SignIn,
    TrialCall,
    TrunkState,
    Upload,
    UrgentMatter,
    User,
    WaitingCaller,
    make_literals,
)
from db.states import IN_TALK, CallbackState
from db.trusted_time import find_doubt
from hotline.callbacks import retry_waits
from hotline.citizens import codes, sessions
from hotline.line import confirmation_calls, urgent_calls
from hotline.messages import delivery
from hotline.nodes import leases
from hotline.outbound.kinds import KINDS
from hotline.people import accounts, lockout, sign_ins
from hotline.trunk import circuit_breaker, selection
from settings import Settings

log = logging.getLogger("scheduler")

_NO_WAIT = timedelta()
"""Wait of a moment in the past: no rule lets it lie in the future."""


class _Wait(NamedTuple):
    """Column with the end of a wait, the longest wait of its rule, and the rows that wait."""

    column: InstrumentedAttribute[Any]
    longest: timedelta
    where: tuple[ColumnElement[bool], ...] = ()


_UNTRIED = OutboxMessage.state == Delivery.PENDING, OutboxMessage.attempts == 0
_TRIED = OutboxMessage.state == Delivery.PENDING, OutboxMessage.attempts > 0
_GIVEN_UP = Delivery.FAILED, Delivery.EXPIRED
_LIVE = Callback.state.in_(make_literals((*IN_TALK, CallbackState.PARTING)))
_DATED = [OutboundKind.OVERFLOW, *(kind for kind, policy in KINDS.items() if policy.valid)]
"""Kinds that expire, or that a daily cap counts."""
_IS_OPEN = (OutboundCall.ended_at.is_(None),)
_UNDECIDED = Confirmation.decided_at.is_(None)


def _waits(settings: Settings) -> list[_Wait]:
    held = timedelta(seconds=max(settings.hold_seconds, settings.on_hold_seconds))
    ended = Callback.state.in_(make_literals((*IN_TALK, CallbackState.ENDED)))
    return [
        # calls
        _Wait(PlacedCall.at, _NO_WAIT),
        _Wait(Breaker.next_probe_at, circuit_breaker.LONGEST),
        _Wait(TrunkState.next_try_at, selection.LONGEST_OF_SILENT),
        # a node that died during the leap
        _Wait(Node.lease_until, leases.LEASE),
        # conversations
        _Wait(Callback.held_until, held, (ended,)),
        _Wait(Callback.on_hold_at, _NO_WAIT, (_LIVE,)),
        _Wait(Callback.parting_at, _NO_WAIT, (_LIVE,)),
        _Wait(Callback.talking_at, _NO_WAIT, (_LIVE,)),
        # callers on the line
        _Wait(WaitingCaller.since, _NO_WAIT, (WaitingCaller.left_at.is_(None),)),
        _Wait(WaitingCaller.left_at, _NO_WAIT),
        _Wait(CallerNow.since, _NO_WAIT),
        # calls of our own
        *(_Wait(OutboundCall.asked_at, _NO_WAIT, (OutboundCall.kind == kind,)) for kind in _DATED),
        *(
            _Wait(OutboundCall.due_at, policy.longest_wait, (OutboundCall.kind == kind, *_IS_OPEN))
            for kind, policy in KINDS.items()
        ),
        _Wait(UrgentMatter.again_at, urgent_calls.AGAIN),
        _Wait(Confirmation.asked_at, _NO_WAIT),
        _Wait(Confirmation.decided_at, _NO_WAIT),
        _Wait(TrialCall.asked_at, _NO_WAIT),
        _Wait(Confirmation.not_before, confirmation_calls.LONGEST_WAIT, (_UNDECIDED,)),
        # messages; an untried one may be planned for later
        _Wait(
            OutboxMessage.not_before, _NO_WAIT, (*_UNTRIED, OutboxMessage.not_before <= OutboxMessage.made_at)
        ),
        _Wait(OutboxMessage.not_before, delivery.LONGEST_WAIT, _TRIED),
        _Wait(OutboxMessage.not_before, delivery.LEASE, (OutboxMessage.state == Delivery.SENDING,)),
        _Wait(OutboxMessage.not_before, _NO_WAIT, (OutboxMessage.state.in_(make_literals(_GIVEN_UP)),)),
        _Wait(OutboxMessage.made_at, _NO_WAIT),
        # files of citizens
        _Wait(Picture.made_at, _NO_WAIT),
        _Wait(Upload.made_at, _NO_WAIT),
        # people who sign in
        _Wait(CitizenCode.asked_at, _NO_WAIT),
        _Wait(CitizenCode.expires_at, codes.LASTS, (CitizenCode.ended_at.is_(None),)),
        _Wait(User.pin_locked_until, accounts.PIN_LOCKED),
        _Wait(User.totp_locked_until, lockout.LONGEST),
        _Wait(FailedSignIn.locked_until, max(lockout.LONGEST, timedelta(minutes=settings.ldap_wait_minutes))),
    ]


_PRESENCE = [
    _Wait(WaitingCaller.seen_at, _NO_WAIT, (WaitingCaller.left_at.is_(None),)),
    _Wait(Callback.threat_at, _NO_WAIT),
    _Wait(CitizenCode.used_at, _NO_WAIT),
    _Wait(CitizenSession.rotated_at, _NO_WAIT),
    _Wait(CitizenSession.access_until, sessions.ACCESS),
    _Wait(CitizenSession.expires_at, sessions.REFRESH),
    _Wait(SignIn.last_seen_at, _NO_WAIT),
    _Wait(SignIn.expires_at, sign_ins.SESSION_LENGTH),
]
"""People and news of the present. A clock that is wrongly set back must not end them. So they are cut to the
last trusted moment if that is later.
"""


def shorten(engine: Engine, settings: Settings) -> None:
    """Shorten all waits, each kind in a transaction of its own; a repeat changes nothing."""
    for (column, longest, where), present in (
        *((wait, False) for wait in _waits(settings)),
        *((wait, True) for wait in _PRESENCE),
    ):
        with writing(engine) as session:
            doubt = find_doubt(session) if present else None
            at = (max(now(session), doubt.trusted_at) if doubt else now(session)) + longest
            shorter = update(column.class_).where(column > at, *where).values({column.key: at})
            count = session.connection().execute(shorter).rowcount
        if count:
            log.warning("the clock was set back: %d × %s lay too far ahead", count, column)
    with writing(engine) as session:
        if count := retry_waits.shorten(session, settings):
            log.warning("the clock was set back: %d citizens waited for too long", count)
