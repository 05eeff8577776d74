"""Actions on requests: write, refer, answer, merge duplicates, close."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api.access import MAY_OVERSEE, InForce, MayHandleRequests, Writing
from api.ids import PathId
from api.reason_schemas import SaidToQuestion
from api.requests import request_schemas as wire
from api.requests.reading import describe_whole_request
from db import models
from hotline import numbers
from hotline.callbacks import transitions
from hotline.errors import Refused
from hotline.requests import (
    categories,
    closing,
    department_work,
    departments,
    filing,
    lifecycle,
    parts,
    places,
    solving,
    work,
)

router = APIRouter(prefix="/requests", tags=["requests"])


@router.post("", status_code=201)
def write(
    body: wire.RequestIn, user: MayHandleRequests, session: Writing, settings: InForce
) -> wire.RequestDetail:
    """Write down a problem, and refer it at once if asked; the citizen gets its number."""
    of = body.registration_id
    if (
        of is not None
        and user.role not in MAY_OVERSEE
        and not transitions.has_been_at_desk(session, of, user.desk_id)
    ):
        raise Refused("forbidden", "this citizen was never at your desk")
    number = numbers.parse(body.number, settings.allowed_prefixes) if body.number else None
    places.check_district(body.district, settings)
    said = body.model_dump(exclude={"refer", "number"})
    request = filing.write(session, number=number, week=settings.working_week, who=user.username, **said)
    if body.refer:
        _refer(session, request, body.refer, user)
    return describe_whole_request(session, request)


@router.post("/{request_id}/refer")
def refer(
    request_id: PathId, body: wire.Refer, user: MayHandleRequests, session: Writing
) -> wire.RequestDetail:
    """Refer the request to a department until a due date; again: to another department or date."""
    request = work.get_for_update(session, request_id)
    _refer(session, request, body, user)
    return describe_whole_request(session, request)


def _refer(session: Session, request: models.Request, body: wire.Refer, user: models.User) -> None:
    if body.department_id is None:
        category = categories.get(session, request.category)
        department = categories.find_department(category, request.district)
        if department is None:
            raise Refused("department-missing", "its category names no department for this district")
    else:
        department = departments.get(session, body.department_id)
    work.refer(session, request, department, due_on=body.due_on, who=user.username, note=body.note)


@router.post("/{request_id}/return")
def give_back(
    request_id: PathId, body: wire.Note, user: MayHandleRequests, session: Writing
) -> wire.RequestDetail:
    """Record that the department returns the request, and why."""
    request = work.get_for_update(session, request_id)
    work.give_back(session, request, who=user.username, note=body.note)
    return describe_whole_request(session, request)


@router.post("/{request_id}/reply")
def reply(
    request_id: PathId,
    body: wire.AnswerToCitizen,
    user: MayHandleRequests,
    session: Writing,
) -> wire.RequestDetail:
    """Tell the citizen how it goes on, or that it is solved. `solved` needs the category's evidence."""
    request = work.get_for_update(session, request_id)
    solving.answer(session, request, user=user, reply=body.reply, solved=body.solved, shown=body.pictures)
    return describe_whole_request(session, request)


@router.post("/{request_id}/reject")
def reject(
    request_id: PathId, body: wire.Reply, user: MayHandleRequests, session: Writing
) -> wire.RequestDetail:
    """Reject a request that the city cannot solve; the citizen gets the reason."""
    request = work.get_for_update(session, request_id)
    closing.reject(session, request, who=user.username, reason=body.reply)
    return describe_whole_request(session, request)


@router.post("/{request_id}/answer")
def answer(
    request_id: PathId,
    body: wire.CitizensAnswer,
    user: MayHandleRequests,
    session: Writing,
) -> wire.RequestDetail:
    """Record the citizen's answer to the office, whether it is solved."""
    closing.answer(session, request_id, solved=body.solved, who=user.username, named=body.parts)
    return describe_whole_request(session, lifecycle.get(session, request_id))


@router.post("/{request_id}/said")
def say(
    request_id: PathId,
    body: SaidToQuestion,
    user: MayHandleRequests,
    session: Writing,
) -> wire.RequestDetail:
    """Record the citizen's answer to the department's question."""
    request = department_work.record_citizen_answer(session, request_id, body.answer, who=user.username)
    return describe_whole_request(session, request)


@router.post("/{request_id}/split")
def split(
    request_id: PathId, body: wire.SplitIn, user: MayHandleRequests, session: Writing
) -> wire.RequestDetail:
    """Split the request into parts; its citizen still hears of one request."""
    request = work.get_for_update(session, request_id)
    pieces = [parts.Piece(part.category, part.written) for part in body.parts]
    for part, said in zip(work.split(session, request, pieces, who=user.username), body.parts, strict=True):
        if said.refer:
            _refer(session, part, said.refer, user)
    return describe_whole_request(session, request)


@router.post("/{request_id}/join")
def join(request_id: PathId, user: MayHandleRequests, session: Writing) -> wire.RequestDetail:
    """Join the request's parts again; no department may have begun on any."""
    request = work.get_for_update(session, request_id)
    parts.join(session, request, who=user.username)
    return describe_whole_request(session, request)


@router.post("/{request_id}/duplicate")
def merge(
    request_id: PathId, body: wire.DuplicateOf, user: MayHandleRequests, session: Writing
) -> wire.RequestDetail:
    """Mark the request as a duplicate; it ends with the other request."""
    closing.merge(session, request_id, body.request_id, who=user.username)
    return describe_whole_request(session, lifecycle.get(session, request_id))


@router.post("/{request_id}/separate")
def separate(request_id: PathId, user: MayHandleRequests, session: Writing) -> wire.RequestDetail:
    """Undo the mark as a duplicate."""
    request = work.get_for_update(session, request_id)
    closing.undo_merge(session, request, who=user.username)
    return describe_whole_request(session, request)
