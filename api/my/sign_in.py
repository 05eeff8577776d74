"""Signing in by number: a code, a session, its renewal and its end."""

from contextlib import suppress

from fastapi import APIRouter, Request, Response

from api.access import Database, InForce, Reading, Writing
from api.my import my_schemas as wire
from api.my import signed_in
from api.my.signed_in import Citizen
from db import models
from hotline import numbers
from hotline.citizens import codes, sessions
from hotline.errors import Refused

router = APIRouter(prefix="/my", tags=["my"])


@router.get("/codes")
def ways(settings: InForce) -> wire.Ways:
    """The channels for a sign-in code."""
    return wire.Ways(ways=list(codes.list_ways(settings)))


@router.post("/codes", status_code=202)
def ask_code(
    body: wire.CodeIn, request: Request, response: Response, engine: Database, settings: InForce
) -> wire.CodeAsked:
    """Send a code to a number. The answer is the same whether the number is known or not.

    It sets a cookie: only the browser that asked for the code can show it.
    """
    signed_in.ask_code(
        request, response, engine, settings, number=body.number, way=body.by, language=body.language
    )
    return wire.CodeAsked(valid_seconds=int(codes.LASTS.total_seconds()), tries=codes.TRIES)


@router.post("/sessions")
def sign_in(
    body: wire.CodeShown, request: Request, response: Response, engine: Database, settings: InForce
) -> wire.CitizenSession:
    """Show the code in the browser that asked for it; the answer sets the session's cookies."""
    begun = signed_in.sign_in(request, response, engine, settings, number=body.number, typed=body.code)
    return _view(begun)


@router.post("/sessions/refresh")
def refresh(request: Request, response: Response, engine: Database, settings: InForce) -> wire.CitizenSession:
    """New cookies for old ones. Repeating a request whose answer was lost gives the same cookies."""
    return _view(signed_in.renew_session(request, response, engine, settings))


@router.get("/sessions")
def mine(citizen: Citizen, session: Reading) -> list[wire.SignedInAt]:
    """My sessions."""
    return [
        wire.SignedInAt(
            since=each.created_at,
            renewed_at=each.rotated_at,
            browser=each.agent,
            current=each.id == citizen.id,
        )
        for each in sessions.list_by_number(session, citizen.number)
    ]


@router.get("/sessions/current", responses={204: {"description": "Nobody is signed in here"}})
def current(
    request: Request, response: Response, engine: Database, settings: InForce
) -> wire.CitizenSession | None:
    """The session of this browser, also of the pages without a script; it is renewed if needed."""
    with suppress(Refused):
        return _view(signed_in.find_current(request, response, engine, settings))
    response.status_code = 204
    return None


@router.delete("/sessions/current", status_code=204)
def sign_out(request: Request, response: Response, session: Writing) -> None:
    """Sign out here; without a session nothing happens."""
    signed_in.sign_out(request, response, session)


@router.delete("/sessions", status_code=204)
def sign_out_everywhere(citizen: Citizen, request: Request, response: Response, session: Writing) -> None:
    """Sign out everywhere."""
    sessions.end_all(session, citizen.number)
    signed_in.drop(request, response)


def _view(session: models.CitizenSession) -> wire.CitizenSession:
    return wire.CitizenSession(
        number=numbers.format_national(numbers.mask(session.number)),
        access_until=session.access_until,
        refresh_until=session.expires_at,
    )
