"""The office's people: their data, their desks, and an administrator's actions."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api import views
from api.access import InForce, MayAdminister, MayInspect, Reading, Writing, read_idle_time
from api.ids import PathId
from api.people import person_schemas
from db import models
from hotline.people import lockout, sign_ins, staff
from settings import Settings

router = APIRouter(prefix="/people", tags=["people"])

_MAY_BE_NONE = ("desk_id", "official_id", "department_id")


def _view(
    session: Session,
    user: models.User,
    settings: Settings,
    sessions: dict[int, int] | None = None,
    locks: dict[str, datetime] | None = None,
) -> person_schemas.Person:
    """Return a person's JSON; for lists, `sessions` and `locks` are those of all people."""
    if sessions is None:
        sessions = sign_ins.count_sessions(session, read_idle_time(settings))
    if locks is None:
        locks = lockout.list_locks(session, [user.username])
    return person_schemas.Person(
        id=user.id,
        username=user.username,
        name=user.name,
        role=user.role,
        desk_id=user.desk_id,
        official=views.describe_official(user.official) if user.official else None,
        department=views.describe_department(user.department) if user.department else None,
        heads_department=user.heads_department,
        from_directory=user.from_directory,
        disabled_at=user.disabled_at,
        locked_until=locks.get(user.username),
        has_pin=user.pin_hash is not None,
        has_second_factor=user.totp_salt is not None,
        sessions=sessions.get(user.id, 0),
    )


@router.get("")
def list_people(_user: MayInspect, session: Reading, settings: InForce) -> list[person_schemas.Person]:
    """Everybody who can sign in, or once could."""
    everyone = staff.list_all(session)
    sessions = sign_ins.count_sessions(session, read_idle_time(settings))
    locks = lockout.list_locks(session, [user.username for user in everyone])
    return [_view(session, user, settings, sessions, locks) for user in everyone]


@router.post("", status_code=201)
def add(
    body: person_schemas.PersonIn, user: MayAdminister, session: Writing, settings: InForce
) -> person_schemas.Secret:
    """Add a person; the answer shows the password this once."""
    added, password = staff.add(session, who=user.username, settings=settings, **body.model_dump())
    return person_schemas.Secret(person=_view(session, added, settings), secret=password)


@router.patch("/{person_id}")
def change(
    person_id: PathId,
    body: person_schemas.PersonChange,
    user: MayAdminister,
    session: Writing,
    settings: InForce,
) -> person_schemas.Person:
    """Change a person's name, role, desk or official."""
    given = body.model_dump(exclude_unset=True)
    values = {name: value for name, value in given.items() if value is not None or name in _MAY_BE_NONE}
    person = staff.get(session, person_id)
    staff.change(session, person, who=user.username, settings=settings, **values)
    return _view(session, person, settings)


@router.post("/{person_id}/disable")
def disable(
    person_id: PathId, user: MayAdminister, session: Writing, settings: InForce
) -> person_schemas.Person:
    """Disable a person; all their sessions end at once."""
    person = staff.get(session, person_id)
    staff.disable(session, person, who=user.username, settings=settings)
    return _view(session, person, settings)


@router.post("/{person_id}/enable")
def enable(
    person_id: PathId, user: MayAdminister, session: Writing, settings: InForce
) -> person_schemas.Person:
    """Enable a person again."""
    person = staff.get(session, person_id)
    staff.enable(session, person, who=user.username)
    return _view(session, person, settings)


@router.post("/{person_id}/password")
def new_password(
    person_id: PathId, user: MayAdminister, session: Writing, settings: InForce
) -> person_schemas.Secret:
    """Draw a new password, which the answer shows this once; all the person's sessions end."""
    person = staff.get(session, person_id)
    password = staff.set_new_password(session, person, who=user.username)
    return person_schemas.Secret(person=_view(session, person, settings), secret=password)


@router.post("/{person_id}/pin")
def new_pin(
    person_id: PathId, user: MayAdminister, session: Writing, settings: InForce
) -> person_schemas.Secret:
    """Draw a new PIN for the person's telephone, which the answer shows this once."""
    person = staff.get(session, person_id)
    pin = staff.set_new_pin(session, person, who=user.username)
    return person_schemas.Secret(person=_view(session, person, settings), secret=pin)


@router.delete("/{person_id}/sessions")
def end_sessions(
    person_id: PathId, user: MayAdminister, session: Writing, settings: InForce
) -> person_schemas.Person:
    """Sign the person out everywhere."""
    person = staff.get(session, person_id)
    staff.end_sessions(session, person, who=user.username)
    return _view(session, person, settings)


@router.delete("/{person_id}/second-factor")
def reset_second_factor(
    person_id: PathId, user: MayAdminister, session: Writing, settings: InForce
) -> person_schemas.Person:
    """Delete the person's second factor; the next sign-in sets up a new one."""
    person = staff.get(session, person_id)
    staff.reset_second_factor(session, person, who=user.username)
    return _view(session, person, settings)
