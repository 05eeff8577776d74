"""Verification of the whole ledger: nothing changed, nothing missing, and everybody called in order.

One pass checks that the entries are complete and match every seal's root. It checks that the facts follow the
rules, and that nobody was called before somebody ahead of them. Finally the ledger must agree with the
registrations and with the steps of requests.
"""

import heapq
import itertools
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading
from db.models import LedgerEntry, Registration, Seal
from db.states import REGISTRATION_MOVES, Fact, Outcome, RegistrationState, list_registration_sources
from db.trusted_time import STEP
from hotline.ledger import entries, merkle, steps
from hotline.ledger.entries import LedgerPlace, Rank

_PAGE = 2000
_TOLD = 100
_SET_BACK = timedelta(days=1)
"""How far ahead of the clock the last seal alone may lie, if the clock was set back since."""
_S = RegistrationState


class Leap(NamedTuple):
    """Entries dated ahead of the database's clock: that clock was ahead, and has been set back."""

    after: int
    """Id of the last entry that is dated rightly; 0: there is none."""
    until: datetime
    """Date of the newest entry. New entries carry it until the clock shows it."""


class Report(NamedTuple):
    """The number of entries and seals checked, and at most 100 problems in words."""

    entries: int
    seals: int
    problems: list[str]
    leap: Leap | None = None
    """Not a problem: a date ahead of the clock changes neither the order nor its proof."""


def verify(engine: Engine) -> Report:
    """Check the ledger against itself, its seals and the registrations, in one snapshot.

    A million entries take about two minutes; each registration takes 0.3 KB of memory.
    """
    with reading(engine, one_moment=True) as session:
        checked = _Check(session)
        problems = list(itertools.islice(checked.problems(), _TOLD))
        return Report(checked.tree.size, checked.seals, problems, checked.leap)


class _Rule(NamedTuple):
    """The fields of a place that a fact may change, and the states before and after it."""

    changes: set[str]
    before: set[RegistrationState]
    after: set[RegistrationState]


_HERE = {"state"}
_LEFT = {_S.UNCONFIRMED, _S.WAITING, _S.UNREACHED}
_RULES = {
    Fact.CONFIRMED: _Rule(_HERE, {_S.UNCONFIRMED}, {_S.WAITING}),
    Fact.NUMBER_CHANGED: _Rule(set(), {_S.WAITING, _S.UNREACHED}, {_S.WAITING, _S.UNREACHED}),
    # a carried registration may at once be merged into an older place
    Fact.CARRIED: _Rule(
        {*_HERE, "round_id", "rounds_missed", "not_before"}, _LEFT, {_S.UNCONFIRMED, _S.WAITING, _S.CANCELLED}
    ),
    Fact.MERGED: _Rule(_HERE, {*_LEFT, _S.CANCELLED}, {_S.CANCELLED}),
    Fact.MOVED_UP: _Rule({"moved_up"}, {_S.WAITING}, {_S.WAITING}),
    Fact.CALLED: _Rule(_HERE, {_S.WAITING}, {_S.CALLING}),
    Fact.OUTCOME: _Rule({*_HERE, "not_before"}, {_S.CALLING}, {*REGISTRATION_MOVES[_S.CALLING]}),
    Fact.CANCELLED: _Rule(_HERE, {*list_registration_sources(_S.CANCELLED)}, {_S.CANCELLED}),
    Fact.DEFERRED: _Rule(_HERE, {_S.WAITING}, {_S.UNREACHED}),
    Fact.CLOSED: _Rule(_HERE, {_S.UNREACHED}, {_S.CLOSED}),
}


_TAKEN_BACK = _Rule(
    {*_HERE, "round_id", "rounds_missed", "not_before"}, {*_LEFT, _S.CANCELLED, _S.CLOSED}, _LEFT
)
"""Undoes a carry-over, because the round was not over."""
_RELEASED = _Rule({"not_before"}, {_S.WAITING}, {_S.WAITING})


