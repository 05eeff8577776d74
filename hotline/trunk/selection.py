"""Trunk selection: a call goes by the first working trunk in the settings' order, then by the others.

One attempt tries the trunks in turn (`next` in the dialplan) until a phone rings or sends audio. A trunk's
refusal therefore costs nobody anything. A trunk that is down comes last.

| a trunk is | event | then |
|---|---|---|
| well | it refuses calls to FAILURES numbers in a row, or is silent at one | down |
| well | it used to answer SIP OPTIONS, and does not | down |
| down | its pause is over, another trunk is well, a call is due (`order_trunks`) | the call tries it first |
| down | it refuses that trial | down, as a rule for a longer pause |
| down | it carries a call | well |
| down | it answers OPTIONS again | well if few calls failed, else a trial is due at once |

The breaker decides whether any call gets through at all (trunk.circuit_breaker).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import TrunkState
from hotline.trunk import failure_attribution
from hotline.trunk.pauses import find_pause

FAILURES = 3
"""How many calls in a row to different numbers take a trunk down; for a silent trunk one is enough."""
FIRST, LONGEST, LONGEST_OF_SILENT = timedelta(seconds=5), timedelta(seconds=60), timedelta(minutes=10)
"""Pauses between trials: a silent trunk delays a trial call by 7.5 s, a refusal does not."""
_NOTHING = 0


def order_trunks(session: Session, names: Sequence[str], *, tries: bool = True) -> tuple[str, ...]:
    """Return the trunks for the next call, in order. Call it when the call is recorded.

    `tries`: the call may be the trial of a failing trunk; no other call then tries that trunk.
    """
    if len(names) < 2:
        return tuple(names)
    found = find_states(session, names)
    down = [name for name in names if name in found and found[name].down_since]
    well = [name for name in names if name not in down]
    due = next((name for name in down if tries and well and _is_due(session, found[name])), None)
    if due is None:
        return (*well, *down)
    row = _get(session, due)
    row.next_try_at = now(session) + _pause(row)
    session.flush()
    return (due, *well, *(name for name in down if name != due))


def record_failure(session: Session, name: str, token: str, said: int) -> None:
    """Record that the trunk did not take the call of `token`. `said`: its SIP status, 0 if it was silent."""
    row = _get(session, name)
    row.refused += 1
    row.said = said
    number = failure_attribution.find_number(session, token)
    again = (
        bool(row.last_failed) and failure_attribution.find_number(session, row.last_failed or "") == number
    )
    row.failures += not again
    row.last_failed = token
    if row.down_since:
        row.tries += 1
        row.next_try_at = now(session) + _pause(row)
    elif said == _NOTHING or row.failures >= FAILURES:
        _goes_down(session, row)


def record_success(session: Session, name: str, *, calls: int = 1) -> None:
    """Record that the trunk carried `calls` calls to a phone."""
    row = _get(session, name)
    row.taken += calls
    row.failures, row.last_failed = 0, None
    if row.answers is False:
        row.answers = None  # it takes calls, so unanswered OPTIONS prove nothing
    _is_well(row)


def record_options(session: Session, name: str, *, yes: bool) -> None:
    """Record whether the trunk answers SIP OPTIONS. A trunk that never answered is not taken for gone."""
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


def record_latency(session: Session, name: str, latency_ms: float | None) -> None:
    """Record the latency of the answer to OPTIONS, in milliseconds; None if there was no answer."""
    _get(session, name).latency_ms = latency_ms


def record_registration(session: Session, name: str, *, yes: bool) -> None:
    """Record whether the trunk has accepted our registration."""
    _get(session, name).registered = yes


def summarize_answers(found: Mapping[str, TrunkState], names: Collection[str]) -> bool | None:
    """Return whether any trunk answers; False if all did and none does now; None if unknown."""
    said = [found[name].answers if name in found else None for name in names]
    if True in said:
        return True
    return None if None in said else False


def find_states(session: Session, names: Collection[str]) -> dict[str, TrunkState]:
    """Return the known state of each of these trunks, by name."""
    query = select(TrunkState).where(TrunkState.name.in_(names)).execution_options(populate_existing=True)
    return {row.name: row for row in session.scalars(query)}


def has_failures(session: Session, name: str) -> bool:
    """Return whether a successful call would change the trunk's state."""
    row = session.get(TrunkState, name)
    return row is not None and (row.failures > 0 or row.down_since is not None)


def delete_others(session: Session, names: Collection[str]) -> None:
    """Delete the trunks that the settings no longer name."""
    session.execute(delete(TrunkState).where(TrunkState.name.not_in(names)))


def _get(session: Session, name: str) -> TrunkState:
    row = session.get(TrunkState, name, with_for_update=True, populate_existing=True)
    if row is None:
        row = TrunkState(name=name, failures=0, tries=0, taken=0, refused=0)
        session.add(row)
        session.flush()
    return row


def _is_due(session: Session, row: TrunkState) -> bool:
    """Return whether a trial is due. A trunk that stopped answering OPTIONS announces its own return."""
    return row.answers is not False and row.next_try_at is not None and row.next_try_at <= now(session)


def _pause(row: TrunkState) -> timedelta:
    longest = LONGEST_OF_SILENT if row.said == _NOTHING else LONGEST
    return find_pause(FIRST, longest, row.tries)


def _goes_down(session: Session, row: TrunkState) -> None:
    row.down_since, row.tries = now(session), 0
    row.next_try_at = row.down_since + _pause(row)


def _is_well(row: TrunkState) -> None:
    row.down_since, row.next_try_at, row.tries, row.said = None, None, 0, None
