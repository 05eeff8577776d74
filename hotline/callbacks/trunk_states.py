"""By which trunk a call goes: the first that is well in the settings' order, then the others.

The same attempt tries one after another (the dialplan's `next`), until a phone rings or says something: what
a trunk refuses costs nobody anything. One that does not take calls is tried last, until it proves that it
does: it answers again when asked how it is (SIP OPTIONS), or one call, after growing pauses, tries it first.
Whether any call gets through at all is the breaker's to say (callbacks.breaker).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import TrunkState
from hotline.callbacks import untried

FAILURES = 3
"""Of calls to different numbers in a row; of a trunk that says nothing at all the first one is enough."""
FIRST, LONGEST, LONGEST_OF_SILENT = timedelta(seconds=5), timedelta(seconds=60), timedelta(minutes=10)
"""A call that tries a silent trunk first waits for 7.5 s; one that is refused goes on at once."""
_NOTHING = 0


def order(session: Session, names: Sequence[str], *, tries: bool = True) -> tuple[str, ...]:
    """By which trunks the next call is to go, one after another. Call it as that call is written down.

    `tries`: it may be the one that tries a trunk which took no calls; that one is then tried by no other.
    """
    if len(names) < 2:
        return tuple(names)
    found = states(session, names)
    down = [name for name in names if name in found and found[name].down_since]
    well = [name for name in names if name not in down]
    due = next((name for name in down if tries and well and _is_due(session, found[name])), None)
    if due is None:
        return (*well, *down)
    row = _get(session, due)
    row.next_try_at = now(session) + _pause(row)
    session.flush()
    return (due, *well, *(name for name in down if name != due))


def failed(session: Session, name: str, token: str, said: int) -> None:
    """The trunk did not take the call of `token`: this is what it said (SIP), 0: nothing."""
    row = _get(session, name)
    row.refused += 1
    row.said = said
    again = bool(row.last_failed) and untried.number_of(session, row.last_failed or "") == untried.number_of(
        session, token
    )
    row.failures += not again
    row.last_failed = token
    if row.down_since:
        row.tries += 1
        row.next_try_at = now(session) + _pause(row)
    elif said == _NOTHING or row.failures >= FAILURES:
        _goes_down(session, row)


def worked(session: Session, name: str, *, calls: int = 1) -> None:
    """The trunk has brought so many calls to a phone."""
    row = _get(session, name)
    row.taken += calls
    row.failures, row.last_failed = 0, None
    if row.answers is False:
        row.answers = None  # it takes calls: that it does not answer says nothing
    _is_well(row)


def answers(session: Session, name: str, *, yes: bool) -> None:
    """Whether it answers when asked how it is. One that never did is not gone."""
    row = _get(session, name)
    if not yes and row.answers is None:
        return
    back, row.answers = yes and row.answers is not True, yes
    if not yes and row.down_since is None:
        row.said = _NOTHING
        _goes_down(session, row)
    elif back and row.down_since and row.failures < FAILURES:
        row.failures = 0
        _is_well(row)
    elif back and row.down_since:
        row.next_try_at = now(session)


def took(session: Session, name: str, latency_ms: float | None) -> None:
    """How long its answer took; None: there was none."""
    _get(session, name).latency_ms = latency_ms


def registered(session: Session, name: str, *, yes: bool) -> None:
    """Whether it has taken our registration."""
    _get(session, name).registered = yes


def whole(found: Mapping[str, TrunkState], names: Collection[str]) -> bool | None:
    """Whether any trunk answers; False: all did, and none does; None: nobody can say."""
    said = [found[name].answers if name in found else None for name in names]
    if True in said:
        return True
    return None if None in said else False


def states(session: Session, names: Collection[str]) -> dict[str, TrunkState]:
    """What is known of each of these."""
    query = select(TrunkState).where(TrunkState.name.in_(names)).execution_options(populate_existing=True)
    return {row.name: row for row in session.scalars(query)}


def is_troubled(session: Session, name: str) -> bool:
    """Whether a call that gets through changes anything."""
    row = session.get(TrunkState, name)
    return row is not None and (row.failures > 0 or row.down_since is not None)


def keep(session: Session, names: Collection[str]) -> None:
    """Forget the trunks that are not in the settings any more."""
    session.execute(delete(TrunkState).where(TrunkState.name.not_in(names)))


def _get(session: Session, name: str) -> TrunkState:
    row = session.get(TrunkState, name, with_for_update=True, populate_existing=True)
    if row is None:
        row = TrunkState(name=name, failures=0, tries=0, taken=0, refused=0)
        session.add(row)
        session.flush()
    return row


def _is_due(session: Session, row: TrunkState) -> bool:
    """One that has fallen silent tells of its return by itself."""
    return row.answers is not False and row.next_try_at is not None and row.next_try_at <= now(session)


def _pause(row: TrunkState) -> timedelta:
    longest = LONGEST_OF_SILENT if row.said == _NOTHING else LONGEST
    return min(FIRST * (1 << min(row.tries, 10)), longest)


def _goes_down(session: Session, row: TrunkState) -> None:
    row.down_since, row.tries = now(session), 0
    row.next_try_at = row.down_since + _pause(row)


def _is_well(row: TrunkState) -> None:
    row.down_since, row.next_try_at, row.tries, row.said = None, None, 0, None
