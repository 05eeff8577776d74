"""Open311's services: the categories in use and their questions, open to everybody."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.access import InForce, Reading
from api.open311 import formats
from api.open311 import schemas as wire
from api.open311.clients import OFCITY
from api.open311.formats import AsFormat
from api.pages import Asked
from api.schemas import Text
from db import models
from hotline.dates import Language, format_digits
from hotline.requests import categories
from hotline.requests.open311 import submissions
from hotline.requests.working_time import Span
from hotline.words import PAGES, PUBLIC

router = APIRouter(prefix="/open311", tags=["open311"], route_class=formats.Route)

_SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
_CHANGESET = "2026-11-28T00:00:00+03:30"
"""When an endpoint's format last changed."""
QUESTION = "q{}"
"""The code of a question, by its number."""


@router.get("/discovery.{format}", responses=formats.describe_formats(wire.Discovery))
def discover(format_: AsFormat, language: Asked, settings: InForce) -> Response:
    """The APIs of this city, and where to get a key."""
    words = PUBLIC.table(language, "open311")
    here = wire.Endpoint(
        specification=_SPECIFICATION,
        url=f"{settings.public}/open311/v2",
        changeset=_CHANGESET,
        formats=["text/xml", "application/json"],
    )
    found = wire.Discovery(
        changeset=_CHANGESET, contact=words["contact"], key_service=words["keys"], endpoints=[here]
    )
    return formats.answer(format_, "discovery", found)


@router.get(
    "/v2/services.{format}", dependencies=OFCITY, responses=formats.describe_formats(list[wire.Service])
)
def list_services(format_: AsFormat, language: Asked, session: Reading) -> Response:
    """The categories in use."""
    found = [_service(each, language) for each in categories.list_all(session) if each.active]
    return formats.answer(format_, "services", found)


@router.get(
    "/v2/services/{service_code}.{format}",
    dependencies=OFCITY,
    responses=formats.describe_formats(wire.ServiceDefinition),
)
def define_service(
    service_code: Annotated[Text, Path(max_length=100)], format_: AsFormat, language: Asked, session: Reading
) -> Response:
    """The questions of a service; answers are optional."""
    category = submissions.get_service(session, service_code)
    asked = [
        wire.Attribute(code=QUESTION.format(place), order=place, description=question[language])
        for place, question in enumerate(category.questions, 1)
    ]
    definition = wire.ServiceDefinition(service_code=category.code, attributes=asked)
    return formats.answer(format_, "service_definition", definition)


def find_name(category: models.Category, language: Language) -> str:
    """Return the category's name in this language."""
    return category.name_fa if language == "fa" else category.name_en


def _service(category: models.Category, language: Language) -> wire.Service:
    words = PUBLIC.table(language, "open311")
    answered, solved = (_time(span, language) for span in categories.find_promised_times(category))
    said = PUBLIC.fill(language, "open311", "promised", {"answered": answered, "solved": solved})
    return wire.Service(
        service_code=category.code,
        service_name=find_name(category, language),
        description=f"{words['urgent']} {said}" if category.urgent else said,
        metadata=bool(category.questions),
        keywords=f"{category.name_fa}, {category.name_en}",
        group=None,
    )


def _time(span: Span, language: Language) -> str:
    count = format_digits(span.amount, language)
    return PAGES.fill(language, "working-time", span.unit, {"count": count})
