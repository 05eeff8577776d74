"""A city's own colour and emblem: on the pages, and refused where they could not be read."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import web
from api.app import create
from settings import Settings, SettingsError, load
from settings.colours import READABLE, measure_contrast

TOKENS = (Path(web.BUILT).parent / "src" / "tokens.css").read_text()
EMBLEM = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


def city(settings: Settings, **own: object) -> TestClient:
    return TestClient(create(settings.model_copy(update=own)))


def test_city_without_a_look_has_an_empty_style(
    settings: Settings,
) -> None:
    there = city(settings)
    assert there.get("/public/city.css").text == ""
    assert there.get("/public/emblem").status_code == 404


@pytest.mark.parametrize("accent", ["#1b4f9c", "#6b2413", "#005f2f", "#5a2a82", "#000000"])
def test_city_colour_is_readable_in_both_schemes(settings: Settings, accent: str) -> None:
    light, dark, public = city(settings, city_accent=accent).get("/public/city.css").text.splitlines()
    assert public.startswith("@media screen and (prefers-color-scheme: dark) {")
    for rule, paper in ((light, "#ffffff"), (dark, "#1a2629"), (public, "#1a2629")):
        values = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6});", rule))
        for behind in (paper, values["--accent-soft"], values["--accent-pale"]):
            assert measure_contrast(values["--accent-ink"], behind) >= READABLE
        assert measure_contrast(values["--accent-line"], paper) >= 3
    assert f"--accent: {accent};" in light and measure_contrast(accent, "#ffffff") >= READABLE


def test_unreadable_colour_is_refused_with_a_readable_one() -> None:
    with pytest.raises(
        SettingsError, match=r"look\.accent in city\.toml='#f5c518'.*contrast.*darker: #"
    ) as refused:
        load(_env_file=None, city_accent="#f5c518")
    darker = str(refused.value)[-7:]
    assert load(_env_file=None, city_accent=darker).city_accent == darker


def test_emblem_is_served_and_anything_else_refused(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "emblem.svg"
    file.write_text(EMBLEM)
    there = city(settings, city_emblem=load(_env_file=None, city_emblem=file).city_emblem)
    served = there.get("/public/emblem")
    assert served.text == EMBLEM and served.headers["content-type"].startswith("image/svg+xml")
    assert "/public/emblem" in there.get("/public/city.css").text
    for wrong in (tmp_path / "none.svg", tmp_path / "emblem.html"):
        with pytest.raises(SettingsError, match=r"look\.emblem in city\.toml"):
            load(_env_file=None, city_emblem=wrong)
    file.write_text(EMBLEM + " " * (1 << 16))
    with pytest.raises(SettingsError, match="at most 65536 bytes"):
        load(_env_file=None, city_emblem=file)


def _colours(rules: str) -> dict[str, str]:
    return dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{3,6});", rules))


@pytest.mark.parametrize("room", [1, 2], ids=["light", "dark"])
def test_public_colours_are_the_design_tokens(room: int) -> None:
    public = re.split(r":root \{", (Path(web.__file__).parent / "static" / "public.css").read_text())
    of_all = _colours(re.split(r"\[data-scheme='(?:light|dark)'\] \{", TOKENS)[room])
    drawn = _colours(public[room].split("}")[0])
    assert len(drawn) == 15 and drawn.items() <= of_all.items()
    rules = "".join(public[0]) + public[2].partition("}")[2].partition("@media print")[0]
    assert re.findall(r"#[0-9a-f]{3,6}\b", rules) == [], "no other colour"


@pytest.mark.parametrize("room", [1, 2], ids=["light", "dark"])
def test_own_colours_have_enough_contrast(room: int) -> None:
    rules = re.split(r"\[data-scheme='(?:light|dark)'\] \{", TOKENS)[room].split("\n}")[0]
    short = dict(re.findall(r"(--[\w-]+): #([0-9a-f]{3,6});", rules))
    token = {
        name: f"#{value if len(value) == 6 else ''.join(2 * c for c in value)}"
        for name, value in short.items()
    }
    everywhere = [value for name, value in token.items() if name in ("--paper", "--paper-soft", "--ground")]
    for family in ("accent", "danger", "warning", "good", "apart", "quiet"):
        behind = [*everywhere, token[f"--{family}-soft"]]
        assert all(
            measure_contrast(token[ink], on) >= READABLE
            for ink in ("--ink", f"--{family}-ink")
            for on in behind
        )
        assert measure_contrast(token[f"--{family}-line"], token["--paper"]) >= 3
    for fill in ("accent", "danger"):
        assert measure_contrast(token[f"--on-{fill}"], token[f"--{fill}"]) >= READABLE
    assert all(
        measure_contrast(token["--map-ink"], token[f"--map-{shade}"]) >= READABLE for shade in range(5)
    )
    assert all(measure_contrast(token[f"--chart-{part}"], token["--paper"]) >= 3 for part in range(1, 4))
