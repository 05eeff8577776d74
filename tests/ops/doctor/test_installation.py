"""hotline137 doctor: it names what is broken, where that is truly so; and what it never does."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Heartbeat, Registration
from hotline.trunk import selection
from ops.doctor import directories
from ops.doctor.command import LOOKS, run_checks
from ops.doctor.findings import Known, State, report_ok
from settings import Settings
from tests.factories import a_round, some_registrations
from tests.kit.databases import in_both
from tests.kit.oidc_provider import CLIENT, SECRET, OidcProvider
from tests.kit.process import in_time, need
from tests.kit.small_disk import full, small_disk
from tests.ops.doctor.examined import Told, running

# Well


@in_both
def test_healthy_running_system_is_ok(here: Settings, engine: Engine) -> None:
    with running(here, engine):
        told, words = Told("--json"), Told()
    assert (told.bad(), told.code, words.code) == ({}, 0, 0), told.text
    assert {"version", "clock", "database", "AMI", "ports", "trunk"} <= {
        each["name"] for each in told.findings
    }
    assert words.text.splitlines()[0].startswith("ok       settings") and str(here.state_dir) in words.text
    assert "→" not in words.text and len(words.text.splitlines()) == len(told.findings)
    with reading(engine) as session:
        assert session.get(Heartbeat, "doctor") is None, "it changes nothing"


@in_both
def test_system_that_never_ran_is_one_warning(here: Settings) -> None:
    told = Told("--json")
    assert told.bad() == {"processes": ("warning", "the system has not run yet")}
    assert told.code == 1


@in_both
def test_system_that_stopped_is_a_fault(here: Settings, engine: Engine) -> None:
    with writing(engine) as session:
        session.add(Heartbeat(process="ivr", at=now(session) - timedelta(hours=1)))
    told = Told("--json")
    assert told.bad() == {"processes": ("fault", "the system does not run: nobody can call 137")}
    assert told.code == 2


def test_examination_of_an_empty_machine_creates_nothing(
    here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(tmp_path / "new"))
    monkeypatch.delenv("HOTLINE_DATABASE_URL")
    told = Told("--json")
    assert told.code == 1
    assert told.bad()["database"] == ("warning", "it is not there yet")
    assert not (tmp_path / "new").exists()


# The state folder


def other_owner(folder: Path) -> None:
    (folder / "left-by-root").touch()
    os.chown(folder / "left-by-root", 65_534, 65_534)


@pytest.mark.parametrize(
    ("damage", "state", "said"),
    [
        (lambda folder: (folder / "secret").chmod(0o644), "fault", "others may open"),
        (lambda folder: folder.chmod(0o755), "warning", "others may open"),
        (other_owner, "fault", "not the folder's owner's: left-by-root"),
    ],
)
def test_wrong_file_permissions_are_reported_with_the_remedy(
    here: Settings, damage: Callable[[Path], None], state: str, said: str
) -> None:
    damage(here.state_dir)
    told = Told("--json")
    found = told.bad()["permissions"]
    assert found[0] == state and said in found[1]


def test_read_only_folder_is_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with small_disk(2) as folder:
        folder.chmod(0o700)
        monkeypatch.setenv("HOTLINE_STATE_DIR", str(folder))
        subprocess.run([need("mount", "mount"), "-o", "remount,ro", folder], check=True)
        told = Told("--json")
    assert told.code == 2
    assert told.bad()["permissions"] == ("fault", f"{folder} cannot be written: Read-only file system")


def test_full_disk_is_a_fault_of_folder_and_database(monkeypatch: pytest.MonkeyPatch, here: Settings) -> None:
    with small_disk(8) as folder:
        folder.chmod(0o700)
        monkeypatch.setenv("HOTLINE_STATE_DIR", str(folder))
        database = folder / "hotline.db"
        database.write_bytes(Path(here.database.partition(":///")[2]).read_bytes())
        monkeypatch.setenv("HOTLINE_DATABASE_URL", f"sqlite:///{database}")
        with full(folder):
            told = Told("--json")
    found = told.bad()
    assert told.code == 2
    assert {found[name][0] for name in ("disk", "permissions", "database")} == {"fault"}
    assert found["disk"][1].startswith("0.0 of 0.0 GB")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HOTLINE_DESKS", "0", "HOTLINE_DESKS='0'"),
        ("HOTLINE_DESKZ", "4", "HOTLINE_DESKZ: no such setting"),
        ("HOTLINE_TURN_SECRET", "a secret", "HOTLINE_TURN_SECRET=…"),
    ],
)
def test_wrong_setting_is_named_as_a_fault(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    told = Told("--json")
    assert told.code == 2 and said in told.bad()["settings"][1]
    assert "a secret" not in told.text
    assert (len(told.findings) > 5) is (name == "HOTLINE_DESKZ"), "what can be looked at is"


def test_broken_secret_is_named_and_kept(here: Settings) -> None:
    (here.state_dir / "secret").write_text("no secret")
    told = Told("--json")
    assert told.code == 2 and "not 64 hexadecimal digits" in told.bad()["settings"][1]
    assert (here.state_dir / "secret").read_text() == "no secret" and "no secret" not in told.text


# What it never does


def test_check_that_hangs_or_fails_does_not_delay_the_others(
    here: Settings,
) -> None:
    over = threading.Event()

    def hangs(_known: Known) -> Any:
        over.wait(60)
        return iter(())

    def breaks(_known: Known) -> Any:
        raise RuntimeError("with a +989131110001 in it")

    began = time.monotonic()
    looks = {
        "hangs": hangs,
        "also": hangs,
        "breaks": breaks,
        "well": lambda _known: iter([report_ok("well", "it is")]),
    }
    found = run_checks(Known(here), looks, late_s=0.3)
    over.set()
    assert in_time(time.monotonic() - began, 0.6)
    assert [(each.name, each.state) for each in found] == [
        ("hangs", State.WARNING),
        ("also", State.WARNING),
        ("breaks", State.WARNING),
        ("well", State.OK),
    ]
    assert "+98" not in str(found)


def test_each_faulty_trunk_is_reported_without_its_secret(
    here: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = (
        "[{0}]\nprofile = 'registration'\nhost = '192.0.2.{1}:5060'\nuser = 'u'\nsecret = 'a-secret-word'\n"
    )
    path = tmp_path / "trunks.toml"
    path.write_text("".join(table.format(name, n) for n, name in enumerate(("first", "second", "third"))))
    path.chmod(0o644)
    monkeypatch.setenv("HOTLINE_TRUNKS", str(path))
    monkeypatch.setenv("HOTLINE_TRUNK_HOST", "192.0.2.9:5060")
    with writing(engine) as session:
        selection.record_failure(session, "first", "callback-1", 0)
        selection.record_registration(session, "second", yes=False)
        selection.record_options(session, "third", yes=True)
    leaky = {
        "leaky": lambda known: iter([report_ok("leaky", known.settings.trunks[0].secret.get_secret_value())])
    }
    monkeypatch.setattr("ops.doctor.command.LOOKS", LOOKS | leaky)
    with running(here, engine):
        told = Told("--json")
    found = told.bad()
    assert found["old name"] == ("warning", f"HOTLINE_TRUNK_HOST: not looked at, {path} names the trunks")
    assert found["trunk first"][0] == "warning" and "calls go by the others" in found["trunk first"][1]
    assert found["trunk second"][0] == "fault" and "registration" in found["trunk second"][1]
    assert "trunk third" not in found and "192.0.2.2:5060 answers" in told.text
    assert found["permissions"] == ("warning", f"anybody may read {path} (644)")
    assert "a-secret-word" not in told.text and '"leaky"' in told.text


def test_report_contains_no_secret_and_no_citizen(
    here: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        some_registrations(session, a_round(session), 20)
    secrets = {
        "HOTLINE_METRICS_TOKEN": "a-token-of-metrics",
        "HOTLINE_TRUNK_SECRET": "a-secret-of-the-trunk",
        "HOTLINE_SMS_HTTP_HEADERS": '{"Authorization": "Bearer a-\\"header"}',
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    leaky = {
        "leaky": lambda known: iter([report_ok("leaky", f'{known.settings.trunk_secret} Bearer a-"header')])
    }
    monkeypatch.setattr("ops.doctor.command.LOOKS", LOOKS | leaky)
    said = Told("--json").text + Told().text
    assert "leaky" in said and "… …" in said
    with reading(engine) as session:
        numbers = [number[3:] for number in session.scalars(select(Registration.number))]
    told = [
        "a-token-of-metrics",
        "a-secret-of-the-trunk",
        "akeyofkavenegar",
        "Bearer a-header",
        "5" * 64,
        *numbers,
    ]
    assert not [each for each in told if each in said]


def test_faulty_oidc_provider_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with OidcProvider() as provider:
        for name, value in (("CLIENT_ID", CLIENT), ("CLIENT_SECRET", SECRET), ("ISSUER", provider.issuer)):
            monkeypatch.setenv(f"HOTLINE_OIDC_{name}", value)
        monkeypatch.setenv("HOTLINE_PUBLIC_URL", "http://137.city.example")
        assert "city's sign-in" not in Told("--json").bad()
        assert f"{provider.issuer} answers as itself" in Told().text
        monkeypatch.setattr(directories, "_HERE", ())
        assert Told("--json").bad()["city's sign-in"][0] == "warning"
        monkeypatch.setenv("HOTLINE_OIDC_ISSUER", f"{provider.issuer}/")
        assert "not the issuer" in Told("--json").bad()["city's sign-in"][1]
    assert Told("--json").bad()["city's sign-in"][0] == "fault"
