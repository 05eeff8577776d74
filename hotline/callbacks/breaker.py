"""The breaker: what fails by our own fault again and again is tried with one call, not with everybody.

There are two. The trunk's opens after calls to FAILURES different numbers in a row that never came to a phone
(to fewer, where nobody else is due), or when the trunk, which used to answer when asked how it is (SIP
OPTIONS), does not. The scripts' opens after calls to SPEECHLESS different numbers in a row in which somebody
picked up and no script spoke: one citizen's call may always fail, and stops nobody else's (own_faults).

While one is open, the head of the line is called as a probe, free of charge, after growing pauses; the
trunk's, while it answers, tries one number after another (own_faults), the first ones quickly: a
few phones that cannot be called must not be taken for the trunk. Only a proof closes it: a probe whose phone
rings, or the answer of a trunk that had fallen silent, the trunk's; a citizen who was spoken with, the
scripts'. Pauses beyond ANSWERING are for a trunk of which we hear at once that it answers again; then the
next probe goes at once. While ivr is dead there is none.

All of it is in the database, so a dialer that is killed goes on where it was.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Engine, exists, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Breaker, Heartbeat, PlacedCall
from db.peeks import ago, peek
from hotline import heartbeats
from hotline.callbacks import untried

TRUNK, SCRIPTS = "trunk", "scripts"

FAILURES = 3
SPEECHLESS = 2
FIRST, ANSWERING, LONGEST = timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=60)
_QUICKLY = 10
"""So many numbers are tried at the first pause, one after another, before the pauses grow."""
_REMEMBERED = 100
_IVR_IS_KNOWN = heartbeats.FRESH + timedelta(seconds=2)
_RESTS = timedelta(seconds=15)
"""A probe of a trunk that answers is due for so long, and nobody waits: what failed says nothing of now."""
_NOBODY_TO_CALL = timedelta(seconds=60)
"""A probe that is due for so long has nobody of a line to be made with; then any other call may be it."""


# Asked every few seconds, day and night: built once.
_MAY_BE_TROUBLE = select(
    or_(
        exists().where(Breaker.opened_at.is_not(None)),
        exists().where(
            Heartbeat.process == "ivr",
            ~Heartbeat.at.between(ago(heartbeats.FRESH), ago(-heartbeats.FRESH)),
        ),
    )
)


def may_be_trouble(engine: Engine) -> bool:
    """Whether one may be open, or ivr silent: else calls flow (`down`), and nothing is to rest."""
    return bool(peek(engine, _MAY_BE_TROUBLE))


class Down(NamedTuple):
    """Why no call can be made now."""

    since: datetime
    why: str
    """TRUNK, SCRIPTS or `ivr`."""


def down(session: Session) -> Down | None:
    """Why, and since when, calls do not flow; None: they do."""
    silent = heartbeats.silent_since(session, "ivr")
    if silent:
        return Down(silent, "ivr")
    opened = [Down(row.opened_at, row.name) for row in _open(session) if row.opened_at]
    return min(opened, default=None)


def calls(session: Session) -> int | None:
    """How many calls may be placed now: None: as many as are wished; 1: a probe; 0: none."""
    if heartbeats.silent_since(session, "ivr"):
        return 0
    opened = _open(session)
    return int(all(_may_probe(row, now(session)) for row in opened)) if opened else None


def take(session: Session, token: str) -> bool:
    """The call of `token` is about to be placed, as the probe if need be. False: it must not."""
    allowed = calls(session)
    if allowed:
        for row in _open(session):
            row.probe, row.next_probe_at = token, None
        session.flush()
    return allowed != 0


def failed(session: Session, name: str, token: str) -> None:
    """The call of `token` came to nothing by this fault."""
    row, at = _get(session, name), now(session)
    number, another = untried.number_of(session, token), False
    if name == TRUNK:
        if row.opened_at is None and untried.fails_alone(session, token, number, row.worked_at):
            row.suspects = True
            return
        another = untried.is_there_another(session, token, [*tried(row), number])
    row.tried = _and(row.tried, number)
    row.failures += 1
    if row.opened_at is None:
        if _is_enough(row, another):
            _opens(row, at)
    elif row.probe == token:
        row.probe = None
        if row.next_probe_at is None:  # else it has answered meanwhile: at once
            quickly = another and row.answers is not False and len(tried(row)) <= _QUICKLY
            row.probes += not quickly
            row.next_probe_at = at + (FIRST if quickly else _pause(row))
    if name == TRUNK and row.opened_at and not another:
        untried.release(session, tried(row))  # all of this line were tried: its head again


def worked(session: Session, name: str, token: str) -> None:
    """This was no hindrance to the call of `token`.

    Where the trunk's is open only the probe says so: what was placed before may ring, or end, long after.
    """
    row = _get(session, name)
    if name == TRUNK and row.opened_at and row.probe != token:
        return
    was_open, row.failures = row.opened_at is not None, 0
    row.worked_at, row.suspects = now(session), False
    if name == TRUNK and row.answers is False:
        row.answers = None  # it takes calls: that it does not answer says nothing
    if was_open:
        untried.release(session, tried(row))
        _closes(row)
    row.tried = ""


def ended(session: Session, token: str) -> None:
    """The call of `token` is over. A probe of which nobody knows what came of it is made again."""
    for row in session.scalars(select(Breaker).where(Breaker.probe == token).with_for_update()):
        row.probe = None
        row.next_probe_at = row.next_probe_at or now(session) + _pause(row)


def answers(session: Session, *, yes: bool) -> None:
    """Whether the trunk answers when asked how it is.

    One that never did is not gone, and never will tell of its return. One that does again is tried at once.
    """
    row, at = _get(session, TRUNK), now(session)
    if not yes and row.answers is None:
        return
    row.answers = yes
    if not yes:
        if row.opened_at is None:
            _opens(row, at)
        untried.release(session, tried(row))  # it was the trunk, not their phones
    elif row.opened_at and row.failures < FAILURES:
        _closes(row)
    elif row.opened_at:
        row.probes, row.next_probe_at = 0, at


def knows(session: Session) -> bool | None:
    """Whether the trunk answers, as far as we have heard; None: it never did, or that says nothing."""
    row = session.get(Breaker, TRUNK)
    return row.answers if row else None


def nobody_tries(session: Session) -> bool:
    """Whether a probe is due for so long that nobody of a line will be it."""
    return any(_untried(row, now(session), _NOBODY_TO_CALL) for row in _open(session))


def may_rest(session: Session) -> bool:
    """Whether the trunk's is open with nobody left in any line who could show that it carries calls again."""
    row = tries_others(session)
    return row is not None and _untried(row, now(session), _RESTS)


