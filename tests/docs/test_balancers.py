"""The samples for several api behind one address are read by the programs that they are for."""

import subprocess
from pathlib import Path

import pytest

from tests.kit.process import need

SAMPLES = Path(__file__).parents[2] / "ops" / "balancer"


def read(*command: str | Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr or done.stdout


def test_haproxy_accepts_its_sample_configuration(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    read("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=137.city.example",
         "-keyout", key, "-out", certificate)  # fmt: skip
    both = tmp_path / "both.pem"
    both.write_text(certificate.read_text() + key.read_text())
    text = (SAMPLES / "haproxy.cfg").read_text()
    for host in ("api1", "api2", "asterisk"):
        assert f" {host}.city.example:" in text
        text = text.replace(f" {host}.city.example:", " 127.0.0.1:")
    text = text.replace("/etc/haproxy/phone-admission.lua", str(SAMPLES / "phone-admission.lua"))
    sample = tmp_path / "haproxy.cfg"
    sample.write_text(text.replace("/etc/haproxy/137.city.example.pem", str(both)))

    read(need("haproxy", "haproxy"), "-c", "-f", sample)
    sample.write_text(sample.read_text().replace("balance leastconn", "balance fairly"))
    with pytest.raises(AssertionError):
        read(need("haproxy", "haproxy"), "-c", "-f", sample)


def test_caddy_accepts_its_sample_configuration() -> None:
    read(need("caddy", "caddy"), "validate", "--adapter", "caddyfile", "--config", SAMPLES / "Caddyfile")
