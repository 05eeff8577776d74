"""Statistics of rounds: how many were reached, why others were not, how long they waited, how busy it was."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Round
from db.states import Outcome
from hotline import subjects
from hotline.errors import Refused
from hotline.reports.report_facts import Facts, count_facts
from hotline.reports.report_scope import By, Scope
from hotline.reports.report_sittings import Sitting
from hotline.rounds import phases
from hotline.timetable import days

LONGEST = timedelta(days=1100)
"""Three years: statistics are computed from the database at each request, not stored."""
_EVER, _NEVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_HOUR_S = 3600


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The statistics of places and calls. `registered` + `carried_in` = `reached` + all of `not_reached`.

    `not_reached` counts by reason: the last outcome in this round, or one of five others. These are
    never_called, cancelled, unconfirmed, merged (the number had an older place), calling (not decided yet).

    Seconds are from registration to conversation, of those reached. Rates are per hour between the round's
    opening and end. `idle_share` is the share without conversation between the first conversation's beginning
    and the last one's end. `mos` is the mean of the conversations whose sound a browser measured; `bad_share`
    is the share of bad ones. None: no data.
    """

    registered: int
    carried_in: int
    reached: int
    not_reached: dict[str, int]
    carried_out: int
    calls: int
    conversations: int
    median_seconds: float | None
    p90_seconds: float | None
    calls_per_hour: float | None
    conversations_per_hour: float | None
    idle_share: float | None
    mos: float | None
    bad_share: float | None


@dataclass(frozen=True, kw_only=True)
class RoundReport(Numbers):
    """The statistics of one round."""

    round_id: int


@dataclass(frozen=True, kw_only=True)
class Row(Numbers):
    """The statistics of one round, official, district, subject or week; fields of other kinds are None.

    No district: an office of the whole city. No subject: the caller chose none. A week is named by its
    Saturday.
    """

    round_id: int | None = None
    official_id: int | None = None
    name_fa: str | None = None
    name_en: str | None = None
    starts_at: datetime | None = None
    district: int | None = None
    subject: int | None = None
    week: date | None = None


@dataclass(frozen=True)
class Report:
    """The statistics of the announced rounds that begin in a period, each as a whole.

    The operators' line counts within the period. Both days are included.
    """

    by: By
    start: date
    until: date
    rows: list[Row]
    total: Numbers


def check_span(start: date, until: date) -> None:
    """Raises Refused("invalid-input") unless the period has 1 to 1100 days."""
    if not timedelta() <= until - start <= LONGEST:
        raise Refused("invalid-input", f"a span has 1 to {LONGEST.days} days")


def build_report(session: Session, round_id: int) -> RoundReport:
    """Return the statistics of a round, also while it is live. Raises Refused("not-found")."""
    phases.get(session, round_id)
    found = count_facts(session, Scope([round_id], _EVER, _NEVER, _EVER), None, now(session))
    return RoundReport(round_id=round_id, **_numbers(found, 0))


def report(session: Session, by: By, start: date, until: date, *only: ColumnElement[bool]) -> Report:
    """Return the statistics from `start` to `until`, of the rounds that meet the conditions `only`.

    Raises Refused("invalid-input") for an invalid period.
    """
    check_span(start, until)
    begin, end = (days.find_moment(day, time()) for day in (start, until + timedelta(days=1)))
    saturday = days.find_week_start(start)
    announced = and_(Round.is_operators_line.is_(False), Round.starts_at >= begin, Round.starts_at < end)
    chosen = session.scalars(
        select(Round)
        .where(or_(Round.is_operators_line, announced), *only)
        .order_by(Round.is_operators_line, Round.starts_at, Round.id)
    ).all()
    scope = Scope([round_.id for round_ in chosen], begin, end, days.find_moment(saturday, time()))
    at = now(session)
    found = count_facts(session, scope, by, at)
    return Report(
        by=by,
        start=start,
        until=until,
        rows=[
            Row(**name, **_numbers(found, key))
            for key, name in _names(session, by, chosen, saturday, found)
            if key in found.ends or key in found.calls or key in found.sittings
        ],
        total=Numbers(**_numbers(count_facts(session, scope, None, at), 0)),
    )


def _names(
    session: Session, by: By, chosen: Sequence[Round], saturday: date, found: Facts
) -> Sequence[tuple[int | None, dict[str, Any]]]:
    """Return every key with its name, in the order of the rows."""
    if by is By.ROUND:
        return [(r.id, {"round_id": r.id, "starts_at": _start(r), **_office(r)}) for r in chosen]
    if by is By.OFFICIAL:
        offices = {r.official_id: {"official_id": r.official_id, **_office(r)} for r in chosen}
        return list(offices.items())
    keys = sorted({*found.ends, *found.calls, *found.sittings}, key=lambda key: (key is None, key))
    if by is By.WEEK:
        return [(key, {"week": saturday + timedelta(weeks=key or 0)}) for key in keys]
    if by is By.SUBJECT:
        named = {s.id: {"name_fa": s.name_fa, "name_en": s.name_en} for s in subjects.list_all(session)}
        return [(key, {"subject": key, **named.get(key or 0, {})}) for key in keys]
    return [(key, {"district": key}) for key in keys]


def _office(round_: Round) -> dict[str, str]:
    return {"name_fa": round_.official.office_fa, "name_en": round_.official.office_en}


def _start(round_: Round) -> datetime | None:
    return None if round_.is_operators_line else round_.starts_at


def _numbers(found: Facts, key: int | None) -> dict[str, Any]:
    ends = Counter(found.ends.get(key, {}))
    reached, carried_in = ends.pop(Outcome.REACHED, 0), found.carried_in.get(key, 0)
    calls, talks = found.calls.get(key, (0, 0))
    waits, sitting = found.waits.get(key), found.sittings.get(key, Sitting())
    sound = found.sounds.get(key)
    hours = sitting.open / _HOUR_S
    idle = 1 - sitting.spoken / sitting.whole if sitting.whole else 0.0
    return {
        "registered": reached + ends.total() - carried_in,
        "carried_in": carried_in,
        "reached": reached,
        "not_reached": dict(ends.most_common()),
        "carried_out": found.carried_out.get(key, 0),
        "calls": calls,
        "conversations": talks,
        "median_seconds": waits and waits.median,
        "p90_seconds": waits and waits.p90,
        "calls_per_hour": calls / hours if hours else None,
        "conversations_per_hour": talks / hours if hours else None,
        "idle_share": idle if talks and key in found.sittings else None,
        "mos": sound and sound.mos,
        "bad_share": sound and sound.bad / sound.measured,
    }
