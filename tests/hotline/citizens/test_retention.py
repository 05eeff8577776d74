"""Retention: what is deleted with time, and what is not."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import (
    Delivery,
    Erasure,
    Follower,
    OutboxMessage,
    Picture,
    PictureKind,
    Request,
    RequestEntry,
)
from db.states import OPEN_REQUESTS, Phase, RegistrationState, RequestState, RequestStep
from hotline.citizens import retention
from hotline.ledger import seals, steps, verify
from hotline.line import registration
from hotline.messages import outbox
from hotline.pictures.stores import File
from hotline.requests.public import publications
from scheduler import erasing
from settings import Settings
from tests import factories as make
from tests.factories import a_number, a_request
from tests.hotline.ledger.tampering import free_to_edit

S = RequestState
DAY = timedelta(days=1)
POINT = {"latitude": 32.65, "longitude": 51.67}


def ended(session: Session, days: float, state: RequestState = S.CLOSED, **values: object) -> Request:
    """A request whose last step was so many days ago, with the citizen's words in its history."""
    at = now(session) - days * DAY
    request = a_request(session, state, place="کوچه", **POINT, **values)
    request.made_at = at - DAY
    for step, who in ((RequestStep.DENIED, ""), (RequestStep.ANSWERED, "u"), (RequestStep.REPLIED, "u")):
        entry = RequestEntry(request_id=request.id, at=at, who=who, step=step, note=f"{step}")
        session.add(entry)
        session.flush()
        steps.append(session, entry, request.tracking)
    return request


def test_old_closed_request_loses_its_citizen_and_keeps_the_work(
    session: Session,
) -> None:
    request = ended(session, 31, voice_message="m.wav", reply="ترمیم شد")
    name = "a" * 32
    session.add(
        Picture(
            **{"id": name, "kind": PictureKind.BEFORE, "request_id": request.id, "position": 1},
            **{
                "width": 1,
                "height": 1,
                "size": 1,
                "checksum": "",
                "made_at": now(session),
                "number": request.number,
            },
        )
    )
    session.add(Follower(request_id=request.id, number=a_number(), language="fa", at=now(session)))
    session.flush()
    copies = [publications.Shown(name, [], File("f" * 32, ""))]
    publications.release(session, request.id, text="چراغ", shown=copies, with_point=True, who="mod")
    free_to_edit(session, "request_history")
    for entry in session.scalars(select(RequestEntry).where(RequestEntry.request_id == request.id)):
        entry.at = now(session) - 31 * DAY
    session.flush()
    assert retention.forget_requests(session, 30, 10) == 1
    session.expire_all()
    assert (request.number, request.written, request.voice_message, request.place) == (None, "", None, "")
    assert request.latitude is None and request.voice_deleted_at is not None
    assert (request.state, request.reply) == (S.CLOSED, "ترمیم شد")
    notes = dict(session.execute(select(RequestEntry.step, RequestEntry.note)).all())
    assert (notes[RequestStep.DENIED], notes[RequestStep.ANSWERED]) == ("", "")
    assert notes[RequestStep.REPLIED] == "replied"
    assert {each.file for each in session.scalars(select(Erasure))} == {
        f"pictures/{name}.jpg",
        f"pictures/{'f' * 32}.jpg",
        "messages/m.wav",
    }
    (listed,) = publications.list_published(session)
    assert (listed.release.with_point, list(listed.pictures)) == (False, [])
    assert session.scalars(select(Follower)).all() == []
    assert retention.forget_requests(session, 30, 10) == 0, "once"


@pytest.mark.parametrize("state", OPEN_REQUESTS)
def test_old_open_request_is_kept(session: Session, state: RequestState) -> None:
    request = ended(session, 4000, state)
    assert retention.forget_requests(session, 30, 10) == 0
    assert request.number


def test_recent_step_or_open_original_keeps_the_request(
    session: Session,
) -> None:
    ended(session, 29)
    first, second = a_request(session), ended(session, 31)
    second.state, second.duplicate_of_id = S.DUPLICATE, first.id
    session.flush()
    assert retention.forget_requests(session, 30, 10) == 0
    first.state = S.CLOSED
    session.flush()
    assert retention.forget_requests(session, 30, 10) == 1
    assert second.number is None and first.number


def test_old_sent_texts_are_deleted_except_of_held_places(
    session: Session,
) -> None:
    round_ = make.a_round(session)
    held, over = make.some_registrations(session, round_, 2)
    over.state = RegistrationState.CLOSED
    for place in (held, over):
        outbox.tell(session, outbox.OutboxKind.NOT_REACHED, place, about_round=round_.id)
    request = a_request(session)
    for _ in range(3):
        outbox.tell_of_request(session, outbox.OutboxKind.REQUEST_REPORTED, request)
        session.flush()
    messages = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
    for message in messages:
        message.state, message.made_at = Delivery.SENT, now(session) - 31 * DAY
    messages[3].state = Delivery.PENDING
    messages[4].made_at = now(session) - 29 * DAY
    session.flush()
    assert retention.forget_messages(session, 30, 10) == 2
    left = set(session.scalars(select(OutboxMessage.id)))
    assert left == {messages[0].id, messages[3].id, messages[4].id}


def test_scheduler_deletes_in_batches_and_the_ledger_verifies(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        round_ = make.a_round(session, Phase.OPEN)
        registration.register(session, round_id=round_.id, number=a_number())
        seals.seal(session)
        for _ in range(120):
            ended(session, settings.requests_days + 1)
        open_ = ended(session, settings.requests_days + 1, S.REOPENED).id
    erasing.forget_old(engine, settings)
    with reading(engine) as session:
        kept = session.scalars(select(Request.id).where(Request.number.is_not(None))).all()
        assert list(kept) == [open_]
    assert verify.verify(engine).problems == []
