"""The departments to which requests are referred."""

from fastapi import APIRouter

from api.access import InForce, MayPlan, Reading, SignedIn, Writing
from api.ids import PathId
from api.requests import request_schemas as wire
from db import models
from hotline.requests import departments

router = APIRouter(prefix="/departments", tags=["departments"])


@router.get("")
def list_departments(_user: SignedIn, session: Reading) -> list[wire.DepartmentLoad]:
    """Every department with its open and overdue requests, active departments first."""
    return [
        wire.DepartmentLoad(**_view(load.department).model_dump(), open=load.open, overdue=load.overdue)
        for load in departments.list_all(session)
    ]


@router.post("", status_code=201)
def add_department(
    body: wire.DepartmentIn, user: MayPlan, session: Writing, settings: InForce
) -> wire.Department:
    """Add a department."""
    values = body.values(settings.allowed_prefixes)
    return _view(departments.add(session, **values, who=user.username))


@router.patch("/{department_id}")
def change_department(
    department_id: PathId, body: wire.DepartmentChange, user: MayPlan, session: Writing, settings: InForce
) -> wire.Department:
    """Rename a department, change its telephone, or activate or deactivate it."""
    department = departments.get(session, department_id)
    departments.change(session, department, who=user.username, **body.values(settings.allowed_prefixes))
    return _view(department)


def _view(department: models.Department) -> wire.Department:
    return wire.Department.model_validate(department, from_attributes=True)
