"""The city's own words at its desks: ready notes, and what it calls the reasons of a break.

A reason itself stays what it is, for reports; one that the city does not name has the pages' word.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db import events
from db.models import BreakReason, DeskWord
from hotline import audit
from hotline.errors import Refused

MOST = 12
"""Ready notes; more would be read longer than one writes."""
LONGEST = 100


class Both(NamedTuple):
    """One text in both languages."""

    fa: str
    en: str


def everything(session: Session) -> Sequence[DeskWord]:
    """All of them, ready notes in their order."""
    return session.scalars(select(DeskWord).order_by(DeskWord.id)).all()


def replace(
    session: Session, ready_notes: Sequence[Both], breaks: Mapping[BreakReason, Both], *, who: str
) -> None:
    """These are the words from now on, and no others.

    Raises Refused("text-missing") where one language has none, Refused("text-long") beyond MOST.
    """
    if not all(text.strip() for both in (*ready_notes, *breaks.values()) for text in both):
        raise Refused("text-missing", "each is written in Persian and in English")
    if len(ready_notes) > MOST:
        raise Refused("text-long", f"at most {MOST} ready notes")
    session.scalars(select(DeskWord.id).with_for_update()).all()  # one after the other
    session.execute(delete(DeskWord))
    named: list[tuple[BreakReason | None, Both]] = [*((None, both) for both in ready_notes), *breaks.items()]
    for reason, both in named:
        session.add(DeskWord(break_reason=reason, name_fa=both.fa.strip(), name_en=both.en.strip()))
        session.flush()
    audit.record(session, who, "desk-words-changed", "desk-words")
    events.timetable_changed(session, "desk-words")
