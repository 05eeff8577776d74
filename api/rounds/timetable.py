"""The timetable: its rules, and exceptions for a day."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api import schemas, views
from api.access import MayOversee, MayPlan, Reading, SignedIn, Writing
from api.ids import BodyId, PathId
from db import models
from db.engine import now
from hotline.errors import Refused
from hotline.rounds import officials
from hotline.timetable import day_overrides, timetable_rules

router = APIRouter(tags=["timetable"])

Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(3000, 1, 1))]
LONGEST_DAYS = 400
_FARTHEST = timedelta(days=1100)
"""From today. Farther days would be computed one by one."""


def check_span(session: Session, first: date, until: date) -> None:
    """Check a span of days. Raises Refused("invalid-input") if it is too long or too far away."""
    today = now(session).date()
    if (until - first).days > LONGEST_DAYS or until - today > _FARTHEST or today - first > _FARTHEST:
        raise Refused("invalid-input", f"at most {LONGEST_DAYS} days, at most {_FARTHEST.days} away")


class Rule(BaseModel):
    """A rule that makes rounds, in the city's days and hours. `official_ids` stand in the order of their
    rounds.
    """

    name: schemas.Name = Field(min_length=1, max_length=200)
    rrule: schemas.Name = Field(max_length=500, description="RFC 5545: FREQ=WEEKLY;BYDAY=WE")
    starts_on: Day
    starts_at: schemas.Clock
    ends_at: schemas.Clock
    official_ids: list[BodyId] = Field(min_length=1, max_length=100)
    deputy_ids: list[BodyId] = Field([], max_length=20)
    at_once: int = Field(1, ge=1, le=100)
    announce_days: int = Field(7, ge=1, le=365)
    registration_days: int = Field(1, ge=0, le=365)
    capacity: int | None = Field(None, ge=1, le=1_000_000)
    minutes: int = Field(6, ge=1, le=600)
    languages: list[Literal["fa", "en"]] = Field(["fa", "en"], min_length=1, max_length=2)
    recorded: bool = False


class MadeRule(Rule):
    """A rule and whether it still makes rounds."""

    id: int
    active: bool


class RuleChange(BaseModel):
    """Changes of the rounds that the rule will make, with the reason. An omitted field stays.

    null means none in `capacity`, and no change elsewhere. `active` false ends the rule.
    """

    reason: schemas.Name = Field(min_length=1, max_length=500)
    active: bool = True
    name: schemas.Name | None = Field(None, min_length=1, max_length=200)
    starts_at: schemas.Clock | None = None
    ends_at: schemas.Clock | None = None
    official_ids: list[BodyId] | None = Field(None, min_length=1, max_length=100)
    deputy_ids: list[BodyId] | None = Field(None, max_length=20)
    at_once: int | None = Field(None, ge=1, le=100)
    announce_days: int | None = Field(None, ge=1, le=365)
    registration_days: int | None = Field(None, ge=0, le=365)
    capacity: int | None = Field(None, ge=1, le=1_000_000)
    minutes: int | None = Field(None, ge=1, le=600)
    languages: list[Literal["fa", "en"]] | None = Field(None, min_length=1, max_length=2)
    recorded: bool | None = None


class CatchUp(BaseModel):
    """Rounds of a rule to be updated to its present values; the reason is public."""

    round_ids: list[BodyId] = Field(min_length=1, max_length=100)
    reason: schemas.Name = Field(max_length=500)
    short_notice: bool = False


class Occurrence(BaseModel):
    """One day of a rule: its made rounds or coming ones. `reason`: why the day is an exception."""

    day: date
    starts_at: datetime
    ends_at: datetime
    officials: list[schemas.Official]
    round_ids: list[int]
    holiday: str
    dropped: bool
    reason: str


class DayOverrideIn(BaseModel):
    """An exception for one day: no round, other hours, or a substitute; the reason is public."""

    day: Day
    reason: schemas.Name = Field(max_length=500)
    dropped: bool = False
    starts_at: schemas.Clock | None = None
    ends_at: schemas.Clock | None = None
    substitute_id: BodyId | None = None
    short_notice: bool = False


@router.get("/timetable")
def list_rules(user: SignedIn, session: Reading) -> list[MadeRule]:
    """All rules, ended ones included; an official gets only rules that they take part in."""
    return [_view(rule) for rule in timetable_rules.list_readable(session, user)]


@router.post("/timetable", status_code=201)
def add_rule(body: Rule, user: MayPlan, session: Writing) -> MadeRule:
    """Add a rule; the scheduler makes its rounds ahead of time."""
    return _view(timetable_rules.add(session, who=user.username, **_offices(session, body.model_dump())))


@router.patch("/timetable/{rule_id}")
def change_rule(rule_id: PathId, body: RuleChange, user: MayPlan, session: Writing) -> MadeRule:
    """Change a rule, or end it. Its days cannot change: end it and add another rule."""
    rule = timetable_rules.get(session, rule_id)
    if not body.active:
        timetable_rules.stop(session, rule, who=user.username, reason=body.reason)
        return _view(rule)
    given = body.model_dump(exclude_unset=True, exclude={"active"})
    values = _offices(session, {n: v for n, v in given.items() if v is not None or n == "capacity"})
    if "languages" in values:
        values["languages"] = ",".join(values["languages"])
    timetable_rules.change(session, rule, who=user.username, **values)
    return _view(rule)


@router.get("/timetable/{rule_id}/behind")
def list_behind(rule_id: PathId, _user: MayOversee, session: Reading) -> list[schemas.Round]:
    """The rule's coming rounds that differ from its present values."""
    return views.describe_rounds(
        session, timetable_rules.list_outdated(session, timetable_rules.get(session, rule_id))
    )


