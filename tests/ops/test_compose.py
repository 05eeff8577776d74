"""`docker compose up` for real: built, dialled from this machine, and nothing lost by down and up."""

import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline.version import VERSION
from settings import Settings, load
from tests.kit import sound
from tests.kit.compose import Compose
from tests.kit.docker_engine import docker_engine
from tests.kit.phone import Phone
from tests.kit.process import slowness, until

ROOT = Path(__file__).parents[2]
SERVICES = ("database", "asterisk", "ivr", "dialer", "clerk", "api")
NUMBER = "09131370137"
BACK_S = 15.0
"""From the moment a process hangs until another one works, on a machine with nothing else to do."""
_MAJOR = {"Dockerfile": r"ARG POSTGRES_MAJOR=(\d+)", "docker-compose.yml": r"\{POSTGRES_MAJOR:-(\d+)\}"}
CONVERSATION = (
    *(("greeting", "1"), ("confirm-number.1", "1"), ("ask-subject", "2"), ("message-offer", "#")),
    ("registered.1", ""),
)

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def docker_host() -> Iterator[dict[str, str]]:
    """What the environment must hold so that `docker` finds its engine."""
    with docker_engine() as environment:
        yield environment


@pytest.fixture(scope="module")
def compose(docker_host: dict[str, str]) -> Iterator[Compose]:
    """The running project, gone without a trace afterwards."""
    compose = Compose(docker_host)
    try:
        compose("build")
        compose.up()
        yield compose
    finally:
        compose("down", "--volumes", "--rmi", "all")


def test_given_compose_when_looked_at_from_outside_then_no_root_and_only_loopback(compose: Compose) -> None:
    containers = compose.containers()
    published = [
        binding["HostIp"]
        for container in containers
        for bindings in container["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    ]

    assert {container["Config"]["User"] for container in containers} == {"hotline"}
    assert [compose("exec", "-T", service, "id", "-u").strip() for service in SERVICES] == ["1370"] * len(
        SERVICES
    )
    assert len(published) == 2 + 1 + 20 and set(published) == {"127.0.0.1"}


def test_given_the_state_folder_when_a_service_has_files_to_write_or_delete_then_it_alone_may(
    compose: Compose,
) -> None:
    may = "test -w /var/lib/hotline137 && echo yes || echo no"
    running = [service for service in SERVICES if service != "database"]

    writers = {s for s in running if compose("exec", "-T", s, "sh", "-c", may).strip() == "yes"}

    assert writers == {"asterisk", "ivr", "clerk", "api"}


def test_given_a_citizen_registered_by_phone_when_compose_goes_down_and_up_then_the_registration_is_there(
    compose: Compose, tmp_path: Path
) -> None:
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


def test_given_processes_that_hang_in_their_containers_when_patience_ends_then_others_work_in_time(
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


def test_given_compose_when_it_goes_down_with_its_volumes_then_nothing_is_left(compose: Compose) -> None:
    compose("down", "--volumes", "--rmi", "all")

    ours = ("--quiet", "--filter", f"label=com.docker.compose.project={compose.project}")
    kinds = ("container", "network", "volume", "image")
    assert [compose.docker(kind, "ls", *ours) for kind in kinds] == [""] * len(kinds)


def test_given_the_database_s_version_when_compared_then_compose_and_the_image_name_the_same() -> None:
    named = [re.search(what, (ROOT / file).read_text()) for file, what in _MAJOR.items()]

    assert len({found and found[1] for found in named}) == 1


@pytest.mark.parametrize("file", ["docker-compose.yml", "docker-compose.host.yml"])
def test_given_compose_s_own_numbers_when_loaded_then_its_sound_ports_suffice(
    monkeypatch: pytest.MonkeyPatch, own_environment: None, file: str
) -> None:
    names = "RTP_PORTS|MAX_CALLS|CALLS_AT_ONCE|DESKS"
    given = dict(re.findall(rf"HOTLINE_({names}): \$\{{HOTLINE_\w+:-(.+)\}}", (ROOT / file).read_text()))
    for name, value in given.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)

    assert len(given) == 4 and load(_env_file=None).sound_ports_needed > 100


def test_given_any_setting_when_compose_starts_then_the_containers_get_it() -> None:
    text = (ROOT / "docker-compose.yml").read_text()

    assert [s for s in Settings.model_fields if f"\n  HOTLINE_{s.upper()}:" not in text] == []


def test_given_every_package_when_the_image_is_built_then_it_is_let_in() -> None:
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = ours["packages"]["find"]["include"]
    named = {name.rstrip("*") for name in packages}
    let_in = (ROOT / ".dockerignore").read_text().splitlines()

    assert {name for name in named if f"!{name}" not in let_in} == set()


def test_given_the_dockerfile_when_read_then_images_stand_on_debian_alone() -> None:
    text = (ROOT / "Dockerfile").read_text()

    named = dict(re.findall(r"(?m)^ARG (\w+)=(\S+)$", text.partition("FROM")[0]))
    stages = set(re.findall(r"(?m)^FROM .* AS (\S+)$", text))
    bases = {base for base in re.findall(r"(?m)^FROM (\S+)", text)} - stages
    assert {named[base.strip("${}")] for base in bases} == {"debian:trixie-slim", "debian:sid-slim"}
    assert named["VERSION"] == VERSION


def test_given_what_keeps_asterisk_when_its_image_is_built_then_each_file_that_it_imports_is_in_it() -> None:
    files = "{getattr(m, '__file__', '') or '' for m in sys.modules.values()}"
    asked = f"import sys, ops.keep; print(*{files})"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=True, capture_output=True, text=True)
    needed = {path for path in map(Path, done.stdout.split()) if path.is_relative_to(ROOT)}
    ours = {str(path.relative_to(ROOT)) for path in needed if ".venv" not in path.parts}
    image = (ROOT / "Dockerfile").read_text().split("AS asterisk\n")[1].split("\nFROM ")[0]
    copied = {each for line in image.splitlines() if line.startswith("COPY ") for each in line.split()[1:-1]}
    assert "ops/supervisor.py" in ours
    assert ours - copied == set()
