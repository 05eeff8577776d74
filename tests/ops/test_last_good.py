"""The last settings with which everything could be prepared: kept, compared, and taken back."""

from pathlib import Path

import pytest

from ops import service
from settings import Settings, SettingsError, last_good, load
from tests.kit.cities import GOLRUD

pytestmark = pytest.mark.usefixtures("own_environment")

TRUNKS = '[first]\nprofile = "address"\nhost = "198.51.100.7:5060"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "messages.toml").write_text('[kavenegar]\nkey_file = "akey"\n[codes]\nper_hour = 500\n')
    (tmp_path / "akey").write_text("geheim\n")
    (tmp_path / "trunks.toml").write_text(TRUNKS)
    (tmp_path / "city.toml").write_text(GOLRUD.read_text())
    names = "".join(f"HOTLINE_{name.upper()}={name}.toml\n" for name in ("city", "messages", "trunks"))
    (tmp_path / "hotline.env").write_text(f"HOTLINE_DESKS=7\n{names}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setitem(Settings.model_config, "env_file", "hotline.env")
    last_good.keep(load())
    return tmp_path


def _change(folder: Path, old: str, new: str) -> None:
    path = folder / "hotline.env"
    path.write_text(path.read_text().replace(old, new))


def _desks(state_dir: Path) -> int:
    found = last_good.load_last(state_dir)
    assert found
    return found[0].desks


@pytest.mark.parametrize("name", ["hotline.env", "city.toml", "messages.toml", "trunks.toml"])
def test_spoilt_file_leaves_last_settings_in_force(folder: Path, name: str) -> None:
    before = load()
    city = before.of_city.city
    (folder / name).write_text("HOTLINE_DESKS=many\nno [toml")

    found = last_good.load_last(before.state_dir)

    assert found
    unlike = {"city", "trunks"} if name == "city.toml" else {"trunks"}
    assert found[0].model_dump(exclude=unlike) == before.model_dump(exclude=unlike)
    assert found[0].trunks[0].host == before.trunks[0].host
    assert found[0].of_city.city == city
    with pytest.raises(SettingsError):
        load()


def test_change_is_shown_without_secrets(folder: Path) -> None:
    assert last_good.list_changes(load()) == []

    _change(folder, "DESKS=7", "DESKS=8\nHOTLINE_METRICS_TOKEN=0123456789abcdef")
    (folder / "trunks.toml").write_text(TRUNKS.replace("100.7:", "100.8:"))

    assert last_good.list_changes(load()) == [
        "HOTLINE_DESKS: 7 → 8",
        "HOTLINE_METRICS_TOKEN: changed",
        "HOTLINE_TRUNKS: the file has changed",
    ]


def test_settings_that_fail_are_taken_back(folder: Path) -> None:
    _change(folder, "DESKS=7", "DESKS=8")
    bad = load()
    last_good.keep(bad)

    assert last_good.take_back(bad.state_dir)

    assert _desks(bad.state_dir) == 7 and last_good.is_taken_back(load())
    last_good.allow_again(bad.state_dir)
    assert not last_good.is_taken_back(load())


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("DESKS=7", "DESKS=many", "HOTLINE_DESKS"),
        ("DESKS=7", "DESK=8", "is HOTLINE_DESKS meant"),
        ("DESKS=7", "DATABASE_URL=postgresql+psycopg://a:geheim@127.0.0.1:1/b", "HOTLINE_DATABASE_URL"),
    ],
)
def test_start_with_a_typo_goes_on_and_says_why(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    why: str,
) -> None:
    prepared: list[Settings] = []
    monkeypatch.setattr(service, "_prepare", prepared.append)
    monkeypatch.setattr("sys.argv", ["service", "prepare"])
    _change(folder, old, new)

    service.main()

    said = capsys.readouterr()
    assert [settings.desks for settings in prepared] == [7]
    assert "REFUSED" in said.out and why in said.out and "geheim" not in said.out
    assert _desks(folder / "state") == 7


def test_first_start_with_a_typo_ends_with_the_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(folder / "new"))
    monkeypatch.setattr("sys.argv", ["service", "prepare"])
    _change(folder, "DESKS=7", "DESKS=many")

    with pytest.raises(SystemExit, match="HOTLINE_DESKS"):
        service.main()


def test_good_settings_are_kept_by_a_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_prepare", lambda _settings: None)
    monkeypatch.setattr("sys.argv", ["service", "prepare"])
    _change(folder, "DESKS=7", "DESKS=8")

    service.main()

    assert _desks(folder / "state") == 8


def test_settings_that_this_version_refuses_are_no_last_ones(folder: Path) -> None:
    state_dir = folder / "state"
    values = state_dir / "settings" / "in-force" / "values.json"
    values.write_text(values.read_text().replace('"7"', '"many"'))

    assert last_good.load_last(state_dir) is None
    values.write_text("half a fi")
    assert last_good.load_last(state_dir) is None
