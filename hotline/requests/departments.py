"""The city's departments, to which requests are referred."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Department, Request
from hotline import audit
from hotline.errors import Refused
from hotline.requests import inbox


class Load(NamedTuple):
    """A department, its number of open requests, and how many of them are overdue."""

    department: Department
    open: int
    overdue: int


def list_all(session: Session) -> Sequence[Load]:
    """Return all departments with their load: active ones first, by Persian name."""
    overdue = func.count(Request.id).filter(inbox.where_overdue(now(session)))
    # only a request that is with a department has a due date
    mine = (Request.department_id == Department.id) & Request.due_at.is_not(None)
    rows = session.execute(
        select(Department, func.count(Request.id), overdue)
        .outerjoin(Request, mine)
        .group_by(Department.id)
        .order_by(Department.active.desc(), Department.name_fa)
    )
    return [Load(*row) for row in rows]


def get(session: Session, department_id: int) -> Department:
    """The department. Raises Refused("not-found")."""
    department = session.get(Department, department_id)
    if department is None:
        raise Refused("not-found", f"no department {department_id}")
    return department


def get_by_name(session: Session, name_en: str) -> Department:
    """Return the department with this English name. Raises Refused("not-found")."""
    department = session.scalar(select(Department).where(Department.name_en == name_en))
    if department is None:
        raise Refused("not-found", f"no department is called {name_en}")
    return department


def add(session: Session, *, name_fa: str, name_en: str, who: str, number: str | None = None) -> Department:
    """Add a department; `number`: its telephone, E.164.

    Raises Refused("department-values" | "department-taken").
    """
    department = Department(name_fa=_name(name_fa), name_en=_name(name_en), number=number or None)
    session.add(department)
    _flush(session)
    audit.record(session, who, "department-added", f"department {department.id}", department.name_en)
    return department


def change(
    session: Session,
    department: Department,
    *,
    who: str,
    name_fa: str | None = None,
    name_en: str | None = None,
    active: bool | None = None,
    number: str | None = None,
) -> None:
    """Change a department's names, its telephone (E.164; empty: none), or whether it gets new requests.

    Raises what `add` raises.
    """
    if name_fa is not None:
        department.name_fa = _name(name_fa)
    if name_en is not None:
        department.name_en = _name(name_en)
    if active is not None:
        department.active = active
    if number is not None:
        department.number = number or None
    _flush(session)
    what = department.name_en if department.active else f"{department.name_en}, not active"
    audit.record(session, who, "department-changed", f"department {department.id}", what)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refused("department-values", "a department has a Persian and an English name")
    return name


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise Refused("department-taken", "another department has this name") from error
