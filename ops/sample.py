"""Sample data for an empty database: Isfahan's offices (no people), a round, a rule, three accounts."""

import secrets
from dataclasses import dataclass
from datetime import time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Official, OfficialKind, Role
from hotline import days, planning, timetable, users

_DISTRICTS = 15
_ORDINALS = [
    *("یک", "دو", "سه", "چهار", "پنج", "شش", "هفت", "هشت"),
    *("نه", "ده", "یازده", "دوازده", "سیزده", "چهارده", "پانزده"),
]


@dataclass(frozen=True)
class Account:
    """An account just made; its password is shown once and stored nowhere."""

    username: str
    password: str
    what: str


def fill(session: Session) -> list[Account]:
    """Make sample data unless there is an official already; returns the accounts it made."""
    if session.scalar(select(Official.id).limit(1)):
        return []
    mayor = Official(
        kind=OfficialKind.MAYOR,
        office_fa="شهردار اصفهان",
        office_en="Mayor of Isfahan",
        clip="office-mayor",
    )
    managers = _district_managers()
    session.add_all([mayor, *_deputies(), *managers])
    session.flush()
    at = now(session)
    planning.make(
        session,
        official=mayor,
        registration_from=at,
        registration_until=at + timedelta(hours=8),
        starts_at=at,
        ends_at=at + timedelta(hours=8),
        short_notice=True,
    )
    timetable.add_rule(
        session,
        name="مدیران مناطق، هر چهارشنبه",
        rrule="FREQ=WEEKLY;BYDAY=WE",
        starts_on=days.local_day(at),
        starts_at=time(9),
        ends_at=time(12),
        officials=managers,
    )
    return [
        _account(session, "admin", "مدیر سامانه", Role.ADMINISTRATOR, None),
        _account(session, "operator1", "اپراتور یک", Role.OPERATOR, 1),
        _account(session, "operator2", "اپراتور دو", Role.OPERATOR, 2),
    ]


def _deputies() -> list[Official]:
    return [
        Official(kind=OfficialKind.DEPUTY, office_fa=fa, office_en=en, clip=clip)
        for fa, en, clip in (
            ("معاون خدمات شهری", "Deputy for Urban Services", "office-deputy-urban-services"),
            ("معاون شهرسازی", "Deputy for Urban Planning", "office-deputy-urban-planning"),
        )
    ]


def _district_managers() -> list[Official]:
    return [
        Official(
            kind=OfficialKind.DISTRICT_MANAGER,
            district=number,
            office_fa=f"مدیر منطقهٔ {_ORDINALS[number - 1]}",
            office_en=f"Manager of District {number}",
            clip=f"office-district-{number}",
        )
        for number in range(1, _DISTRICTS + 1)
    ]


def _account(session: Session, username: str, name: str, role: Role, desk: int | None) -> Account:
    password = secrets.token_urlsafe(9)
    users.add(session, username=username, name=name, role=role, desk_id=desk, password=password)
    return Account(username, password, f"{role}, desk {desk}" if desk else role)
