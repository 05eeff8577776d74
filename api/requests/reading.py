"""Reading requests: the inbox, its counts, the map, one request, and its sound."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import FileResponse, JSONResponse
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from api import views
from api.access import Database, InForce, Reading, SignedIn
from api.ids import PathId, QueryId
from api.pictures import SHOWN, PictureId
from api.pictures import show as show_file
from api.requests import request_schemas as wire
from api.sounds import SOUND, Range, play
from db import models
from db.engine import now, reading
from db.states import RequestState
from hotline import numbers
from hotline.errors import Refused
from hotline.pictures import attachments
from hotline.recordings import archive
from hotline.requests import department_work, duplicates, inbox, lifecycle, parts, ratings
from hotline.requests.inbox import Filter
from hotline.requests.referrals import agency_referrals
from settings.city_file import MOST_DISTRICTS

router = APIRouter(prefix="/requests", tags=["requests"])

Days = Annotated[int | None, Query(ge=1, le=3660, description="Reported within so many days")]


def _filter(
    *,
    user: SignedIn,
    session: Reading,
    state: Annotated[list[RequestState], Query()] = [],  # noqa: B006 - FastAPI copies it
    category: QueryId | None = None,
    district: Annotated[int | None, Query(ge=1, le=MOST_DISTRICTS)] = None,
    department_id: QueryId | None = None,
    overdue: bool = False,
    escalated: bool = False,
    mine: bool = False,
    promised: bool = False,
    days: Days = None,
) -> Filter:
    """Return the filter of the query, limited to requests that the person may see. Raises
    Refused("forbidden").
    """
    own = inbox.find_district(session, user)
    if own is not None and district not in (None, own):
        raise Refused("forbidden", "another district's")
    return Filter(
        states=state,
        category=category,
        district=district if own is None else own,
        department_id=department_id,
        overdue=overdue,
        escalated=escalated,
        mine=user.username if mine else None,
        promised=promised,
        seen_by=user,
        since_days=days,
    )


Wanted = Annotated[Filter, Depends(_filter, scope="function")]


@router.get("")
def list_requests(
    *,
    wanted: Wanted,
    session: Reading,
    after: Annotated[str | None, Query(max_length=30)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> wire.RequestPage:
    """The inbox: first requests whose citizens say «not solved», then overdue ones, then the newest."""
    found, following = inbox.list_page(session, wanted, after=after, limit=limit)
    at = now(session)
    return wire.RequestPage(items=[describe_request(request, at) for request in found], next=following)


@router.get("/counts")
def count_requests(wanted: Wanted, session: Reading) -> wire.RequestCounts:
    """Matching requests in each state (the filter's states do not count), and how many are late."""
    counts = inbox.count_requests(session, wanted)
    return wire.RequestCounts(states=counts.by_state, overdue=counts.overdue, escalated=counts.escalated)


@router.get("/districts")
def map_requests(wanted: Wanted, session: Reading) -> list[wire.DistrictCounts]:
    """The map's numbers, for every district with requests."""
    return [wire.DistrictCounts(**row._asdict()) for row in inbox.count_by_district(session, wanted)]


@router.get("/boundaries", response_model=dict[str, Any] | None)
def boundaries(_user: SignedIn, settings: InForce) -> Response:
    """The city's own district boundaries as GeoJSON; null: none are set, so draw a schematic map."""
    path = settings.districts_file
    if path is None or not path.is_file():
        return JSONResponse(None)
    return FileResponse(path, media_type="application/geo+json")


@router.get("/tracking/{tracking}")
def find_request(
    tracking: Annotated[str, Path(max_length=40)], user: SignedIn, session: Reading
) -> wire.CityRequest:
    """The request with this tracking number, in any digits."""
    return describe_request(
        find_seen_by(session, user, lifecycle.get_by_tracking(session, tracking, parts=True)), now(session)
    )


@router.get("/{request_id}")
def show(request_id: PathId, user: SignedIn, session: Reading) -> wire.RequestDetail:
    """A request with its history and its probable duplicates."""
    request = find_seen_by(session, user, lifecycle.get(session, request_id))
    own = inbox.find_district(session, user)
    return describe_whole_request(session, request, own)


@router.get("/{request_id}/pictures/{picture_id}", **SHOWN)
def show_picture(
    request_id: PathId, picture_id: PictureId, user: SignedIn, engine: Database, settings: InForce
) -> Response:
    """A picture of the damage, or of the repair."""
    with reading(engine) as session:
        request = find_seen_by(session, user, lifecycle.get(session, request_id))
        its = models.Picture.request_id == parts.find_whole(session, request).id
        bodys = agency_referrals.where_sent_by_agencies(request.id)
        file = attachments.find(session, picture_id, or_(its, bodys))
    return show_file(settings, file)


@router.get("/{request_id}/audio", **SOUND)
def hear(
    request_id: PathId, user: SignedIn, engine: Database, settings: InForce, wanted: Range = ""
) -> FileResponse:
    """The citizen's voice message, or a range of it."""
    with reading(engine) as session:
        request = find_seen_by(session, user, lifecycle.get(session, request_id))
        path = lifecycle.get_sound(parts.find_whole(session, request), settings.messages_dir)
    what = archive.VOICE_MESSAGE_HEARD
    return play(engine, path, f"request {request_id}", who=user.username, wanted=wanted, what=what)


def find_seen_by(session: Session, user: models.User, request: models.Request) -> models.Request:
    """Return the request if the person may see it. Raises Refused("forbidden")."""
    own = inbox.find_district(session, user)
    if own is not None and request.district != own:
        raise Refused("forbidden", "another district's")
    if user.role is models.Role.OFFICIAL and request.promised_by_id not in (None, user.official_id):
        raise Refused("forbidden", "another official's promise")
    return request


_PLAIN = (
    *("id", "tracking", "category", "district", "written", "made_at"),
    *(
        "state",
        "due_at",
        "answer_by",
        "answered_at",
        "solve_by",
        "promised_until",
        "reply",
        "replied_at",
        "denials",
        "unanswered",
        "part_of_id",
        "escalated_to",
        "latitude",
        "longitude",
    ),
)


def describe_request(request: models.Request, at: datetime) -> wire.CityRequest:
    """Return a request at the moment `at`, as a list's row."""
    due = request.owed_at
    return wire.CityRequest(
        **{name: getattr(request, name) for name in _PLAIN},
        number=numbers.format_national(numbers.mask(request.number)) if request.number else None,
        department=_department(request.department),
        promised_by=views.describe_official(request.promised_by) if request.promised_by else None,
        spoken=request.voice_message is not None,
        voice_deleted=request.voice_deleted_at is not None,
        overdue=due is not None and due < at,
        answer_late=inbox.answer_is_late(request, at),
    )


def describe_whole_request(
    session: Session, request: models.Request, own: int | None = None
) -> wire.RequestDetail:
    """Return a request with everything about it; probable duplicates only while it is open.

    With `own`, the district that the person may see, other districts' requests are left out.
    """
    at = now(session)
    ended = request.state in (RequestState.CLOSED, RequestState.DUPLICATE, RequestState.REJECTED)
    probable = [] if ended else duplicates.list_probable(session, request)
    merged = session.scalars(
        select(models.Request)
        .where(models.Request.duplicate_of_id == request.id, models.Request.part_of_id.is_(None))
        .order_by(models.Request.id)
    )
    original, whole = lifecycle.find_original(session, request), parts.find_whole(session, request)
    said = ratings.list_by_request(session, request)

    def seen(other: models.Request) -> bool:
        return own is None or other.district == own

    return wire.RequestDetail(
        request=describe_request(request, at),
        question=department_work.find_question_text(session, request),
        language=request.language,
        place=place(request),
        brought_by=_brought_by(session, request),
        pictures=[
            wire.Picture.model_validate(each, from_attributes=True)
            for each in attachments.list_by_request(session, whole.id)
        ],
        registration_id=request.registration_id,
        steps=[_step(session, entry, said.get(entry.id)) for entry in lifecycle.list_steps(session, request)],
        part_of=None if whole is request or not seen(whole) else describe_request(whole, at),
        parts=[describe_request(part, at) for part in parts.list_current(session, request)],
        duplicate_of=None
        if original in (request, whole) or not seen(original)
        else describe_request(original, at),
        duplicates=[describe_request(duplicate, at) for duplicate in merged if seen(duplicate)],
        probable=[
            wire.ProbableDuplicate(
                request=describe_request(one.request, at), same_number=one.same_number, likeness=one.likeness
            )
            for one in probable
            if seen(one.request)
        ],
    )


def _brought_by(session: Session, request: models.Request) -> wire.BroughtBy | None:
    if request.api_key_id is None:
        return None
    program = session.get_one(models.ApiKey, request.api_key_id).name
    contact = numbers.format_national(numbers.mask(request.contact)) if request.contact else None
    return wire.BroughtBy(program=program, contact=contact)


def place(request: models.Request) -> wire.Place | None:
    """Return the request's location, if known."""
    if request.latitude is None and not request.place:
        return None
    return wire.Place(latitude=request.latitude, longitude=request.longitude, words=request.place)


def _department(department: models.Department | None) -> wire.Department | None:
    return wire.Department.model_validate(department, from_attributes=True) if department else None


def _step(session: Session, entry: models.RequestEntry, rating: models.Rating | None) -> wire.Step:
    department = session.get(models.Department, entry.department_id) if entry.department_id else None
    other = session.get(models.Request, entry.other_id) if entry.other_id else None
    return wire.Step(
        id=entry.id,
        at=entry.at,
        who=entry.who,
        step=entry.step,
        note=entry.note,
        department=_department(department),
        due_at=entry.due_at,
        stars=rating.stars if rating else None,
        other=other.tracking if other else None,
    )
