"""The bundle on a machine that no network leads out of. What is forged: tests/ops/test_bundle_install.py."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.kit import sound
from tests.kit.docker_engine import Engine
from tests.kit.installed import Machine, built, machine
from tests.kit.phone import Phone
from tests.kit.process import until

SUITE = "trixie"

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, package_of: Callable[[str], Path]) -> Path:
    package = str(package_of(SUITE))
    return built("ops/bundle/build.sh", SUITE, tmp_path_factory.mktemp("bundle"), PACKAGE=package)


@pytest.fixture(scope="module")
def lonely(docker: Engine, bundle: Path) -> Iterator[Machine]:
    """A machine that has the bundle, its signers, and no way out."""
    with machine(docker, SUITE, offline=True) as made:
        made.put(bundle, "/root/bundle.tar")
        made.put(bundle.parent / "signers", "/root/signers")
        made("mkdir /root/b && tar -xf /root/bundle.tar -C /root/b --strip-components=1")
        yield made


def refused(lonely: Machine, command: str) -> str:
    said = lonely(f"( {command} ) 2>&1 && echo IT-WENT-ON || true")
    assert "IT-WENT-ON" not in said, said
    assert lonely("dpkg-query -W hotline137 2> /dev/null || true") == "", said
    return said


def test_parts_list_of_a_bundle_names_each_version(bundle: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", bundle, "-C", tmp_path, "--strip-components=1"], check=True)
    text = (tmp_path / "sbom.cdx.json").read_text("utf-8")

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    parts = {part["purl"].split("@")[0] for part in json.loads(text)["components"]}
    assert {
        "pkg:pypi/fastapi",
        "pkg:npm/react",
        "pkg:deb/debian/espeak-ng",
        "pkg:deb/debian/asterisk",
    } <= parts
    assert not any("vitest" in part or "pytest" in part for part in parts)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("printf x >> b/packages/Packages", "damaged or was changed"),
        ("printf x >> b/SHA256SUMS", "not the bundle that was signed"),
    ],
)
def test_tampered_bundle_is_refused_and_changes_nothing(lonely: Machine, spoil: str, said: str) -> None:
    lonely("rm -rf /tmp/x && mkdir /tmp/x && cp -r /root/b /root/signers /tmp/x")

    assert said in refused(lonely, f"cd /tmp/x && {spoil} && b/install.sh /tmp/x/signers")


def test_bundle_installed_without_a_network_answers_calls(lonely: Machine, tmp_path: Path) -> None:
    routes = [line.split()[1] for line in lonely("cat /proc/net/route").splitlines()[1:]]
    assert "00000000" not in routes, "there is a way out"

    lonely("/root/b/install.sh /root/signers")
    assert lonely("stat -c '%U %G %a' /etc/hotline137/hotline.env").split() == ["root", "hotline137", "640"]

    settings = {
        "HTTP": "0.0.0.0:8137",
        "SIP": f"0.0.0.0:{lonely.sip}",
        "RTP_PORTS": str(lonely.rtp),
        "MAX_CALLS": "4",
        "CALLS_AT_ONCE": "2",
        "DESKS": "4",
        "PUBLIC_ADDRESS": "127.0.0.1",
        "SAMPLE_TRUNK": f"127.0.0.1:5070,{lonely.network}",
    }
    given = "".join(f"HOTLINE_{name}={value}\\n" for name, value in settings.items())
    lonely(f"printf '{given}' >> /etc/hotline137/hotline.env; systemctl restart hotline137.target")
    until(lambda: _worst(lonely) != "fault", "no fault is left", 120, every=2)
    lonely.fetch("/var/lib/hotline137/prompts/fa", tmp_path)
    with Phone("09131370137") as phone:
        phone.dial(f"sip:137@127.0.0.1:{lonely.sip}")
        phone.wait_for("established")
        until(
            lambda: sound.best_score(phone.recording(), tmp_path / "fa" / "greeting.wav") > sound.THRESHOLD,
            "greeting",
            60,
        )
        phone.hangup()


def _worst(lonely: Machine) -> str:
    return str(json.loads(lonely("hotline137 doctor --json || true"))["worst"])
