"""Settings: from the environment or a file, checked at the start, a wrong one named with what is right."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ops import settings_docs
from settings import Address, PortRange, Settings, SettingsError, load
from tests.factories import at_once

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("own_environment")


def test_given_nothing_set_when_loaded_then_the_defaults_are_those_of_the_pages() -> None:
    settings = load(_env_file=None)
    assert settings.state_dir == Path("var").absolute()
    assert settings.database == f"sqlite:///{settings.state_dir}/hotline.db"
    assert str(settings.http) == "127.0.0.1:8137"
    assert str(settings.sip) == "127.0.0.1:5060"
    assert str(settings.asterisk_http) == "127.0.0.1:8088"
    assert (str(settings.agi), str(settings.ami)) == ("127.0.0.1:4573", "127.0.0.1:5038")
    assert settings.rtp_ports == PortRange(10000, 10999)
    assert settings.websocket == "ws://127.0.0.1:8088/ws"
    assert settings.trunk_allowed == ("127.0.0.1",)
    assert settings.allowed_prefixes == ("+989", "+9831")
    assert not settings.browser_phone


def test_given_an_environment_when_loaded_then_every_kind_of_setting_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "STATE_DIR": "/srv/hotline",
        "DATABASE_URL": "postgresql+psycopg://hotline@db/hotline",
        "HTTP": "0.0.0.0:80",
        "RTP_PORTS": "20000-20100",
        "TRUNK_HOST": "sip.example.ir:5061",
        "TRUNK_ALLOWED": "10.0.0.0/8, 192.0.2.7 2001:db8::/32",
        "TRUNK_CODECS": "g722,alaw",
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
    assert settings.rtp_ports == PortRange(20000, 20100)
    assert settings.trunk_host == Address("sip.example.ir", 5061)
    assert settings.trunk_allowed == ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")
    assert settings.trunk_codecs == ("g722", "alaw")
    assert settings.allowed_prefixes == ("+98913", "+9831")
    assert (settings.browser_phone, settings.desks, settings.answer_seconds) == (True, 500, 2.5)


def test_given_a_file_when_loaded_then_it_is_read_and_the_environment_wins(tmp_path: Path) -> None:
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


ADDRESS = "must be host:port, for example 127.0.0.1:8137"
RANGE = "must be first-last, for example 10000-10999"


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        *((name, "8137", ADDRESS) for name in ("HTTP", "SIP", "ASTERISK_HTTP", "AGI", "AMI", "TRUNK_HOST")),
        *(("HTTP", v, ADDRESS) for v in ("", ":80", "h:", "h:0", "h:65536", "h:-1", "h:x", "x" * 10_000)),
        *(("HTTP", f"{host}:80", ADDRESS) for host in ("a b", "a\n[evil]", "a;b", "http://a")),
        *(
            ("RTP_PORTS", v, RANGE)
            for v in ("", "10000", "1-2", "2000-1000", "2000-2000", "60000-70000", "a-b")
        ),
        ("DATABASE_URL", "mysql://db/hotline", "must begin with sqlite:/// or postgresql+psycopg://"),
        ("DATABASE_URL", "postgresql://db/hotline", "must begin with sqlite:/// or postgresql+psycopg://"),
        ("TRUNK_USER", "a b", "should match pattern"),
        ("TRUNK_USER", "a\n", "should match pattern"),
        ("TRUNK_SECRET", "a;b", "should match pattern"),
        ("TRUNK_SECRET", "a\nb", "should match pattern"),
        ("TRUNK_ALLOWED", "127.0.0.1 trunk.example", "does not appear to be an IPv4 or IPv6 network"),
        ("TRUNK_CODECS", "alaw,mp3", "must be some of alaw, g722, opus, ulaw"),
        ("TRUNK_CODECS", "", "must be some of alaw, g722, opus, ulaw"),
        ("ALLOWED_PREFIXES", "98", "must be prefixes such as +989, +9831"),
        ("ALLOWED_PREFIXES", "", "must be prefixes such as +989, +9831"),
        ("ALLOWED_PREFIXES", "+", "must be prefixes such as +989, +9831"),
        ("PUBLIC_ADDRESS", "a\nb", "should match pattern"),
        ("PUBLIC_URL", "137.example", "should match pattern"),
        ("PUBLIC_URL", "https://137.example/?a", "should match pattern"),
        ("NOTICE_WEBHOOK", "javascript:alert(1)", "should match pattern"),
        ("NOTICE_WEBHOOK", "https://a b", "should match pattern"),
        ("NOTICE_WEBHOOK", f"https://{'x' * 500}", "at most 500 characters"),
        *(
            ("NOTICE_WEBHOOK_SECRET", secret, "must be whsec_ and 24 to 64 bytes in base64")
            for secret in ("x", "whsec_", "whsec_AAAA", f"whsec_{'A' * 88}", "whsec_رمز", f"whsec_{'*' * 32}")
        ),
        ("BROWSER_PHONE", "maybe", "valid boolean"),
        ("DESKS", "0", "greater than or equal to 1"),
        ("DESKS", "501", "less than or equal to 500"),
        ("DESKS", "many", "valid integer"),
        ("RING_SECONDS", "4", "greater than or equal to 5"),
        ("RING_SECONDS", "121", "less than or equal to 120"),
        ("ANSWER_SECONDS", "0", "greater than 0"),
        ("MAX_ATTEMPTS", "0", "greater than or equal to 1"),
        ("RETRY_SECONDS", "-1", "greater than or equal to 0"),
        *(
            ("QUIET_HOURS", v, "must be from-until, for example 22:00-08:00")
            for v in (
                "",
                "22:00",
                "22-08",
                "24:00-08:00",
                "22:00-8:00",
                "22:60-08:00",
                "22:00-08:00\n",
                "x" * 999,
            )
        ),
        ("TURN_NEAR_PLACES", "0", "greater than or equal to 1"),
        ("SMS_PROVIDER", "pigeon", "'', 'console', 'kavenegar' or 'http'"),
        ("SMS_PROVIDER", "kavenegar", "needs HOTLINE_SMS_KAVENEGAR_KEY"),
        ("SMS_PROVIDER", "http", "needs HOTLINE_SMS_HTTP_URL"),
        ("SMS_SENDER", "1000\n4346", "should match pattern"),
        *(
            ("SMS_HTTP_URL", v, "should match pattern")
            for v in ("sms.example", "ftp://a/b", "http://", "http://a b")
        ),
        *(("SMS_KAVENEGAR_KEY", v, "should match pattern") for v in ("a/b", "a?b", "a\n")),
        *(
            (name, v, "must be a JSON object of texts")
            for name in ("SMS_HTTP_HEADERS", "SMS_HTTP_BODY")
            for v in ("", "{", "[]", '"a"', '{"a": 1}', '{"a": {"b": "c"}}')
        ),
    ],
)
def test_given_one_wrong_setting_when_loaded_then_it_is_named_with_what_is_right(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, right: str
) -> None:
    monkeypatch.setenv(f"HOTLINE_{name}", value)
    with pytest.raises(SettingsError) as wrong:
        load(_env_file=None)
    (line,) = str(wrong.value).splitlines()
    assert line.startswith(f"HOTLINE_{name}")
    assert right in line


def test_given_several_wrong_settings_when_loaded_then_each_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DESKS", "0")
    monkeypatch.setenv("HOTLINE_SIP", "here")
    with pytest.raises(SettingsError) as wrong:
        load(_env_file=None)
    assert {line.split("=")[0] for line in str(wrong.value).splitlines()} == {"HOTLINE_DESKS", "HOTLINE_SIP"}


def test_given_names_that_are_no_settings_when_loaded_then_each_is_named_with_the_one_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "hotline.env"
    file.write_text("HOTLINE_TRUNK_SECERT=geheim\nHOTLINE_DESKS=0\nOTHER=1\n")
    monkeypatch.setenv("HOTLINE_SUBNET", "10.0.0.0/28")
    monkeypatch.setenv("hotline_http", "127.0.0.1:81")
    monkeypatch.setenv("HOTLINE_QQQ", "1")
    with pytest.raises(SettingsError) as wrong:
        load(_env_file=file)
    desks, *unknown = str(wrong.value).splitlines()
    assert desks.startswith("HOTLINE_DESKS='0': ")
    assert unknown == [
        "HOTLINE_QQQ: no such setting",
        "HOTLINE_TRUNK_SECERT: no such setting; is HOTLINE_TRUNK_SECRET meant?",
    ]


def test_given_a_webhook_when_loaded_then_it_needs_a_secret_that_signs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOTLINE_NOTICE_WEBHOOK", "https://news.example/hook")
    with pytest.raises(SettingsError, match=r"^HOTLINE_NOTICE_WEBHOOK_SECRET=…: must be whsec_"):
        load(_env_file=None)
    monkeypatch.setenv("HOTLINE_NOTICE_WEBHOOK_SECRET", "whsec_" + "c2VjcmV0" * 4)
    assert load(_env_file=None).notice_webhook == "https://news.example/hook"


def test_given_an_address_of_the_public_pages_when_loaded_then_links_begin_with_it() -> None:
    assert load(_env_file=None).public == "http://127.0.0.1:8137"
    assert load(_env_file=None, public_url="https://137.example/").public == "https://137.example"


WSS = "wss://137.example/ws"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"TRUNK_ALLOWED": "127.0.0.0/8"},
        {"TRUNK_ALLOWED": "198.51.100.0/24 ::1"},
        {"TRUNK_ALLOWED": "10.0.0.0/8", "TRUSTED_PROXIES": "10.137.0.0/28"},
        {"TRUNK_ALLOWED": "10.137.0.1", "TRUSTED_PROXIES": "10.137.0.0/28"},
    ],
)
def test_given_a_tls_proxy_at_an_address_of_the_trunks_when_loaded_then_it_is_refused_and_says_what_is_right(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    load(_env_file=None)  # without TLS: a trial on one machine
    monkeypatch.setenv("HOTLINE_WEBSOCKET_URL", WSS)
    with pytest.raises(SettingsError, match=r"^HOTLINE_TRUNK_ALLOWED=.*must be the carrier's"):
        load(_env_file=None)
    monkeypatch.setenv("HOTLINE_TRUNK_ALLOWED", "198.51.100.0/24")
    assert load(_env_file=None).websocket == WSS


def test_given_one_port_for_sip_and_browsers_when_loaded_then_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOTLINE_SIP", "192.0.2.10:8088")
    with pytest.raises(SettingsError, match=r"HOTLINE_ASTERISK_HTTP.*another port than HOTLINE_SIP=192"):
        load(_env_file=None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUNK_SECRET", "geheim;"),
        ("DATABASE_URL", "mysql://hotline:geheim@db/hotline"),
        ("NOTICE_WEBHOOK", "ftp://news.example/?token=geheim"),
        ("NOTICE_WEBHOOK_SECRET", "geheim"),
        ("SMS_KAVENEGAR_KEY", "geheim/"),
        ("SMS_HTTP_HEADERS", '{"Authorization": ["geheim"]}'),
    ],
)
def test_given_a_wrong_setting_with_a_secret_when_named_then_the_secret_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"HOTLINE_{name}", value)
    with pytest.raises(SettingsError) as wrong:
        load(_env_file=None)
    assert f"HOTLINE_{name}" in str(wrong.value)
    assert "geheim" not in str(wrong.value)


@pytest.mark.parametrize("command", [["db", "upgrade"], ["run"]])
def test_given_a_wrong_setting_when_a_command_starts_then_it_ends_at_once_and_names_it(
    tmp_path: Path, command: list[str]
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ops.cli", *command],
        check=False,
        cwd=ROOT,
        env={**os.environ, "HOTLINE_STATE_DIR": str(tmp_path), "HOTLINE_HTTP": "nowhere"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 2
    assert "HOTLINE_HTTP='nowhere': must be host:port" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_given_settings_when_somebody_changes_one_then_it_is_refused() -> None:
    with pytest.raises(Exception, match="frozen"):
        load(_env_file=None).desks = 1


# Secrets


def secret(settings: Settings, name: str = "desk-1") -> str:
    return settings.secret_for(name)


def test_given_a_state_folder_when_accounts_ask_then_each_has_its_lasting_secret(tmp_path: Path) -> None:
    here, again, elsewhere = (load(_env_file=None, state_dir=tmp_path / name) for name in "aab")
    assert re.fullmatch("[0-9a-f]{32}", secret(here))
    assert secret(here) == secret(again)
    assert len({secret(here), secret(here, "desk-2"), secret(elsewhere)}) == 3
    (kept,) = (tmp_path / "a").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert secret(here) not in kept.read_text()


ASK = """
import sys
from settings import load
for folder in map(str.strip, sys.stdin):
    print(load(state_dir=folder).secret_for("desk-1"), flush=True)
