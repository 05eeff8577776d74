"""hotline137 doctor, of what calls need."""

import pytest
from sqlalchemy import Engine

from db.engine import now, writing
from db.models import Heartbeat
from hotline import heartbeats
from hotline.trunk import circuit_breaker
from settings import Settings
from tests.factories import SECOND
from tests.kit.trunk_file import write_trunk
from tests.ops.doctor.examined import REFUSED, Told, answering, running


def test_silent_process_alone_is_a_fault(here: Settings, engine: Engine) -> None:
    with running(here, engine):
        with writing(engine) as session:
            session.get_one(Heartbeat, "ivr").at = now(session) - 700 * SECOND
        told = Told("--json")
    assert told.bad() == {"ivr": ("fault", "has not said lately that it works")}


@pytest.mark.parametrize(("manager", "said"), [(REFUSED, "does not let the dialer in"), (None, "no answer")])
def test_asterisk_that_hangs_or_refuses_is_an_ami_fault(
    here: Settings, engine: Engine, manager: bytes | None, said: str
) -> None:
    with running(here, engine, manager):
        told = Told("--json")
    assert told.bad()["AMI"][0] == "fault" and said in told.bad()["AMI"][1]


def test_port_held_by_another_program_is_named_before_the_start(
    here: Settings,
) -> None:
    with answering(here.agi, b""):
        found = Told("--json").bad()["ports"]
    assert found == ("fault", f"HOTLINE_AGI={here.agi}: another program has it")


def test_port_without_a_listener_is_named_while_running(here: Settings, engine: Engine) -> None:
    with writing(engine) as session:
        heartbeats.beat(session, "dialer")
        session.get_one(Heartbeat, "dialer").fresh_s = 600
    found = Told("--json").bad()
    assert found["ports"] == ("fault", f"HOTLINE_HTTP={here.http}: nobody listens")
    assert found["AMI"][0] == "fault"


def test_trunk_that_takes_no_calls_is_a_fault(here: Settings, engine: Engine) -> None:
    with writing(engine) as session:
        for call in range(circuit_breaker.FAILURES):
            circuit_breaker.record_failure(session, circuit_breaker.TRUNK, f"callback-{call}")
    with running(here, engine):
        found = Told("--json").bad()["trunk"]
    assert found[0] == "fault" and "takes no calls since" in found[1]


@pytest.mark.parametrize(
    ("setting", "value", "name", "said"),
    [
        ("HOTLINE_BROWSER_PHONE", "1", "trial", "/phone lets anybody call"),
        ("HOTLINE_MESSAGES", "", "text messages", "citizens get none"),
        ("HOTLINE_BACKUP_DIR", "/nowhere/at/all", "backup", "/nowhere/at/all is not there"),
    ],
)
def test_settings_unfit_for_a_city_are_reported(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, name: str, said: str
) -> None:
    monkeypatch.setenv(setting, value)
    assert said in Told("--json").bad()[name][1]


def test_sample_trunk_is_reported_as_unfit(here: Settings) -> None:
    (here.state_dir / "city" / "trunks.toml").unlink()
    assert Told("--json").bad()["trunk"] == ("warning", "127.0.0.1:5070 is the sample's")


@pytest.mark.parametrize(
    ("setting", "value", "outside"),
    [
        ("HOTLINE_PUBLIC_URL", "http://127.0.0.1:8137", ""),
        ("HOTLINE_PUBLIC_URL", "http://localhost:8137", ""),
        ("HOTLINE_PUBLIC_ADDRESS", "192.168.1.7", ""),
        ("HOTLINE_PUBLIC_URL", "https://137.city.example", "137.city.example"),
        ("HOTLINE_WEBSOCKET_URL", "wss://phones.city.example/ws", "phones.city.example"),
        ("HOTLINE_PUBLIC_ADDRESS", "8.8.8.8", "8.8.8.8"),
        ("HOTLINE_PUBLIC_URL", "http://[2001:4860:4860::8888]", "2001:4860:4860::8888"),
    ],
)
def test_trial_phone_where_strangers_reach_it_is_a_fault(
    here: Settings, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, outside: str
) -> None:
    monkeypatch.setenv("HOTLINE_BROWSER_PHONE", "1")
    write_trunk(here.state_dir, host="198.51.100.5:5060")  # with wss:// 127.0.0.1 is refused
    monkeypatch.setenv(setting, value)
    state, said = Told("--json").bad()["trial"]
    assert state == ("fault" if outside else "warning")
    assert not outside or f"at {outside} strangers" in said


@pytest.mark.parametrize(
    ("listens", "own", "state"),
    [
        ("0.0.0.0", "8.8.8.8", "fault"),
        ("0.0.0.0", "192.168.1.7", "warning"),
        ("127.0.0.1", "8.8.8.8", "warning"),
    ],
)
def test_trial_phone_on_a_public_machine_is_a_fault(
    here: Settings, monkeypatch: pytest.MonkeyPatch, listens: str, own: str, state: str
) -> None:
    monkeypatch.setattr("ops.doctor.telephone._own_address", lambda: own)
    monkeypatch.setenv("HOTLINE_BROWSER_PHONE", "1")
    monkeypatch.setenv("HOTLINE_HTTP", f"{listens}:{here.http.port}")
    assert Told("--json").bad()["trial"][0] == state


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", False),
        ("ws://127.0.0.1:8088/ws", False),
        ("wss://137.city.example/ws", False),
        ("ws://192.0.2.7:8088/ws", True),
    ],
)
def test_websocket_without_a_proxy_is_a_warning(
    here: Settings, monkeypatch: pytest.MonkeyPatch, url: str, found: bool
) -> None:
    write_trunk(here.state_dir, host="198.51.100.5:5060")  # with wss:// 127.0.0.1 is refused
    monkeypatch.setenv("HOTLINE_WEBSOCKET_URL", url)
    found_by_name = Told("--json").bad()
    assert "settings" not in found_by_name
    assert ("websocket" in found_by_name) is found
