"""Settings: from the environment or a file, with defaults for all others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from settings import PortRange, load
from settings.addresses import Address
from tests.kit.trunk_file import make_trunk

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("own_environment")


def test_defaults_hold_when_nothing_is_set() -> None:
    settings = load(_env_file=None)
    assert settings.state_dir == Path("var").absolute()
    assert settings.database == f"sqlite:///{settings.state_dir}/hotline.db"
    assert str(settings.http) == "127.0.0.1:8137"
    assert str(settings.sip) == "127.0.0.1:5060"
    assert str(settings.asterisk_http) == "127.0.0.1:8088"
    assert (str(settings.agi), str(settings.ami)) == ("127.0.0.1:4573", "127.0.0.1:5038")
    assert settings.rtp_ports == PortRange(10000, 10999)
    assert settings.websocket == "ws://127.0.0.1:8088/ws"
    assert settings.trunks == make_trunk() and settings.has_sample_trunk
    assert settings.allowed_prefixes == ("+989", "+9831")
    assert not settings.browser_phone


def test_environment_sets_every_kind_of_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "STATE_DIR": "/srv/hotline",
        "DATABASE_URL": "postgresql+psycopg://hotline@db/hotline",
        "HTTP": "0.0.0.0:80",
        "RTP_PORTS": "20000-21999",
        "SAMPLE_TRUNK": "sip.example.ir:5061 10.0.0.0/8, 192.0.2.7 2001:db8::/32",
        "ALLOWED_PREFIXES": "+98913 +9831",
        "BROWSER_PHONE": "1",
        "DESKS": "500",
        "ANSWER_SECONDS": "2.5",
    }.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    settings = load(_env_file=None)
    assert settings.state_dir == Path("/srv/hotline")
    assert settings.database == "postgresql+psycopg://hotline@db/hotline"
    assert settings.http == Address("0.0.0.0", 80)
    assert settings.rtp_ports == PortRange(20000, 21999)
    (trunk,) = settings.trunks
    assert trunk.host == Address("sip.example.ir", 5061)
    assert trunk.allowed == ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")
    assert settings.allowed_prefixes == ("+98913", "+9831")
    assert (settings.browser_phone, settings.desks, settings.answer_seconds) == (True, 500, 2.5)


def test_environment_overrides_the_file(tmp_path: Path) -> None:
    for folder, environment, asked in (
        ("named", {"HOTLINE_ENV_FILE": "city.env"}, "city.env"),
        ("usual", {}, "hotline.env"),
    ):
        where = tmp_path / folder
        where.mkdir()
        (where / asked).write_text("HOTLINE_DESKS=7\nHOTLINE_RING_SECONDS=20\nHOTLINE_HTTP=127.0.0.1:81\n")
        found = subprocess.run(
            [
                sys.executable,
                "-c",
                "from settings import load; s = load(); print(s.desks, s.ring_seconds, s.http)",
            ],
            cwd=where,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOTLINE_RING_SECONDS": "25", **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout == "7 25 127.0.0.1:81\n"


def test_command_started_elsewhere_finds_file_and_state(
    tmp_path: Path,
) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project, elsewhere):
        folder.mkdir()
    for name in ("settings", "city.toml", "dialplan"):
        (project / name).symlink_to(ROOT / name)
    script = "import settings as s; l = s.load(); print(l.desks, l.state_dir); print(s.describe_origin(l))"

    def said(**environment: str) -> list[str]:
        return subprocess.run(
            [sys.executable, "-c", script],
            cwd=elsewhere,
            env={**os.environ, "PYTHONPATH": f"{project}", **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()

    file = project / "hotline.env"
    assert said() == [
        f"{load(_env_file=None).desks} {project}/var",
        f"there is no {file}; HOTLINE_STATE_DIR={project}/var",
    ]
    file.write_text("HOTLINE_DESKS=7\n")
    assert said() == [f"7 {project}/var", f"{file}; HOTLINE_STATE_DIR={project}/var"]
    assert said(HOTLINE_STATE_DIR="mine")[0] == f"7 {elsewhere}/mine"
    (elsewhere / "hotline.env").write_text("HOTLINE_DESKS=9\n")
    assert said()[0] == f"9 {elsewhere}/var"


def test_public_links_begin_with_the_public_address() -> None:
    assert load(_env_file=None).public == "http://127.0.0.1:8137"
    assert load(_env_file=None, public_url="https://137.example/").public == "https://137.example"


def test_assignment_to_a_setting_is_refused() -> None:
    with pytest.raises(Exception, match="frozen"):
        load(_env_file=None).desks = 1
