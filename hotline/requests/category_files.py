"""Export and import categories as a TOML file that a city edits.

An import applies all of the file or nothing.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import events
from db.engine import hold_lock
from db.models import Category, Department, Evidence, TimeUnit
from hotline.errors import Refused
from hotline.requests import categories
from hotline.requests.categories import ALL, Values
from hotline.requests.working_time import Span
from settings.city_file import MOST_DISTRICTS

CODE = r"^[a-z][a-z0-9-]{1,39}$"
_SPAN = re.compile(r"([1-9][0-9]{0,3}) (hours|days)", re.ASCII)
_HEADER = re.compile(r"\s*\[\[\s*category\s*\]\]")
_MOST, _TOLD = 500, 50
"""Maximum number of categories in a file; maximum number of mistakes that one refusal lists."""
_DISTRICTS = ("all", *map(str, range(1, MOST_DISTRICTS + 1)))


def _span(text: str) -> str:
    if not _SPAN.fullmatch(text):
        raise ValueError("is working time, for example 3 days or 4 hours")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Question(_Strict):
    fa: str
    en: str


class _Category(_Strict):
    code: str = Field(pattern=CODE)
    name_fa: str
    name_en: str
    icon: str
    key: StrictInt | None = None
    urgent: StrictBool = False
    answer: Annotated[str, AfterValidator(_span)]
    solve: Annotated[str, AfterValidator(_span)]
    evidence: Evidence
    active: StrictBool = True
    questions: list[_Question] = []
    departments: dict[str, str] = {}


class _File(_Strict):
    category: list[_Category] = Field(min_length=1, max_length=_MOST)


class Taken(NamedTuple):
    """Counts of an import: categories added, changed and left the same."""

    added: int
    changed: int
    same: int


def export(session: Session) -> str:
    """Return all categories as TOML text."""
    return "\n".join(_written(each) for each in categories.list_all(session))


def take(session: Session, text: str, *, who: str) -> Taken:
    """Add and change the categories of the file; categories that the file leaves out stay as they are.

    Raises Refused("categories-file") with every mistake, by line and field.
    """
    hold_lock(session, "categories")
    wanted = _checked(session, text)
    there = {each.code: each for each in categories.list_all(session)}
    _check_keys(text, wanted, there)
    for code, values in wanted.items():  # free all changed keys first: two categories may exchange theirs
        if code in there and there[code].key != values.key:
            there[code].key = None
    session.flush()
    added = changed = 0
    for code, values in wanted.items():
        is_new = code not in there
        different = categories.write_values(session, there.get(code) or Category(code=code), values, who=who)
        added, changed = added + is_new, changed + (different and not is_new)
    try:
        categories.check_has_other(session)
    except Refused as refused:
        raise Refused("categories-file", refused.detail) from None
    events.append_timetable(session, categories.CHANGED)
    return Taken(added, changed, len(wanted) - added - changed)


def _checked(session: Session, text: str) -> dict[str, Values]:
    try:
        read = tomllib.loads(text)
    # ValueError also covers a number that is too large for Python
    except (ValueError, RecursionError) as error:
        raise Refused("categories-file", f"this is no TOML: {error}") from None
    try:
        found = _File.model_validate(read)
    except ValidationError as error:
        mistakes = error.errors()
        told = [f"{_place(text, each['loc'])}: {_said(each)}" for each in mistakes[:_TOLD]]
        raise _refusal(told, len(mistakes)) from None
    by_name = {name: id_ for id_, name in session.execute(select(Department.id, Department.name_en))}
    wrong, values = [], {}
    for n, each in enumerate(found.category):
        if each.code in values:
            wrong.append(f"{_place(text, ('category', n, 'code'))}: {each.code} is there twice")
        for district, name in each.departments.items():
            place = _place(text, ("category", n, "departments", district))
            if district not in _DISTRICTS:
                wrong.append(f"{place}: a district is 1 to {MOST_DISTRICTS}, or all")
            elif name not in by_name:
                wrong.append(f"{place}: there is no department {name!r} (its English name)")
        one = values[each.code] = _values(each, by_name)
        wrong += [
            f"{_place(text, ('category', n, field))}: {detail}"
            for field, detail in categories.list_errors(session, one)
        ]
    if wrong:
        raise _refusal(wrong, len(wrong))
    return values


def _check_keys(text: str, wanted: Mapping[str, Values], there: Mapping[str, Category]) -> None:
    holders = {each.key: code for code, each in there.items() if each.key and code not in wanted}
    wrong = []
    for n, (code, values) in enumerate(wanted.items()):
        if values.key is None:
            continue
        holder = holders.setdefault(values.key, code)
        if holder != code:
            wrong.append(f"{_place(text, ('category', n, 'key'))}: key {values.key} is that of {holder}")
    if wrong:
        raise _refusal(wrong, len(wrong))


def _values(each: _Category, departments: Mapping[str, int]) -> Values:
    return Values(
        name_fa=each.name_fa,
        name_en=each.name_en,
        icon=each.icon,
        key=each.key,
        urgent=each.urgent,
        answer=_time(each.answer),
        solve=_time(each.solve),
        evidence=each.evidence,
        questions=[question.model_dump() for question in each.questions],
        departments={
            ALL if district == "all" else int(district): departments[name]
            for district, name in each.departments.items()
            if district in _DISTRICTS and name in departments
        },
        active=each.active,
    )


def _time(text: str) -> Span:
    amount, _, unit = text.partition(" ")
    return Span(int(amount), TimeUnit(unit))


def _refusal(mistakes: Sequence[str], how_many: int) -> Refused:
    more = [f"and {how_many - _TOLD} more"] * (how_many > _TOLD)
    return Refused("categories-file", "\n".join(["nothing was changed", *mistakes[:_TOLD], *more]))


def _said(error: Any) -> str:
    message: str = error["msg"]
    return (
        "there is no such field"
        if error["type"] == "extra_forbidden"
        else message.removeprefix("Value error, ")
    )


def _place(text: str, where: tuple[int | str, ...]) -> str:
    """Return the line and the name of a field, or only the name if it has no line."""
    lines = text.splitlines()
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    which = where[1] if len(where) > 1 and isinstance(where[1], int) else None
    names = [str(part) for part in where[2:] if part] if which is not None else list(map(str, where))
    if which is None or which >= len(headers):
        return f"field {'.'.join(names)}"
    block = range(headers[which], (headers[which + 1 :] or [len(lines)])[0])
    for name in reversed(names):
        field = re.compile(rf"\s*[\[\"']*(category\.)?{re.escape(name)}\b")
        for number in block:
            if field.match(lines[number]):
                return f"line {number + 1}, {'.'.join(names)}"
    return f"line {block.start + 1}, {'.'.join(names)}"


def _written(category: Category) -> str:
    return "\n".join(["[[category]]", *_lines(category), ""])


def _lines(category: Category) -> Iterator[str]:
    for name in ("code", "name_fa", "name_en", "icon"):
        yield f"{name} = {_text(getattr(category, name))}"
    if category.key:
        yield f"key = {category.key}"
    yield f"urgent = {_bool(category.urgent)}"
    yield f'answer = "{category.answer_in} {category.answer_unit}"'
    yield f'solve = "{category.solve_in} {category.solve_unit}"'
    yield f'evidence = "{category.evidence}"'
    yield f"active = {_bool(category.active)}"
    asked = [f"    {{ fa = {_text(q['fa'])}, en = {_text(q['en'])} }}," for q in category.questions]
    if asked:
        yield from ("questions = [", *asked, "]")
    if category.responsible:
        yield "[category.departments]"
    for each in category.responsible:
        yield f"{each.district or 'all'} = {_text(each.department.name_en)}"


def _text(text: str) -> str:
    """Return a TOML string. A JSON string is one, except that TOML does not allow DEL unescaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _bool(value: bool) -> str:
    return "true" if value else "false"
