"""Public figures of citizens' requests: a page, a table and JSON, under the city's licence."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from api import spreadsheets
from api.access import InForce, Reading
from api.pages import CACHED, Asked, render_page
from hotline.dates import format_digits
from hotline.requests.public import figures
from settings import Settings

router = APIRouter(prefix="/public", include_in_schema=False)

COUNTS = ("received", "solved", "confirmed", "unanswered", "objected", "rejected", "rated")
MEANS = ("satisfaction", "median_days", "ninetieth_days")
"""Names of `RequestFigures`, in the order of the columns."""
_HEADER = ("days", "of", "name_fa", "name_en", *COUNTS, *MEANS)
_USUAL = 90


@router.get("/requests")
def show(
    request: Request,
    language: Asked,
    session: Reading,
    settings: InForce,
    days: Annotated[str, Query()] = "",
) -> Response:
    """The figures of one span; an unknown span shows the usual one."""
    span = next((each for each in figures.SPANS if str(each) == days), _USUAL)

    def in_tenths(value: float | None) -> str:
        text = format_digits(f"{value or 0:.1f}", language)
        return text.replace(".", "٫") if language == "fa" else text

    return render_page(
        request,
        "requests.html",
        language,
        found=figures.read(session, span, settings.figures_least),
        spans=figures.SPANS,
        least=settings.figures_least,
        counts=COUNTS,
        means=MEANS,
        in_tenths=in_tenths,
        licence=settings.data_licence,
        licence_url=settings.data_licence_url,
    )


@router.get("/requests.csv")
def table(session: Reading, settings: InForce) -> Response:
    """The figures of all spans as a table; a hidden value is empty."""
    found = [figures.read(session, days, settings.figures_least) for days in figures.SPANS]
    answer = spreadsheets.make_csv("137-requests", _HEADER, _rows(found), for_programs=True)
    answer.headers.update(list_headers(settings))
    return answer


@router.get("/requests.json")
def plain(session: Reading, settings: InForce) -> Response:
    """The figures of all spans as JSON."""
    found = [figures.read(session, days, settings.figures_least) for days in figures.SPANS]
    counted_at = found[0].counted_at
    body = {
        "licence": find_licence(settings),
        "counted_at": counted_at.isoformat(timespec="seconds") if counted_at else None,
        "hidden_below": settings.figures_least,
        "spans": [
            {
                "days": each.days,
                "all": _plain(each.all) if each.all else None,
                "categories": [_plain(row) for row in each.categories],
                "departments": [_plain(row) for row in each.departments],
            }
            for each in found
        ],
    }
    return JSONResponse(body, headers=list_headers(settings))


def find_licence(settings: Settings) -> dict[str, str] | None:
    """Return the data's licence, if the city states one."""
    if not settings.data_licence:
        return None
    return {"name": settings.data_licence, "url": settings.data_licence_url}


def list_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of open data: caches keep it for a minute; Link names its licence."""
    url = settings.data_licence_url if settings.data_licence else ""
    return CACHED | ({"Link": f'<{url}>; rel="license"'} if url else {})


def _rows(found: list[figures.Figures]) -> Iterator[list[spreadsheets.Cell]]:
    for span in found:
        whole = [span.all] if span.all else []
        groups = (("all", whole), ("category", span.categories), ("department", span.departments))
        for of, rows in groups:
            for row in rows:
                yield [span.days, of, row.name_fa, row.name_en, *_values(row).values()]


def _plain(row: figures.Row) -> dict[str, Any]:
    return {"name_fa": row.name_fa, "name_en": row.name_en, "hidden": row.hidden, **_values(row)}


def _values(row: figures.Row) -> dict[str, float | int | None]:
    shown = {
        name: None if row.hidden or name in row.few else getattr(row.figures, name)
        for name in (*COUNTS, *MEANS)
    }
    return {name: round(value, 1) if isinstance(value, float) else value for name, value in shown.items()}
