"""A signed-in citizen's own data: shown, exported, deleted."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from api.access import InForce, Reading, Writing
from api.my import my_schemas as wire
from api.my import places, signed_in
from api.my.signed_in import Citizen
from db import models
from hotline import audit, numbers
from hotline.citizens import account_contents, erasure, sessions
from hotline.requests import categories, parts
from settings import Settings

router = APIRouter(prefix="/my", tags=["my"])


@router.get("")
def show(citizen: Citizen, session: Reading) -> wire.MyOwn:
    """My places and my requests."""
    number = citizen.number
    return wire.MyOwn(
        number=numbers.format_national(numbers.mask(number)),
        held=erasure.count_places(session, number),
        places=[places.place_view(each) for each in account_contents.list_places(session, number)],
        requests=[describe_request(each) for each in account_contents.list_requests(session, number)],
    )


@router.get("/export")
def export(citizen: Citizen, session: Writing, settings: InForce) -> dict[str, Any]:
    """Everything stored under my number, as a file; the audit log shows the export.

    Like deleting, it needs a session whose code was shown in the last ten minutes (else `code-due`).
    """
    sessions.check_fresh(session, citizen)
    return make_export(session, citizen.number, settings)  # type: ignore[return-value]


def make_export(session: Session, number: str, settings: Settings) -> Response:
    """Return the export, for the number's own citizen."""
    found = account_contents.export(session, number, who=audit.CITIZEN, public_url=settings.public)
    headers = {"Content-Disposition": 'attachment; filename="137.json"', "Cache-Control": "no-store"}
    return JSONResponse(found, headers=headers)


@router.delete("", status_code=204)
def delete(
    citizen: Citizen,
    request: Request,
    response: Response,
    session: Writing,
    give_up: Annotated[bool, Query(description="My places in lines are given up by it.")] = False,
) -> None:
    """Delete what is stored under my number; docs/citizens.md says what stays.

    It needs a session whose code was shown in the last ten minutes (else `code-due`).
    """
    sessions.check_fresh(session, citizen)
    erasure.delete_citizen(session, citizen.number, who=audit.CITIZEN, give_up=give_up)
    signed_in.drop(request, response)


def describe_request(found: account_contents.Reported) -> wire.MyRequest:
    """Return a request as its citizen sees it."""
    mine = found.request
    return wire.MyRequest(
        tracking=mine.tracking,
        category_fa=found.category.name_fa,
        category_en=found.category.name_en,
        district=mine.district,
        state=found.state,
        reply=found.reply,
        asked=found.asked,
        joined=found.joined,
        reported_at=mine.made_at,
    )


def list_solved_parts(session: Session, request: models.Request) -> list[wire.SolvedPart]:
    """Return the parts of a request that were called solved, if it has several parts."""
    found = [
        (place, part.reply, categories.get(session, part.category))
        for place, part in parts.list_solved(session, request)
    ]
    return [
        wire.SolvedPart(place=place, category_fa=category.name_fa, category_en=category.name_en, reply=reply)
        for place, reply, category in found
    ]
