"""The departments to which requests are referred."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.access import Planner, Reading, SignedIn, Writing
from api.requests import request_schemas as wire
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
            open=load.open,
            overdue=load.overdue,
        )
        for load in departments.everyone(session)
    ]


@router.post("", status_code=201)
def add_department(body: wire.DepartmentIn, user: Planner, session: Writing) -> wire.Department:
    """Add a department."""
    added = departments.add(session, **body.model_dump(), who=user.username)
    return wire.Department.model_validate(added, from_attributes=True)


@router.patch("/{department_id}")
def change_department(
    department_id: Id, body: wire.DepartmentChange, user: Planner, session: Writing
) -> wire.Department:
    """Rename a department, or say whether requests are still referred to it."""
    department = departments.get(session, department_id)
    departments.change(session, department, who=user.username, **body.model_dump(exclude_none=True))
    return wire.Department.model_validate(department, from_attributes=True)
