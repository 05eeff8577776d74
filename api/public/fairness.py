"""The public proof of fairness: the order of calling, the ledger, its seals.

Nothing here shows a telephone number, a subject or a message.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from api.access import Database, Reading
from api.ids import PathId
from api.pages import CACHED, Asked, render_page
from db.engine import reading
from db.models import LedgerEntry, Seal
from hotline.ledger import entries, seals

router = APIRouter(prefix="/public", include_in_schema=False)

Number = Annotated[int, Query(ge=0, lt=2**31)]


@router.get("/fairness")
def explain(request: Request, language: Asked, session: Reading) -> Response:
    """The order of calling, and how anybody can check it."""
    return render_page(request, "fairness.html", language, seal=seals.find_newest(session))


@router.get("/ledger/root")
def root(session: Reading, after: Number = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
    """The newest seal, and the seals after the one of `after` entries."""
    last, found = seals.find_newest(session), seals.list_page(session, after, limit)
    more = found[-1].size if len(found) == limit else None
    newest = _seal(last) if last else {"size": 0, "root": None, "sealed_at": None}
    return _json({**newest, "seals": [_seal(each) for each in found], "next": more}, cached=False)


def _seal(seal: Seal) -> dict[str, Any]:
    return {"size": seal.size, "root": seal.root, "sealed_at": seal.sealed_at.isoformat()}


@router.get("/ledger/entries")
def list_entries(
    engine: Database, after: Number = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 1000
) -> Response:
    """The entries' canonical texts, one on a line: exactly the hashed bytes."""
    with reading(engine) as session:
        found = entries.list_entries(session, after, limit)

    def lines(these: list[LedgerEntry]) -> Iterator[bytes]:
        for entry in these:
            yield entries.format_canonical(entry) + b"\n"

    return StreamingResponse(lines(list(found)), media_type="application/x-ndjson; charset=utf-8")


@router.get("/ledger/proof/{entry}")
def proof(session: Reading, entry: PathId) -> Response:
    """The proof that the newest seal covers an entry."""
    return _json(seals.prove_inclusion(session, entry), cached=False)


@router.get("/ledger/consistency")
def consistency(
    session: Reading, old: Annotated[int, Query(alias="from", ge=1, lt=2**31)], to: Number
) -> Response:
    """The proof that the seal of `from` entries is a prefix of the one of `to` entries."""
    return _json(seals.prove_consistency(session, old, to), cached=True)


def _json(body: dict[str, Any], *, cached: bool) -> Response:
    return JSONResponse(body, headers=CACHED if cached else {"Cache-Control": "no-store"})
