"""What an entry of the audit log is about: the name under which its readers know it, and its page."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Callback, Department, Official, Registration, Request, Round, TimetableRule
from hotline.clock import CITY
from hotline.dates import Language, day
from hotline.rounds import notice_texts


class Named(NamedTuple):
    """One thing of the log."""

    name: str
    page: str
    """Its address among the pages, without the first slash."""


def named(session: Session, subjects: Iterable[str], language: Language) -> Mapping[str, Named]:
    """By kind and id (`round 3`), a statement for each kind; what is gone or nameless is left out."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for thing in filter(None, map(thing_of, subjects)):
        kind, _, id_ = thing.partition(" ")
        wanted[kind].add(int(id_))
    return {
        f"{kind} {id_}": found
        for kind, ids in wanted.items()
        for id_, found in _KINDS[kind](session, ids, language)
    }


def thing_of(subject: str) -> str:
    """The kind and the id with which a subject begins; empty if it is of no kind that has names."""
    kind, _, rest = subject.partition(" ")
    id_ = rest.partition(",")[0]
    return f"{kind} {id_}" if kind in _KINDS and id_.isdecimal() else ""


_Found = Iterator[tuple[int, Named]]
_Find = Callable[[Session, Collection[int], Language], _Found]


def _registrations(session: Session, ids: Collection[int], _language: Language) -> _Found:
    query = select(Registration.id, Registration.ticket).where(Registration.id.in_(ids))
    for id_, ticket in session.execute(query):
        yield id_, Named(ticket, f"citizens/registration/{id_}")


def _callbacks(session: Session, ids: Collection[int], _language: Language) -> _Found:
    query = select(Callback.id, Registration.id, Registration.ticket).join(Callback.registration)
    for id_, place, ticket in session.execute(query.where(Callback.id.in_(ids))):
        yield id_, Named(ticket, f"citizens/registration/{place}")


def _requests(session: Session, ids: Collection[int], _language: Language) -> _Found:
    for id_, tracking in session.execute(select(Request.id, Request.tracking).where(Request.id.in_(ids))):
        yield id_, Named(tracking, f"requests/{id_}")


def _rounds(session: Session, ids: Collection[int], language: Language) -> _Found:
    for round_ in session.scalars(select(Round).where(Round.id.in_(ids))):
        office = notice_texts.office(round_.official, language)
        when = day(round_.starts_at.astimezone(CITY), language)
        yield round_.id, Named(f"{office}, {when}", f"rounds/{round_.id}")


def _officials(session: Session, ids: Collection[int], language: Language) -> _Found:
    for official in session.scalars(select(Official).where(Official.id.in_(ids))):
        yield official.id, Named(notice_texts.office(official, language), "officials")


def _departments(session: Session, ids: Collection[int], language: Language) -> _Found:
    of_language = Department.name_fa if language == "fa" else Department.name_en
    for id_, name in session.execute(select(Department.id, of_language).where(Department.id.in_(ids))):
        yield id_, Named(name, "departments")


def _rules(session: Session, ids: Collection[int], _language: Language) -> _Found:
    query = select(TimetableRule.id, TimetableRule.name).where(TimetableRule.id.in_(ids))
    for id_, name in session.execute(query):
        yield id_, Named(name, "timetable")


_KINDS: Mapping[str, _Find] = {
    "registration": _registrations,
    "callback": _callbacks,
    "request": _requests,
    "round": _rounds,
    "official": _officials,
    "department": _departments,
    "rule": _rules,
}
