"""The ground map in a real browser: drawn from the city's own tiles, and missed by nobody without them."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import Engine

from db.engine import now, writing
from db.models import Role, User
from db.states import RequestState
from settings import Settings
from tests.factories import PASSWORD, a_request, a_user
from tests.kit import map_tiles
from tests.kit.browser import person
from tests.kit.ports import free_port
from tests.kit.process import until
from tests.kit.served import served
from tests.pages.citizens_app import KEPT, SMALL, fits

WATER, WATER_AT_NIGHT, LAND = (0xBF, 0xDC, 0xDF), (0x14, 0x35, 0x3A), (0xF5, 0xF3, 0xEE)
BRICK, LATE = (200, 80, 40), (0xB4, 0x46, 0x2C)
DRAWN = ".ground[data-state=drawn]"
PUBLIC = "/public/requests/map"
SQUARE = [[51.6, 32.6], [51.75, 32.6], [51.75, 32.7], [51.6, 32.7], [51.6, 32.6]]
NOTHING_DRAWS = """(() => {
  const real = HTMLCanvasElement.prototype.getContext
  HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    return kind.startsWith('webgl') ? null : real.call(this, kind, ...more)
  }
})()"""

NO_NETWORK = ("ERR_CONNECTION_REFUSED", "ERR_INTERNET_DISCONNECTED", "ERR_UNSAFE_PORT")
Opened = Callable[..., tuple[Page, BrowserContext]]


@pytest.fixture
def opened(chromium: Browser, settings: Settings, engine: Engine) -> Iterator[Opened]:
    """A page of a city with settings of its own, on a telephone; nothing is complained of in the end."""
    with ExitStack() as leaving:
        contexts = []

        def open_page(
            path: str, *, before: str = "", scheme: Any = "light", **own: object
        ) -> tuple[Page, BrowserContext]:
            address = leaving.enter_context(served(settings.model_copy(update=own)))
            telephone = person(chromium, locale="fa-IR", viewport=SMALL, color_scheme=scheme)
            context = leaving.enter_context(telephone)
            contexts.append(context)
            page = context.new_page()
            page.add_init_script(before)
            page.goto(f"{address}{path}")
            return page, context

        yield open_page
        said = [one for context in contexts for one in context.complaints]  # type: ignore[attr-defined]
        assert [one for one in said if not any(each in one for each in NO_NETWORK)] == []


@pytest.fixture
def vector(tmp_path: Path) -> str:
    return str(map_tiles.vector(tmp_path / "isfahan.pmtiles", attribution="© OpenStreetMap contributors"))


@pytest.fixture
def districts(tmp_path: Path) -> Path:
    path = tmp_path / "districts.json"
    outline = {"type": "Polygon", "coordinates": [SQUARE]}
    feature = {"type": "Feature", "properties": {"district": 5}, "geometry": outline}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


def colours(shown: Locator, part: int = 40) -> set[tuple[int, ...]]:
    """Return the colours of more than this share of it."""
    picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
    found = picture.getcolors(1 << 24) or []
    return {colour for count, colour in found if count * part > picture.width * picture.height}


def test_vector_tiles_draw_the_ground_with_attribution(opened: Opened, vector: str, districts: Path) -> None:
    page, _ = opened(PUBLIC, map_tiles=vector, districts_file=districts)
    page.locator(DRAWN).wait_for()
    assert WATER in colours(page.locator(".ground"))
    expect(page.locator(".ground-of")).to_have_text("© OpenStreetMap contributors")
    expect(page.locator(".ground-of a")).to_have_attribute("href", "https://www.openstreetmap.org/copyright")
    fits(page)
    schematic = page.locator("svg.tiles")
    expect(schematic).to_be_visible()  # for whoever reads it with a keyboard, or aloud
    page.locator(".ground canvas").click()
    page.wait_for_url("**district=5*")


def test_water_of_the_map_is_dark_in_dark_mode(opened: Opened, vector: str) -> None:
    page, _ = opened(PUBLIC, map_tiles=vector, scheme="dark")
    page.locator(DRAWN).wait_for()
    assert WATER_AT_NIGHT in colours(page.locator(".ground"))
    page.emulate_media(color_scheme="light")
    until(lambda: WATER in colours(page.locator(".ground")), "it is day")


def test_raster_tiles_are_shown(opened: Opened, tmp_path: Path) -> None:
    page, _ = opened(PUBLIC, map_tiles=str(map_tiles.raster(tmp_path / "isfahan.pmtiles", BRICK)))
    page.locator(DRAWN).wait_for()
    assert BRICK in colours(page.locator(".ground"))


def test_tiles_of_a_server_are_shown(opened: Opened) -> None:
    with tile_server(BRICK) as address:
        page, _ = opened(PUBLIC, map_tiles=f"{address}/{{z}}/{{x}}/{{y}}.png")
        page.locator(DRAWN).wait_for()
        assert BRICK in colours(page.locator(".ground"))


@pytest.mark.parametrize("missing", ["tiles", "server", "drawing"])
def test_city_without_tiles_shows_the_schematic_map(opened: Opened, vector: str, missing: str) -> None:
    tiles = {"tiles": "", "server": f"http://127.0.0.1:{free_port()}/{{z}}/{{x}}/{{y}}.png"}
    page, _ = opened(
        PUBLIC, map_tiles=tiles.get(missing, vector), before=NOTHING_DRAWS if missing == "drawing" else ""
    )
    page.wait_for_load_state("networkidle")
    expect(page.locator("#ground")).to_be_hidden()
    expect(page.locator("svg.tiles")).to_be_visible()
    expect(page.locator(".ground")).to_have_count(0)
    fits(page)


def test_district_on_the_map_filters_the_requests(
    opened: Opened, vector: str, districts: Path, engine: Engine
) -> None:
    with writing(engine) as session:
        user: User = a_user(session)
        user.role = Role.SUPERVISOR
        overdue = a_request(session, RequestState.REFERRED, category=1, district=5)
        overdue.due_at = now(session) - timedelta(days=1)
    page, context = opened("/public/how", map_tiles=vector, districts_file=districts)
    who = {"username": user.username, "password": PASSWORD}
    assert context.request.post(page.url.replace("public/how", "api/v1/session"), data=who).ok
    page.goto(page.url.replace("public/how", "requests"))
    page.get_by_test_id("list-or-map").get_by_text("نقشه").click()
    page.locator(DRAWN).wait_for()
    assert WATER in colours(page.locator(".ground"))
    until(lambda: LATE in colours(page.locator(".ground"), part=2000), "what is late there is seen")
    expect(page.get_by_test_id("tile").first).to_be_hidden()
    page.locator(".ground canvas").click()
    page.wait_for_url("**district=5*")
    fits(page)


def test_list_entry_pointed_at_is_marked_on_the_map(opened: Opened, districts: Path, engine: Engine) -> None:
    with writing(engine) as session:
        user: User = a_user(session)
        user.role = Role.SUPERVISOR
        here = a_request(session, district=5, latitude=32.65, longitude=51.66)
        a_request(session, district=5)
    page, context = opened("/public/how", districts_file=districts)
    who = {"username": user.username, "password": PASSWORD}
    assert context.request.post(page.url.replace("public/how", "api/v1/session"), data=who).ok
    page.goto(page.url.replace("public/how", "requests"))
    expect(page.get_by_test_id("request")).to_have_count(2)
    expect(page.get_by_test_id("map")).to_have_count(0)
    page.get_by_test_id("list-or-map").get_by_text("نقشه").click()
    expect(page.get_by_test_id("spot")).to_have_count(1)
    expect(page.get_by_test_id("request")).to_have_count(0)
    expect(page.get_by_test_id("nowhere")).to_contain_text("۱")
    fits(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.get_by_test_id("marked")).to_have_count(0)
    page.locator(f"[data-testid=request][data-id='{here.id}'] a").focus()
    expect(page.get_by_test_id("marked")).to_have_count(1)
    page.get_by_test_id("spot").click()
    page.wait_for_url(f"**/requests/{here.id}")


@contextmanager
def tile_server(colour: tuple[int, int, int]) -> Iterator[str]:
    """Another host's, with one colour everywhere."""
    picture = io.BytesIO()
    Image.new("RGB", (256, 256), colour).save(picture, "PNG")

    class Tiles(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(picture.getvalue())

        def log_message(self, *_said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Tiles)
    running = threading.Thread(target=server.serve_forever)
    running.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        running.join()
        server.server_close()


@pytest.fixture
def form(opened: Opened) -> Callable[..., Page]:
    """The app's form with its map open."""

    def open_form(**own: object) -> Page:
        page, _ = opened("/my/report", **own)
        page.get_by_role("button", name="روی نقشه").click()
        return page

    return open_form


def point(page: Page) -> dict[str, float]:
    """Return the saved location of the report in progress."""
    expect(page.get_by_text("نقطه‌ای روی نقشه گرفته شد.")).to_be_visible()
    page.wait_for_url("**/my/report/*-*")
    kept: list[dict[str, Any]] = page.evaluate(_KEPT)
    return {**kept[0]["point"], "district": kept[0]["district"]}


_KEPT = """() => new Promise((read, failed) => {
  const opening = indexedDB.open('hotline137-my')
  opening.onerror = failed
  opening.onsuccess = () => {
    const asked = opening.result.transaction('reports').objectStore('reports').getAll()
    asked.onsuccess = () => { opening.result.close(); read(asked.result) }
  }
})"""


def test_tap_on_the_map_sets_the_location_until_moved(
    form: Callable[..., Page], vector: str, districts: Path
) -> None:
    page = form(map_tiles=vector, districts_file=districts)
    page.locator(DRAWN).wait_for()
    assert WATER in colours(page.locator(".ground"))
    board = page.locator(".ground canvas")
    board.click()
    first = point(page)
    assert first["latitude"] == pytest.approx(32.65, abs=0.01)
    assert first["longitude"] == pytest.approx(51.675, abs=0.01)
    assert first["district"] == 5
    mark = page.locator(".ground-pin").bounding_box()
    assert mark
    x, y = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=5)
    page.mouse.up()
    until(lambda: point(page)["longitude"] > first["longitude"] + 0.01, "the mark is kept where it is now")
    fits(page)
    page.get_by_role("button", name="این نقطه نباشد").click()
    expect(page.locator(".ground-pin")).to_have_count(0)


