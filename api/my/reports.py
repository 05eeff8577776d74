"""A citizen's reports: sent, read, confirmed or disputed."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from sqlalchemy.orm import Session

from api.access import InForce, Reading
from api.my import my_schemas as wire
from api.my import own_data, pictures
from api.my.signed_in import Acting, Citizen
from db import models
from db.states import IN_WORK, WITH_DEPARTMENT
from hotline.citizens import account_contents, reports
from hotline.ledger import entries
from hotline.pictures import attachments as kept
from hotline.requests import department_work, lifecycle, ratings
from hotline.requests.places import Point

router = APIRouter(prefix="/my/requests", tags=["my"])

Tracking = Annotated[str, Path(pattern="^[0-9]{1,9}$")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{8,64}$",
        description="Of the app's own making: one key, one request, however often it is sent.",
    ),
]
_AGAIN: dict[str, Any] = {"model": wire.MyRequestDetail, "description": "It was reported already"}


@router.post("", status_code=201, responses={200: _AGAIN})
def report(
    *,
    body: wire.ReportIn,
    key: Key,
    citizen: Citizen,
    response: Response,
    session: Acting,
    settings: InForce,
) -> wire.MyRequestDetail:
    """Report a problem. The same key again returns the same request (200)."""
    said = body.model_dump(exclude={"latitude", "longitude"})
    point = None if body.latitude is None else Point(body.latitude, body.longitude or 0.0)
    request, new = reports.file(session, citizen.number, key, reports.Report(point=point, **said), settings)
    response.status_code = 201 if new else 200
    return _detail(session, request)


@router.get("")
def list_mine(citizen: Citizen, session: Reading) -> list[wire.MyRequest]:
    """My recent requests, newest first."""
    return [
        own_data.describe_request(each) for each in account_contents.list_requests(session, citizen.number)
    ]


@router.get("/{tracking}")
def show_request(tracking: Tracking, citizen: Citizen, session: Reading) -> wire.MyRequestDetail:
    """A request of mine, with its history and its pictures."""
    return _detail(session, reports.get(session, citizen.number, tracking))


@router.get("/{tracking}/proof")
def show_proof(tracking: Tracking, citizen: Citizen, session: Reading) -> wire.MyHistoryProof:
    """The ledger's entries about my request's history."""
    mine = reports.get(session, citizen.number, tracking)
    return wire.MyHistoryProof(
        tracking=mine.tracking,
        lines=[
            wire.SealedStep(
                entry=each.entry.id,
                at=each.step.at,
                step=each.step.step,
                line=entries.format_canonical(each.entry).decode(),
                told=each.told,
                note=each.note,
            )
            for each in lifecycle.list_proven_steps(session, mine)
        ],
    )


@router.post("/{tracking}/confirm")
def confirm(tracking: Tracking, citizen: Citizen, session: Acting) -> wire.MyRequestDetail:
    """Confirm that it is solved, as by telephone."""
    return _detail(session, reports.confirm(session, citizen.number, tracking))


@router.post("/{tracking}/object")
def object_to(
    tracking: Tracking, body: wire.Objection, citizen: Citizen, session: Acting
) -> wire.MyRequestDetail:
    """Object that it is not solved, and why; the office sees it before all others. With `answer`, repeating
    is harmless.
    """
    objection = reports.Objection(**body.model_dump())
    return _detail(session, reports.object_to(session, citizen.number, tracking, objection))


@router.post("/{tracking}/rate")
def rate(
    tracking: Tracking, body: wire.Satisfaction, citizen: Citizen, session: Acting
) -> wire.MyRequestDetail:
    """Rate my satisfaction after saying whether it is solved; I may change it for a day."""
    return _detail(session, reports.rate(session, citizen.number, tracking, body.stars, body.said))


@router.post("/{tracking}/say")
def say(tracking: Tracking, body: wire.ToQuestion, citizen: Citizen, session: Acting) -> wire.MyRequestDetail:
    """Answer the department's question. With `question`, repeating is harmless."""
    return _detail(
        session, reports.answer_question(session, citizen.number, tracking, body.answer, body.question)
    )


def _detail(session: Session, request: models.Request) -> wire.MyRequestDetail:
    mine = own_data.describe_request(account_contents.describe_request(session, request))
    leading = lifecycle.find_original(session, request)
    shown = [*kept.list_by_request(session, request.id)]
    if leading is not request:
        shown += [
            p for p in kept.list_by_request(session, leading.id) if p.kind is models.PictureKind.EVIDENCE
        ]
    history = lifecycle.list_steps(session, request)
    said, asked = ratings.answer_in(history), department_work.find_open_question_in(session, request, history)
    rating = ratings.rate_answer(session, said) if said else None
    department = leading.department if leading.state in WITH_DEPARTMENT else None
    under_way = leading.state in IN_WORK
    return wire.MyRequestDetail(
        **mine.model_dump(),
        department_fa=department.name_fa if department else None,
        department_en=department.name_en if department else None,
        answer_by=leading.answer_by if under_way and not leading.answered_at else None,
        solve_by=leading.solve_by if under_way else None,
        replied_at=request.replied_at if mine.asked else None,
        parts=own_data.list_solved_parts(session, request) if mine.asked else [],
        question=asked.note if asked else "",
        question_id=asked.id if asked else None,
        stars=rating.stars if rating else None,
        said_id=said.id if said else None,
        may_rate=said is not None and (rating is None or ratings.is_changeable(session, rating)),
        written=request.written,
        spoken=request.voice_message is not None,
        latitude=request.latitude,
        longitude=request.longitude,
        place=request.place,
        pictures=[pictures.describe_picture(each) for each in shown],
        steps=[
            wire.MyStep(at=entry.at, step=entry.step, note=note)
            for entry, note in lifecycle.select_public_steps(history)
        ],
    )
