"""Subjects of audit entries: the name under which readers know each subject, and the page that shows it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import (
    Callback,
    Category,
    Department,
    Official,
    OutboxMessage,
    Registration,
    Request,
    Round,
    TimetableRule,
    User,
)
from hotline.clock import CITY
from hotline.dates import Language, format_day
from hotline.rounds import notice_texts


class Named(NamedTuple):
    """A subject of an audit entry."""

    name: str
    page: str
    """Its path among the pages, without the leading slash."""


def find_names(session: Session, subjects: Iterable[str], language: Language) -> Mapping[str, Named]:
    """Return the named subjects by kind and id (`round 3`), with one statement for each kind.

    Deleted subjects and subjects without a name are left out.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for thing in filter(None, map(parse_subject, subjects)):
        kind, _, called = thing.partition(" ")
        wanted[kind].add(called)
    return {
        f"{kind} {called}": found
        for kind, of_kind in wanted.items()
        for called, found in _named(session, kind, of_kind, language)
    }


def _named(
    session: Session, kind: str, called: Collection[str], language: Language
) -> Iterator[tuple[int | str, Named]]:
    if kind in _KINDS:
        return _KINDS[kind](session, set(map(int, called)), language)
    return _CALLED[kind](session, called)


def parse_subject(subject: str) -> str:
    """Return the kind and id at the beginning of a subject; empty if its kind has no names."""
    kind, _, rest = subject.partition(" ")
    called = rest.partition(",")[0]
    has_name = called.isdecimal() if kind in _KINDS else called and kind in _CALLED
    return f"{kind} {called}" if has_name else ""


_Found = Iterator[tuple[int, Named]]
_Find = Callable[[Session, Collection[int], Language], _Found]
_FoundAs = Iterator[tuple[str, Named]]


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
        office = notice_texts.format_office(round_.official, language)
        when = format_day(round_.starts_at.astimezone(CITY), language)
        yield round_.id, Named(f"{office}, {when}", f"rounds/{round_.id}")


def _officials(session: Session, ids: Collection[int], language: Language) -> _Found:
    for official in session.scalars(select(Official).where(Official.id.in_(ids))):
        yield official.id, Named(notice_texts.format_office(official, language), "officials")


def _departments(session: Session, ids: Collection[int], language: Language) -> _Found:
    of_language = Department.name_fa if language == "fa" else Department.name_en
    for id_, name in session.execute(select(Department.id, of_language).where(Department.id.in_(ids))):
        yield id_, Named(name, "departments")


def _categories(session: Session, ids: Collection[int], language: Language) -> _Found:
    of_language = Category.name_fa if language == "fa" else Category.name_en
    for id_, name in session.execute(select(Category.id, of_language).where(Category.id.in_(ids))):
        yield id_, Named(name, "categories")


def _rules(session: Session, ids: Collection[int], _language: Language) -> _Found:
    query = select(TimetableRule.id, TimetableRule.name).where(TimetableRule.id.in_(ids))
    for id_, name in session.execute(query):
        yield id_, Named(name, "timetable")


def _messages(session: Session, ids: Collection[int], language: Language) -> _Found:
    """Name a message by the registration, request or round that it is about."""
    query = select(
        OutboxMessage.id, OutboxMessage.registration_id, OutboxMessage.request_id, OutboxMessage.round_id
    )
    found = session.execute(query.where(OutboxMessage.id.in_(ids))).all()
    places = dict(_registrations(session, {one.registration_id for one in found} - {None}, language))
    requests = dict(_requests(session, {one.request_id for one in found} - {None}, language))
    announced = dict(_rounds(session, {one.round_id for one in found} - {None}, language))
    for id_, place, request, round_ in found:
        if about := places.get(place or 0) or requests.get(request or 0) or announced.get(round_ or 0):
            yield id_, about


def _people(session: Session, usernames: Collection[str]) -> _FoundAs:
    for username in session.scalars(select(User.username).where(User.username.in_(usernames))):
        yield username, Named(username, f"people?person={quote(username)}")


def _numbers(_session: Session, numbers: Collection[str]) -> _FoundAs:
    """Put a telephone number behind a "#": the browser does not send that part of an address."""
    for number in numbers:
        yield number, Named(number, f"blocked#{number}")


def _keys(_session: Session, prefixes: Collection[str]) -> _FoundAs:
    for prefix in prefixes:
        yield prefix, Named(prefix, "keys")


def _desks(_session: Session, desks: Collection[str]) -> _FoundAs:
    for desk in desks:
        yield desk, Named(desk, "desks")


_KINDS: Mapping[str, _Find] = {
    "registration": _registrations,
    "callback": _callbacks,
    "request": _requests,
    "round": _rounds,
    "official": _officials,
    "department": _departments,
    "category": _categories,
    "rule": _rules,
    "message": _messages,
}
"""Kinds that the log identifies by a database id."""
_CALLED: Mapping[str, Callable[[Session, Collection[str]], _FoundAs]] = {
    "person": _people,
    "number": _numbers,
    "desk": _desks,
    "key": _keys,
}
"""Kinds that the log identifies by a name in common use."""
