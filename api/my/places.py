"""A citizen's places: taking one, checking it, cancelling it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from api.access import InForce, Reading
from api.my import my_schemas as wire
from api.my.signed_in import Acting, Citizen
from hotline.citizens import account_contents, places
from hotline.ledger import entries
from hotline.line import fairness
from hotline.rounds import phases

router = APIRouter(prefix="/my/places", tags=["my"])

Ticket = Annotated[str, Path(pattern="^[0-9]{1,8}$")]
_AGAIN: dict[str, Any] = {"model": wire.MyPlace, "description": "I had it already"}


@router.post("", status_code=201, responses={200: _AGAIN})
def register(
    *, body: wire.RegisterIn, citizen: Citizen, response: Response, session: Acting, settings: InForce
) -> wire.MyPlace:
    """Take a place in an announced round; the same round again is the same place (200)."""
    said = body.model_dump()
    registered = places.register(session, citizen.number, said.pop("round_id"), settings=settings, **said)
    response.status_code = 200 if registered.already else 201
    return place_view(account_contents.place(session, registered.registration_id))


@router.delete("/{ticket}", status_code=204)
def give_up(ticket: Ticket, citizen: Citizen, session: Acting) -> None:
    """Cancel my place; a text message confirms it."""
    places.give_up(session, citizen.number, ticket)


@router.get("/{ticket}")
def show_place(ticket: Ticket, citizen: Citizen, session: Reading) -> wire.MyStanding:
    """Why my place is where it is, with the ledger's entries."""
    mine = places.get(session, citizen.number, ticket)
    standing = fairness.find_facts(session, mine)
    return wire.MyStanding(
        ticket=mine.ticket,
        waiting=standing.waiting,
        why=standing.why,
        moved_reason=mine.moved_reason,
        called=standing.called,
        before=standing.before,
        unexplained=standing.unexplained,
        lines=[
            wire.LedgerLine(
                entry=each.id, at=each.at, fact=each.fact, line=entries.format_canonical(each).decode()
            )
            for each in standing.facts
        ],
    )


def place_view(found: account_contents.Place) -> wire.MyPlace:
    """Return a place as its citizen sees it."""
    mine, round_ = found.registration, found.registration.round
    speaker = phases.find_speaker(round_)
    return wire.MyPlace(
        ticket=mine.ticket,
        round_id=mine.round_id,
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
