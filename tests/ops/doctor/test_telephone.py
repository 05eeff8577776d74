"""hotline137 doctor, of what calls need."""

import pytest
from sqlalchemy import Engine

from db.engine import now, writing
from db.models import Heartbeat
from hotline import heartbeats
from hotline.callbacks import breaker
from settings import Settings
from tests.factories import SECOND
from tests.ops.doctor.examined import REFUSED, Told, answering, running


def test_given_one_silent_process_when_examined_then_it_alone_is_a_fault(
    here: Settings, engine: Engine
) -> None:
    with running(here, engine):
        with writing(engine) as session:
            session.get_one(Heartbeat, "ivr").at = now(session) - 700 * SECOND
        told = Told("--json")
    assert told.bad() == {"ivr": ("fault", "has not said lately that it works")}


@pytest.mark.parametrize(("manager", "said"), [(REFUSED, "does not let the dialer in"), (None, "no answer")])
def test_given_an_asterisk_of_another_secret_or_one_that_hangs_when_examined_then_ami_is_a_fault(
    here: Settings, engine: Engine, manager: bytes | None, said: str
) -> None:
    with running(here, engine, manager):
        told = Told("--json")
    assert told.bad()["AMI"][0] == "fault" and said in told.bad()["AMI"][1]


def test_given_another_program_on_a_port_when_examined_before_the_start_then_it_is_named(
    here: Settings,
) -> None:
    with answering(here.agi, b""):
        found = Told("--json").bad()["ports"]
    assert found == ("fault", f"HOTLINE_AGI={here.agi}: another program has it")


def test_given_a_port_without_a_listener_when_examined_while_it_runs_then_it_is_named(
    here: Settings, engine: Engine
) -> None:
    with writing(engine) as session:
        heartbeats.beat(session, "dialer")
        session.get_one(Heartbeat, "dialer").fresh_s = 600
    found = Told("--json").bad()
    assert found["ports"] == ("fault", f"HOTLINE_HTTP={here.http}: nobody listens")
    assert found["AMI"][0] == "fault"


def test_given_a_trunk_that_takes_no_calls_when_examined_then_it_is_a_fault(
    here: Settings, engine: Engine
) -> None:
    with writing(engine) as session:
        for call in range(breaker.FAILURES):
            breaker.failed(session, breaker.TRUNK, f"callback-{call}")
    with running(here, engine):
        found = Told("--json").bad()["trunk"]
    assert found[0] == "fault" and "takes no calls since" in found[1]


@pytest.mark.parametrize(
    ("setting", "value", "name", "said"),
    [
        ("HOTLINE_BROWSER_PHONE", "1", "trial", "/phone lets anybody call"),
        ("HOTLINE_TRUNK_HOST", "127.0.0.1:5070", "trunk", "is the sample's"),
        ("HOTLINE_SMS_PROVIDER", "", "text messages", "citizens get none"),
        ("HOTLINE_BACKUP_DIR", "/nowhere/at/all", "backup", "/nowhere/at/all is not there"),
    ],
)
def test_given_settings_that_are_no_city_s_when_examined_then_it_is_told(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, name: str, said: str
) -> None:
    monkeypatch.setenv(setting, value)
    assert said in Told("--json").bad()[name][1]


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
    monkeypatch.setenv("HOTLINE_WEBSOCKET_URL", url)
    assert ("websocket" in Told("--json").bad()) is found
