"""hotline137 doctor, of certificates, text messages and backups."""

import socket
import ssl
import tarfile
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyrage.x25519 import Identity
from sqlalchemy import Engine

from db.engine import writing
from db.models import SmsAccount
from hotline import backups
from hotline.backups import Status
from ops import run
from ops.backup import take
from ops.backup.contents import SECRET
from settings import Settings, load
from settings.addresses import Address
from tests.ops.doctor.examined import NOW, Told


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
def test_certificate_is_reported_with_its_days_or_its_fault(
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
    monkeypatch.setenv("HOTLINE_PUBLIC_URL", f"https://{here.trunks[0].host}")
    with closing(socket.create_server(here.trunks[0].host)) as server:
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
def test_asterisks_certificate_is_reported_with_days_or_fault(
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


def test_renewed_certificate_that_asterisk_has_not_is_a_fault(
    here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chain, key = certificate(tmp_path, 60)
    monkeypatch.setenv("HOTLINE_SIP_TLS_CERTIFICATE", str(chain))
    monkeypatch.setenv("HOTLINE_SIP_TLS_KEY", str(key))
    copy = here.state_dir / "asterisk" / "etc" / "sip-tls.crt"
    copy.parent.mkdir(parents=True, exist_ok=True)

    for copied, is_bad in ((chain.read_text(), False), ("the one before", True)):
        copy.write_text(copied)
        assert ("SIP certificate" in Told("--json").bad()) == is_bad
    assert "systemctl reload hotline137-prepare" in str(Told("--json").findings)


def test_start_names_a_key_of_another_certificate(
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


def test_unreachable_public_address_is_reported(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def build(_: Settings) -> None:
        raise ZeroDivisionError("far enough")

    monkeypatch.setattr(run, "build", build)
    for host, public, said in (
        ("127.0.0.1", "", False),
        ("0.0.0.0", "http://192.0.2.1", False),
        ("0.0.0.0", "", True),
        ("[::]", "", True),
    ):
        settings = here.model_copy(update={"http": Address(host, 8137), "public_url": public})
        with pytest.raises(ZeroDivisionError):
            run.prepare(settings)
        assert (f"links in messages lead to http://{host}:8137" in capfd.readouterr().out) == said
    monkeypatch.setenv("HOTLINE_PUBLIC_URL", "")
    monkeypatch.setenv("HOTLINE_HTTP", f"0.0.0.0:{here.http.port}")
    assert "HOTLINE_PUBLIC_URL is not set" in Told("--json").bad()["links"][1]


def test_silent_proxy_is_a_warning(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_PUBLIC_URL", f"https://{here.trunks[0].host}")
    assert Told("--json").bad()["certificate"][0] == "warning"


@pytest.mark.parametrize(
    ("account", "state", "said"),
    [
        ({"credit": 0.5}, "warning", "0.5 left"),
        ({"error": "418: the key"}, "fault", "418: the key"),
    ],
)
def test_failing_sms_account_names_its_provider(
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
def test_old_or_failed_backup_is_reported(
    here: Settings, hours: int, why: str | None, state: str, said: str
) -> None:
    good = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    backups.write(here, Status(at=NOW, ok=why is None, error=why, good_at=good, good_path="/b"))
    found = Told("--json").bad()["backup"]
    assert found[0] == state and said in found[1]


def test_note_of_a_backup_that_went_well_is_a_warning(here: Settings) -> None:
    lacks = "a recording could not be read"
    backups.write(here, Status(NOW, True, "/b", good_at=NOW, good_path="/b", notes=[lacks]))
    assert Told("--json").bad()["backup"] == ("warning", lacks)


def test_backups_without_a_recipient_are_a_fault(
    here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOTLINE_BACKUP_DIR", str(tmp_path))
    (finding,) = [each for each in Told("--json").findings if each["name"] == "backup" and each["do"]]
    assert finding["state"] == "fault" and "not encrypted" in finding["said"]
    assert finding["do"].startswith("HOTLINE_BACKUP_RECIPIENT=age1")
    monkeypatch.setenv("HOTLINE_BACKUP_RECIPIENT", str(Identity.generate().to_public()))
    assert "backup" not in Told("--json").bad()


@pytest.mark.parametrize("by_hand", [False, True])
def test_plain_backup_left_on_a_disk_is_a_fault(
    here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by_hand: bool
) -> None:
    folder, stick = tmp_path / "night", tmp_path / "stick"
    folder.mkdir()
    stick.mkdir()
    monkeypatch.setenv("HOTLINE_BACKUP_DIR", str(folder))
    monkeypatch.setenv("HOTLINE_BACKUP_RECIPIENT", str(Identity.generate().to_public()))
    made = take.take(here, stick if by_hand else folder, "")
    assert made
    (folder / "hotline137-20261129T030000Z.tar.age").touch()
    state, said = Told("--json").bad()["backup"]
    assert state == "fault" and f"1 not encrypted, the newest {made.path}" in said
    made.path.unlink()
    assert "fault" not in {each["state"] for each in Told("--json").findings if each["name"] == "backup"}


def test_plain_backup_holds_the_secret_and_the_settings(here: Settings, tmp_path: Path) -> None:
    made = take.take(load(), tmp_path, "")
    assert made
    with tarfile.open(made.path) as tar:
        names = (SECRET, "settings/environment.env", "settings/messages.toml")
        secret, environment, messages = (tar.extractfile(name) for name in names)
        assert secret and secret.read() == b"5" * 64
        assert environment and b"HOTLINE_MESSAGES=" in environment.read()
        assert messages and b'key = "akeyofkavenegar"' in messages.read()
