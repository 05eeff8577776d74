"""A wrong setting: named at the start with what is right, and without what is secret in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from settings import SettingsError, load

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("own_environment")


ADDRESS = "must be host:port, for example 127.0.0.1:8137"
RANGE = "must be first-last, for example 10000-10999"


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        *((name, "8137", ADDRESS) for name in ("HTTP", "SIP", "ASTERISK_HTTP", "AGI", "AMI")),
        *(("HTTP", v, ADDRESS) for v in ("", ":80", "h:", "h:0", "h:65536", "h:-1", "h:x", "x" * 10_000)),
        *(("HTTP", f"{host}:80", ADDRESS) for host in ("a b", "a\n[evil]", "a;b", "http://a")),
        *(
            ("RTP_PORTS", v, RANGE)
            for v in ("", "10000", "1-2", "2000-1000", "2000-2000", "60000-70000", "a-b")
        ),
        ("DATABASE_URL", "mysql://db/hotline", "must begin with sqlite:/// or postgresql+psycopg://"),
        ("DATABASE_URL", "postgresql://db/hotline", "must begin with sqlite:/// or postgresql+psycopg://"),
        ("DATABASE_URL", "postgresql+psycopg://u:p@a:1,b:2/hotline", "must name several servers as"),
        (
            "DATABASE_URL",
            "postgresql+psycopg://u@/hotline?host=a,b&port=1",
            "must name several servers as",
        ),
        ("DATABASE_URL", "postgresql+psycopg://u@/hotline?host=a,b&port=1,x", "must name several servers as"),
        ("ALLOWED_PREFIXES", "98", "must be prefixes such as +989, +9831"),
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
        *(
            ("PICTURES_STORE", where, "should match pattern")
            for where in ("https://s3.example/city", "s3://", "s3://A_b/c", "s3://city/", "s3://city/a b")
        ),
        (
            "PICTURES_STORE",
            "s3://city/137",
            "needs HOTLINE_PICTURES_STORE_KEY and HOTLINE_PICTURES_STORE_SECRET",
        ),
        ("PICTURES_STORE_ENDPOINT", "s3.example:9000", "should match pattern"),
        ("PICTURES_STORE_SECRET", "a b", "should match pattern"),
        ("BROWSER_PHONE", "maybe", "valid boolean"),
        *(
            ("TURN_URLS", v, "must be addresses such as turn:137.city.example:3478?transport=udp")
            for v in ("137.example", "stun:137.example", "turn:a b:1", "turn:137.example?transport=sctp")
        ),
        ("TURN_SECRET", "short", "should match pattern"),
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
        *(("WORKING_DAYS", v, "must be days of mon, tue") for v in ("", "sat,someday", "saturday")),
        *(
            ("WORKING_HOURS", v, "must be from-until on one day")
            for v in ("", "14:00-08:00", "8-14", "08:00-08:00")
        ),
        ("TURN_NEAR_PLACES", "0", "greater than or equal to 1"),
        ("SMS_PROVIDER", "pigeon", "'melipayamak', 'ghasedak', 'ippanel' or 'http'"),
        ("SMS_PROVIDER", "kavenegar", "needs kavenegar.key in messages.toml"),
        ("SMS_PROVIDER", "http", "needs http.url in messages.toml"),
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
def test_wrong_setting_is_named_with_what_is_right(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, right: str
) -> None:
    monkeypatch.setenv(f"HOTLINE_{name}", value)
    with pytest.raises(SettingsError) as wrong:
        load(_env_file=None)
    (line,) = str(wrong.value).splitlines()
    assert line.startswith(f"HOTLINE_{name}")
    assert right in line


@pytest.mark.parametrize(
    ("given", "need"),
    [
        ({"RTP_PORTS": "10000-10558"}, 560),  # 200 callers, 20 outgoing calls, 60 desks
        ({"MAX_CALLS": "421"}, 1002),
        ({"DESKS": "281"}, 1002),
        ({"TRUNK_CHANNELS": "30", "RTP_PORTS": "10000-10214"}, 216),  # 28 callers at most, 20, 60
    ],
)
def test_too_few_sound_ports_are_refused_with_the_number(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], need: int
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    with pytest.raises(SettingsError, match=rf"^HOTLINE_RTP_PORTS=\d+-\d+: must be {need} ports") as wrong:
        load(_env_file=None)
    assert "\n" not in str(wrong.value)

    monkeypatch.setenv("HOTLINE_RTP_PORTS", f"10000-{10000 + need - 1}")
    assert load(_env_file=None).sound_ports_needed == need


def test_each_of_several_wrong_settings_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DESKS", "0")
    monkeypatch.setenv("HOTLINE_SIP", "here")
    with pytest.raises(SettingsError) as wrong:
        load(_env_file=None)
    assert {line.split("=")[0] for line in str(wrong.value).splitlines()} == {"HOTLINE_DESKS", "HOTLINE_SIP"}


def test_unknown_setting_is_named_with_a_suggestion(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "hotline.env"
    file.write_text("HOTLINE_METRICS_TOKNE=geheim\nHOTLINE_DESKS=0\nOTHER=1\n")
    monkeypatch.setenv("HOTLINE_SUBNET", "10.0.0.0/28")
    monkeypatch.setenv("hotline_http", "127.0.0.1:81")
    monkeypatch.setenv("HOTLINE_QQQ", "1")
    with pytest.raises(SettingsError) as wrong:
        load(_env_file=file)
    desks, *unknown = str(wrong.value).splitlines()
    assert desks.startswith("HOTLINE_DESKS='0': ")
    assert unknown == [
        "HOTLINE_METRICS_TOKNE: no such setting; is HOTLINE_METRICS_TOKEN meant?",
        "HOTLINE_QQQ: no such setting",
    ]


def test_webhook_without_a_signing_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOTLINE_NOTICE_WEBHOOK", "https://news.example/hook")
    with pytest.raises(SettingsError, match=r"^notice_webhook\.secret in messages\.toml=…: must be whsec_"):
        load(_env_file=None)
    monkeypatch.setenv("HOTLINE_NOTICE_WEBHOOK_SECRET", "whsec_" + "c2VjcmV0" * 4)
    assert load(_env_file=None).notice_webhook == "https://news.example/hook"


WSS = "wss://137.example/ws"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"SAMPLE_TRUNK": "127.0.0.1:5070 127.0.0.0/8"},
        {"SAMPLE_TRUNK": "127.0.0.1:5070 198.51.100.0/24 ::1"},
        {"SAMPLE_TRUNK": "127.0.0.1:5070 10.0.0.0/8", "TRUSTED_PROXIES": "10.137.0.0/28"},
        {"SAMPLE_TRUNK": "127.0.0.1:5070 10.137.0.1", "TRUSTED_PROXIES": "10.137.0.0/28"},
    ],
)
def test_tls_proxy_at_a_trunks_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    load(_env_file=None)  # without TLS: a trial on one machine
    monkeypatch.setenv("HOTLINE_WEBSOCKET_URL", WSS)
    with pytest.raises(SettingsError, match=r"^HOTLINE_TRUNKS: .*must be the carrier's"):
        load(_env_file=None)
    monkeypatch.setenv("HOTLINE_SAMPLE_TRUNK", "198.51.100.5:5060 198.51.100.0/24")
    assert load(_env_file=None).websocket == WSS


def test_shared_port_of_sip_and_browsers_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOTLINE_SIP", "192.0.2.10:8088")
    with pytest.raises(SettingsError, match=r"HOTLINE_ASTERISK_HTTP.*another port than HOTLINE_SIP=192"):
        load(_env_file=None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://hotline:geheim@db/hotline"),
        ("NOTICE_WEBHOOK", "ftp://news.example/?token=geheim"),
        ("NOTICE_WEBHOOK_SECRET", "geheim"),
        ("SMS_KAVENEGAR_KEY", "geheim/"),
        ("SMS_HTTP_HEADERS", '{"Authorization": ["geheim"]}'),
    ],
)
def test_secret_in_a_wrong_setting_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"HOTLINE_{name}", value)
    with pytest.raises(SettingsError) as wrong:
        load(_env_file=None)
    assert f"HOTLINE_{name}" in str(wrong.value)
    assert "geheim" not in str(wrong.value)


@pytest.mark.parametrize("command", [["db", "upgrade"], ["run"]])
def test_wrong_setting_ends_a_command_at_once(tmp_path: Path, command: list[str]) -> None:
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
