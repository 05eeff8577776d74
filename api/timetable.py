"""The timetable: its rules, what is different on a day, and the city's own list of holidays."""

from datetime import date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, Field

from api import schemas, views
from api.access import Planner, Reading, SignedIn, Writing
from api.rounds import Id
from db import models
from hotline import days, exceptions, officials, timetable
from hotline.errors import Refused

router = APIRouter(tags=["timetable"])

Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(3000, 1, 1))]
_LONGEST_DAYS = 400


def _city_clock(at: time) -> time:
    if at.tzinfo:
        raise ValueError("a time of the city's clock has no zone")
    return at


Clock = Annotated[time, AfterValidator(_city_clock)]


class Rule(BaseModel):
    """A rule that makes rounds. Times and days are the city's; `official_ids` in the order of their turns."""

    name: schemas.Text = Field(min_length=1, max_length=200)
    rrule: schemas.Text = Field(max_length=500, description="RFC 5545: FREQ=WEEKLY;BYDAY=WE")
    starts_on: Day
    starts_at: Clock
    ends_at: Clock
    official_ids: list[schemas.Id] = Field(min_length=1, max_length=100)
    at_once: int = Field(1, ge=1, le=100)
    announce_days: int = Field(7, ge=1, le=365)
    registration_days: int = Field(1, ge=0, le=365)
    capacity: int | None = Field(None, ge=1, le=1_000_000)
    minutes: int = Field(6, ge=1, le=600)


class MadeRule(Rule):
    """A rule and whether it still makes rounds."""

    id: int
    active: bool


class Stop(BaseModel):
    """The rule makes no more rounds; those it made stay."""

    active: bool = False
    reason: schemas.Text = Field(min_length=1, max_length=500)


class Occurrence(BaseModel):
    """One day of a rule: what is made of it, or will be. `reason`: why it is different."""

    day: date
    starts_at: datetime
    ends_at: datetime
    officials: list[schemas.Official]
    round_ids: list[int]
    holiday: str
    dropped: bool
    reason: str


class ExceptionIn(BaseModel):
    """What is different on one day: no round, other hours, or a substitute; the reason is public."""

    day: Day
    reason: schemas.Text = Field(max_length=500)
    dropped: bool = False
    starts_at: Clock | None = None
    ends_at: Clock | None = None
    substitute_id: schemas.Id | None = None
    short_notice: bool = False


class Holiday(BaseModel):
    """The city's word about a day: closed, or (`works`) open although the calendar says holiday."""

    day: Day
    name: schemas.Text = Field(max_length=200)
    works: bool = False


@router.get("/timetable")
def list_rules(_user: SignedIn, session: Reading) -> list[MadeRule]:
    """All rules, those that make no more rounds included."""
    return [_view(rule) for rule in timetable.rules(session)]


@router.post("/timetable", status_code=201)
def add_rule(body: Rule, user: Planner, session: Writing) -> MadeRule:
    """Add a rule; its rounds come into being ahead of time."""
    values = body.model_dump()
    offices = [officials.get(session, id_) for id_ in values.pop("official_ids")]
    return _view(timetable.add_rule(session, officials=offices, who=user.username, **values))


@router.patch("/timetable/{rule_id}")
def stop(rule_id: Id, body: Stop, user: Planner, session: Writing) -> MadeRule:
    """End a rule. It is not changed otherwise: end it and add another."""
    if body.active:
        raise Refused("wrong-state", "a rule that was stopped stays so; add another")
    rule = timetable.get(session, rule_id)
    timetable.stop(session, rule, who=user.username, reason=body.reason)
    return _view(rule)


@router.get("/timetable/{rule_id}/days")
def list_days(
    rule_id: Id,
    _user: SignedIn,
    session: Reading,
    first: Annotated[Day, Query(alias="from")],
    until: Day,
) -> list[Occurrence]:
    """The rule's days, both ends included: as they are made, and as they will be."""
    if (until - first).days > _LONGEST_DAYS:
        raise Refused("invalid-input", f"at most {_LONGEST_DAYS} days")
    rule = timetable.get(session, rule_id)
    return [
        Occurrence(
            day=found.day,
            starts_at=found.starts_at,
            ends_at=found.ends_at,
            officials=[views.official_view(official) for official in found.officials],
            round_ids=[round_.id for round_ in found.rounds],
            holiday=found.holiday,
            dropped=bool(found.exception and found.exception.dropped),
            reason=found.exception.reason if found.exception else "",
        )
        for found in timetable.occurrences(session, rule, first, until)
    ]


@router.post("/timetable/{rule_id}/exceptions", status_code=204)
def except_day(rule_id: Id, body: ExceptionIn, user: Planner, session: Writing) -> None:
    """Say what is different on one day; a round that is made already is changed or cancelled."""
    values = body.model_dump()
    substitute_id = values.pop("substitute_id")
    substitute = officials.get(session, substitute_id) if substitute_id else None
    rule = timetable.get(session, rule_id)
    exceptions.except_day(session, rule, substitute=substitute, who=user.username, **values)


@router.get("/holidays")
def list_holidays(
    _user: SignedIn, session: Reading, first: Annotated[Day, Query(alias="from")], until: Day
) -> dict[date, str]:
    """The days on which the city does not answer, with their names."""
    if (until - first).days > _LONGEST_DAYS:
        raise Refused("invalid-input", f"at most {_LONGEST_DAYS} days")
    return days.holidays(session, first, until)


@router.post("/holidays", status_code=201)
def add_holiday(body: Holiday, user: Planner, session: Writing) -> list[int]:
    """Say of a day that it is closed or open; answers the rounds that this cancelled."""
    added = exceptions.add_holiday(session, body.day, body.name, works=body.works, who=user.username)
    return list(added)


@router.delete("/holidays/{day}", status_code=204)
def remove_holiday(day: Annotated[Day, Path()], user: Planner, session: Writing) -> None:
    """Take the city's word about a day back; rounds it cancelled stay so."""
    exceptions.remove_holiday(session, day, who=user.username)


def _view(rule: models.TimetableRule) -> MadeRule:
    return MadeRule(
        official_ids=[turn.official_id for turn in rule.officials],
        **{name: getattr(rule, name) for name in MadeRule.model_fields if name != "official_ids"},
    )
