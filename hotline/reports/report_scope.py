"""Scopes and keys of statistics in SQL: which rounds are counted, and how the counts are grouped."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from db.epoch import epoch
from db.models import Callback, Official, Registration, Round

_WEEK_S = 7 * 86_400


class By(StrEnum):
    """The property by which counts are grouped."""

    ROUND = "round"
    OFFICIAL = "official"
    DISTRICT = "district"
    SUBJECT = "subject"
    WEEK = "week"


class Scope(NamedTuple):
    """The rounds that are counted, and the period that is counted of the operators' line, which never ends.

    The period begins at `start` and ends before `end`. `saturday` is the midnight that begins the first week.
    """

    round_ids: Sequence[int]
    start: datetime
    end: datetime
    saturday: datetime

    def covers(
        self, round_id: InstrumentedAttribute[int], at: InstrumentedAttribute[Any]
    ) -> ColumnElement[bool]:
        """Return the condition that a row of this round, begun at this time, is counted."""
        within = and_(at >= self.start, at < self.end)
        return and_(round_id.in_(self.round_ids), or_(Round.is_operators_line.is_(False), within))


def find_row_key(scope: Scope, by: By | None, at: Any) -> ColumnElement[Any]:
    """Return the key of a row begun at this time.

    The query must join Round, Official and, for subjects, Registration.
    """
    if by is By.WEEK:
        begun = case((Round.is_operators_line, at), else_=Round.starts_at)
        return ((epoch(begun) - int(scope.saturday.timestamp())) // _WEEK_S).label("key")
    columns: dict[By | None, ColumnElement[Any]] = {
        By.ROUND: Round.id.label("key"),
        By.OFFICIAL: Round.official_id.label("key"),
        By.DISTRICT: Official.district.label("key"),
        By.SUBJECT: Registration.subject.label("key"),
    }
    return columns.get(by, (Round.id - Round.id).label("key"))


def select_calls(scope: Scope, *columns: ColumnElement[Any]) -> Select[Any]:
    """Select these columns of every callback that was placed in the scope."""
    return (
        select(*columns)
        .select_from(Callback)
        .join(Registration, Registration.id == Callback.registration_id)
        .join(Round, Round.id == Callback.round_id)
        .join(Official, Official.id == Round.official_id)
        .where(scope.covers(Callback.round_id, Callback.called_at), Callback.called_at.is_not(None))
    )
