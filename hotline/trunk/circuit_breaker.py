"""Circuit breakers of outgoing calls: while one is open, single probes replace the calls of the lines.

The trunk's breaker opens when calls to FAILURES different numbers in a row reached no phone. Fewer calls
suffice if nobody else is due. The trunk's breaker also opens when a trunk that used to answer SIP OPTIONS
stops answering. The scripts' breaker opens when no script spoke in answered calls to SPEECHLESS different
numbers in a row. One citizen's call may fail every time without stopping the others (own_faults).

While a breaker is open, the dialer calls the head of the line as a probe. Probes are free of charge, and
follow growing pauses. On a trunk that answers OPTIONS, the probes try one number after another, the first
ones quickly (own_faults). A few unreachable phones must not be taken for a dead trunk.

Only a proof closes a breaker. The trunk's closes when a probe rings, or when a silent trunk answers again.
The scripts' closes when a script has spoken with a citizen. Trunk pauses longer than ANSWERING apply only
while OPTIONS is unanswered: an answer makes the next probe due at once. While ivr is dead there are no
probes.

All state is in the database, and a restarted dialer continues from it.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Breaker, PlacedCall
from hotline import heartbeats
from hotline.trunk import failure_attribution

TRUNK, SCRIPTS = "trunk", "scripts"

FAILURES = 3
SPEECHLESS = 2
FIRST, ANSWERING, LONGEST = timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=60)
_QUICKLY = 10
"""How many numbers are probed at the first pause before the pauses grow."""
_REMEMBERED = 100
_IVR_IS_KNOWN = heartbeats.FRESH + timedelta(seconds=2)
_RESTS = timedelta(seconds=15)
"""How long a probe of an answering trunk stays due with nobody to call. After that old failures prove
nothing.
"""
_NOBODY_TO_CALL = timedelta(seconds=60)
"""How long a probe stays due with nobody in a line to call. After that any other call may be the probe."""


class Down(NamedTuple):
    """Reason why no call can be placed now, and its start."""

    since: datetime
    why: str
    """TRUNK, SCRIPTS or `ivr`."""


def down(session: Session) -> Down | None:
    """Return the reason why no calls can be placed, and since when; None while calls flow."""
    silent = heartbeats.silent_since(session, "ivr")
    if silent:
        return Down(silent, "ivr")
    opened = [Down(row.opened_at, row.name) for row in _open(session) if row.opened_at]
    return min(opened, default=None)


def calls(session: Session) -> int | None:
    """Return how many calls may be placed now: None is no limit, 1 is a probe, 0 is none."""
    if heartbeats.silent_since(session, "ivr"):
        return 0
    opened = _open(session)
    return int(all(_may_probe(row, now(session)) for row in opened)) if opened else None


def take(session: Session, token: str) -> bool:
    """Register the call of `token` as the probe if a breaker is open.

    Return False if it must not be placed.
    """
    allowed = calls(session)
    if allowed:
        for row in _open(session):
            row.probe, row.next_probe_at = token, None
        session.flush()
    return allowed != 0


def failed(session: Session, name: str, token: str) -> None:
    """Record that the call of `token` failed through the fault `name`: TRUNK or SCRIPTS."""
    row, at = _get(session, name), now(session)
    number, another = failure_attribution.number_of(session, token), False
    if name == TRUNK:
        if row.opened_at is None and failure_attribution.fails_alone(session, token, number, row.worked_at):
            row.suspects = True
            return
        another = failure_attribution.is_there_another(session, token, [*tried(row), number])
    row.tried = _and(row.tried, number)
    row.failures += 1
    if row.opened_at is None:
        if _is_enough(row, another):
            _opens(row, at)
    elif row.probe == token:
        row.probe = None
        if row.next_probe_at is None:  # else the trunk has answered meanwhile, and a probe is due at once
            quickly = another and row.answers is not False and len(tried(row)) <= _QUICKLY
            row.probes += not quickly
            row.next_probe_at = at + (FIRST if quickly else _pause(row))
    if name == TRUNK and row.opened_at and not another:
        failure_attribution.release(session, tried(row))  # the whole line was tried: begin at its head again


def worked(session: Session, name: str, token: str) -> None:
    """Record that the call of `token` did not fail through `name`: TRUNK or SCRIPTS.

    An open trunk breaker believes its probe only: a call placed earlier may ring or end long after.
    """
    row = _get(session, name)
    if name == TRUNK and row.opened_at and row.probe != token:
        return
    was_open, row.failures = row.opened_at is not None, 0
    row.worked_at, row.suspects = now(session), False
    if name == TRUNK and row.answers is False:
        row.answers = None  # it takes calls, so unanswered OPTIONS prove nothing
    if was_open:
        failure_attribution.release(session, tried(row))
        _closes(row)
    row.tried = ""


def ended(session: Session, token: str) -> None:
    """Record that the call of `token` is over.

    Schedule another probe if the result of this one is unknown.
    """
    for row in session.scalars(select(Breaker).where(Breaker.probe == token).with_for_update()):
        row.probe = None
        row.next_probe_at = row.next_probe_at or now(session) + _pause(row)


def answers(session: Session, *, yes: bool) -> None:
    """Record whether the trunk answers SIP OPTIONS.

    A trunk that never answered is not taken for gone: it could not announce its return. A trunk that answers
    again gets a probe at once.
    """
    row, at = _get(session, TRUNK), now(session)
    if not yes and row.answers is None:
        return
    row.answers = yes
    if not yes:
        if row.opened_at is None:
            _opens(row, at)
        failure_attribution.release(session, tried(row))  # the trunk failed, not the phones of these numbers
    elif row.opened_at and row.failures < FAILURES:
        _closes(row)
    elif row.opened_at:
        row.probes, row.next_probe_at = 0, at


def knows(session: Session) -> bool | None:
    """Return whether the trunk answers SIP OPTIONS; None if it never did, or takes calls all the same."""
    row = session.get(Breaker, TRUNK)
    return row.answers if row else None


def nobody_tries(session: Session) -> bool:
    """Return whether a probe has been due too long for a citizen of a line to be it."""
    return any(_untried(row, now(session), _NOBODY_TO_CALL) for row in _open(session))


def may_rest(session: Session) -> bool:
    """Return whether the trunk's breaker is open on an answering trunk and no line has anybody to call."""
    row = tries_others(session)
    return row is not None and _untried(row, now(session), _RESTS)


