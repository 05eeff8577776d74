"""The categories of requests: what the city mends, how soon, and which department is responsible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from db import events
from db.engine import hold_lock
from db.models import Category, Department, Evidence, Responsible, TimeUnit
from hotline import audit, control_characters
from hotline.errors import Refused
from hotline.requests.working_time import Span
from hotline.subjects import OTHER
from settings.city_file import MOST_DISTRICTS

ICONS = (
    *("road", "bulb", "trash", "trees", "droplet", "building", "car", "volume", "dots"),
    *("bus", "bike", "wall", "paw", "flame", "alert", "home", "tool"),
)
"""The icons that the pages can draw (web/shared/icons/categories.ts)."""
ALL = 0
"""In place of a district: every district without a department of its own."""
CHANGED = "category-changed"
"""Name of the event that tells the pages to reload categories."""
LANGUAGES = ("fa", "en")
_IN_HAND = "categories"
_LONGEST = {TimeUnit.HOURS: 1000, TimeUnit.DAYS: 366}
_QUESTIONS, _QUESTION = 5, 200


@dataclass(frozen=True, kw_only=True)
class Values:
    """All values of a category except its code. `departments`: ids by district, `ALL` for all others."""

    name_fa: str
    name_en: str
    icon: str
    key: int | None
    urgent: bool
    answer: Span
    solve: Span
    evidence: Evidence
    questions: Sequence[Mapping[str, str]]
    departments: Mapping[int, int]
    active: bool

    @classmethod
    def of(cls, category: Category) -> Self:
        """Return the category's present values."""
        return cls(
            name_fa=category.name_fa,
            name_en=category.name_en,
            icon=category.icon,
            key=category.key,
            urgent=category.urgent,
            answer=find_promised_times(category)[0],
            solve=find_promised_times(category)[1],
            evidence=category.evidence,
            questions=category.questions,
            departments={each.district: each.department_id for each in category.responsible},
            active=category.active,
        )


class Wrong(NamedTuple):
    """A field with an invalid value, and why it is invalid."""

    field: str
    detail: str


def list_all(session: Session) -> Sequence[Category]:
    """Return all categories: active ones first, by telephone key, then in the order of creation."""
    order = (Category.active.desc(), Category.key.is_(None), Category.key, Category.id)
    found = session.scalars(select(Category).order_by(*order).options(selectinload(Category.responsible)))
    return found.all()


def get(session: Session, category_id: int) -> Category:
    """Return the category. Raises Refused("not-found")."""
    category = _of(session, category_id)
    if category is None:
        raise Refused("not-found", f"no category {category_id}")
    return category


def get_active(session: Session, category_id: int) -> Category:
    """Return the category if new requests may be filed in it. Raises Refused("category-inactive")."""
    category = _of(session, category_id)
    if category is None or not category.active:
        raise Refused("category-inactive", f"nothing new is reported of category {category_id}")
    return category


def _of(session: Session, category_id: int) -> Category | None:
    """Return the category or None, and hold a reference to it for the session's life.

    A session refers weakly to its objects: without this reference it would query the category again.
    """
    category = session.get(Category, category_id)
    session.info.setdefault(_IN_HAND, set()).add(category)
    return category


def list_offered_keys(session: Session) -> str:
    """Return the telephone keys of the categories that callers hear, in order."""
    keys = session.scalars(select(Category.key).where(Category.active, Category.key.is_not(None)))
    return "".join(sorted(map(str, keys)))


def find_by_key(session: Session, key: int) -> Category:
    """Return the active category of this telephone key, else the one for everything else."""
    query = select(Category).where(Category.active, Category.key.in_([key, OTHER])).order_by(Category.key)
    return session.scalars(query.limit(1)).one()


def find_promised_times(category: Category) -> tuple[Span, Span]:
    """Return the working time until the citizen gets a first answer, and until the problem is solved."""
    return Span(category.answer_in, category.answer_unit), Span(category.solve_in, category.solve_unit)


def find_department(category: Category, district: int | None) -> Department | None:
    """Return the active department responsible for the category in this district, if there is one."""
    by_district = {each.district: each.department for each in category.responsible}
    found = by_district.get(district or ALL) or by_district.get(ALL)
    return found if found and found.active else None


def add(session: Session, code: str, values: Values, *, who: str) -> Category:
    """Add a category. Raises Refused("category-values" | "category-taken")."""
    _hold(session)
    _must_be_right(session, values)
    if session.scalar(select(Category.id).where(Category.code == code)):
        raise Refused("category-taken", f"another category is called {code}", "code")
    _must_be_free(session, None, values)
    category = Category(code=code)
    write_values(session, category, values, who=who)
    events.append_timetable(session, CHANGED)
    return category


