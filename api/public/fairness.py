"""The citizen's proof: the page of a ticket number, and the ledger with its seals and proofs for everybody.

A ticket number comes in the body of a POST only: an address would keep it in histories and logs. Nothing
here says a telephone number, a subject or a message.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from api.access import Database, Reading
from api.ids import PathId
from api.pages import CACHED, Asked, guessed, page, posted
from db.engine import now, reading
from db.models import LedgerEntry, Registration, Seal
from hotline import tickets
from hotline.ledger import ledger, seals
from hotline.line import fairness, registration
from hotline.rounds import rounds
from hotline.rounds.notice_texts import who

router = APIRouter(prefix="/public", include_in_schema=False)

Number = Annotated[int, Query(ge=0, lt=2**31)]


@router.get("/ticket")
def ask(request: Request, language: Asked) -> Response:
    """The form."""
    return page(request, "ticket_form.html", language, wrong=None)


@router.post("/ticket")
def show(
    request: Request, language: Asked, session: Reading, typed: Annotated[str, Depends(posted)]
) -> Response:
    """Where the registration with this ticket number stands."""

    def find() -> tuple[str, Registration]:
        ticket = tickets.parse(typed)
        return ticket, registration.get_by_ticket(session, ticket)

    given = guessed(request, "ticket_form.html", language, find)
    if isinstance(given, Response):
        return given
    ticket, found = given
    standing = fairness.look_up(session, found)
    return page(
        request,
        "ticket.html",
        language,
        cached=False,
        ticket=ticket,
        merged=found.ticket != ticket,
        standing=standing,
        phase=rounds.phase(standing.round, now(session)),
        who=who(standing.round, language),
        facts=[(entry, json.loads(entry.details)) for entry in standing.facts],
    )


@router.get("/fairness")
def explain(request: Request, language: Asked, session: Reading) -> Response:
    """The order of calling, and how anybody checks that it was kept."""
    return page(request, "fairness.html", language, seal=seals.newest(session))


@router.get("/ledger/root")
def root(session: Reading, after: Number = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
    """The newest seal, and the seals after the one of `after` entries."""
    last, found = seals.newest(session), seals.page(session, after, limit)
    more = found[-1].size if len(found) == limit else None
    newest = _seal(last) if last else {"size": 0, "root": None, "sealed_at": None}
    return _json({**newest, "seals": [_seal(each) for each in found], "next": more}, cached=False)


def _seal(seal: Seal) -> dict[str, Any]:
    return {"size": seal.size, "root": seal.root, "sealed_at": seal.sealed_at.isoformat()}


@router.get("/ledger/entries")
def entries(
    engine: Database, after: Number = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 1000
) -> Response:
    """The entries' canonical texts, one a line: exactly the bytes that are hashed."""
    with reading(engine) as session:
        found = ledger.entries(session, after, limit)

    def lines(these: list[LedgerEntry]) -> Iterator[bytes]:
        for entry in these:
            yield ledger.canonical(entry) + b"\n"

    return StreamingResponse(lines(list(found)), media_type="application/x-ndjson; charset=utf-8")


@router.get("/ledger/proof/{entry}")
def proof(session: Reading, entry: PathId) -> Response:
    """The proof that an entry is under the newest seal."""
    return _json(seals.inclusion(session, entry), cached=False)


@router.get("/ledger/consistency")
def consistency(
    session: Reading, old: Annotated[int, Query(alias="from", ge=1, lt=2**31)], to: Number
) -> Response:
    """The proof that the seal of `from` entries is the beginning of the one of `to` entries."""
    return _json(seals.consistency(session, old, to), cached=True)


def _json(body: dict[str, Any], *, cached: bool) -> Response:
    return JSONResponse(body, headers=CACHED if cached else {"Cache-Control": "no-store"})
