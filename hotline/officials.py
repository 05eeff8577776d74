"""Officials: the offices that answer citizens. Added and renamed, never removed: rounds name them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.models import Official, OfficialKind
from hotline import audit
from hotline.errors import Refused


def all_of_them(session: Session) -> Sequence[Official]:
    """Every office except the operators', the mayor first, then deputies, then districts."""
    kinds = (OfficialKind.MAYOR, OfficialKind.DEPUTY, OfficialKind.DISTRICT_MANAGER)
    found = session.scalars(select(Official).where(Official.kind.in_(kinds)).order_by(Official.id)).all()
    return sorted(found, key=lambda official: (kinds.index(official.kind), official.district or 0))


def get(session: Session, official_id: int) -> Official:
    """The official. Raises Refused("not-found")."""
    official = session.get(Official, official_id)
    if official is None:
        raise Refused("not-found", f"no official {official_id}")
    return official


def add(
    session: Session,
    *,
    kind: OfficialKind,
    district: int | None,
    office_fa: str,
    office_en: str,
    clip: str,
    who: str,
) -> Official:
    """Add an office. Raises Refused("official-values" | "district-taken")."""
    if kind is OfficialKind.OPERATORS:
        raise Refused("official-values", "the operators' line makes its own office")
    if (kind is OfficialKind.DISTRICT_MANAGER) != (district is not None):
        raise Refused("official-values", "a district's manager has a district, and nobody else has")
    official = Official(kind=kind, district=district, office_fa=office_fa, office_en=office_en, clip=clip)
    try:
        with session.begin_nested():
            session.add(official)
    except IntegrityError:
        raise Refused("district-taken", f"district {district} has its manager already") from None
    audit.record(session, who, "official-added", f"official {official.id}")
    return official


def change(session: Session, official: Official, *, who: str, **values: str) -> None:
    """Change an office's names or clip."""
    for column, value in values.items():
        setattr(official, column, value)
    audit.record(session, who, "official-changed", f"official {official.id}")
