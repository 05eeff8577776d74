"""Circuit breakers of outgoing calls: one for the trunk, one for the scripts that speak with the called.

A breaker is closed (calls flow), open (no call until `next_probe_at`) or probing (one call is out: `probe`).

| in | event | then |
|---|---|---|
| closed | calls to FAILURES numbers in a row reach no phone; fewer suffice if nobody else is due | open |
| closed | answered calls to SPEECHLESS numbers in a row hear no script (the scripts' breaker) | open |
| closed | the trunk, which used to answer SIP OPTIONS, does not answer | open |
| closed | a number fails that others do not share (failure_attribution) | closed |
| open | the pause is over, and a call is due (`claim_probe`) | probing |
| open | the trunk answers OPTIONS again | closed if few calls failed, else a probe is due at once |
| open | no line has anybody to call (`close_unproven`) | closed |
| probing | the probe rings; a script speaks | closed |
| probing | the probe fails, or ends unknown | open, as a rule for a longer pause |

A probe is the head of a line, free of charge. While the trunk answers OPTIONS, each probe is another number,
and the first ones follow quickly. A few unreachable phones must not look like a dead trunk.
Pauses grow beyond ANSWERING only while OPTIONS is unanswered, since an answer makes a probe due at once.
Nobody is called while ivr is dead. All state is in the database, and a restarted dialer continues from it.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Breaker, PlacedCall
from hotline import heartbeats
from hotline.trunk import failure_attribution
from hotline.trunk.pauses import find_pause

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


class Outage(NamedTuple):
    """Reason why no call can be placed now, and its start."""

    since: datetime
    why: str
    """TRUNK, SCRIPTS or `ivr`."""


def find_outage(session: Session) -> Outage | None:
    """Return the reason why no calls can be placed, and since when; None while calls flow."""
    silent = heartbeats.find_silent_since(session, "ivr")
    if silent:
        return Outage(silent, "ivr")
    opened = [Outage(row.opened_at, row.name) for row in _open(session) if row.opened_at]
    return min(opened, default=None)


def count_allowed(session: Session) -> int | None:
    """Return how many calls may be placed now: None is no limit, 1 is a probe, 0 is none."""
    if heartbeats.find_silent_since(session, "ivr"):
        return 0
    opened = _open(session)
    return int(all(_may_probe(row, now(session)) for row in opened)) if opened else None


def claim_probe(session: Session, token: str) -> bool:
    """Register the call of `token` as the probe if a breaker is open.

    Return False if it must not be placed.
    """
    allowed = count_allowed(session)
    if allowed:
        for row in _open(session):
            row.probe, row.next_probe_at = token, None
        session.flush()
    return allowed != 0


def record_failure(session: Session, name: str, token: str) -> None:
    """Record that the call of `token` failed through the fault `name`: TRUNK or SCRIPTS."""
    row, at = _get(session, name), now(session)
    number, another = failure_attribution.find_number(session, token), False
    if name == TRUNK:
        if row.opened_at is None and failure_attribution.has_failed_alone(
            session, token, number, row.worked_at
        ):
            row.suspects = True
            return
        another = failure_attribution.has_untried(session, token, [*list_failed_numbers(row), number])
    row.tried = _and(row.tried, number)
    row.failures += 1
    if row.opened_at is None:
        if _is_enough(row, another):
            _opens(row, at)
    elif row.probe == token:
        row.probe = None
        if row.next_probe_at is None:  # else the trunk has answered meanwhile, and a probe is due at once
            quickly = another and row.answers is not False and len(list_failed_numbers(row)) <= _QUICKLY
            row.probes += not quickly
            row.next_probe_at = at + (FIRST if quickly else _pause(row))
    if name == TRUNK and row.opened_at and not another:  # the whole line was tried: begin at its head again
        failure_attribution.make_due_again(session, list_failed_numbers(row))


def record_success(session: Session, name: str, token: str) -> None:
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
        failure_attribution.make_due_again(session, list_failed_numbers(row))
        _closes(row)
    row.tried = ""


def record_end(session: Session, token: str) -> None:
    """Record that the call of `token` is over.

    Schedule another probe if the result of this one is unknown.
    """
    for row in session.scalars(select(Breaker).where(Breaker.probe == token).with_for_update()):
        row.probe = None
        row.next_probe_at = row.next_probe_at or now(session) + _pause(row)


def record_options(session: Session, *, yes: bool) -> None:
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
        # The trunk failed, not the phones of these numbers.
        failure_attribution.make_due_again(session, list_failed_numbers(row))
    elif row.opened_at and row.failures < FAILURES:
        _closes(row)
    elif row.opened_at:
        row.probes, row.next_probe_at = 0, at


def is_answering_options(session: Session) -> bool | None:
    """Return whether the trunk answers SIP OPTIONS; None if it never did, or takes calls all the same."""
    row = session.get(Breaker, TRUNK)
    return row.answers if row else None


def lacks_probes(session: Session) -> bool:
    """Return whether a probe has been due too long for a citizen of a line to be it."""
    return any(_untried(row, now(session), _NOBODY_TO_CALL) for row in _open(session))


def may_close_unproven(session: Session) -> bool:
    """Return whether the trunk's breaker is open on an answering trunk and no line has anybody to call."""
    row = find_probing(session)
    return row is not None and _untried(row, now(session), _RESTS)


def close_unproven(session: Session) -> None:
    """Close the trunk's breaker if `may_close_unproven`, so that pages show no outage all night.

    New failures open it.
    """
    row = _get(session, TRUNK)
    if may_close_unproven(session):
        failure_attribution.make_due_again(session, list_failed_numbers(row))
        _closes(row)
        row.failures, row.tried = 0, ""


def has_failures(session: Session, name: str) -> bool:
    """Return whether `record_success` would change anything."""
    row = session.get(Breaker, name)
    return row is not None and (row.failures > 0 or row.suspects or row.opened_at is not None)


def find_probing(session: Session) -> Breaker | None:
    """Return the trunk's breaker if it is open on an answering trunk: probes try number after number."""
    row = session.get(Breaker, TRUNK)
    return row if row and row.opened_at and row.answers is not False else None


def list_failed_numbers(row: Breaker) -> list[str]:
    """Return the numbers (E.164) of the calls that failed in a row, each once."""
    return row.tried.split()


def is_failing(session: Session, number: str) -> bool:
    """Return whether calls to numbers other than `number` have failed since a call last got through."""
    row = session.get(Breaker, TRUNK)
    return row is not None and any(other != number for other in list_failed_numbers(row))


def has_failed_alone(session: Session, token: str, since: datetime | None) -> bool:
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
        return len(list_failed_numbers(row)) >= SPEECHLESS
    return row.failures >= FAILURES and (len(list_failed_numbers(row)) >= FAILURES or not another)


def _may_probe(row: Breaker, at: datetime) -> bool:
    return row.probe is None and row.next_probe_at is not None and row.next_probe_at <= at


def _untried(row: Breaker, at: datetime, how_long: timedelta) -> bool:
    due = row.next_probe_at
    return due is not None and due + how_long < at


def _pause(row: Breaker) -> timedelta:
    if row.name == SCRIPTS:
        return find_pause(_IVR_IS_KNOWN, LONGEST, row.probes)
    longest = LONGEST if row.answers is False else ANSWERING
    return find_pause(FIRST, longest, row.probes)


def _opens(row: Breaker, at: datetime) -> None:
    row.opened_at, row.probe, row.probes = at, None, 0
    row.next_probe_at = at + _pause(row)


def _closes(row: Breaker) -> None:
    row.opened_at = row.probe = row.next_probe_at = None
    row.probes = 0
