"""The timetable by day, and the city's own holidays."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api import schemas, views
from api.access import MayPlan, Reading, SignedIn, Writing
from api.rounds.timetable import Day, check_span
from hotline.timetable import calendar, day_overrides, days

router = APIRouter(tags=["timetable"])


class DayOff(BaseModel):
    """A holiday or an exception, from the calendar or the city's `own` list. `closed`: no rounds that day."""

    name_fa: str
    name_en: str
    closed: bool
    own: bool
    in_calendar: bool


class NamedDayOff(DayOff):
    """A day with such an entry."""

    day: date


class Coming(BaseModel):
    """Rounds that a rule has still to make for a day. `lacking` is 0 on a holiday or a dropped day."""

    rule_id: int
    name: str
    starts_at: datetime
    ends_at: datetime
    officials: list[schemas.Official]
    lacking: int


class DayOverride(BaseModel):
    """An exception for one day of a rule."""

    rule_id: int
    dropped: bool
    starts_at: schemas.Clock | None
    ends_at: schemas.Clock | None
    substitute_id: int | None
    reason: str


class CalendarDay(BaseModel):
    """One day of the city."""

    day: date
    off: DayOff | None
    rounds: list[schemas.Round]
    coming: list[Coming]
    day_overrides: list[DayOverride]


class Holiday(BaseModel):
    """An entry of the city's own list: closed, or (`works`) open although the calendar has a holiday."""

    day: Day
    name: schemas.Name = Field(max_length=200)
    works: bool = False


First = Annotated[Day, Query(alias="from")]


@router.get("/calendar")
def list_calendar_days(user: SignedIn, session: Reading, first: First, until: Day) -> list[CalendarDay]:
    """Every day from `from` to `until`, both included: made rounds, coming ones, exceptions.

    An official gets only the own rounds.
    """
    check_span(session, first, until)
    found = calendar.list_days(session, first, until, user)
    made = views.describe_rounds(session, [round_ for each in found for round_ in each.rounds])
    by_id = {round_.id: round_ for round_ in made}
    return [
        CalendarDay(
            day=each.day,
            off=DayOff.model_validate(each.off, from_attributes=True) if each.off else None,
            rounds=[by_id[round_.id] for round_ in each.rounds],
            coming=[
                Coming(
                    rule_id=rule.id,
                    name=rule.name,
                    starts_at=occurrence.starts_at,
                    ends_at=occurrence.ends_at,
                    officials=[
                        views.describe_official(o) for o in occurrence.officials[len(occurrence.rounds) :]
                    ],
                    lacking=occurrence.lacking,
                )
                for rule, occurrence in each.coming
            ],
            day_overrides=[
                DayOverride.model_validate(override, from_attributes=True)
                for _rule, override in each.day_overrides
            ],
        )
        for each in found
    ]


@router.get("/holidays")
def list_holidays(_user: SignedIn, session: Reading, first: First, until: Day) -> list[NamedDayOff]:
    """Days with an entry in the calendar or the city's own list."""
    check_span(session, first, until)
    return [
        NamedDayOff(day=day, **DayOff.model_validate(off, from_attributes=True).model_dump())
        for day, off in days.list_off_days(session, first, until).items()
    ]


@router.post("/holidays", status_code=201)
def add_holiday(body: Holiday, user: MayPlan, session: Writing) -> list[int]:
    """Declare a day closed or open; the answer lists the rounds that this cancelled."""
    added = day_overrides.add_holiday(session, body.day, body.name, works=body.works, who=user.username)
    return list(added)


@router.delete("/holidays/{day}", status_code=204)
def remove_holiday(day: Annotated[Day, Path()], user: MayPlan, session: Writing) -> None:
    """Remove a day from the city's own list; rounds that it cancelled stay cancelled."""
    day_overrides.remove_holiday(session, day, who=user.username)
