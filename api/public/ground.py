"""The ground map under the districts: its configuration, the city's own tiles, and the districts'
outlines.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from api.access import InForce
from api.pages import CACHED
from api.public import ground_tiles
from api.static_assets import BUILT
from hotline.errors import Refused
from hotline.requests.public import outlines
from settings import Settings

router = APIRouter(include_in_schema=False)

_FOR_EVER = "public, max-age=31536000, immutable"


def describe_map(settings: Settings) -> dict[str, Any]:
    """Return a page's map configuration: the drawing script, its tiles, and the city's bounds."""
    tiles, code = ground_tiles.find_tiles(settings), _code("ground")
    bounds = settings.bounds
    file = settings.districts_file
    return {
        "code": code,
        "tiles": tiles._asdict() if tiles and code else None,
        "bounds": [bounds.west, bounds.south, bounds.east, bounds.north],
        "districts": "/public/map/districts.json" if file and file.is_file() else None,
    }


def find_script(settings: Settings) -> str | None:
    """Return the script that draws the ground map on a public page; None: there is no such map."""
    return _code("page") if ground_tiles.find_tiles(settings) else None


def _code(name: str) -> str | None:
    """Return the newest built script, whose name holds a hash of its content."""
    newest = max((BUILT / "map").glob(f"{name}-*.js"), key=lambda file: file.stat().st_mtime, default=None)
    return f"/map/assets/{newest.name}" if newest else None


@router.get("/public/map.json")
def show(settings: InForce) -> JSONResponse:
    """The map's configuration, as `describe_map` returns it."""
    return JSONResponse(describe_map(settings), headers=CACHED)


@router.get("/public/map/districts.json")
def districts(settings: InForce) -> JSONResponse:
    """The outlines of the districts; null: the city has set none."""
    return JSONResponse(outlines.read_outlines(settings.districts_file), headers=CACHED)


@router.api_route(ground_tiles.ADDRESS, methods=["GET", "HEAD"])
def tiles(request: Request, settings: InForce, v: Annotated[str, Query()] = "") -> Response:
    """The city's PMTiles file, or a range of it."""
    found = ground_tiles.open_archive(settings)
    if found is None:
        raise Refused("not-found", "the city has no tiles of its own here")
    tag = f'"{found.tag}"'
    kept = {"ETag": tag, "Cache-Control": _FOR_EVER if v == found.tag else "no-cache"}
    if request.headers.get("if-none-match") == tag and "range" not in request.headers:
        return Response(status_code=304, headers=kept)
    return FileResponse(found.path, headers=kept, media_type=ground_tiles.KIND, stat_result=found.stat)
