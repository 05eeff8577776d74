"""Sample data for an empty database: Isfahan's offices and departments, a round, three accounts."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Department, Official, OfficialKind, Role
from hotline.people import accounts
from hotline.rounds import planning

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


def fill(session: Session, *, trial: bool = True) -> list[Account]:
    """Make sample data unless there is an official already; returns the accounts it made.

    In a trial whoever reads the passwords at the terminal is whom they are for; elsewhere they are changed.
    """
    if session.scalar(select(Official.id).limit(1)):
        return []
    mayor = Official(
        kind=OfficialKind.MAYOR,
        office_fa="شهردار اصفهان",
        office_en="Mayor of Isfahan",
        clip="office-mayor",
    )
    session.add_all([mayor, *_deputies(), *_district_managers(), *_departments()])
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
    return [
        _account(session, "admin", "مدیر سامانه", Role.ADMINISTRATOR, None, given=not trial),
        _account(session, "operator1", "اپراتور یک", Role.OPERATOR, 1, given=not trial),
        _account(session, "operator2", "اپراتور دو", Role.OPERATOR, 2, given=not trial),
    ]


def _deputies() -> list[Official]:
    return [
        Official(kind=OfficialKind.DEPUTY, office_fa=fa, office_en=en, clip=clip)
        for fa, en, clip in (
            ("معاون خدمات شهری", "Deputy for Urban Services", "office-deputy-urban-services"),
            ("معاون شهرسازی", "Deputy for Urban Planning", "office-deputy-urban-planning"),
        )
    ]


def _departments() -> list[Department]:
    return [
        Department(name_fa=fa, name_en=en)
        for fa, en in (
            ("عمران و آسفالت", "Public Works"),
            ("روشنایی معابر", "Street Lighting"),
            ("مدیریت پسماند", "Waste Management"),
            ("پارک‌ها و فضای سبز", "Parks and Green Space"),
            ("حمل‌ونقل و ترافیک", "Traffic and Transport"),
            ("ساماندهی مشاغل و مزاحمت‌ها", "Trades and Nuisances"),
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


def _account(
    session: Session, username: str, name: str, role: Role, desk: int | None, *, given: bool
) -> Account:
    password = secrets.token_urlsafe(9)
    accounts.add(
        session,
        username=username,
        name=name,
        role=role,
        desk_id=desk,
        password=password,
        password_given=given,
    )
    return Account(username, password, f"{role}, desk {desk}" if desk else role)
