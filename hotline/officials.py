"""The offices that answer citizens: the mayor, the deputies, the managers of the districts."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Official, OfficialKind
from hotline import audit
from hotline.errors import Refused


def add(
    session: Session,
    *,
    kind: OfficialKind,
    office_fa: str,
    office_en: str,
    clip: str,
    district: int | None = None,
    who: str = audit.COMMAND_LINE,
) -> Official:
    """Add an office. That `clip` is a clip of the prompts is for the caller to check.

    Raises Refused("official-values" | "district-taken").
    """
    official = Official(kind=kind, office_fa=office_fa, office_en=office_en, clip=clip, district=district)
    _check(session, official)
    session.add(official)
    session.flush()
    audit.record(session, who, "official-added", f"official {official.id}", office_en)
    return official


def change(session: Session, official: Official, *, who: str, **values: object) -> None:
    """Change columns of an office. Raises what `add` raises; then roll back."""
    with session.no_autoflush:
        for column, value in values.items():
            setattr(official, column, value)
        _check(session, official)
    session.flush()
    audit.record(session, who, "official-changed", f"official {official.id}", ", ".join(values))


def get(session: Session, official_id: int) -> Official:
    """The office. Raises Refused("not-found")."""
    official = session.get(Official, official_id)
    if official is None:
        raise Refused("not-found", f"no official {official_id}")
    return official


def everyone(session: Session) -> Sequence[Official]:
    """The offices, without the operators: the mayor, the deputies, the districts by number."""
    order = list(OfficialKind)
    found = session.scalars(select(Official).where(Official.kind != OfficialKind.OPERATORS)).all()
    return sorted(found, key=lambda o: (order.index(o.kind), o.district or 0, o.id))


def _check(session: Session, official: Official) -> None:
    o = official
    if not (o.office_fa.strip() and o.office_en.strip() and o.clip.strip()):
        raise Refused("official-values", "an office has a Persian and an English name and a clip")
    if o.kind is OfficialKind.OPERATORS:
        raise Refused("official-values", "the operators' line is made by itself")
    if (o.kind is OfficialKind.DISTRICT_MANAGER) != (o.district is not None):
        raise Refused("official-values", "a district manager, and nobody else, has a district")
    if o.district is None:
        return
    if not 1 <= o.district <= 15:
        raise Refused("official-values", "districts are numbered 1 to 15")
    manager = session.scalar(select(Official.id).where(Official.district == o.district))
    if manager not in (None, o.id):
        raise Refused("district-taken", f"district {o.district} has a manager already")
