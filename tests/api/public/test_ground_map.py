"""The ground map's tiles and outlines over the wire: in ranges, cached for ever, of one file only."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create
from api.public import ground_tiles
from settings import Settings, SettingsError, load
from tests.kit import map_tiles

TILES = ground_tiles.ADDRESS
SQUARE = [[51.6, 32.6], [51.65, 32.60001], [51.7, 32.6], [51.7, 32.7], [51.6, 32.7], [51.6, 32.6]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return map_tiles.vector(tmp_path / "isfahan.pmtiles", attribution="<a href='x'>&copy; OpenStreetMap</a>")


def city(settings: Settings, **own: Any) -> TestClient:
    return TestClient(create(settings.model_copy(update=own)))


def about(client: TestClient) -> dict[str, Any]:
    said: dict[str, Any] = client.get("/public/map.json").json()
    return said


def test_map_description_tells_all_before_the_first_tile(settings: Settings, file: Path) -> None:
    tiles = about(city(settings, map_tiles=str(file)))["tiles"]
    assert re.fullmatch(r"/map/tiles\.pmtiles\?v=[0-9a-f]{16}", tiles.pop("url"))
    assert tiles == {
        **{"pmtiles": True, "vector": True, "min_zoom": 6, "max_zoom": 9},
        **{"bounds": list(map_tiles.ISFAHAN), "attribution": "© OpenStreetMap"},
    }
    of_the_city = about(city(settings, map_tiles=str(file), map_attribution="شهرداری"))
    assert of_the_city["tiles"]["attribution"] == "شهرداری"


def test_tile_ranges_are_served_and_cached_for_ever(settings: Settings, file: Path) -> None:
    client, content = city(settings, map_tiles=str(file)), file.read_bytes()
    url = about(client)["tiles"]["url"]
    first = client.get(url, headers={"Range": "bytes=0-126", "Accept-Encoding": "gzip"})
    assert (first.status_code, first.content) == (206, content[:127])
    assert first.headers["content-range"] == f"bytes 0-126/{len(content)}"
    assert "immutable" in first.headers["cache-control"] and "content-encoding" not in first.headers
    tag = first.headers["etag"]
    assert re.fullmatch('"[0-9a-f]{16}"', tag), "a strong one: parts of one file belong together"
    beyond = client.get(url, headers={"Range": f"bytes={len(content)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(content)}")
    whole = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert (whole.status_code, whole.content) == (200, content) and "content-encoding" not in whole.headers
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert client.head(url).headers["content-length"] == str(len(content))
    assert client.get(TILES).headers["cache-control"] == "no-cache"


def test_replaced_tile_file_gets_a_new_address_and_tag(settings: Settings, file: Path) -> None:
    client = city(settings, map_tiles=str(file))
    before, tag = about(client)["tiles"]["url"], client.get(TILES).headers["etag"]
    map_tiles.raster(file, (1, 2, 3))
    after = about(client)["tiles"]
    assert after["url"] != before and not after["vector"]
    old = client.get(before, headers={"Range": "bytes=0-126", "If-Range": tag})
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "path",
    [
        *("/map/tiles.pmtiles/../../etc/passwd", "/map/%2e%2e/%2e%2e/etc/passwd", "/map/other.pmtiles"),
        *(
            "/map/assets/../../../settings/in_force.py",
            "/map/assets/%2e%2e%2findex.html",
            "/map/tiles.pmtiles%00",
        ),
        *("/map/assets//etc/passwd", "/map/tiles"),
    ],
)
def test_map_path_outside_the_folder_is_not_found(settings: Settings, file: Path, path: str) -> None:
    assert city(settings, map_tiles=str(file)).get(path).status_code == 404


@pytest.mark.parametrize("asked", ["bytes=x", "bytes=5-1", "bytes=" + ",".join(["0-1"] * 200), "lines=1-2"])
def test_invalid_range_is_refused(settings: Settings, file: Path, asked: str) -> None:
    answer = city(settings, map_tiles=str(file)).get(TILES, headers={"Range": asked})
    assert answer.status_code in (200, 400, 416)


@pytest.mark.parametrize("name", ["missing", "empty", "cut", "other", "text", "brotli", "folder"])
def test_unusable_tile_file_falls_back_and_is_logged_once(
    settings: Settings, file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    content = file.read_bytes()
    broken = tmp_path / f"{name}.pmtiles"
    if name == "folder":
        broken.mkdir()
    elif name != "missing":
        packed = content[:97] + b"\x03" + content[98:]
        kinds = {"cut": content[:-1], "other": b"PMTiles\x02" + content[8:], "text": b"x" * 500}
        broken.write_bytes({**kinds, "empty": b"", "brotli": packed}[name])
    client = city(settings, map_tiles=str(broken))
    with caplog.at_level(logging.WARNING, "api"):
        assert about(client)["tiles"] is None and about(client)["tiles"] is None
        page = client.get("/public/requests/map")
    assert page.status_code == 200 and "<script" not in page.text
    assert client.get(TILES).status_code == 404
    assert len([line for line in caplog.messages if str(broken) in line]) == 1


def test_tile_server_is_the_only_allowed_origin(
    settings: Settings,
) -> None:
    server = "https://tiles.example:8443/isfahan/{z}/{x}/{y}.pbf?key=1"
    client = city(settings, map_tiles=server)
    assert about(client)["tiles"]["vector"] and about(client)["tiles"]["url"] == server
    for path in ("/my", "/desk", "/public/requests/map", "/map/assets/worker.js"):
        policy = client.get(path).headers["content-security-policy"]
        (asked,) = re.findall(r"connect-src ([^;]+)", policy)
        assert "https://tiles.example:8443" in asked.split() and "*" not in policy, path
        assert "tiles.example" not in city(settings).get(path).headers["content-security-policy"]
    assert client.get(TILES).status_code == 404
    pictures = city(settings, map_tiles="http://10.0.0.7/{z}/{x}/{y}.png")
    assert (
        not about(pictures)["tiles"]["vector"] and "OpenStreetMap" in about(pictures)["tiles"]["attribution"]
    )


@pytest.mark.parametrize(
    "wrong",
    [
        *("tiles", "https://tiles.example/", "https://tiles.example/{z}/{x}.png", "file:///x.pmtiles"),
        *("https://{s}.tiles.example/{z}/{x}/{y}", "https://a b/{z}/{x}/{y}", "ftp://a/{z}/{x}/{y}"),
        *("https://a; script-src */{z}/{x}/{y}", "https://a/{z}/{x}/{y}{z}", "https://u:p@a/{z}/{x}/{y}"),
        *("https://a/{z}/{x}/{y}\n", "https://a,*/{z}/{x}/{y}", "https://*/{z}/{x}/{y}"),
    ],
)
def test_wrong_map_setting_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"map\.tiles in city\.toml"):
        load(_env_file=None, map_tiles=wrong)


def test_outlines_are_small_and_a_damaged_file_is_ignored(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "districts.json"
    outline = {"type": "Polygon", "coordinates": [SQUARE]}
    feature = {"type": "Feature", "properties": {"district": 5, "secret": "x"}, "geometry": outline}
    path.write_text(json.dumps({"features": [feature]}))
    client = city(settings, districts_file=path)
    assert about(client)["districts"] == "/public/map/districts.json"
    (drawn,) = client.get("/public/map/districts.json").json()["features"]
    assert drawn["properties"] == {"district": 5}
    assert drawn["geometry"] == {"type": "MultiPolygon", "coordinates": [[[SQUARE[0], *SQUARE[2:]]]]}
    for wrong in ('{"features": 1}', "[", json.dumps({"features": [feature]}).replace("51.65", "NaN")):
        path.write_text(wrong)
        assert client.get("/public/map/districts.json").json() is None
    assert about(city(settings))["districts"] is None
    assert city(settings).get("/public/map/districts.json").json() is None
