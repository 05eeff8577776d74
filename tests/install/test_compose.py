"""`docker compose up` for real: built, dialled from this machine, and nothing lost by down and up."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline.version import VERSION
from settings import asterisk_files
from tests.kit import sound
from tests.kit.compose import Compose
from tests.kit.docker_engine import Engine
from tests.kit.phone import Phone
from tests.kit.process import slowness, until

SERVICES = ("database", "asterisk", "ivr", "dialer", "scheduler", "api")
NUMBER = "09131370137"
_MAY_WRITE = "cd /var/lib/hotline137 && test -w"
BACK_S = 15.0
"""From the moment a process hangs until another one works, on a machine with nothing else to do."""
CONVERSATION = (
    *(("greeting", "1"), ("confirm-number.1", "1"), ("ask-subject", "2"), ("message-offer", "#")),
    ("registered.1", ""),
)

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def compose(docker: Engine) -> Iterator[Compose]:
    """The running project, gone without a trace afterwards."""
    compose = Compose(docker)
    try:
        compose.build()
        compose.up()
        yield compose
    finally:
        compose("down", "--volumes", "--rmi", "all")


def test_compose_publishes_loopback_ports_and_runs_no_root(compose: Compose) -> None:
    containers = compose.containers()
    published = [
        binding["HostIp"]
        for container in containers
        for bindings in container["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    ]

    users = {service: compose("exec", "-T", service, "id", "-u").strip() for service in SERVICES}
    assert users == dict.fromkeys(SERVICES, "1370") | {"asterisk": "1371"}
    assert len(published) == 2 + 1 + 20 and set(published) == {"127.0.0.1"}
    said = compose("exec", "-T", "api", "hotline137", "--version")
    assert said.split() == ["hotline137", VERSION, "abc1234"]
    assert compose("exec", "-T", "api", "ls", "docs/operate/night.md")


def test_state_folder_is_writable_only_to_services_that_must(
    compose: Compose,
) -> None:
    may = "test -w /var/lib/hotline137 && echo yes || echo no"
    running = [service for service in SERVICES if service != "database"]

    writers = {s for s in running if compose("exec", "-T", s, "sh", "-c", may).strip() == "yes"}

    assert writers == {"ivr", "scheduler", "api"}


def test_asterisk_container_has_no_setting_and_only_its_folders(compose: Compose) -> None:
    names = ("cat", f"/proc/{compose.kept('asterisk')}/environ")
    environment = {each.partition("=")[0] for each in compose("exec", "-T", "asterisk", *names).split("\0")}
    folders = compose("exec", "-T", "asterisk", "ls", "/var/lib/hotline137").split()

    assert not [name for name in environment if name.startswith(("HOTLINE_", "PG"))], environment
    assert sorted(folders) == sorted((*asterisk_files.WRITTEN, *asterisk_files.READ))
    assert compose("exec", "-T", "asterisk", "sh", "-c", f"{_MAY_WRITE} prompts || echo no") == "no\n"
    assert compose("exec", "-T", "asterisk", "sh", "-c", f"{_MAY_WRITE} asterisk/etc || echo no") == "no\n"


def test_registration_survives_compose_down_and_up(compose: Compose, tmp_path: Path) -> None:
    operator = ("operator1", compose.password_of("operator1"))
    compose("cp", "api:/var/lib/hotline137/prompts/fa", tmp_path)

    with Phone(NUMBER) as phone:
        phone.dial(f"sip:137@127.0.0.1:{compose.sip}")
        phone.wait_for("established")
        for clip, key in CONVERSATION:
            path = tmp_path / "fa" / f"{clip}.wav"
            until(lambda path=path: sound.best_score(phone.recording(), path) > sound.THRESHOLD, clip, 60)
            phone.press(key)
        phone.hangup()
    before = compose.registrations(*operator)
    compose("stop")
    exit_codes = [container["State"]["ExitCode"] for container in compose.containers()]
    compose("down")
    left = compose.containers()
    compose.up()

    assert [registration["number"] for registration in before] == [NUMBER]
    assert len(exit_codes) == 7 and 128 + 9 not in exit_codes  # all stopped by themselves, none was killed
    assert not left
    assert compose.registrations(*operator) == before


def test_hung_processes_in_containers_are_replaced_in_time(
    compose: Compose,
) -> None:
    services = ("ivr", "asterisk")
    containers = {c["Id"]: c["State"]["StartedAt"] for c in compose.containers()}
    hung = {service: compose.kept(service) for service in services}
    assert all(pid.isdigit() for pid in hung.values())
    for service, pid in hung.items():
        compose("exec", "-T", service, "sh", "-c", f"kill -STOP {pid}")
    since = time.monotonic()

    for service, pid in hung.items():
        until(lambda s=service, p=pid: compose.kept(s) not in ("", p), f"another {service}", 40, every=0.2)
    until(lambda: all(map(compose.works, services)), "they work", 40, every=0.2)
    took = time.monotonic() - since
    assert took <= BACK_S * slowness()
    log = compose("logs", "--no-log-prefix", *services)
    killed = r"{} +\| has done nothing for (8|9) s: killed"  # looked at up to 2 s apart
    assert [bool(re.search(killed.format(service), log)) for service in services] == [True, True], log
    assert {c["Id"]: c["State"]["StartedAt"] for c in compose.containers()} == containers


def test_compose_down_with_volumes_leaves_nothing(compose: Compose) -> None:
    compose("down", "--volumes", "--rmi", "all")

    ours = ("--quiet", "--filter", f"label=com.docker.compose.project={compose.project}")
    kinds = ("container", "network", "volume", "image")
    assert [compose.docker(kind, "ls", *ours) for kind in kinds] == [""] * len(kinds)