"""


def test_given_new_state_folders_when_processes_ask_at_once_then_all_have_one_secret(tmp_path: Path) -> None:
    with ExitStack() as running:
        asking = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", ASK],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    bufsize=1,
                )
            )
            for _ in range(3)
        ]

        def ask(process: subprocess.Popen[str], folder: Path) -> str:
            assert process.stdin and process.stdout
            process.stdin.write(f"{folder}\n")
            return process.stdout.readline()

        for process in asking:
            assert len(ask(process, tmp_path / "warm")) == 33
        for folder in (tmp_path / str(n) for n in range(30)):
            told = at_once(len(asking), lambda which, at=folder: ask(asking[which], at))
            assert len(set(told)) == 1
            assert [path.name for path in folder.iterdir()] == ["secret"]


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (b"", "is empty"),
        (b"0123", "is not 64 hexadecimal digits"),
        (b"g" * 64, "is not 64 hexadecimal digits"),
        (b"a" * 32 + b" " * 32, "is not 64 hexadecimal digits"),
        (b"\0" * 64, "is not 64 hexadecimal digits"),
        (b"\xff" * 64, "is not 64 hexadecimal digits"),
    ],
)
def test_given_a_secret_that_is_broken_when_anything_starts_then_it_is_refused_with_what_to_do(
    tmp_path: Path, kept: bytes, why: str
) -> None:
    settings = load(_env_file=None, state_dir=tmp_path)
    (tmp_path / "secret").write_bytes(kept)
    for ask in (lambda: secret(settings), lambda: load(_env_file=None, state_dir=tmp_path)):
        with pytest.raises(SettingsError, match=rf"secret {why}: put it back from a backup\. Without"):
            ask()
    assert (tmp_path / "secret").read_bytes() == kept


def test_given_a_secret_from_a_backup_when_it_ends_with_a_line_break_then_it_is_the_same(
    tmp_path: Path,
) -> None:
    kept = secret(load(_env_file=None, state_dir=tmp_path))
    file = tmp_path / "secret"
    file.write_text(file.read_text() + "\n")
    assert secret(load(_env_file=None, state_dir=tmp_path)) == kept


def test_given_no_secret_when_one_is_made_then_it_and_its_folder_are_on_the_disk_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **keywords: Any) -> Any:
            where = os.readlink(f"/proc/self/fd/{args[0]}") if name == "fsync" else ""
            done.append(f"{name} folder" if Path(where).is_dir() and where else name)
            return real(*args, **keywords)

        return call

    for name in ("fsync", "link"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
    assert secret(load(_env_file=None, state_dir=tmp_path / "new"))
    assert done == ["fsync", "link", "fsync folder"]


# --- as others read them ---


def test_given_the_settings_when_written_down_then_each_is_explained_and_both_files_are_current() -> None:
    project = Path(settings_docs.__file__).parent.parent

    unexplained = [name for name, field in Settings.model_fields.items() if not field.description]
    assert unexplained == []
    assert (project / "docs" / "settings.md").read_text() == settings_docs.page()
    assert (project / "hotline.env.example").read_text() == settings_docs.example()


def test_given_the_example_when_everything_in_it_is_switched_on_then_it_is_what_holds_anyway(
    tmp_path: Path, own_environment: None
) -> None:
    filled_in = re.sub(r"^#(HOTLINE_)", r"\1", settings_docs.example(), flags=re.M)
    file = tmp_path / "hotline.env"
    file.write_text(filled_in)

    assert load(_env_file=file) == load(_env_file=None)