@router.post("/timetable/{rule_id}/catch-up", status_code=204)
def catch_up(rule_id: PathId, body: CatchUp, user: MayPlan, session: Writing) -> None:
    """Update these rounds to the rule's present values."""
    timetable_rules.update_rounds(
        session, timetable_rules.get(session, rule_id), who=user.username, **body.model_dump()
    )


@router.get("/timetable/{rule_id}/days")
def list_days(
    rule_id: PathId,
    user: SignedIn,
    session: Reading,
    first: Annotated[Day, Query(alias="from")],
    until: Day,
) -> list[Occurrence]:
    """The rule's days, both ends included: made and coming rounds; an official gets only the own ones."""
    check_span(session, first, until)
    rule = timetable_rules.get(session, rule_id)
    return [
        Occurrence(
            day=found.day,
            starts_at=found.starts_at,
            ends_at=found.ends_at,
            officials=[views.describe_official(official) for official in found.officials],
            round_ids=[round_.id for round_ in found.rounds],
            holiday=found.holiday,
            dropped=bool(found.override and found.override.dropped),
            reason=found.override.reason if found.override else "",
        )
        for found in timetable_rules.list_readable_days(session, user, rule, first, until)
    ]


@router.post("/timetable/{rule_id}/day-overrides", status_code=204)
def override_day(rule_id: PathId, body: DayOverrideIn, user: MayPlan, session: Writing) -> None:
    """Set an exception for one day; it changes or cancels a round that exists already."""
    values = body.model_dump()
    substitute_id = values.pop("substitute_id")
    substitute = officials.get(session, substitute_id) if substitute_id else None
    rule = timetable_rules.get(session, rule_id)
    day_overrides.override_day(session, rule, substitute=substitute, who=user.username, **values)


def _view(rule: models.TimetableRule) -> MadeRule:
    lists = {
        "official_ids": [turn.official_id for turn in rule.officials],
        "deputy_ids": [deputy.id for deputy in rule.deputies],
        "languages": rule.languages.split(","),
    }
    columns = {name: getattr(rule, name) for name in MadeRule.model_fields.keys() - lists.keys()}
    return MadeRule.model_validate(columns | lists)


def _offices(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with officials in place of their ids."""
    for ids, column in (("official_ids", "officials"), ("deputy_ids", "deputies")):
        if ids in values:
            values[column] = [officials.get(session, id_) for id_ in values.pop(ids)]
    return values