class _Line:
    """The registrations that wait in one round, in order. Outdated ones are dropped when they come first."""

    def __init__(self) -> None:
        # the number breaks ties: places cannot be compared
        self._due: list[tuple[Rank, int, LedgerPlace]] = []
        self._later: list[tuple[datetime, int, Rank, LedgerPlace]] = []
        self._number = itertools.count()

    def add(self, id_: int, place: LedgerPlace) -> None:
        number, rank = next(self._number), place.rank(id_)
        if place.not_before:
            heapq.heappush(self._later, (place.not_before, number, rank, place))
        else:
            heapq.heappush(self._due, (rank, number, place))

    def before(self, rank: Rank, at: datetime, places: dict[int, LedgerPlace]) -> list[int]:
        """Return the ids of those due at `at` that stand before `rank`."""
        while self._later and self._later[0][0] <= at:
            _, number, later, place = heapq.heappop(self._later)
            heapq.heappush(self._due, (later, number, place))
        found = []
        while self._due and self._due[0][0] < rank:
            first = heapq.heappop(self._due)
            if places.get(first[0][-1]) is first[-1]:
                found.append(first)
        for first in found:
            heapq.heappush(self._due, first)
        # after the clock was set back, an entry may no longer be due
        return [rank[-1] for rank, _, place in found if not place.not_before or place.not_before <= at]


