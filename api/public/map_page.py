"""Released requests of citizens: a schematic map and a list, CSV and GeoJSON."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from api import pictures as wire_pictures
from api import spreadsheets
from api.access import Database, InForce, Reading
from api.pages import CACHED, Asked, render_page
from api.pictures import PictureId
from api.public import ground
from api.public.requests_page import find_licence, list_headers
from db.engine import reading
from hotline.clock import CITY
from hotline.requests import places
from hotline.requests.public import publications
from hotline.requests.public.publications import Listed

router = APIRouter(prefix="/public/requests", include_in_schema=False)

_PAGE = 50
_SHADES = 4
_HEADER = (
    *("number", "category_fa", "category_en", "district", "reported_on", "state", "text"),
    *("latitude", "longitude", "pictures"),
)

Text = Annotated[str, Query()]


@router.get("/map")
def show(
    *,
    request: Request,
    language: Asked,
    session: Reading,
    settings: InForce,
    district: Text = "",
    before: Text = "",
) -> Response:
    """The map, and the newest released requests of the city or of a district."""
    chosen = _number(district)
    chosen = chosen if chosen in places.KNOWN else None
    found = publications.list_published(session, district=chosen, before=_number(before), limit=_PAGE + 1)
    counts = {each.district: each for each in publications.count_by_district(session)}
    most = max([1, *(each.unsolved for number, each in counts.items() if number is not None)])
    tiles = [
        {
            **{"district": number, "x": column * 100, "y": row * 100},
            "unsolved": counts[number].unsolved if number in counts else 0,
            "shade": -(-counts[number].unsolved * _SHADES // most) if number in counts else 0,
        }
        for number, (column, row) in ((each.number, each.tile) for each in settings.of_city.districts)
    ]
    drawn = {tile["district"] for tile in tiles}
    unplaced = sum(each.unsolved for number, each in counts.items() if number not in drawn)
    return render_page(
        request,
        "map.html",
        language,
        found=found[:_PAGE],
        older=found[_PAGE - 1].request.id if len(found) > _PAGE else None,
        later=bool(_number(before)),
        district=chosen,
        tiles=tiles,
        unplaced=unplaced,
        ground=ground.find_script(settings),
        licence=settings.data_licence,
        licence_url=settings.data_licence_url,
    )


@router.get("/map.csv")
def table(session: Reading, settings: InForce) -> Response:
    """All released requests as a table."""
    found = publications.list_published(session)
    answer = spreadsheets.make_csv(
        "137-public-requests", _HEADER, _rows(found, settings.public), for_programs=True
    )
    answer.headers.update(list_headers(settings))
    return answer


@router.get("/map.geojson")
def geojson(session: Reading, settings: InForce) -> Response:
    """All released requests as GeoJSON; a request without a point has no geometry."""
    body = {
        "type": "FeatureCollection",
        "licence": find_licence(settings),
        "features": [_feature(each, settings.public) for each in publications.list_published(session)],
    }
    return JSONResponse(body, headers=list_headers(settings), media_type="application/geo+json")


@router.get("/pictures/{picture_id}")
def show_picture(picture_id: PictureId, engine: Database, settings: InForce) -> Response:
    """A picture that the office has released."""
    with reading(engine) as session:
        file = publications.get_public_file(session, picture_id)
    answer = wire_pictures.show(settings, file)
    answer.headers.update(CACHED)
    return answer


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _point(each: Listed) -> tuple[float, float] | None:
    """Return longitude and latitude, rounded to about ten metres."""
    request = each.request
    if not each.release.with_point or request.latitude is None or request.longitude is None:
        return None
    return round(request.longitude, 4), round(request.latitude, 4)


def _facts(each: Listed, public_url: str) -> dict[str, Any]:
    return {
        "number": each.request.tracking,
        "category_fa": each.category.name_fa,
        "category_en": each.category.name_en,
        "district": each.request.district,
        "reported_on": each.request.made_at.astimezone(CITY).date().isoformat(),
        "state": each.request.state.value,
        "text": each.release.text,
        "pictures": [f"{public_url}/public/requests/pictures/{name}" for name in each.pictures],
    }


def _feature(each: Listed, public_url: str) -> dict[str, Any]:
    point = _point(each)
    geometry = {"type": "Point", "coordinates": list(point)} if point else None
    return {"type": "Feature", "geometry": geometry, "properties": _facts(each, public_url)}


def _rows(found: Any, public_url: str) -> Iterator[list[spreadsheets.Cell]]:
    for each in found:
        facts, (longitude, latitude) = _facts(each, public_url), _point(each) or (None, None)
        shown = " ".join(facts.pop("pictures"))
        yield [*facts.values(), latitude, longitude, shown]
