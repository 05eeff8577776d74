"""A settings file of version 0.4.0 with a value for every name that it had."""

import re
from pathlib import Path

import pytest

from settings import Settings, list_old_names, load
from settings.toml_files import OLD_NAMES
from settings.trunks import OF_ONE
from tests.kit.cities import GOLRUD

OLD = Path(__file__).with_name("old_hotline.env")
NAMES = [name.lower() for name in re.findall(r"^HOTLINE_(\w+)=", OLD.read_text(), re.M)]

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("emblem.svg", "full.pem", "key.pem", "templates.toml"):
        (tmp_path / name).touch()
    (tmp_path / "city.toml").write_text(GOLRUD.read_text())
    (tmp_path / "trunks.toml").write_text('[one]\nprofile = "address"\nhost = "198.51.100.7:5060"\n')
    file = tmp_path / "hotline.env"
    file.write_text(OLD.read_text().replace("FILES", str(tmp_path)))
    monkeypatch.setitem(Settings.model_config, "env_file", str(file))
    return file


def test_each_old_value_arrives_or_a_line_says_why_not(file: Path) -> None:
    settings, plain = load(), load(_env_file=None)
    lines = "\n".join(list_old_names(settings)).lower()

    arrived = {name for name in Settings.model_fields if getattr(settings, name) != getattr(plain, name)}
    ignored = set(re.findall(r"^hotline_(\w+): not looked at", lines, re.M))
    assert len(NAMES) == 162 and arrived & ignored == {*OF_ONE}, "there is a file of trunks, too"
    assert set(NAMES) - arrived - ignored == set()


def test_each_old_name_gets_one_line_without_its_value(file: Path) -> None:
    lines = list_old_names(load())

    assert [line.partition(":")[0] for line in lines] == [f"HOTLINE_{name.upper()}" for name in OLD_NAMES]
    assert "geheim" not in "".join(lines)


def test_file_without_old_names_gets_no_line(file: Path) -> None:
    file.write_text("HOTLINE_DESKS=30\n")
    assert list_old_names(load()) == []
