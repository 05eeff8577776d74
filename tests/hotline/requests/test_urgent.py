"""Urgent requests: which are urgent, who handles them, and that one person takes each."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import AuditEntry, Category, Event, Registration, RescueCall, UrgentMatter
from db.states import CallbackState, Outcome
from hotline.citizens import erasure
from hotline.errors import Refused
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from hotline.requests import closing, filing, lifecycle, parts, urgent, work
from hotline.rounds import phases
from tests import factories as make
from tests.factories import WEEK
from tests.hotline.requests.office import T, refer, steps

NUMBER = "+989131234567"


def filed(
    session: Session, *, is_urgent: bool = True, who: str = "", number: str | None = NUMBER, **told: object
) -> int:
    """A citizen's request, or one that `who` writes down; its id."""
    category = session.get_one(Category, 1)
    category.urgent = is_urgent
    said = {
        "number": number,
        "category": 1,
        "district": 1,
        "written": "گودال",
        "language": "fa",
        "week": WEEK,
    }
    if who:
        return filing.write(session, who=who, **said).id  # type: ignore[arg-type]
    return filing.file(session, **said, **told).id  # type: ignore[arg-type]


def a_key(session: Session) -> int:
    return api_keys.issue(session, name="An app", may=[*Scope], per_minute=60, who="admin")[0].id


def of_caller(session: Session) -> tuple[UrgentMatter, Registration]:
    place = make.a_registration(session, phases.get_operators_line(session), number=NUMBER)
    return urgent.record_from_caller(session, NUMBER, place.id), place


@pytest.mark.parametrize(
    ("is_urgent", "who", "stands"), [(True, "", True), (False, "", False), (True, "operator1", False)]
)
def test_unwritten_urgent_request_stands_before_all_desks(
    session: Session, is_urgent: bool, who: str, stands: bool
) -> None:
    request = filed(session, is_urgent=is_urgent, who=who)
    assert [matter.request_id for matter in urgent.list_open(session)] == [request] * stands
    told = session.scalars(select(Event.what).where(Event.kind == "urgent")).all()
    assert told == ["new"] * stands


def test_taken_urgent_request_is_audited_and_gone(
    session: Session,
) -> None:
    request = filed(session)
    (matter,) = urgent.list_open(session)
    urgent.take(session, matter.id, who="sara")
    urgent.take(session, matter.id, who="sara")
    session.flush()
    assert urgent.list_open(session) == []
    assert steps(session, lifecycle.get(session, request))[1:] == [(T.TAKEN, "sara", "")]
    audit = session.execute(select(AuditEntry.who, AuditEntry.action, AuditEntry.subject)).all()
    assert [tuple(entry) for entry in audit] == [("sara", "request-taken", f"request {request}")]
    told = lifecycle.list_public_steps(session, lifecycle.get(session, request))
    assert [(step.entry.step, step.note) for step in told] == [(T.REPORTED, ""), (T.TAKEN, "")]


