"""hotline137 doctor: it names what is broken, on a machine on which that is truly so."""

import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine, select, text
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from db.engine import now, reading, writing
from db.models import Event, Heartbeat, Registration, SmsAccount
from hotline import backups, heartbeats
from hotline.backups import Status
from hotline.callbacks import breaker, trunk_states
from ops import run
from ops.cli import app
from ops.doctor import directories, stored
from ops.doctor.command import LOOKS, looked
from ops.doctor.findings import Known, State, ok
from settings import Settings
from tests.factories import SECOND, a_round, some_registrations
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.oidc_provider import CLIENT, SECRET, OidcProvider
from tests.kit.postgres import Postgres
from tests.kit.process import in_time, need
from tests.kit.small_disk import full, small_disk

NOW = datetime.now(UTC).isoformat()
PASSWORD = "a-password-of-the-database"


class Told:
    """What the doctor said: the worst by name, everything, and how it ended."""

    def __init__(self, *words: str) -> None:
        result = CliRunner().invoke(app, ["doctor", *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        self.code, self.text = result.exit_code, result.output
        self.findings: list[dict[str, str]] = (
            json.loads(result.output)["findings"] if "--json" in words else []
        )

    def bad(self) -> dict[str, tuple[str, str]]:
        found = {}
        for each in self.findings:
            if each["state"] != "ok":
                assert each["do"], each
                found.setdefault(each["name"], (each["state"], each["said"]))
        return found


@pytest.fixture(autouse=True)
def here(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """An installation that lacks nothing, and does not run. No prompts are looked at."""
    settings.state_dir.mkdir(mode=0o700)
    (settings.state_dir / "secret").write_text("5" * 64)
    (settings.state_dir / "secret").chmod(0o600)
    backups.write(settings, Status(at=NOW, ok=True, path="/b", good_at=NOW, good_path="/b"))
    clock = tmp_path / "bin" / "timedatectl"
    clock.parent.mkdir()
    clock.write_text("#!/bin/sh\necho yes\n")
    clock.chmod(0o755)
    environment = {
        "HOTLINE_STATE_DIR": settings.state_dir,
        "HOTLINE_DATABASE_URL": settings.database,
        "HOTLINE_SMS_PROVIDER": "kavenegar",
        "HOTLINE_SMS_KAVENEGAR_KEY": "akeyofkavenegar",
        "PATH": f"{clock.parent}:{os.environ['PATH']}",
        **{
            f"HOTLINE_{name.upper()}": getattr(settings, name)
            for name in ("http", "sip", "asterisk_http", "agi", "ami", "trunk_host")
        },
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)  # where no hotline.env is
    monkeypatch.delitem(LOOKS, "prompts")
    with writing(engine) as session:
        session.add(SmsAccount(provider="kavenegar", credit=5000.0, asked_at=now(session)))
        trunk_states.worked(session, "trunk")
    return settings


@contextmanager
def answering(address: tuple[str, int], said: bytes | None) -> Iterator[None]:
    """Whoever connects there hears this; None: nothing, for ever."""
    with closing(socket.create_server(address)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                held.append(client)
                if said is not None:
                    with suppress(OSError):
                        client.sendall(said)
                        client.shutdown(socket.SHUT_WR)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for client in held:
                client.close()


SUCCESS = b"Asterisk Call Manager/9.0\r\nResponse: Success\r\n\r\n"
REFUSED = b"Asterisk Call Manager/9.0\r\nResponse: Error\r\nMessage: Authentication failed\r\n\r\n"


@contextmanager
def running(settings: Settings, engine: Engine, manager: bytes | None = SUCCESS) -> Iterator[None]:
    """Everybody beats, and each port has a listener."""
    with writing(engine) as session:
        for process in ("ivr", "dialer", "clerk", "asterisk"):
            heartbeats.beat(session, process)
            session.get_one(Heartbeat, process).fresh_s = 600  # however slow this machine is
    with ExitStack() as stack:
        for address, said in (
            (settings.http, b"HTTP/1.1 204 No Content\r\n\r\n"),
            (settings.agi, b""),
            (settings.asterisk_http, b""),
            (settings.ami, manager),
        ):
            stack.enter_context(answering(address, said))
        sip = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
        sip.bind(settings.sip)
        yield


# Well


@in_both
def test_given_a_system_that_runs_and_lacks_nothing_when_examined_then_all_is_ok(
    here: Settings, engine: Engine
) -> None:
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
def test_given_a_system_that_does_not_run_when_examined_then_that_is_one_warning(here: Settings) -> None:
    told = Told("--json")
    assert told.bad() == {"processes": ("warning", "the system does not run")}
    assert told.code == 1


def test_given_an_empty_machine_when_examined_then_nothing_is_made(
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
def test_given_a_state_folder_with_wrong_rights_when_examined_then_it_says_which_and_how_to_mend_it(
    here: Settings, damage: Callable[[Path], None], state: str, said: str
) -> None:
    damage(here.state_dir)
    told = Told("--json")
    found = told.bad()["permissions"]
    assert found[0] == state and said in found[1]


def test_given_a_folder_that_is_mounted_read_only_when_examined_then_it_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with small_disk(2) as folder:
        folder.chmod(0o700)
        monkeypatch.setenv("HOTLINE_STATE_DIR", str(folder))
        subprocess.run([need("mount", "mount"), "-o", "remount,ro", folder], check=True)
        told = Told("--json")
    assert told.code == 2
    assert told.bad()["permissions"] == ("fault", f"{folder} cannot be written: Read-only file system")


def test_given_a_disk_without_one_byte_when_examined_then_it_is_full_for_folder_and_database(
    monkeypatch: pytest.MonkeyPatch, here: Settings
) -> None:
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
        ("HOTLINE_TRUNK_SECRET", "a;secret", "HOTLINE_TRUNK_SECRET=…"),
    ],
)
def test_given_a_wrong_setting_when_examined_then_it_is_named_and_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    told = Told("--json")
    assert told.code == 2 and said in told.bad()["settings"][1]
    assert "a;secret" not in told.text
    assert (len(told.findings) > 5) is (name == "HOTLINE_DESKZ"), "what can be looked at is"


def test_given_a_secret_that_is_broken_when_examined_then_it_is_named_and_kept(here: Settings) -> None:
    (here.state_dir / "secret").write_text("no secret")
    told = Told("--json")
    assert told.code == 2 and "not 64 hexadecimal digits" in told.bad()["settings"][1]
    assert (here.state_dir / "secret").read_text() == "no secret" and "no secret" not in told.text


# The database


@in_both
def test_given_tables_of_another_version_when_examined_then_it_says_how_to_get_them(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    told = Told("--json")
    assert told.code == 2 and "tables are of another version" in told.bad()["database"][1]


@in_both
def test_given_a_database_that_takes_nothing_when_examined_then_that_is_a_fault(engine: Engine) -> None:
    refuses = {
        "sqlite": "CREATE TRIGGER no_more BEFORE INSERT ON heartbeats BEGIN SELECT RAISE(FAIL, 'full'); END",
        "postgresql": "ALTER TABLE heartbeats ADD CONSTRAINT no_more CHECK (process <> 'doctor')",
    }
    with writing(engine) as session:
        session.execute(text(refuses[engine.dialect.name]))
    assert "takes nothing" in Told("--json").bad()["database"][1]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_given_a_postgresql_that_is_stopped_when_examined_then_it_says_so_in_seconds(
    engine: Engine, postgres: Postgres
) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
    postgres.kill()
    try:
        began = time.monotonic()
        told = Told("--json")
        assert in_time(time.monotonic() - began, 12)
    finally:
        postgres.start()
    assert told.code == 2 and told.bad()["database"][0] == "fault"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("asked_before", [True, False])
def test_given_a_postgresql_without_a_connection_left_when_examined_then_it_says_just_that(
    engine: Engine, here: Settings, monkeypatch: pytest.MonkeyPatch, asked_before: bool
) -> None:
    admin, name = here.database.replace("+psycopg", "").rpartition("/")[::2]
    role = f"few_{name}"
    with psycopg.connect(f"{admin}/{name}", autocommit=True) as owner:
        owner.execute(f'CREATE ROLE "{role}" LOGIN CONNECTION LIMIT {int(asked_before)}'.encode())
        owner.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}"'.encode())
        try:
            theirs = make_url(here.database).set(username=role).render_as_string(hide_password=False)
            monkeypatch.setenv("HOTLINE_DATABASE_URL", theirs)
            bad = Told("--json").bad()
        finally:
            owner.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", (role,)
            )
            owner.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"'.encode())
    said = {where for where, (state, what) in bad.items() if "too many connections" in what}
    assert said and (asked_before or "database" in said)
    assert not any("could not be looked at" in what for _, what in bad.values())


def test_given_a_server_that_takes_the_connection_and_says_nothing_when_examined_then_it_does_not_hang(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_DATABASE_URL", f"postgresql+psycopg://u:{PASSWORD}@{here.trunk_host}/x")
    with answering(here.trunk_host, None):
        began = time.monotonic()
        told = Told("--json")
        assert in_time(time.monotonic() - began, 12)
    assert told.code == 2 and told.bad()["database"][0] == "fault"
    assert PASSWORD not in told.text


def test_given_a_clock_that_was_set_back_when_examined_then_it_is_told(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(Event(at=now(session) + 90 * SECOND, kind="round", what="made"))
    found = Told("--json").bad()["clock"]
    assert found[0] == "fault" and "it was set back" in found[1]


@pytest.mark.parametrize(("seconds", "state"), [(5, "warning"), (60, "fault"), (-60, "fault")])
def test_given_a_database_with_another_clock_when_examined_then_it_says_by_how_much(
    monkeypatch: pytest.MonkeyPatch, seconds: int, state: str
) -> None:
    monkeypatch.setattr(stored, "now", lambda session: now(session) + seconds * SECOND)
    found = Told("--json").bad()["clock"]
    assert found[0] == state and "from the database's" in found[1]


# The telephone


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


# Certificates, text messages, backups


def certificate(folder: Path, days: float) -> tuple[Path, Path]:
    """One for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(at - timedelta(days=90))
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return chain, private


@pytest.mark.parametrize(
    ("days", "trusted", "state", "said"),
    [
        (60, True, "ok", "59 days left"),
        (12, True, "warning", "11 days left"),
        (2, True, "fault", "1 days left"),
        (-1, True, "fault", "certificate has expired"),
        (60, False, "fault", "self-signed certificate"),
    ],
)
def test_given_a_certificate_when_examined_then_it_says_how_long_it_lasts_or_what_is_wrong(
    here: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    days: int,
    trusted: bool,
    state: str,
    said: str,
) -> None:
    chain, key = certificate(tmp_path, days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    monkeypatch.setenv("HOTLINE_PUBLIC_URL", f"https://{here.trunk_host}")
    with closing(socket.create_server(here.trunk_host)) as server:
        threading.Thread(target=_shake_hands, args=(server, context), daemon=True).start()
        told = Told("--json")
    found = [each for each in told.findings if each["name"] == "certificate"]
    assert [each["state"] for each in found] == [state] and said in found[0]["said"]


def _shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    client, _ = server.accept()
    try:
        context.wrap_socket(client, server_side=True).close()
    except OSError:
        client.close()


@pytest.mark.parametrize(
    ("days", "damage", "state", "said"),
    [
        (60, "", "ok", "59 days left"),
        (12, "", "warning", "11 days left"),
        (-1, "", "fault", "it has expired"),
        (60, "another key", "fault", "does not belong to"),
        (60, "no key", "fault", "cannot be read as PEM"),
        (60, "no certificate", "fault", "cannot be read as PEM"),
    ],
)
def test_given_asterisks_own_certificate_when_examined_then_it_says_how_long_it_lasts_and_what_is_wrong(
    here: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    days: int,
    damage: str,
    state: str,
    said: str,
) -> None:
    (tmp_path / "other").mkdir()
    chain, key = certificate(tmp_path, days)
    if damage == "another key":
        _, key = certificate(tmp_path / "other", days)
    elif damage:
        (key if damage == "no key" else chain).write_text("-----BEGIN NOTHING-----\n")
    monkeypatch.setenv("HOTLINE_SIP_TLS_CERTIFICATE", str(chain))
    monkeypatch.setenv("HOTLINE_SIP_TLS_KEY", str(key))
    told = Told("--json")
    found, *_ = [each for each in told.findings if each["name"] == "SIP certificate"]
    assert found["state"] == state and said in found["said"], found


def test_given_a_key_that_belongs_to_another_certificate_when_all_is_started_then_the_start_names_it(
    here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    class _FarEnough(Exception):
        pass

    def build(_: Settings) -> None:
        raise _FarEnough

    monkeypatch.setattr(run, "build", build)
    (tmp_path / "other").mkdir()
    chain, key = certificate(tmp_path, 60)
    for ours, said in ((key, False), (certificate(tmp_path / "other", 60)[1], True)):
        settings = here.model_copy(update={"sip_tls_certificate": chain, "sip_tls_key": ours})
        with pytest.raises(_FarEnough):
            run.prepare(settings)
        assert (f"HOTLINE_SIP_TLS_KEY={ours} does not belong to {chain}" in capfd.readouterr().out) == said


def test_given_a_proxy_that_does_not_answer_when_examined_then_that_is_a_warning(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_PUBLIC_URL", f"https://{here.trunk_host}")
    assert Told("--json").bad()["certificate"][0] == "warning"


@pytest.mark.parametrize(
    ("account", "state", "said"),
    [
        ({"credit": 0.5}, "warning", "0.5 left"),
        ({"error": "418: the key"}, "fault", "418: the key"),
    ],
)
def test_given_an_account_of_text_messages_when_it_fails_then_the_provider_is_named(
    engine: Engine, account: dict[str, Any], state: str, said: str
) -> None:
    with writing(engine) as session:
        for name, value in account.items():
            setattr(session.get_one(SmsAccount, "kavenegar"), name, value)
    assert Told("--json").bad()["text messages"] == (state, f"kavenegar: {said}")


@pytest.mark.parametrize(
    ("hours", "why", "state", "said"),
    [
        (40, None, "warning", "40 hours old"),
        (300, None, "fault", "300 hours old"),
        (-72, None, "warning", "of a time to come"),
        (1, "no room on the disk", "warning", "the last try failed: no room on the disk"),
    ],
)
def test_given_a_backup_when_it_is_old_or_failed_then_it_is_told(
    here: Settings, hours: int, why: str | None, state: str, said: str
) -> None:
    good = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    backups.write(here, Status(at=NOW, ok=why is None, error=why, good_at=good, good_path="/b"))
    found = Told("--json").bad()["backup"]
    assert found[0] == state and said in found[1]


# What it never does


def test_given_a_look_that_hangs_and_one_that_breaks_when_taken_then_the_others_are_told_in_time(
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
        "well": lambda _known: iter([ok("well", "it is")]),
    }
    found = looked(Known(here), looks, late_s=0.3)
    over.set()
    assert in_time(time.monotonic() - began, 0.6)
    assert [(each.name, each.state) for each in found] == [
        ("hangs", State.WARNING),
        ("also", State.WARNING),
        ("breaks", State.WARNING),
        ("well", State.OK),
    ]
    assert "+98" not in str(found)


def test_given_several_trunks_when_examined_then_each_that_is_not_well_is_told_and_no_secret(
    here: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = (
        "[{0}]\nprofile = 'registration'\nhost = '192.0.2.{1}:5060'\nuser = 'u'\nsecret = 'a-secret-word'\n"
    )
    path = tmp_path / "trunks.toml"
    path.write_text("".join(table.format(name, n) for n, name in enumerate(("first", "second", "third"))))
    path.chmod(0o644)
    monkeypatch.setenv("HOTLINE_TRUNKS", str(path))
    with writing(engine) as session:
        trunk_states.failed(session, "first", "callback-1", 0)
        trunk_states.registered(session, "second", yes=False)
        trunk_states.answers(session, "third", yes=True)
    leaky = {"leaky": lambda known: iter([ok("leaky", known.settings.trunks[0].secret.get_secret_value())])}
    monkeypatch.setattr("ops.doctor.command.LOOKS", LOOKS | leaky)
    with running(here, engine):
        told = Told("--json")
    found = told.bad()
    assert found["settings"][0] == "warning" and "HOTLINE_TRUNK_HOST: not looked at" in found["settings"][1]
    assert found["trunk first"][0] == "warning" and "calls go by the others" in found["trunk first"][1]
    assert found["trunk second"][0] == "fault" and "registration" in found["trunk second"][1]
    assert "trunk third" not in found and "192.0.2.2:5060 answers" in told.text
    assert found["permissions"] == ("warning", f"anybody may read {path} (644)")
    assert "a-secret-word" not in told.text and '"leaky"' in told.text


def test_given_secrets_and_citizens_when_examined_then_none_of_them_is_told(
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
    leaky = {"leaky": lambda known: iter([ok("leaky", f'{known.settings.trunk_secret} Bearer a-"header')])}
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


def test_given_the_city_s_sign_in_when_it_is_away_or_another_or_in_the_open_then_it_is_told(
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
