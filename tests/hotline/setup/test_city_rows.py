"""A city's offices and departments come from its file; loading again adds and renames."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import AuditEntry, Department, Official, OfficialKind
from hotline.setup import city_rows
from settings import city_file
from settings.city_file import City
from tests.factories import an_official
from tests.kit.cities import GOLRUD

ISFAHAN = city_file.read(city_file.SAMPLE)


@pytest.fixture
def golrud() -> City:
    return city_file.read(GOLRUD)


def names(session: Session) -> set[str]:
    offices = select(Official.office_en).where(Official.kind != OfficialKind.OPERATORS)
    return {*session.scalars(offices), *session.scalars(select(Department.name_en))}


def test_loaded_city_fills_the_empty_tables(session: Session, golrud: City) -> None:
    done = city_rows.load(session, golrud, who="admin")
    assert names(session) == {
        *("Mayor of Golrud", "Manager of the Upper Town", "Manager of the Lower Town"),
        *("Manager of the Riverside", "Works"),
    }
    assert len(done.added) == 5 and not done.renamed and not done.beyond
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.who, entry.action, entry.subject) == ("admin", "city-loaded", "city Golrud")


def test_reloaded_city_renames_and_loses_no_row(session: Session, golrud: City) -> None:
    city_rows.load(session, ISFAHAN, who="admin")
    ids = set(session.scalars(select(Official.id)))
    mayor = session.scalars(select(Official).where(Official.kind == OfficialKind.MAYOR)).one()
    done = city_rows.load(session, golrud, who="admin")
    assert mayor.office_fa == "شهردار گل‌رود"
    assert ids == set(session.scalars(select(Official.id)))
    assert len(done.renamed) == 4 and done.added == ["عمران"]
    assert len(done.beyond) == 2 + 12 + 6
    again = city_rows.load(session, golrud, who="admin")
    assert not again.added and not again.renamed


def test_offices_own_addition_survives_the_load(session: Session, golrud: City) -> None:
    own = an_official(session)
    before = own.office_fa
    done = city_rows.load(session, golrud, who="admin")
    assert (own.office_fa, own.active) == (before, True) or own.kind is OfficialKind.MAYOR
    assert session.get(Official, own.id) is own and done.added
