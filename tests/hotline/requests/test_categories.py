"""Categories: what is refused, which key and which department is meant, and what a file may say."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import AuditEntry, Category, Department, TimeUnit
from hotline.errors import Refused
from hotline.line import caller_context
from hotline.requests import categories, category_files, filing
from hotline.requests.categories import Values
from hotline.requests.working_time import Span
from tests.factories import WEEK, a_department, a_request, at_once

OTHER = 9


def values(session: Session, category_id: int = 1, **other: object) -> Values:
    return replace(Values.of(session.get_one(Category, category_id)), **other)


def refused(session: Session, *changes: tuple[int, Values]) -> list[tuple[str, str | None]]:
    """The code and the field with which each change is refused."""
    found = []
    for category_id, wanted in changes:
        with pytest.raises(Refused) as no:
            categories.change(session, category_id, wanted, who="admin")
        found.append((no.value.code, no.value.field))
        session.rollback()
    return found


def test_new_city_has_the_nine_subjects_as_categories(
    session: Session,
) -> None:
    found = categories.list_all(session)
    assert [each.key for each in found] == list(range(1, 10))
    assert (found[0].name_fa, found[1].name_en) == ("خیابان و آسفالت", "Lighting and electricity")
    assert {each.icon for each in found} <= set(categories.ICONS)
    assert not any(categories.list_errors(session, Values.of(each)) for each in found)


def test_disabled_category_becomes_other(
    session: Session,
) -> None:
    old = a_request(session, category=4)
    categories.change(session, 4, values(session, 4, active=False), who="admin")
    assert caller_context.offer(session).categories == "12356789"
    assert categories.find_by_key(session, 4).key == OTHER
    assert categories.find_by_key(session, 5).key == 5
    with pytest.raises(Refused) as no:
        filing.write(
            session, number=None, category=4, district=1, written="x", language="fa", week=WEEK, who="u"
        )
    assert no.value.code == "category-inactive"
    assert old.category == 4, "what was reported keeps its category"


def test_invalid_values_name_their_field_and_change_nothing(
    session: Session,
) -> None:
    now = values(session)
    wrong = {
        "name_fa": replace(now, name_fa="خیابان\u202e"),
        "name_en": replace(now, name_en=" "),
        "icon": replace(now, icon="unicorn"),
        "answer": replace(now, answer=Span(0, TimeUnit.DAYS)),
        "solve": replace(now, solve=Span(367, TimeUnit.DAYS)),
        "questions": replace(now, questions=[{"fa": "کجا؟", "en": ""}]),
        "departments": replace(now, departments={16: 1}),
    }
    assert refused(session, *((1, each) for each in wrong.values())) == [
        ("category-values", field) for field in wrong
    ]
    assert refused(session, (1, replace(now, key=2))) == [("category-taken", "key")]
    off = values(session, OTHER, active=False), values(session, OTHER, key=None)
    assert refused(session, *((OTHER, each) for each in off)) == [("category-last", "key")] * 2
    assert refused(session, (1, replace(now, departments={0: 404404}))) == [
        ("category-values", "departments")
    ]
    assert values(session) == now
    assert session.scalar(select(func.count(AuditEntry.id))) == 0


def test_department_of_the_district_goes_first(
    session: Session,
) -> None:
    everywhere, north = a_department(session), a_department(session)
    changed = categories.change(
        session, 2, values(session, 2, departments={0: everywhere.id, 3: north.id}), who="admin"
    )
    assert categories.find_department(changed, 3) == north
    assert categories.find_department(changed, 4) == categories.find_department(changed, None) == everywhere
    north.active = False
    assert categories.find_department(changed, 3) is None, "not to one that takes nothing any more"
    assert categories.find_department(session.get_one(Category, 1), 3) is None
    categories.change(session, 2, values(session, 2, departments={3: north.id}), who="admin")
    assert categories.find_department(changed, 4) is None


def test_key_taken_by_two_goes_to_one(engine: Engine) -> None:
    def take(which: int) -> str:
        with writing(engine) as session:
            new = values(session, 1, key=8, name_en=f"New {which}")
            try:
                categories.add(session, f"new-{which}", new, who="admin")
            except Refused as no:
                return no.code
        return "made"

    with writing(engine) as session:
        categories.change(session, 8, values(session, 8, key=None), who="admin")
    assert sorted(at_once(2, take)) == ["category-taken", "made"]


FILE = """
[[category]]
code = "streets"
name_fa = "خیابان"
name_en = "Streets"
icon = "road"
key = 2
answer = "4 hours"
solve = "12 days"
evidence = "none"
questions = [
    { fa = "کجا؟", en = "Where \\"exactly\\"?" },
]
[category.departments]
all = "Roads"
7 = "Lights"

