"""Settings in TOML files, which HOTLINE_CITY, HOTLINE_MESSAGES and HOTLINE_DIRECTORY name."""

import re
from pathlib import Path

import pytest

from settings import Settings, SettingsError, city_file, list_old_names, load
from settings.city_file import CityError
from tests.kit.cities import GOLRUD

pytestmark = pytest.mark.usefixtures("own_environment")

MESSAGES = """
[sms]
provider = "http"
next = ["kavenegar"]
templates = "templates.toml"
plain = false
least_credit = {kavenegar = 500000}
[kavenegar]
key_file = "kavenegar.key"
[http]
url = "https://sms.example"
headers = {Authorization = "Bearer geheim"}
[bale]
bot = 137
key = "bale"
[codes]
per_hour = 500
"""
DIRECTORY = """
roles = "roles.toml"
[ldap]
url = ["ldaps://dc1.city.example", "ldaps://dc2.city.example"]
base = "DC=city,DC=example"
bind_password_file = "/etc/hotline137/ldap-password"
[oidc]
scopes = ["openid"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "messages.toml").write_text(MESSAGES)
    (tmp_path / "directory.toml").write_text(DIRECTORY)
    (tmp_path / "kavenegar.key").write_text("akey\n")
    (tmp_path / "templates.toml").touch()
    (tmp_path / "hotline.env").write_text(
        "HOTLINE_MESSAGES=messages.toml\nHOTLINE_DIRECTORY=directory.toml\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", "hotline.env")
    return tmp_path


def test_values_of_both_files_arrive(folder: Path) -> None:
    settings = load()

    assert (settings.sms_provider, settings.sms_next, settings.sms_plain) == ("http", ("kavenegar",), False)
    assert settings.sms_http_headers == {"Authorization": "Bearer geheim"}
    assert settings.sms_least_credit == {"kavenegar": 500000}
    assert (settings.bale_bot, settings.bale_key, settings.codes_per_hour) == (137, "bale", 500)
    assert settings.ldap_url == ("ldaps://dc1.city.example", "ldaps://dc2.city.example")
    assert settings.oidc_scopes == ("openid",)
    assert list_old_names(settings) == []


CITY = """
[map]
tiles = "golrud.pmtiles"
[office_hours]
days = ["sat", "sun"]
hours = "08:00-13:00"
[public]
figures_least = 7
[retention]
recordings_days = 30
"""


@pytest.fixture
def city(folder: Path) -> Path:
    file = folder / "city.toml"
    file.write_text(GOLRUD.read_text() + CITY)
    return file


def test_values_of_the_citys_file_arrive(city: Path) -> None:
    settings = load(city=city)

    assert (settings.recordings_days, settings.figures_least) == (30, 7)
    assert settings.working_week.days == {5, 6} and settings.working_hours.begin.hour == 8
    assert settings.tiles_file == city.with_name("golrud.pmtiles")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "recordings_days",
            "recording_days",
            "retention.recording_days: no such key; is retention.recordings_days",
        ),
        ("recordings_days = 30", "recordings_days = 0", "retention.recordings_days: Input should be greater"),
        ('days = ["sat", "sun"]', 'days = ["saturday"]', "office_hours.days: must be days of mon, tue"),
        ('days = ["sat", "sun"]', "days = []", "office_hours.days: must be days of mon, tue"),
        ("golrud.pmtiles", "golrud.png", "map.tiles: must be a file that ends with .pmtiles"),
        ("[retention]", "[look]\nemblem = 'lost.svg'\n[retention]", "look.emblem: "),
        (
            "[public]",
            "[publik]",
            "publik.figures_least: no such key; is public.figures_least meant? Allowed: look.accent, ",
        ),
    ],
)
def test_wrong_key_of_the_city_is_refused(city: Path, old: str, new: str, said: str) -> None:
    text = re.sub(r"\[look\]\n[^\[]*", "", city.read_text())
    assert old in text
    city.write_text(text.replace(old, new, 1))
    with pytest.raises(CityError, match=rf"^{re.escape(said)}"):
        city_file.read(city)
    with pytest.raises(SettingsError, match=re.escape(said)):
        load(city=city)


def test_emblem_named_in_the_citys_file_is_found(city: Path) -> None:
    city.with_name("lion.svg").write_text("<svg/>")
    text = re.sub(r"\[look\]\n", "[look]\nemblem = 'lion.svg'\n", city.read_text())
    city.write_text(text)

    assert load(city=city).emblem == city.with_name("lion.svg")


def test_secret_comes_from_a_file_of_its_own(folder: Path) -> None:
    assert load().sms_kavenegar_key == "akey"


def test_relative_path_begins_at_the_folder_of_its_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")

    settings = load(_env_file=None, messages=folder / "messages.toml", directory=folder / "directory.toml")

    assert (settings.sms_templates, settings.directory_roles) == (
        folder / "templates.toml",
        folder / "roles.toml",
    )
    assert settings.ldap_bind_password_file == Path("/etc/hotline137/ldap-password")


def test_file_in_the_state_folder_needs_no_name(folder: Path) -> None:
    (folder / "state" / "city").mkdir(parents=True)
    (folder / "state" / "city" / "directory.toml").write_text(DIRECTORY)

    settings = load(_env_file=None, state_dir=folder / "state")

    assert settings.ldap_base == "DC=city,DC=example"
    assert settings.directory == folder / "state" / "city" / "directory.toml"


def test_old_name_overrides_the_file_with_a_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_SMS_KAVENEGAR_KEY", "older")
    monkeypatch.setenv("HOTLINE_BALE_KEY", "")

    settings = load()

    assert (settings.sms_kavenegar_key, settings.bale_key) == ("older", "bale")
    assert list_old_names(settings) == [
        "HOTLINE_SMS_KAVENEGAR_KEY: an old name, for this version only; "
        "write kavenegar.key into messages.toml (HOTLINE_MESSAGES) and take it out"
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'provider = "http"',
            'provder = "http"',
            "sms.provder: no such key; is sms.provider meant? Allowed: sms.provider, sms.next, sms.sender, ",
        ),
        ("[http]", "[htpp]", "htpp.url: no such key; is http.url meant? Allowed: sms.provider"),
        ("[http]", "[http]\nurl_file = 'x'", "http.url_file: no such key; is http.url meant?"),
        ("key_file =", "key = 'x'\nkey_file =", "kavenegar.key_file: is given twice"),
        ("kavenegar.key", "lost.key", "lost.key cannot be read: FileNotFoundError"),
        ("plain = false", "plain = 2026-12-02", "sms.plain: must be a text, a number"),
        ("plain = false", 'next = ["http"]', "is no TOML: "),
        ("plain = false", 'plain = "perhaps"', "sms.plain in messages.toml='perhaps': "),
        ("bot = 137\n", "", "bale.key in messages.toml=…: needs bale.bot in messages.toml"),
        ('url = "https://sms.example"\n', "", "='http': needs http.url in messages.toml"),
    ],
)
def test_wrong_key_or_value_is_named_with_what_is_right(folder: Path, old: str, new: str, said: str) -> None:
    (folder / "messages.toml").write_text(MESSAGES.replace(old, new, 1))
    with pytest.raises(SettingsError) as wrong:
        load()

    assert said in str(wrong.value)
    assert "geheim" not in str(wrong.value) and "akey" not in str(wrong.value)


def test_wrong_keys_of_both_files_are_named_at_once(folder: Path) -> None:
    (folder / "messages.toml").write_text("[smms]\n[smms.x]\ny = 1\n")
    (folder / "directory.toml").unlink()
    with pytest.raises(SettingsError) as wrong:
        load()

    lines = str(wrong.value).splitlines()
    assert [line.partition(".toml: ")[0] for line in lines] == [
        str(folder / "messages"),
        str(folder / "directory"),
    ]
    assert lines[1].endswith("there is no such file")
