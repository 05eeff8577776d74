"""The city's nine subjects of conversations, by telephone key."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import events
from db.models import Subject
from hotline import audit
from hotline.errors import Refused

OTHER = 9
"""The subject of everything else."""
OTHERS = str(OTHER)
"""The telephone key of everything else."""
AT_ONCE = 4
"""Maximum number of choices in a menu, besides repeat and operator: nobody remembers more (ISO/IEC 13714)."""


def list_all(session: Session) -> Sequence[Subject]:
    """Return all nine subjects, by key."""
    return session.scalars(select(Subject).order_by(Subject.id)).all()


def list_offered(session: Session) -> str:
    """Return the keys of the subjects that callers hear."""
    return "".join(str(subject.id) for subject in list_all(session) if subject.offered)


def list_most_chosen(chosen: Mapping[int, int], offered: str) -> str:
    """Return the three most chosen of the offered keys, in order of keys; ties go to the lower key.

    The key of everything else is never among them.
    """
    keys = [key for key in offered if key != OTHERS]
    most = sorted(keys, key=lambda key: (-chosen.get(int(key), 0), key))[: AT_ONCE - 1]
    return "".join(sorted(most))


def change(session: Session, key: int, *, who: str, **values: object) -> Subject:
    """Change a subject's names, or whether callers hear it. The caller must check that it has a prompt.

    Raises Refused("not-found" | "subject-values" | "subject-last").
    """
    held = session.scalars(select(Subject).order_by(Subject.id).with_for_update()).all()
    subject = next((each for each in held if each.id == key), None)
    if subject is None:
        raise Refused("not-found", f"subjects are numbered 1 to {len(held)}")
    for column, value in values.items():
        setattr(subject, column, value)
    if not (subject.name_fa.strip() and subject.name_en.strip()):
        raise Refused("subject-values", "a subject has a Persian and an English name")
    if not any(each.offered for each in held):
        raise Refused("subject-last", "callers are offered at least one subject")
    audit.record(session, who, "subject-changed", f"subject {key}", ", ".join(values))
    events.append_timetable(session, "subject-changed")
    return subject