[[category]]
code = "lighting"
name_fa = "روشنایی"
name_en = "Lighting"
icon = "bulb"
key = 1
urgent = true
answer = "1 days"
solve = "3 days"
evidence = "text"
"""


def a_file_of(session: Session) -> None:
    session.add_all([Department(name_fa=name, name_en=name) for name in ("Roads", "Lights")])
    session.flush()


def test_imported_file_swaps_keys_and_exports_the_same(
    session: Session,
) -> None:
    a_file_of(session)
    assert category_files.take(session, FILE, who="admin") == (0, 2, 0)
    streets, lighting = values(session, 1), values(session, 2)
    assert (streets.key, lighting.key, values(session, 3).key) == (2, 1, 3)
    assert (streets.answer, streets.solve) == (Span(4, TimeUnit.HOURS), Span(12, TimeUnit.DAYS))
    assert (streets.urgent, lighting.urgent, len(streets.departments)) == (False, True, 2)
    assert streets.questions == [{"fa": "کجا؟", "en": 'Where "exactly"?'}]
    before = category_files.export(session)
    assert category_files.take(session, before, who="admin") == (0, 0, 9)
    assert category_files.export(session) == before
    new = FILE.replace('"streets"', '"stairs"').replace("key = 2", "").replace("key = 1", "key = 1 # 1")
    assert category_files.take(session, new, who="admin") == (1, 0, 1)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('icon = "road"', 'icon = "road', "this is no TOML: "),
        ('icon = "road"', "icon = " + "[" * 100_000, "this is no TOML: "),
        ("key = 1", "key = 1" + "0" * 5_000, "this is no TOML: "),
        ('icon = "road"', 'icon = "unicorn"', "line 6, icon: is one of road"),
        ('answer = "4 hours"', 'answer = "4 weeks"', "line 8, answer: is working time"),
        ('answer = "4 hours"', "", "line 2, answer: Field required"),
        ("urgent = true", 'urgent = "yes"', "line 24, urgent: Input should be a valid boolean"),
        ('evidence = "none"', 'evidence = "oath"', "line 10, evidence: Input should be 'none'"),
        ("urgent = true", "urgnt = true", "line 24, urgnt: there is no such field"),
        ('7 = "Lights"', '41 = "Lights"', "line 16, departments.41: a district is 1 to 40, or all"),
        ('all = "Roads"', 'all = "Nowhere"', "line 15, departments.all: there is no department 'Nowhere'"),
        ('code = "lighting"', 'code = "streets"', "line 19, code: streets is there twice"),
        ('code = "lighting"', 'code = "Lighting"', "line 19, code: String should match pattern"),
        ("key = 1", "key = 3", "line 23, key: key 3 is that of waste"),
        ("key = 1", "key = 2", "line 23, key: key 2 is that of streets"),
        ("key = 1", "key = 11", "line 23, key: is 1 to 9, or none"),
        (FILE, "", "field category: Field required"),
    ],
)
def test_faulty_file_names_the_position_and_changes_nothing(
    engine: Engine, old: str, new: str, told: str
) -> None:
    with writing(engine) as session:
        a_file_of(session)
        before = category_files.export(session)
    assert old in FILE
    with pytest.raises(Refused) as no, writing(engine) as session:
        category_files.take(session, FILE.replace(old, new), who="admin")
    assert no.value.code == "categories-file"
    assert told in no.value.detail
    with reading(engine) as session:
        assert category_files.export(session) == before


def test_several_faults_are_reported_at_once(session: Session) -> None:
    a_file_of(session)
    bad = FILE.replace('"road"', '"x"').replace('"bulb"', '"y"').replace("Roads", "Z")
    with pytest.raises(Refused) as no:
        category_files.take(session, bad, who="admin")
    assert [line.partition(":")[0] for line in no.value.detail.splitlines()[1:]] == [
        "line 15, departments.all",
        "line 6, icon",
        "line 22, icon",
    ]
    with pytest.raises(Refused) as no:
        category_files.take(session, category_files.export(session).replace("key = 9", ""), who="admin")
    assert (no.value.code, "has key 9" in no.value.detail) == ("categories-file", True)


def test_many_faults_are_truncated_with_their_count(
    session: Session,
) -> None:
    with pytest.raises(Refused) as no:
        category_files.take(session, "[[category]]\n" * 10, who="admin")
    told = no.value.detail.splitlines()[1:]
    assert (len(told), told[0], told[-1]) == (51, "line 1, code: Field required", "and 20 more")
