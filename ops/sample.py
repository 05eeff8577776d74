"""Sample data for an empty database: the city's offices and departments, a round, three accounts."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Official, OfficialKind, Role
from hotline import audit
from hotline.people import accounts
from hotline.rounds import planning
from hotline.setup import city_rows
from settings import city_file
from settings.city_file import City


@dataclass(frozen=True)
class Account:
    """New account; its password is shown once and stored nowhere."""

    username: str
    password: str
    what: str


def fill(session: Session, city: City | None = None, *, trial: bool = True) -> list[Account]:
    """Create sample data unless there is an official already. Return the new accounts.

    In a trial the reader at the terminal owns the passwords; elsewhere they must be changed.
    """
    if session.scalar(select(Official.id).limit(1)):
        return []
    city_rows.load(session, city or city_file.read(city_file.SAMPLE), who=audit.COMMAND_LINE)
    mayor = session.scalars(select(Official).where(Official.kind == OfficialKind.MAYOR)).one()
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
