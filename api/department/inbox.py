"""A department's own inbox: the requests referred to it, and its work on them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse
from sqlalchemy import or_
from sqlalchemy.orm import Session

from api.access import Database, InForce, OfDepartment, Reading, Writing
from api.department import inbox_schemas as wire
from api.ids import PathId
from api.pictures import SHOWN, PictureId
from api.pictures import show as show_file
from api.requests import request_schemas
from api.requests.reading import place
from api.sounds import SOUND, Range, play
from db import models
from db.engine import now, reading
from hotline.errors import Refused
from hotline.pictures import attachments
from hotline.recordings import archive
from hotline.requests import categories, department_inbox, department_work, inbox, lifecycle, parts, work
from hotline.requests.department_inbox import Part
from hotline.requests.referrals import agency_referrals

router = APIRouter(prefix="/inbox", tags=["inbox"])


@router.get("")
def list_inbox(
    user: OfDepartment,
    session: Reading,
    part: Part = Part.WORK,
    after: Annotated[str | None, Query(max_length=30)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> wire.InboxPage:
    """The requests of my department, overdue ones first; or the requests that it has solved."""
    found, following = department_inbox.list_page(session, _department(user), part, after=after, limit=limit)
    at = now(session)
    return wire.InboxPage(items=[_view(session, request, at) for request in found], next=following)


@router.get("/counts")
def count_inbox(user: OfDepartment, session: Reading) -> wire.InboxCounts:
    """How many requests are in each part of the inbox."""
    return wire.InboxCounts(**department_inbox.count_requests(session, _department(user))._asdict())


@router.post("/accept")
def accept_all(body: wire.AcceptAll, user: OfDepartment, session: Writing) -> wire.Accepted:
    """Accept several requests. The answer names those that could not be accepted; all others are."""
    return wire.Accepted(refused=department_work.accept_all(session, user, body.request_ids))


@router.get("/{request_id}")
def show(request_id: PathId, user: OfDepartment, session: Reading) -> wire.InboxDetail:
    """One request of my department, with its pictures and its history."""
    return _detail(session, department_inbox.get(session, user.department_id, request_id))


@router.get("/{request_id}/pictures/{picture_id}", **SHOWN)
def show_picture(
    request_id: PathId, picture_id: PictureId, user: OfDepartment, engine: Database, settings: InForce
) -> Response:
    """A picture of a request of my department."""
    with reading(engine) as session:
        request = department_inbox.get(session, user.department_id, request_id)
        its = models.Picture.request_id == parts.find_whole(session, request).id
        bodys = agency_referrals.where_sent_by_agencies(request.id, user.department_id)
        file = attachments.find(session, picture_id, or_(its, bodys))
    return show_file(settings, file)


@router.get("/{request_id}/audio", **SOUND)
def hear(
    request_id: PathId, user: OfDepartment, engine: Database, settings: InForce, wanted: Range = ""
) -> FileResponse:
    """The citizen's voice message; the audit log shows each playback."""
    with reading(engine) as session:
        request = department_inbox.get(session, user.department_id, request_id)
        path = lifecycle.get_sound(parts.find_whole(session, request), settings.messages_dir)
    what = archive.VOICE_MESSAGE_HEARD
    return play(engine, path, f"request {request_id}", who=user.username, wanted=wanted, what=what)


@router.post("/{request_id}/accept")
def accept(request_id: PathId, user: OfDepartment, session: Writing) -> wire.InboxDetail:
    """Accept the request as work; the citizen sees that."""
    request = department_work.get_for_update(session, user, request_id)
    department_work.accept(session, request, who=user.username)
    return _detail(session, request)


@router.post("/{request_id}/return", status_code=204)
def give_back(request_id: PathId, body: wire.GiveBack, user: OfDepartment, session: Writing) -> None:
    """Return the request to the office, with the reason; the office refers it again."""
    request = department_work.get_for_update(session, user, request_id)
    work.give_back(session, request, who=user.username, note=body.note)


@router.post("/{request_id}/split")
def split(request_id: PathId, body: wire.SplitOff, user: OfDepartment, session: Writing) -> wire.InboxDetail:
    """Split the request: our part stays with us, and the office refers the rest."""
    request = department_work.get_for_update(session, user, request_id)
    pieces = [parts.Piece(request.category, said) for said in (body.ours, body.rest)]
    ours, _ = work.split(session, request, pieces, who=user.username, keeps_first=True)
    return _detail(session, ours)


@router.post("/{request_id}/ask")
def ask(request_id: PathId, body: wire.AskCitizen, user: OfDepartment, session: Writing) -> wire.InboxDetail:
    """Ask the citizen something by text message; the due date stays."""
    request = department_work.get_for_update(session, user, request_id)
    department_work.ask(session, request, who=user.username, question=body.question)
    return _detail(session, request)


@router.post("/{request_id}/reply")
def reply(
    request_id: PathId, body: request_schemas.AnswerToCitizen, user: OfDepartment, session: Writing
) -> wire.InboxDetail:
    """Tell the citizen how it goes on, or that it is solved. `solved` needs the category's evidence."""
    request = department_work.get_for_update(session, user, request_id)
    department_work.answer(
        session, request, user=user, reply=body.reply, solved=body.solved, shown=body.pictures
    )
    return _detail(session, request)


def _department(user: models.User) -> int:
    if user.department_id is None:
        raise Refused("forbidden", "this is for departments")
    return user.department_id


def _view(session: Session, request: models.Request, at: datetime) -> wire.InboxRequest:
    category = categories.get(session, request.category)
    due, whole = request.owed_at, parts.find_whole(session, request)
    plain = (
        *("id", "tracking", "district", "written", "made_at", "state", "due_at", "answer_by"),
        *("escalated_to", "reply", "replied_at", "denials", "category", "language"),
    )
    return wire.InboxRequest(
        **{name: getattr(request, name) for name in plain},
        category_fa=category.name_fa,
        category_en=category.name_en,
        evidence=category.evidence,
        spoken=whole.voice_message is not None,
        voice_deleted=whole.voice_deleted_at is not None,
        part_of=None if whole is request else whole.tracking,
        late=due is not None and due < at,
        answer_late=inbox.answer_is_late(request, at),
    )


def _detail(session: Session, request: models.Request) -> wire.InboxDetail:
    return wire.InboxDetail(
        request=_view(session, request, now(session)),
        question=department_work.find_question_text(session, request),
        reachable=department_work.is_reachable(session, request),
        place=place(request),
        pictures=[
            request_schemas.Picture.model_validate(each, from_attributes=True)
            for each in attachments.list_by_request(session, request.part_of_id or request.id)
        ],
        steps=[
            wire.InboxStep(
                id=entry.id,
                at=entry.at,
                by=by,
                name=name,
                step=entry.step,
                note=note,
                due_at=entry.due_at,
            )
            for entry, by, name, note in department_inbox.list_steps(session, request)
        ],
    )
