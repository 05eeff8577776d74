"""A city's file: what is wrong with it is said by name, and nothing of it reaches a program."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.cli import app
from settings import SettingsError, city_file, load
from settings.city_file import CityError
from tests.kit.cities import GOLRUD

TEXT = GOLRUD.read_text("utf-8")


def test_sample_and_invented_city_pass_the_check() -> None:
    for file, districts in ((city_file.SAMPLE, "15 districts"), (GOLRUD, "3 districts")):
        told = CliRunner().invoke(app, ["city", "check", str(file)])
        assert told.exit_code == 0 and districts in told.output, told.output


def test_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(TEXT, "utf-8-sig")
    assert city_file.read(path) == city_file.read(GOLRUD)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('area_code = "044"', 'area_code = "44"', "city.area_code"),
        ("[36.1, 44.9, 36.3, 45.2]", "[36.3, 44.9, 36.1, 45.2]", "bounds must be [south, west, north, east]"),
        ("number = 3", "number = 4", "without a gap"),
        ("number = 3", "number = 99", "districts.3.number"),
        ("tile = [1, 1]", "tile = [0, 1]", "two lie on one tile"),
        ('accent = "#7a2e0e"', 'accent = "#f5c518"', "cannot be read on the pages"),
        ('accent = "#7a2e0e"', 'accent = "red}body{"', "look.accent"),
        ('kind = "mayor"', 'kind = "deputy"', "there is one mayor"),
        ('name_en = "Golrud"', 'name_en = "<script>"', "city.name_en"),
        ('name_en = "Golrud"', 'name_en = "{office}"', "city.name_en"),
        ('name_en = "Golrud"', 'name_en = ""', "city.name_en"),
        ('name_en = "Golrud"', 'nmae_en = "Golrud"', "city.nmae_en"),
        ("[look]", "[look", "no TOML"),
        ("[look]", "x = " + "[" * 5000 + "[look]", "no TOML"),
        ("# An invented", "#" * (1 << 19), "longer than"),
    ],
)
def test_fault_of_a_file_is_named(was: str, becomes: str, said: str) -> None:
    assert was in TEXT
    with pytest.raises(CityError, match=None) as refused:
        city_file.parse(TEXT.replace(was, becomes, 1))
    assert said in str(refused.value)


def test_each_of_many_faults_is_named_at_once(tmp_path: Path) -> None:
    text = TEXT
    for was, becomes in (
        ('municipality_fa = "', 'municipalty_fa = "'),
        ('area_code = "044"', 'area_code = "44"'),
        ("[36.1, 44.9, 36.3, 45.2]", "[36.3, 44.9, 36.1, 45.2]"),
        ('accent = "#7a2e0e"', 'accent = "#f5c518"'),
        ("office-mayor", "office-emperor"),
        ("number = 3", "number = 2"),
        ("tile = [1, 1]", "tile = [0, 1]"),
        ('name_en = "Works"', 'name_en = "{Works}"'),
    ):
        assert was in text
        text = text.replace(was, becomes, 1)
    file = tmp_path / "city.toml"
    file.write_text(text, "utf-8")
    told = CliRunner().invoke(app, ["city", "check", str(file)])
    assert told.exit_code == 1
    for said in (
        "city.municipality_fa: Field required",
        "city.municipalty_fa: Extra inputs",
        "city.area_code",
        "bounds must be",
        "accent cannot be read",
        "no such clip as office-emperor",
        "each once",
        "two lie on one tile",
        "departments.1.name_en",
    ):
        assert told.output.count(said) == 1, told.output
    assert all(line.startswith(f"{file}: ") for line in told.output.splitlines()), told.output


def test_district_of_any_wrong_shape_is_refused_by_name() -> None:
    for districts in ("3", '["a"]', "[{number = true, tile = [[], {}]}, {number = true, tile = {}}]"):
        bad = f"districts = {districts}\n" + TEXT.replace("[[districts]]", "[[beyond]]")
        with pytest.raises(CityError, match="districts"):
            city_file.parse(bad)


def test_wrong_area_code_names_the_written_setting_only(
    tmp_path: Path,
) -> None:
    chosen = tmp_path / "city" / "city.toml"
    chosen.parent.mkdir()
    chosen.write_text(TEXT.replace('"044"', '"44"').replace("number = 3", "number = 2"), "utf-8")
    with pytest.raises(SettingsError) as refused:
        load(_env_file=None, state_dir=tmp_path, supervisor_numbers="+989131234567")
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"HOTLINE_CITY: {chosen}: ") and "city.area_code" in line and "each once" in line


def test_file_of_a_hundred_megabytes_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "city.toml"
    with large.open("wb") as file:
        file.truncate(100 << 20)
    with pytest.raises(CityError, match="longer than"):
        city_file.read(large)


def test_office_without_a_clip_names_the_existing_ones(tmp_path: Path) -> None:
    file = tmp_path / "city.toml"
    file.write_text(TEXT.replace("office-mayor", "office-emperor"), "utf-8")
    told = CliRunner().invoke(app, ["city", "check", str(file)])
    assert told.exit_code == 1 and "office-emperor" in told.output and "office-mayor" in told.output


def test_broken_city_file_keeps_the_last_good_one(
    tmp_path: Path,
) -> None:
    settings = load(_env_file=None, state_dir=tmp_path)
    assert settings.of_city.name("en") == "Isfahan" and settings.allowed_prefixes == ("+989", "+9831")
    chosen = tmp_path / "city" / "city.toml"
    chosen.parent.mkdir()
    chosen.write_text(TEXT, "utf-8")
    assert settings.of_city.name("en") == "Golrud" and settings.accent == "#7a2e0e"
    assert load(_env_file=None, state_dir=tmp_path).allowed_prefixes == ("+989", "+9844")
    chosen.write_text("spoilt", "utf-8")
    os.utime(chosen, ns=(1, 1))
    assert settings.of_city.name("en") == "Golrud"
    with pytest.raises(SettingsError, match="HOTLINE_CITY"):
        load(_env_file=None, state_dir=tmp_path)
    named = load(_env_file=None, state_dir=tmp_path, city=city_file.SAMPLE)
    assert named.of_city.name("en") == "Isfahan"