@pytest.mark.parametrize("tiles", ["", "http://127.0.0.1:11999/{z}/{x}/{y}.png"])
def test_tap_on_the_outlines_sets_point_and_district(
    form: Callable[..., Page], districts: Path, tiles: str
) -> None:
    page = form(map_tiles=tiles, districts_file=districts)
    page.locator("[data-district='5']").click()
    found = point(page)
    assert found["district"] == 5
    assert found["latitude"] == pytest.approx(32.65, abs=0.01)
    assert found["longitude"] == pytest.approx(51.675, abs=0.01)
    fits(page)


def test_outlines_are_tapped_offline(opened: Opened, vector: str, districts: Path) -> None:
    page, telephone = opened("/my/report", map_tiles=vector, districts_file=districts)
    expect(page.get_by_role("button", name="روی نقشه")).to_be_visible()
    until(lambda: page.evaluate(KEPT), "the worker looks after the page")
    telephone.set_offline(True)
    page.reload()
    telephone.grant_permissions(["geolocation"])
    telephone.set_geolocation({"latitude": 32.65, "longitude": 51.66, "accuracy": 12})
    page.get_by_role("button", name="همین‌جا که هستم").click()
    expect(page.get_by_label("منطقه")).to_have_value("5")
    page.get_by_label("منطقه").select_option("7")
    page.get_by_role("button", name="روی نقشه").click()
    page.locator("[data-district='5']").click()
    until(lambda: point(page)["district"] == 5, "the tap is kept, as the place before it was")
    expect(page.get_by_text("این نقشه خیابان ندارد")).to_be_visible()


def test_city_without_a_map_offers_none(opened: Opened) -> None:
    page, _ = opened("/my/report")
    until(lambda: page.evaluate("localStorage.getItem('hotline137.my.city')"), "the app knows of no map")
    expect(page.get_by_role("button", name="همین‌جا که هستم")).to_be_visible()
    expect(page.get_by_role("button", name="روی نقشه")).to_have_count(0)
