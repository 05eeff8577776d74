"""The departments to which requests are referred."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.access import InForce, Planner, Reading, SignedIn, Writing
from api.requests import request_schemas as wire
from db import models
from hotline import numbers
from hotline.requests import departments

router = APIRouter(prefix="/departments", tags=["departments"])

Id = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("")
def list_departments(_user: SignedIn, session: Reading) -> list[wire.DepartmentLoad]:
    """Every department with what it has to do, the active ones first."""
    return [
        wire.DepartmentLoad(
            id=load.department.id,
            name_fa=load.department.name_fa,
            name_en=load.department.name_en,
            active=load.department.active,
            number=_national(load.department.number),
            open=load.open,
            overdue=load.overdue,
        )
        for load in departments.everyone(session)
    ]


@router.post("", status_code=201)
def add_department(
    body: wire.DepartmentIn, user: Planner, session: Writing, settings: InForce
) -> wire.Department:
    """Add a department."""
    values = body.model_dump()
    if body.number:
        values["number"] = numbers.parse(body.number, settings.allowed_prefixes)
    return _view(departments.add(session, **values, who=user.username))


@router.patch("/{department_id}")
def change_department(
    department_id: Id, body: wire.DepartmentChange, user: Planner, session: Writing, settings: InForce
) -> wire.Department:
    """Rename a department, change its telephone, or say whether requests are still referred to it."""
    department = departments.get(session, department_id)
    values = body.model_dump(exclude_none=True)
    if body.number:
        values["number"] = numbers.parse(body.number, settings.allowed_prefixes)
    departments.change(session, department, who=user.username, **values)
    return _view(department)


def _view(department: models.Department) -> wire.Department:
    return wire.Department(
        id=department.id,
        name_fa=department.name_fa,
        name_en=department.name_en,
        active=department.active,
        number=_national(department.number),
    )


def _national(number: str | None) -> str | None:
    return numbers.national(number) if number else None