class _Check:
    """The state of one pass; the caller may stop `problems` at any point."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._places: dict[int, LedgerPlace] = {}
        self._lines: dict[int, _Line] = {}
        self._latest = now(session) + STEP
        self.tree = merkle.Frontier()
        self.seals = 0
        self.leap: Leap | None = None

    def problems(self) -> Iterator[str]:
        """Yield every problem."""
        seals = _pages(self._session, Seal.size, Seal.__table__.columns)
        seal: Any = next(seals, None)
        sealed_at = last_at = None
        for entry in _pages(self._session, LedgerEntry.id, LedgerEntry.__table__.columns):
            if entry.at > self._latest:  # dates never run backwards
                self.leap = Leap(self.leap.after if self.leap else entry.id - 1, entry.at)
            if sealed_at and entry.at < sealed_at:
                yield f"seal {self.tree.size}: dated after entry {entry.id}, which it does not cover"
            yield from self._whole(entry, last_at)
            yield from self._follows(entry)
            last_at, sealed_at = entry.at, None
            if seal and seal.size <= self.tree.size:
                yield from self._sealed(seal, last_at)
                sealed_at, seal = seal.sealed_at, next(seals, None)
        if last_at and sealed_at and last_at <= self._latest and sealed_at > self._latest + _SET_BACK:
            yield f"seal {self.tree.size}: dated in the future, and no entry is"
        while seal:
            self.seals += 1
            yield f"seal {seal.size}: covers more entries than there are ({self.tree.size})"
            seal = next(seals, None)
        yield from self._ends_where_registrations_stand()
        yield from steps.list_problems(self._session)

    def _whole(self, entry: Any, last_at: datetime | None) -> Iterator[str]:
        if entry.id != self.tree.size + 1:
            yield f"entry {entry.id}: comes after {self.tree.size}: entries are missing or added"
        if last_at and entry.at < last_at:
            yield f"entry {entry.id}: is dated before the one before it"
        leaf = merkle.hash_leaf(entries.format_canonical(entry))
        if entry.digest != leaf.hex():
            yield f"entry {entry.id}: its digest is not that of its content"
        self.tree.add(leaf)

    def _sealed(self, seal: Any, last_at: datetime) -> Iterator[str]:
        self.seals += 1
        if seal.size != self.tree.size or seal.root != self.tree.root().hex():
            yield f"seal {seal.size}: its root is not that of the first {seal.size} entries"
        if seal.sealed_at < last_at:
            yield f"seal {seal.size}: dated before its last entry"

    def _follows(self, entry: Any) -> Iterator[str]:
        """Check that the rules allow the fact after the registration's last state, and that nobody was passed
        over.
        """
        if entry.registration_id is None:
            return
        id_ = entry.registration_id
        try:
            details = json.loads(entry.details)
            place = entries.place(entry)
        except (ValueError, KeyError, TypeError):
            yield f"entry {entry.id}: its details cannot be read"
            return
        for wrong in _wrong(Fact(entry.fact), self._places.get(id_), place, details):
            yield f"entry {entry.id}, registration {id_}: {entry.fact} {wrong}"
        if entry.fact == Fact.CALLED:
            line = self._lines.get(entry.round_id, _Line())
            for other in line.before(place.rank(id_), entries.read_clock(entry, details), self._places):
                if other not in details.get("passed", []):
                    yield f"entry {entry.id}: registration {id_} was called, but {other} stood before it"
        self._places[id_] = place
        if place.state == _S.WAITING:
            self._lines.setdefault(place.round_id, _Line()).add(id_, place)

    def _ends_where_registrations_stand(self) -> Iterator[str]:
        order = [getattr(Registration, field) for field in LedgerPlace._fields]
        for row in _pages(self._session, Registration.id, [Registration.id, *order]):
            told = self._places.pop(row.id, None)
            if told is None:
                yield f"registration {row.id}: is not in the ledger"
                continue
            for field in LedgerPlace._fields:
                if getattr(told, field) != getattr(row, field):
                    yield f"registration {row.id}: its {field} is not what the ledger tells"
        for id_ in self._places:
            yield f"registration {id_}: is in the ledger but not among the registrations"


def _wrong(fact: Fact, old: LedgerPlace | None, new: LedgerPlace, details: dict[str, Any]) -> Iterator[str]:
    if fact is Fact.REGISTERED or old is None:
        if not (fact is Fact.REGISTERED and old is None):
            yield "is not how a registration begins" if old is None else "although it was there already"
        elif (new.moved_up, new.rounds_missed, new.not_before) != (0, 0, None):
            yield "at another place than that of its time"
        return
    is_back = fact is Fact.CARRIED and "back" in details
    rule = _TAKEN_BACK if is_back else _RELEASED if _is_released(fact, old, new, details) else _RULES[fact]
    changed = {name for name in LedgerPlace._fields if getattr(old, name) != getattr(new, name)}
    if changed - rule.changes:
        yield f"changes {', '.join(sorted(changed - rule.changes))}"
    if old.state not in rule.before or new.state not in rule.after:
        yield f"leads from {old.state} to {new.state}"
    if is_back and old.rounds_missed - new.rounds_missed not in (0, 1):
        yield "takes more than one missed round back"
    if fact is Fact.CARRIED and not is_back and new.rounds_missed != old.rounds_missed + 1:
        yield "does not add one missed round"
    if fact is Fact.MOVED_UP and not str(details.get("reason", "")).strip():
        yield "without a reason"


def _is_released(fact: Fact, old: LedgerPlace, new: LedgerPlace, details: dict[str, Any]) -> bool:
    """Return whether a wait ends early: our own fault is over, or the clock was set back since."""
    if fact is not Fact.OUTCOME or old.state != _S.WAITING:
        return False
    if details.get("set_back"):
        return old.not_before is not None and (new.not_before is None or new.not_before < old.not_before)
    return details.get("outcome") == Outcome.FAILED and new.not_before is None


def _pages(session: Session, key: Any, columns: Iterable[Any]) -> Iterator[Any]:
    """Yield these columns of all rows in the order of `key`, a page at a time."""
    columns, last = list(columns), None
    while True:
        query = select(*columns).order_by(key).limit(_PAGE)
        rows = session.execute(query if last is None else query.where(key > last)).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        last = getattr(rows[-1], key.key)
