"""The city's own words at its desks: ready notes, and names for the reasons of a break.

Reports use the reason itself. A reason without a name has the pages' word.
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
"""Limit of ready notes: a longer list takes longer to read than a note to write."""
LONGEST = 100


class Both(NamedTuple):
    """Text in both languages."""

    fa: str
    en: str


def list_all(session: Session) -> Sequence[DeskWord]:
    """Return all words, ready notes in their order."""
    return session.scalars(select(DeskWord).order_by(DeskWord.id)).all()


def replace(
    session: Session, ready_notes: Sequence[Both], breaks: Mapping[BreakReason, Both], *, who: str
) -> None:
    """Replace all words by these.

    Raises Refused("text-missing") if a language is empty, and Refused("text-long") beyond MOST.
    """
    if not all(text.strip() for both in (*ready_notes, *breaks.values()) for text in both):
        raise Refused("text-missing", "each is written in Persian and in English")
    if len(ready_notes) > MOST:
        raise Refused("text-long", f"at most {MOST} ready notes")
    session.scalars(select(DeskWord.id).with_for_update()).all()  # serialises concurrent changes
    session.execute(delete(DeskWord))
    named: list[tuple[BreakReason | None, Both]] = [*((None, both) for both in ready_notes), *breaks.items()]
    for reason, both in named:
        session.add(DeskWord(break_reason=reason, name_fa=both.fa.strip(), name_en=both.en.strip()))
        session.flush()
    audit.record(session, who, "desk-words-changed", "desk-words")
    events.append_timetable(session, "desk-words")
