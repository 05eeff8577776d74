"""Offices: added and changed with what makes them whole, refused where they are wrong."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import AuditEntry, Official, OfficialKind
from hotline.errors import Refused
from hotline.rounds import officials, phases
from tests.kit.databases import on_one  # noqa: F401  (fixture)

MAYOR, DEPUTY, MANAGER = OfficialKind.MAYOR, OfficialKind.DEPUTY, OfficialKind.DISTRICT_MANAGER


def an_office(session: Session, **values: Any) -> Official:
    given = {"kind": DEPUTY, "office_fa": "معاون", "office_en": "Deputy", "clip": "office-deputy", **values}
    return officials.add(session, who="pr", **given)


def test_offices_are_listed_by_rank_and_district(session: Session) -> None:
    phases.get_operators_line(session)
    tenth = an_office(session, kind=MANAGER, district=10)
    second = an_office(session, kind=MANAGER, district=2)
    deputy = an_office(session)
    mayor = an_office(session, kind=MAYOR)
    assert officials.list_all(session) == [mayor, deputy, second, tenth]


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("official-values", {"office_fa": " "}),
        ("official-values", {"office_en": ""}),
        ("official-values", {"clip": ""}),
        ("official-values", {"kind": OfficialKind.OPERATORS}),
        ("official-values", {"kind": MANAGER}),
        ("official-values", {"district": 3}),
        ("official-values", {"kind": MANAGER, "district": 0}),
        ("official-values", {"kind": MANAGER, "district": 41}),
        ("district-taken", {"kind": MANAGER, "district": 1}),
    ],
)
def test_wrong_office_is_refused_with_its_code(session: Session, code: str, values: dict[str, Any]) -> None:
    an_office(session, kind=MANAGER, district=1)
    deputy = an_office(session)
    session.commit()
    for act in (
        lambda: an_office(session, **values),
        lambda: officials.change(session, deputy, who="pr", **values),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == code
        session.rollback()
    assert session.scalars(select(Official.district).order_by(Official.id)).all() == [1, None]


def test_changed_office_is_audited(session: Session) -> None:
    manager = an_office(session, kind=MANAGER, district=1)
    officials.change(session, manager, who="pr", district=1, office_en="Manager of District 1")
    session.commit()
    session.expire_all()
    assert officials.get(session, manager.id).office_en == "Manager of District 1"
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(e.who, e.action, e.subject, e.reason) for e in entries] == [
        ("pr", "official-added", "official 1", "Deputy"),
        ("pr", "official-changed", "official 1", "district, office_en"),
    ]
    with pytest.raises(Refused) as refused:
        officials.get(session, 99)
    assert refused.value.code == "not-found"