def test_urgent_request_taken_twice_goes_to_one(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        filed(session)
        matter_id = urgent.list_open(session)[0].id
    ready, won, lost = threading.Barrier(2), [], []

    def take(who: str) -> None:
        ready.wait()
        try:
            with writing(engine) as session:
                urgent.take(session, matter_id, who=who)
            won.append(who)
        except Refused as refused:
            lost.append((who, refused.code))

    both = [threading.Thread(target=take, args=(who,)) for who in ("a", "b")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    with reading(engine) as session:
        assert [urgent.get(session, matter_id).taken_by] == won
        assert (
            session.scalars(select(AuditEntry.who).where(AuditEntry.action == "request-taken")).all() == won
        )
    assert [code for _, code in lost] == ["urgent-taken"]


@pytest.mark.parametrize("how", ["referred", "rejected"])
def test_moved_urgent_request_counts_as_handled(session: Session, how: str) -> None:
    request = lifecycle.get(session, filed(session))
    if how == "referred":
        refer(session, request)
    else:
        closing.reject(session, request, who="u", reason="تکراری است")
    assert urgent.list_open(session) == []


def test_caller_in_danger_at_a_desk_is_handled(
    session: Session,
) -> None:
    matter, place = of_caller(session)
    assert urgent.list_open(session) == [matter]
    callback = make.a_callback(session, CallbackState.RINGING)
    callback.registration_id = place.id
    session.flush()
    assert urgent.list_open(session) == []
    callback.state, callback.outcome, callback.ended_at = CallbackState.CLOSED, Outcome.RETURNED, now(session)
    session.flush()
    assert urgent.list_open(session) == [matter]
    callback.talking_at = now(session)
    session.flush()
    assert urgent.list_open(session) == []


def test_repeated_danger_of_a_caller_is_one_matter(session: Session) -> None:
    matter, _ = of_caller(session)
    assert urgent.record_from_caller(session, NUMBER).id == matter.id
    urgent.take(session, matter.id, who="sara")
    assert urgent.record_from_caller(session, NUMBER).id != matter.id


def test_caller_connected_to_the_emergency_service_is_handled(
    session: Session,
) -> None:
    matter = urgent.record_from_caller(session, NUMBER)
    call = RescueCall(token="rescue-1", channel="1.1", matter_id=matter.id, asked_at=now(session))
    session.add(call)
    session.flush()
    assert urgent.list_open(session) == [matter]
    call.connected_at = now(session)
    session.flush()
    assert urgent.list_open(session) == []


def test_caller_without_a_number_makes_no_matter(session: Session) -> None:
    urgent.record_from_caller(session, None)
    assert urgent.list_open(session) == []


def test_deleted_citizen_leaves_no_number_in_matters(session: Session) -> None:
    matter = urgent.record_from_caller(session, NUMBER)
    erasure.delete_citizen(session, NUMBER, who="admin", give_up=True)
    session.refresh(matter)
    assert matter.number is None


def test_newest_matters_are_listed_oldest_first(
    session: Session,
) -> None:
    at = now(session)
    for n in range(51):
        session.add(UrgentMatter(made_at=at + timedelta(seconds=n), number=make.a_number()))
    session.flush()
    shown = [matter.made_at for matter in urgent.list_open(session)]
    assert shown == [at + timedelta(seconds=n) for n in range(1, 51)]


@pytest.mark.parametrize(("number", "most"), [(NUMBER, 3), (None, 20)])
def test_flood_of_a_number_rings_few_at_a_time(session: Session, number: str | None, most: int) -> None:
    ids = [filed(session, number=number) for _ in range(most + 2)]
    others = filed(session, number=make.a_number())
    caller, _ = of_caller(session)
    assert [matter.request_id for matter in urgent.list_open(session)] == [*ids[:most], others, None]
    assert [matter.request_id for matter in urgent.list_open(session, quiet=True)] == ids[most:]
    urgent.take(session, urgent.list_open(session)[0].id, who="sara")
    closing.reject(session, lifecycle.get(session, ids[1]), who="u", reason="تکراری است")
    assert [matter.request_id for matter in urgent.list_open(session)] == [*ids[2:], others, None]
    assert urgent.list_open(session, quiet=True) == []
    assert urgent.list_open(session)[-1] == caller


def test_flood_of_a_program_silences_no_other(
    session: Session,
) -> None:
    flooding, other = a_key(session), a_key(session)
    ids = [filed(session, number=None, api_key_id=flooding, contact=make.a_number()) for _ in range(22)]
    withheld = filed(session, number=None)
    brought = filed(session, number=None, api_key_id=other)
    ringing = [matter.request_id for matter in urgent.list_open(session)]
    assert ringing == [*ids[:20], withheld, brought]


def test_flood_under_one_contact_silences_no_other_citizen(
    session: Session,
) -> None:
    key = a_key(session)
    flood = [filed(session, number=None, api_key_id=key, contact=NUMBER) for _ in range(30)]
    one = filed(session, number=None, api_key_id=key, contact=make.a_number())
    assert [matter.request_id for matter in urgent.list_open(session)] == [*flood[:3], one]


@pytest.mark.parametrize("referred", [0, 1, 2])
def test_split_urgent_request_rings_until_each_part_is_referred(session: Session, referred: int) -> None:
    request = lifecycle.get(session, filed(session))
    made = work.split(session, request, [parts.Piece(1, "گودال"), parts.Piece(2, "سیم")], who="u")
    for part in made[:referred]:
        refer(session, part)
    assert [matter.request_id for matter in urgent.list_open(session)] == [request.id] * (referred < 2)


def test_taken_split_urgent_request_is_silent(
    session: Session,
) -> None:
    request = lifecycle.get(session, filed(session))
    work.split(session, request, [parts.Piece(1, "گودال"), parts.Piece(2, "سیم")], who="u")
    urgent.take(session, urgent.list_open(session)[0].id, who="sara")
    assert urgent.list_open(session) == []
