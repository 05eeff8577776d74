"""ops/postgresql/certificates.sh: a city's own CA, and a certificate for each machine."""

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "ops" / "postgresql" / "certificates.sh"


def made(folder: Path, *machines: str) -> subprocess.CompletedProcess[str]:
    command = [SCRIPT, folder, *machines]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder.parent)


def said(*command: str | Path) -> str:
    return subprocess.run(["openssl", *command], check=True, capture_output=True, text=True).stdout


def test_second_run_adds_machines_and_keeps_certificates(tmp_path: Path):
    tls = tmp_path / "tls"
    assert made(tls, "pg1.city.example,192.0.2.31,2001:db8::1").returncode == 0
    before = {path: path.read_bytes() for path in tls.rglob("*") if path.is_file()}

    again = made(tls, "pg1.city.example,192.0.2.99", "pg2.city.example")

    assert again.returncode == 0 and "left as it is" in again.stderr
    assert before == {path: path.read_bytes() for path in before}
    assert sorted(path.name for path in tls.iterdir()) == ["ca", "pg1.city.example", "pg2.city.example"]
    for name in ("pg1.city.example", "pg2.city.example"):
        checked = ("verify", "-x509_strict", "-CAfile", tls / "ca" / "ca.crt", "-verify_hostname", name)
        assert "OK" in said(*checked, tls / name / "machine.crt")
    names = said("x509", "-noout", "-ext", "subjectAltName", "-in", tls / "pg1.city.example" / "machine.crt")
    assert "IP Address:192.0.2.31" in names and "IP Address:2001:DB8" in names and "192.0.2.99" not in names


def test_certificates_are_unreadable_to_others(tmp_path: Path):
    made(tmp_path / "tls", "pg1")

    files = [path for path in (tmp_path / "tls").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in files if "ca.key" in path.name or "pg1" in str(path.parent)) == [
        *("ca.crt", "ca.key", "machine.crt", "machine.key")
    ]


def test_wildcard_name_is_never_expanded_to_files(tmp_path: Path):
    (tmp_path / "notes.city.example").touch()
    made(tmp_path / "tls", "pg1,*.city.example")

    names = said("x509", "-noout", "-ext", "subjectAltName", "-in", tmp_path / "tls" / "pg1" / "machine.crt")
    assert "DNS:*.city.example" in names and "notes" not in names


def test_invalid_name_is_refused_without_leftovers(
    tmp_path: Path,
):
    for wrong in ("", "ca", "../pg1", "pg1,not a,[name]:"):
        assert made(tmp_path / "tls", wrong).returncode != 0, wrong
    assert {path.name for path in (tmp_path / "tls").iterdir()} <= {"ca", ".new"}
