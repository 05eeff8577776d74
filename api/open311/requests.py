"""Open311's requests: reporting by programs, and reading."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from sqlalchemy.orm import Session

from api.access import InForce, Reading, Writing
from api.cookies import find_address
from api.limits import Guesses
from api.open311 import fields, formats, views
from api.open311 import schemas as wire
from api.open311.clients import FORM, OFCITY, Asking, Form, Reporting, check_city
from api.open311.formats import AsFormat
from api.pages import Asked
from api.schemas import Text
from hotline import tickets
from hotline.errors import Refused
from hotline.people.api_keys import Program
from hotline.requests.open311 import queries, submissions
from hotline.requests.open311.queries import Found, Looker, Wanted
from hotline.words import PUBLIC

router = APIRouter(prefix="/open311/v2", tags=["open311"], route_class=formats.Route)

_ROOT = "service_requests"
_SHOWN = formats.describe_formats(list[wire.ServiceRequest] | list[wire.ExtendedRequest])
_FILED = formats.describe_formats(list[wire.Filed])
_FIELDS: dict[str, Any] = {
    name: {"type": "string"}
    for name in (
        *("api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id"),
        *("description", "phone", "email", "first_name", "last_name", "device_id", "account_id", "media_url"),
        "attribute[q1]",
    )
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {"schema": {"type": "object", "required": ["service_code"], "properties": _FIELDS}},
        },
    }
}
_MOST_NUMBERS = 100

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{8,64}$",
        description="Of the program's own making: one key, one request; and the token of tokens/.",
    ),
]
Many = Annotated[Text, Query(max_length=2000, description="One, or several with commas between them")]
Day = Annotated[Text, Query(max_length=40, description="With its time zone: 2026-11-28T09:00:00+03:30")]
Count = Annotated[Text, Query(pattern="^[0-9]{0,4}$")]


@router.post(
    "/requests.{format}", status_code=201, responses={201: _FILED[200], **_FILED}, openapi_extra=_BODY
)
def file_request(
    *,
    format_: AsFormat,
    form: Form,
    program: Reporting,
    key: Key = None,
    language: Asked,
    session: Writing,
    settings: InForce,
) -> Response:
    """File a request. The same key again, or the same content within a minute, returns the same request
    (200).
    """
    check_city(form.get("jurisdiction_id", ""), settings)
    category = submissions.get_service(session, fields.read_needed(form, "service_code"))
    told = fields.read_description(form, category, language)
    request, new = submissions.file(session, program.id, key, told, settings)
    words = PUBLIC.table(language, "open311")
    filed = wire.Filed(
        service_request_id=request.tracking,
        service_notice=words["no-picture"] if form.get("media_url", "").strip() else None,
    )
    return formats.answer(format_, _ROOT, [filed], 201 if new else 200)


@router.get("/requests.{format}", dependencies=OFCITY, responses=_SHOWN)
def list_requests(
    *,
    request: Request,
    format_: AsFormat,
    program: Asking,
    language: Asked,
    session: Reading,
    settings: InForce,
    service_request_id: Many = "",
    service_code: Many = "",
    start_date: Day = "",
    end_date: Day = "",
    status: Many = "",
    page: Count = "",
    page_size: Count = "",
    extensions: Annotated[Text, Query(max_length=10)] = "",
) -> Response:
    """Requests by number; or of a time span: released ones, the key's own and, with the right scope, all."""
    looker = _looker(program)
    found: Sequence[Found]
    if numbers := fields.split_at_commas(service_request_id):
        found = _known(request, session, looker, numbers)
    else:
        wanted = Wanted(
            services=fields.split_at_commas(service_code),
            since=_moment(start_date, "start_date"),
            until=_moment(end_date, "end_date"),
            open_=fields.is_open(status),
            page=fields.count(page, 1, 9999, "page"),
            page_size=fields.count(page_size, queries.MOST, queries.MOST, "page_size"),
        )
        if program is None:
            lists: Guesses = request.app.state.lists_read
            lists.take(find_address(request))
        found = queries.list_page(session, wanted, looker)
    url, extended = settings.public, extensions == "true"
    shown = views.list_requests(session, found, looker, language, public_url=url, extended=extended)
    return formats.answer(format_, _ROOT, shown)


@router.get("/requests/{service_request_id}.{format}", dependencies=OFCITY, responses=_SHOWN)
def show_request(
    *,
    request: Request,
    service_request_id: Annotated[Text, Path(max_length=40)],
    format_: AsFormat,
    program: Asking,
    language: Asked,
    session: Reading,
    settings: InForce,
    extensions: Annotated[Text, Query(max_length=10)] = "",
) -> Response:
    """One request by number."""
    looker = _looker(program)
    found = _known(request, session, looker, [service_request_id])
    if not found:
        raise Refused("not-found", "service_request_id was not found")
    url, extended = settings.public, extensions == "true"
    shown = views.list_requests(session, found, looker, language, public_url=url, extended=extended)
    return formats.answer(format_, _ROOT, shown)


@router.get(
    "/tokens/{token}.{format}", dependencies=OFCITY, responses=formats.describe_formats(list[wire.Token])
)
def show_token(
    *,
    request: Request,
    token: Annotated[Text, Path(max_length=64)],
    format_: AsFormat,
    program: Asking,
    session: Reading,
) -> Response:
    """The number of the request filed with this Idempotency-Key; a number is its own token."""
    if program is not None and not tickets.is_tracking(token):
        tracking = submissions.get_by_token(session, program.id, token).tracking
    else:
        found = _known(request, session, _looker(program), [token])
        if not found:
            raise Refused("not-found", "token was not found")
        tracking = found[0].request.tracking
    return formats.answer(format_, _ROOT, [wire.Token(service_request_id=tracking, token=token)])


@router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
def nothing(path: str) -> Response:
    """Refuse every other address. Raises Refused("not-found")."""
    raise Refused("not-found", "the URL request is invalid: nothing is here")


def _looker(program: Program | None) -> Looker:
    return Looker(program.id, program.may_read) if program else Looker()


def _known(request: Request, session: Session, looker: Looker, numbers: list[str]) -> list[Found]:
    """Find requests by number, in the order asked.

    Each number is paid for before it is looked up, and given back if it is found. So a list costs as many
    guesses as it has unknown numbers. A program pays by its key, everybody else by address. Raises
    Refused("invalid-input" | "too-many-attempts").
    """
    if len(numbers) > _MOST_NUMBERS:
        raise Refused("invalid-input", f"at most {_MOST_NUMBERS} service_request_id at once")
    left = list(
        dict.fromkeys(tickets.parse(each, tickets.TRACKING) for each in numbers if tickets.is_tracking(each))
    )
    guesses: Guesses = request.app.state.guesses
    who = find_address(request) if looker.api_key_id is None else f"key {looker.api_key_id}"
    found: list[Found] = []
    while left:
        paid = len(left) if looker.may_read else guesses.take(who, len(left))
        there = {each.request.tracking: each for each in queries.find_by_numbers(session, left[:paid])}
        found += [there[number] for number in left[:paid] if number in there]
        left = left[paid:]
        if not looker.may_read:
            guesses.give_back(who, len(there))
    return found


def _moment(text: str, name: str) -> datetime | None:
    return fields.parse_moment(text, name) if text.strip() else None
