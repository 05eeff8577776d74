"""Public pages and feeds of announced rounds. They show nothing about any citizen."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.access import InForce, Reading
from api.pages import CACHED, Asked, render_page
from api.public import feeds
from db.engine import now
from db.states import Phase
from hotline.errors import Refused
from hotline.requests import categories
from hotline.rounds import notices, phases
from hotline.rounds.notice_texts import find_speaker_name, format_office

router = APIRouter(prefix="/public", include_in_schema=False)

_OVER_SHOWN = 5
_COMING_SHOWN = 6


@router.get("")
@router.get("/")
def overview(request: Request, language: Asked, session: Reading) -> Response:
    """All announced rounds, and how to register."""
    at = now(session)
    live: list[dict[str, Any]] = []
    coming: list[dict[str, Any]] = []
    over: list[dict[str, Any]] = []
    for round_ in notices.list_published(session):
        phase = phases.find_phase(round_, at)
        past = phase is Phase.OVER or round_.ends_at <= at
        shown = {"round": round_, "phase": phase, "who": find_speaker_name(round_, language)}
        (live if phase is Phase.LIVE else over if past else coming).append(shown)
    last = over[: -_OVER_SHOWN - 1 : -1]
    return render_page(request, "rounds.html", language, live=live, coming=coming, over=last)


@router.get("/how")
def how(request: Request, language: Asked, session: Reading) -> Response:
    """How to register, step by step, for reading and printing."""
    at = now(session)
    shown = [
        {"round": round_, "who": find_speaker_name(round_, language)}
        for round_ in notices.list_published(session)
        if round_.registration_until > at
        and phases.find_phase(round_, at) not in (Phase.OVER, Phase.CANCELLED)
    ]
    mended = [
        {"name": one.name_fa if language == "fa" else one.name_en, "answer": answer, "solve": solve}
        for one in categories.list_all(session)
        if one.active
        for answer, solve in [categories.find_promised_times(one)]
    ]
    return render_page(request, "how.html", language, rounds=shown[:_COMING_SHOWN], categories=mended)


@router.get("/rounds/{round_id}")
def one(
    request: Request, round_id: Annotated[str, Path()], language: Asked, session: Reading, settings: InForce
) -> Response:
    """One round, for people and for search engines."""
    try:
        round_ = notices.get(session, _id(round_id))
    except Refused:
        return render_page(request, "not_found.html", language, status=404)
    return render_page(
        request,
        "round.html",
        language,
        round=round_,
        phase=phases.find_phase(round_, now(session)),
        what=notices.read_content(round_),
        who=find_speaker_name(round_, language),
        deputies=[format_office(deputy, language) for deputy in notices.list_deputies(round_)],
        notice=notices.format_text(round_, language, settings.public),
        state=notices.find_lead_time(session, round_),
        event=feeds.describe_event(round_, language, settings.public, settings.of_city),
    )


def _id(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


@router.get("/rounds.atom")
def atom(request: Request, language: Asked, session: Reading, settings: InForce) -> Response:
    """The notices as an Atom feed."""
    body = feeds.write_atom(notices.list_published(session), language, settings.public, settings.of_city)
    return _feed(request, body.encode(), "application/atom+xml; charset=utf-8")


@router.get("/rounds.ics")
def icalendar(request: Request, session: Reading, settings: InForce) -> Response:
    """The rounds as an iCalendar feed."""
    body = feeds.write_icalendar(notices.list_published(session), settings.public)
    return _feed(request, body, "text/calendar; charset=utf-8")


def _feed(request: Request, body: bytes, media_type: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = CACHED | {"ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