def rest(session: Session) -> None:
    """Close the trunk's breaker if `may_rest`, so that pages show no outage all night.

    New failures open it.
    """
    row = _get(session, TRUNK)
    if may_rest(session):
        failure_attribution.release(session, tried(row))
        _closes(row)
        row.failures, row.tried = 0, ""


def troubled(session: Session, name: str) -> bool:
    """Return whether `worked` would change anything."""
    row = session.get(Breaker, name)
    return row is not None and (row.failures > 0 or row.suspects or row.opened_at is not None)


def tries_others(session: Session) -> Breaker | None:
    """Return the trunk's breaker if it is open on an answering trunk: probes try number after number."""
    row = session.get(Breaker, TRUNK)
    return row if row and row.opened_at and row.answers is not False else None


def tried(row: Breaker) -> list[str]:
    """Return the numbers (E.164) of the calls that failed in a row, each once."""
    return row.tried.split()


def is_failing(session: Session, number: str) -> bool:
    """Return whether calls to numbers other than `number` have failed since a call last got through."""
    row = session.get(Breaker, TRUNK)
    return row is not None and any(other != number for other in tried(row))


def fails_alone(session: Session, token: str, since: datetime | None) -> bool:
    """Return whether the call of `token` failed although the trunk has carried other calls since `since`."""
    row, call = session.get(Breaker, TRUNK), session.get(PlacedCall, token)
    if row is None or call is None or row.opened_at or row.worked_at is None or since is None:
        return False
    return call.ours and since < row.worked_at


_OPEN = (
    select(Breaker)
    .where(Breaker.opened_at.is_not(None))
    .order_by(Breaker.name)
    .execution_options(populate_existing=True)
)


def _open(session: Session) -> list[Breaker]:
    return list(session.scalars(_OPEN))


def _get(session: Session, name: str) -> Breaker:
    row = session.get(Breaker, name, with_for_update=True, populate_existing=True)
    if row is None:
        row = Breaker(name=name, failures=0, probes=0, tried="", suspects=False)
        session.add(row)
        session.flush()
    return row


def _and(numbers: str, number: str) -> str:
    return " ".join([*(n for n in numbers.split() if n != number), number][-_REMEMBERED:])


def _is_enough(row: Breaker, another: bool) -> bool:
    """Return whether enough different numbers have failed; the trunk needs fewer if nobody else is due."""
    if row.name != TRUNK:
        return len(tried(row)) >= SPEECHLESS
    return row.failures >= FAILURES and (len(tried(row)) >= FAILURES or not another)


def _may_probe(row: Breaker, at: datetime) -> bool:
    return row.probe is None and row.next_probe_at is not None and row.next_probe_at <= at


def _untried(row: Breaker, at: datetime, how_long: timedelta) -> bool:
    due = row.next_probe_at
    return due is not None and due + how_long < at


def _pause(row: Breaker) -> timedelta:
    if row.name == SCRIPTS:
        return min(_IVR_IS_KNOWN * (1 << min(row.probes, 10)), LONGEST)
    longest = LONGEST if row.answers is False else ANSWERING
    return min(FIRST * (1 << min(row.probes, 10)), longest)


def _opens(row: Breaker, at: datetime) -> None:
    row.opened_at, row.probe, row.probes = at, None, 0
    row.next_probe_at = at + _pause(row)


def _closes(row: Breaker) -> None:
    row.opened_at = row.probe = row.next_probe_at = None
    row.probes = 0