def rest(session: Session) -> None:
    """Close the trunk's, if it may rest: nobody is told all night that it is down. New failures open it."""
    row = _get(session, TRUNK)
    if may_rest(session):
        untried.release(session, tried(row))
        _closes(row)
        row.failures, row.tried = 0, ""


def troubled(session: Session, name: str) -> bool:
    """Whether `worked` has anything to do."""
    row = session.get(Breaker, name)
    return row is not None and (row.failures > 0 or row.suspects or row.opened_at is not None)


def tries_others(session: Session) -> Breaker | None:
    """The trunk's breaker, if it is open on a trunk that answers: one number after another is tried."""
    row = session.get(Breaker, TRUNK)
    return row if row and row.opened_at and row.answers is not False else None


def tried(row: Breaker) -> list[str]:
    """The numbers (E.164) of the calls that failed in a row, each once."""
    return row.tried.split()


def is_failing(session: Session, number: str) -> bool:
    """Whether calls to others than `number` have failed, and none has got through since."""
    row = session.get(Breaker, TRUNK)
    return row is not None and any(other != number for other in tried(row))


def fails_alone(session: Session, token: str, since: datetime | None) -> bool:
    """Whether the call of `token` failed on a trunk that has brought others to their phones since then."""
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
    """Not before as many numbers have failed; the trunk's before, if there are no more to be called."""
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
