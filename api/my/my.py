"""What is there under the number by which a citizen is signed in: seen, taken along, deleted."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from api.access import Reading, Writing
from api.my import my_schemas as wire
from api.my import signed_in
from api.my.signed_in import Citizen
from hotline import audit, numbers
from hotline.citizens import belongings, erasure
from hotline.errors import Refused
from hotline.ledger import ledger
from hotline.line import fairness, registration
from hotline.rounds import rounds

router = APIRouter(prefix="/my", tags=["my"])


@router.get("")
def show(citizen: Citizen, session: Reading) -> wire.MyOwn:
    """My places and my requests."""
    number = citizen.number
    return wire.MyOwn(
        number=numbers.national(numbers.masked(number)),
        held=erasure.held(session, number),
        places=[_place(each) for each in belongings.places(session, number)],
        requests=[request_view(each) for each in belongings.requests(session, number)],
    )


@router.get("/export")
def export(citizen: Citizen, session: Writing) -> dict[str, Any]:
    """All that is kept under my number, as a file; that it was given out is in the audit log."""
    return exported(session, citizen.number)  # type: ignore[return-value]


def exported(session: Session, number: str) -> Response:
    """The file, for the number's own citizen."""
    found = belongings.export(session, number, who=audit.CITIZEN)
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
    """Delete what is kept under my number; what stays is in docs/citizens.md."""
    erasure.delete_citizen(session, citizen.number, who=audit.CITIZEN, give_up=give_up)
    signed_in.drop(request, response)


@router.get("/places/{ticket}")
def show_place(
    ticket: Annotated[str, Path(pattern="^[0-9]{1,8}$")], citizen: Citizen, session: Reading
) -> wire.MyStanding:
    """Why my place is where it is, and what the public ledger says of it."""
    mine = registration.get_by_ticket(session, ticket)
    if mine.number != citizen.number:
        raise Refused("not-found", "you have no such place")
    standing = fairness.look_up(session, mine)
    return wire.MyStanding(
        ticket=mine.ticket,
        waiting=standing.waiting,
        why=standing.why,
        moved_reason=mine.moved_reason,
        called=standing.called,
        before=standing.before,
        unexplained=sum(call.reason is fairness.Reason.NONE for call in standing.explained),
        lines=[
            wire.LedgerLine(entry=each.id, at=each.at, fact=each.fact, line=ledger.canonical(each).decode())
            for each in standing.facts
        ],
    )


def _place(found: belongings.Place) -> wire.MyPlace:
    mine, round_ = found.registration, found.registration.round
    speaker = rounds.speaker(round_)
    return wire.MyPlace(
        ticket=mine.ticket,
        office_fa=speaker.office_fa,
        office_en=speaker.office_en,
        starts_at=round_.starts_at,
        ends_at=round_.ends_at,
        in_operators_line=round_.is_operators_line,
        phase=found.phase,
        state=mine.state,
        place=found.place,
        rounds_missed=mine.rounds_missed,
        registered_at=mine.registered_at,
    )


def request_view(found: belongings.Reported) -> wire.MyRequest:
    """A request as its citizen sees it."""
    mine = found.request
    return wire.MyRequest(
        tracking=mine.tracking,
        category_fa=found.category.name_fa,
        category_en=found.category.name_en,
        district=mine.district,
        state=found.state,
        reply=found.reply,
        asked=found.asked,
        reported_at=mine.made_at,
    )
