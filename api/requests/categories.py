"""Categories of requests: everybody reads them, an administrator changes them."""

from fastapi import APIRouter

from api.access import MayAdminister, Reading, SignedIn, Writing
from api.ids import PathId
from api.requests import category_schemas as wire
from api.rounds.subjects import list_spoken
from db import models
from hotline.errors import Refused
from hotline.requests import categories
from hotline.requests.working_time import Span

router = APIRouter(prefix="/categories", tags=["categories"])


@router.get("")
def list_categories(_user: SignedIn, session: Reading) -> list[wire.Category]:
    """All categories: active ones first, by key."""
    return [_view(category) for category in categories.list_all(session)]


@router.post("", status_code=201)
def add_category(body: wire.CategoryIn, user: MayAdminister, session: Writing) -> wire.Category:
    """Add a category."""
    return _view(categories.add(session, body.code, _values(body), who=user.username))


@router.put("/{category_id}")
def change_category(
    category_id: PathId, body: wire.CategoryValues, user: MayAdminister, session: Writing
) -> wire.Category:
    """Set a category's values; an inactive one is offered no more, and stays on its requests."""
    return _view(categories.change(session, category_id, _values(body), who=user.username))


def _values(body: wire.CategoryValues) -> categories.Values:
    departments = {each.district: each.department_id for each in body.departments}
    if len(departments) < len(body.departments):
        raise Refused("category-values", "a district has one department", "departments")
    return categories.Values(
        name_fa=" ".join(body.name_fa.split()),
        name_en=" ".join(body.name_en.split()),
        icon=body.icon,
        key=body.key,
        urgent=body.urgent,
        answer=Span(body.answer.amount, body.answer.unit),
        solve=Span(body.solve.amount, body.solve.unit),
        evidence=body.evidence,
        questions=[question.model_dump() for question in body.questions],
        departments=departments,
        active=body.active,
    )


def _view(category: models.Category) -> wire.Category:
    values = categories.Values.of(category)
    return wire.Category(
        id=category.id,
        code=category.code,
        name_fa=values.name_fa,
        name_en=values.name_en,
        icon=values.icon,
        key=values.key,
        urgent=values.urgent,
        answer=wire.WorkingTime(**values.answer._asdict()),
        solve=wire.WorkingTime(**values.solve._asdict()),
        evidence=values.evidence,
        questions=[wire.Question(**question) for question in values.questions],
        departments=[
            wire.Responsible(district=district, department_id=department_id)
            for district, department_id in values.departments.items()
        ],
        active=values.active,
        spoken=list_spoken(values.key) if values.key else {},
    )
