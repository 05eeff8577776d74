"""Officials: the offices that answer citizens (mayor, deputies, district managers)."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Official, OfficialKind, Round, TimetableOfficial, TimetableRule
from hotline import audit, control_characters
from hotline.errors import Refused
from hotline.rounds.phases import is_over
from settings.city_file import MOST_DISTRICTS


def add(
    session: Session,
    *,
    kind: OfficialKind,
    office_fa: str,
    office_en: str,
    clip: str,
    district: int | None = None,
    number: str | None = None,
    who: str = audit.COMMAND_LINE,
) -> Official:
    """Add an office; `number`: its telephone, E.164. The caller must check that `clip` is an existing prompt.

    Raises Refused("official-values" | "district-taken" | "unfit-characters").
    """
    official = Official(
        kind=kind,
        office_fa=office_fa,
        office_en=office_en,
        clip=clip,
        district=district,
        number=number or None,
    )
    _check(session, official)
    session.add(official)
    session.flush()
    audit.record(session, who, "official-added", f"official {official.id}", office_en)
    events.append_timetable(session, "official-added")
    return official


def change(session: Session, official: Official, *, who: str, **values: object) -> None:
    """Change columns of an office; an empty `number` removes it. An inactive office gets no new rounds.

    Raises what `add` raises, and Refused("official-planned") if an active rule or a future round needs the
    office. After an error, roll back.
    """
    if values.get("active") is False:
        _check_unplanned(session, official)
    with session.no_autoflush:
        for column, value in values.items():
            setattr(official, column, (value or None) if column == "number" else value)
        _check(session, official)
    session.flush()
    audit.record(session, who, "official-changed", f"official {official.id}", ", ".join(values))
    events.append_timetable(session, "official-changed")


def get(session: Session, official_id: int) -> Official:
    """Return the office. Raises Refused("not-found")."""
    official = session.get(Official, official_id)
    if official is None:
        raise Refused("not-found", f"no official {official_id}")
    return official


def list_all(session: Session) -> Sequence[Official]:
    """Return all offices but the operators: the mayor, the deputies, then the districts by number."""
    order = list(OfficialKind)
    found = session.scalars(select(Official).where(Official.kind != OfficialKind.OPERATORS)).all()
    return sorted(found, key=lambda o: (order.index(o.kind), o.district or 0, o.id))


def check_active(session: Session, ids: Sequence[int]) -> None:
    """Lock these offices until the transaction ends. Raises Refused("official-inactive")."""
    held = session.execute(
        select(Official.id, Official.active)
        .where(Official.id.in_(ids))
        .order_by(Official.id)
        .with_for_update()
    )
    for id_, active in held.all():
        if not active:
            raise Refused("official-inactive", f"official {id_} answers no more")


def _check_unplanned(session: Session, official: Official) -> None:
    session.execute(select(Official.id).where(Official.id == official.id).with_for_update())
    answers = or_(Round.official_id == official.id, Round.substitute_id == official.id)
    to_come = select(Round.id).where(answers, Round.is_operators_line.is_(False), ~is_over(now(session)))
    in_turn = (
        select(TimetableRule.id)
        .join(TimetableRule.officials)
        .where(TimetableRule.active, TimetableOfficial.official_id == official.id)
    )
    if session.scalar(select(or_(to_come.exists(), in_turn.exists()))):
        raise Refused("official-planned", "a rule or a round to come needs this official")


def _check(session: Session, official: Official) -> None:
    o = official
    control_characters.check(o.office_fa + o.office_en + o.clip)
    if not (o.office_fa.strip() and o.office_en.strip() and o.clip.strip()):
        raise Refused("official-values", "an office has a Persian and an English name and a clip")
    if o.kind is OfficialKind.OPERATORS:
        raise Refused("official-values", "the operators' line is made by itself")
    if (o.kind is OfficialKind.DISTRICT_MANAGER) != (o.district is not None):
        raise Refused("official-values", "a district manager, and nobody else, has a district")
    if o.district is None:
        return
    if not 1 <= o.district <= MOST_DISTRICTS:
        raise Refused("official-values", f"districts are numbered 1 to {MOST_DISTRICTS}")
    manager = session.scalar(select(Official.id).where(Official.district == o.district))
    if manager not in (None, o.id):
        raise Refused("district-taken", f"district {o.district} has a manager already")