def change(session: Session, category_id: int, values: Values, *, who: str) -> Category:
    """Replace the category's values.

    Raises Refused("not-found" | "category-values" | "category-taken" | "category-last").
    """
    _hold(session)
    category = get(session, category_id)
    _must_be_right(session, values)
    _must_be_free(session, category.id, values)
    write_values(session, category, values, who=who)
    check_has_other(session)
    events.append_timetable(session, CHANGED)
    return category


def write_values(session: Session, category: Category, values: Values, *, who: str) -> bool:
    """Write the values without checking them; return whether anything changed."""
    made = category.id is None
    if not made and Values.of(category) == values:
        return False
    for name in ("name_fa", "name_en", "icon", "key", "urgent", "evidence", "active"):
        setattr(category, name, getattr(values, name))
    category.answer_in, category.answer_unit = values.answer
    category.solve_in, category.solve_unit = values.solve
    category.questions = [dict(question) for question in values.questions]
    session.add(category)
    session.flush()
    _hand_to(session, category, values.departments)
    what = category.code if category.active else f"{category.code}, not active"
    deed = (f"category {category.id}", what)
    audit.record(session, who, "category-added" if made else "category-changed", *deed)
    return True


def check_has_other(session: Session) -> None:
    """Raises Refused("category-last") if no active category has the key of everything else."""
    session.flush()
    if not session.scalar(select(Category.id).where(Category.active, Category.key == OTHER)):
        detail = f"one category that is in use has key {OTHER}: what fits nowhere goes there"
        raise Refused("category-last", detail, "key")


def list_errors(session: Session, values: Values) -> list[Wrong]:
    """List every invalid field, without comparing with other categories."""
    found = [
        *(Wrong(name, _wrong_name(getattr(values, name))) for name in ("name_fa", "name_en")),
        Wrong("icon", "" if values.icon in ICONS else f"is one of {', '.join(ICONS)}"),
        Wrong("key", "" if values.key in (None, *range(1, 10)) else "is 1 to 9, or none"),
        *(Wrong(name, _wrong_span(getattr(values, name))) for name in ("answer", "solve")),
        Wrong("questions", _wrong_questions(values.questions)),
        Wrong("departments", _wrong_departments(session, values.departments)),
    ]
    return [each for each in found if each.detail]


def _hold(session: Session) -> None:
    hold_lock(session, "categories")


def _hand_to(session: Session, category: Category, departments: Mapping[int, int]) -> None:
    for each in list(category.responsible):
        if each.district not in departments:
            category.responsible.remove(each)
    there = {each.district: each for each in category.responsible}
    for district, department_id in departments.items():
        if district in there:
            there[district].department_id = department_id
        else:
            category.responsible.append(Responsible(district=district, department_id=department_id))
    session.flush()
    session.expire(category, ["responsible"])


def _must_be_right(session: Session, values: Values) -> None:
    for field, detail in list_errors(session, values):
        raise Refused("category-values", f"{field} {detail}", field)


def _must_be_free(session: Session, category_id: int | None, values: Values) -> None:
    others = select(Category.code).where(Category.key == values.key, Category.id != (category_id or 0))
    if values.key is not None and (other := session.scalar(others)):
        raise Refused("category-taken", f"key {values.key} is that of {other}", "key")


def _wrong_name(name: str) -> str:
    try:
        control_characters.check(name)
    except Refused as refused:
        return f"has {refused.detail}"
    return "" if name.strip() and len(name) <= 100 else "has 1 to 100 letters"


def _wrong_span(span: Span) -> str:
    most = _LONGEST[span.unit]
    return "" if 0 < span.amount <= most else f"is 1 to {most} working {span.unit}"


def _wrong_questions(questions: Sequence[Mapping[str, str]]) -> str:
    if len(questions) > _QUESTIONS:
        return f"are at most {_QUESTIONS}"
    for question in questions:
        texts = [question.get(language, "").strip() for language in LANGUAGES]
        if not all(0 < len(text) <= _QUESTION for text in texts):
            return f"are in Persian and English, each of at most {_QUESTION} letters"
    return ""


def _wrong_departments(session: Session, departments: Mapping[int, int]) -> str:
    strange = [district for district in departments if not ALL <= district <= MOST_DISTRICTS]
    if strange:
        return f"are for districts 1 to {MOST_DISTRICTS}, or {ALL} for all others: not {strange[0]}"
    known = set(session.scalars(select(Department.id).where(Department.id.in_(departments.values()))))
    missing = set(departments.values()) - known
    return f"there is none with the number {min(missing)}" if missing else ""
