"""The docker-compose.yml, the Dockerfile and .dockerignore, read without an engine."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hotline.version import VERSION
from settings import Settings, load

ROOT = Path(__file__).parents[2]
_MAJOR = {"Dockerfile": r"ARG POSTGRES_MAJOR=(\d+)", "docker-compose.yml": r"\{POSTGRES_MAJOR:-(\d+)\}"}


def test_compose_and_image_use_the_same_postgresql() -> None:
    named = [re.search(what, (ROOT / file).read_text()) for file, what in _MAJOR.items()]

    assert len({found and found[1] for found in named}) == 1


@pytest.mark.parametrize("file", ["docker-compose.yml", "docker-compose.host.yml"])
def test_compose_defaults_open_enough_sound_ports(
    monkeypatch: pytest.MonkeyPatch, own_environment: None, file: str
) -> None:
    names = "RTP_PORTS|MAX_CALLS|CALLS_AT_ONCE|DESKS"
    given = dict(re.findall(rf"HOTLINE_({names}): \$\{{HOTLINE_\w+:-(.+)\}}", (ROOT / file).read_text()))
    for name, value in given.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)

    assert len(given) == 4 and load(_env_file=None).sound_ports_needed > 100


def test_compose_passes_every_setting_to_its_containers() -> None:
    text = (ROOT / "docker-compose.yml").read_text()

    assert [s for s in Settings.model_fields if f"\n  HOTLINE_{s.upper()}:" not in text] == []


def test_docker_build_context_includes_every_package() -> None:
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = ours["packages"]["find"]["include"]
    named = {name.rstrip("*") for name in packages}
    let_in = (ROOT / ".dockerignore").read_text().splitlines()

    assert {name for name in named if f"!{name}" not in let_in} == set()


def test_images_are_built_on_debian_alone() -> None:
    text = (ROOT / "Dockerfile").read_text()

    named = dict(re.findall(r"(?m)^ARG (\w+)=(\S+)$", text.partition("FROM")[0]))
    stages = set(re.findall(r"(?m)^FROM .* AS (\S+)$", text))
    bases = {base for base in re.findall(r"(?m)^FROM (\S+)", text)} - stages
    assert {named[base.strip("${}")] for base in bases} == {"debian:trixie-slim", "debian:sid-slim"}
    assert named["VERSION"] == VERSION


def test_every_image_downloads_by_our_settings_of_apt() -> None:
    images = re.split(r"(?m)^FROM ", (ROOT / "Dockerfile").read_text())[1:]
    foreign = [image for image in images if image.startswith("${")]

    assert foreign and all("COPY ops/apt.conf" in image.partition("apt-get")[0] for image in foreign)


def test_image_of_asterisk_holds_each_imported_file() -> None:
    files = "{getattr(m, '__file__', '') or '' for m in sys.modules.values()}"
    asked = f"import sys, ops.process_parent; print(*{files})"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=True, capture_output=True, text=True)
    needed = {path for path in map(Path, done.stdout.split()) if path.is_relative_to(ROOT)}
    ours = {str(path.relative_to(ROOT)) for path in needed if ".venv" not in path.parts}
    image = (ROOT / "Dockerfile").read_text().split("AS asterisk\n")[1].split("\nFROM ")[0]
    copied = {each for line in image.splitlines() if line.startswith("COPY ") for each in line.split()[1:-1]}
    assert "ops/supervisor.py" in ours
    assert ours - copied == set()


@pytest.mark.long
def test_machine_without_docker_is_named_in_one_line(tmp_path: Path) -> None:
    for program in ("git", "sh"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/install/test_docker_engine.py",
        ],
        cwd=ROOT,
        env=os.environ | {"PATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )

    said = [line for line in (done.stdout + done.stderr).splitlines() if "no Docker engine" in line]
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout
    assert len(said) == 1 and "docker (package docker-cli)" in said[0]


def test_container_engine_is_needed_by_install_tests_alone() -> None:
    tests = ROOT / "tests"
    needs = {
        path.relative_to(tests).parts[0]
        for path in tests.rglob("*.py")
        if re.search(r"docker_engine\simport|[\[(]\s*\"docker\",", path.read_text("utf-8"))
    }

    assert needs == {"install", "kit"}


def test_every_path_from_a_file_stays_in_the_clone() -> None:
    strays = []
    for folder in ("bench", "ops", "tests", "hotline", "api"):
        for path in (ROOT / folder).rglob("*.py"):
            up = [
                int(n)
                for n in re.findall(r"__file__\)(?:\.resolve\(\))?\.parents\[(\d)\]", path.read_text("utf-8"))
            ]
            strays += [str(path)] * (max(up, default=0) >= len(path.relative_to(ROOT).parts))

    assert strays == []
