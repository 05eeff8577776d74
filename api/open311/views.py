"""Open311's view of a request, with the fields that the reader may see."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from api.open311 import schemas as wire
from api.open311.services import find_name
from db import models
from db.states import OPEN_REQUESTS, RequestState
from hotline import dates
from hotline.clock import CITY
from hotline.dates import Language
from hotline.requests import spoken_replies
from hotline.requests.open311 import queries
from hotline.requests.open311.queries import Found, Looker
from hotline.words import PAGES, PUBLIC


def list_requests(
    session: Session,
    found: Sequence[Found],
    looker: Looker,
    language: Language,
    *,
    public_url: str,
    extended: bool,
) -> list[wire.ServiceRequest]:
    """Return requests as this reader may see them."""
    plain = [_view(each, looker, language, public_url) for each in found]
    if not extended:
        return plain
    steps = queries.list_steps(session, [each.request for each in found])
    return [
        wire.ExtendedRequest(
            **view.model_dump(),
            extended_attributes=_extended(each),
            notes=[_note(entry, language) for entry in steps.get(each.request.id, [])],
        )
        for view, each in zip(plain, found, strict=True)
    ]


def _view(found: Found, looker: Looker, language: Language, public_url: str) -> wire.ServiceRequest:
    request, own = found.request, looker.brought(found.request)
    latitude, longitude = looker.point(request, found.release)
    return wire.ServiceRequest(
        service_request_id=request.tracking,
        status="open" if request.state in OPEN_REQUESTS else "closed",
        status_notes=_notes(found, language),
        service_name=find_name(found.category, language),
        service_code=found.category.code,
        description=request.written if own else (found.release.text if found.release else None),
        agency_responsible=_department(request.department, language),
        service_notice=None,
        requested_datetime=_when(request.made_at),
        updated_datetime=_when(found.moved_at),
        expected_datetime=_when(request.solve_by) if request.solve_by else None,
        address=(request.place if own else "") or _district(request.district, language),
        lat=latitude,
        long=longitude,
        media_url=f"{public_url}/public/requests/pictures/{found.picture}" if found.picture else None,
    )


def _extended(found: Found) -> wire.Extended:
    request = found.request
    return wire.Extended(
        detailed_status=request.state,
        district=request.district,
        answer_by=_when(request.answer_by) if request.answer_by else None,
        answered_at=_when(request.answered_at) if request.answered_at else None,
        duplicate_of=found.joined,
        urgent=found.category.urgent,
    )


def _note(entry: models.RequestEntry, language: Language) -> wire.Note:
    summary = PAGES.text(language, "request-steps", entry.step)
    return wire.Note(datetime=_when(entry.at), type=entry.step, summary=summary)


def _notes(found: Found, language: Language) -> str:
    """Return the request's state in words, with the city's last public answer."""
    request = found.request
    if request.state is RequestState.DUPLICATE:
        return PUBLIC.fill(language, "open311", "duplicate", {"number": found.joined or ""})
    department = _department(request.department, language) or ""
    said = PAGES.fill(language, "request-states", request.state, {"department": department})
    return f"{said} {spoken_replies.find_standing_reply(request)}".strip()


def _department(department: models.Department | None, language: Language) -> str | None:
    if department is None:
        return None
    return department.name_fa if language == "fa" else department.name_en


def _district(district: int | None, language: Language) -> str | None:
    if district is None:
        return None
    return PUBLIC.fill(language, "open311", "district", {"number": dates.format_digits(district, language)})


def _when(at: datetime) -> str:
    return at.astimezone(CITY).isoformat(timespec="seconds")
