"""Loads the city's offices and departments from its file into the tables.

A second load adds and renames. It deletes and deactivates nothing, because rounds and requests refer to the
rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.engine import hold_lock
from db.models import Department, Official, OfficialKind
from hotline import audit
from settings.city_file import City


@dataclass
class Loaded:
    """The result of a load, by Persian names; `beyond` is in the tables but not in the file."""

    added: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)


def load(session: Session, city: City, *, who: str) -> Loaded:
    """Bring the tables up to date with the file; return what changed."""
    hold_lock(session, "city")
    done = Loaded()
    offices = session.scalars(select(Official).where(Official.kind != OfficialKind.OPERATORS)).all()
    wanted: set[int] = set()
    for official in _offices(city):
        found = next((each for each in offices if _is_same(each, official)), None)
        if found is None:
            session.add(official)
            done.added.append(official.office_fa)
            continue
        wanted.add(found.id)
        if (found.office_fa, found.office_en) != (official.office_fa, official.office_en):
            found.office_fa, found.office_en = official.office_fa, official.office_en
            done.renamed.append(official.office_fa)
    done.beyond += [each.office_fa for each in offices if each.id not in wanted]
    _load_departments(session, city, done)
    session.flush()
    audit.record(session, who, "city-loaded", f"city {city.name('en')}", _told(done))
    return done


def _offices(city: City) -> Sequence[Official]:
    named = [
        Official(kind=OfficialKind(each.kind), office_fa=each.name_fa, office_en=each.name_en, clip=each.clip)
        for each in city.offices
    ]
    return named + [
        Official(
            kind=OfficialKind.DISTRICT_MANAGER,
            district=each.number,
            office_fa=each.name_fa,
            office_en=each.name_en,
            clip=f"office-district-{each.number}",
        )
        for each in city.districts
    ]


def _is_same(one: Official, other: Official) -> bool:
    """Return whether both are the same office.

    There is one mayor, and one manager of each district; a deputy is identified by the voice clip.
    """
    if one.kind is not other.kind:
        return False
    return one.kind is OfficialKind.MAYOR or (one.district, one.clip) == (other.district, other.clip)


def _load_departments(session: Session, city: City, done: Loaded) -> None:
    for each in city.departments:
        same = or_(Department.name_en == each.name_en, Department.name_fa == each.name_fa)
        rows = session.scalars(select(Department).where(same).order_by(Department.id)).all()
        if not rows:
            session.add(Department(name_fa=each.name_fa, name_en=each.name_en))
            done.added.append(each.name_fa)
        elif len(rows) == 1 and (rows[0].name_fa, rows[0].name_en) != (each.name_fa, each.name_en):
            rows[0].name_fa, rows[0].name_en = each.name_fa, each.name_en
            done.renamed.append(each.name_fa)
        session.flush()
    named = [each.name_en for each in city.departments]
    others = select(Department.name_fa).where(Department.name_en.not_in(named)).order_by(Department.id)
    done.beyond += session.scalars(others).all()


def _told(done: Loaded) -> str:
    return f"{len(done.added)} added, {len(done.renamed)} renamed"
