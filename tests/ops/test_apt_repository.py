"""The signed repository: apt takes a package from it, each release its own, and refuses a changed one."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Apt = Callable[..., str]
_SIGNER = "city@example.org"
_FETCH = ("install", "--yes", "--download-only", "hotline137")


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of somebody who has a key of GnuPG."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    environment = os.environ | {"GNUPGHOME": str(home), "OUT": str(tmp_path / "apt")}
    made = [
        "gpg",
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        "city@example.org",
        "ed25519",
        "sign",
    ]
    subprocess.run(made, env=environment, check=True, capture_output=True)
    yield environment
    subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=True)


@pytest.fixture
def repository(signer: dict[str, str], tmp_path: Path) -> Path:
    """A repository with a package for each of two releases."""
    packages = [_package(tmp_path, version) for version in ("1.0.0+deb12", "1.0.0+deb13")]
    _publish(signer, *packages)
    return tmp_path / "apt"


def _package(folder: Path, version: str) -> Path:
    tree = folder / version
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: hotline137\nVersion: {version}\nArchitecture: all\nMaintainer: a <a@example.org>\n"
        "Description: a test\n"
    )
    made = folder / f"hotline137_{version}_all.deb"
    subprocess.run(["dpkg-deb", "-Zgzip", "--build", tree, made], check=True, capture_output=True)
    return made


def _publish(signer: dict[str, str], *packages: Path) -> None:
    script = ROOT / "ops" / "deb" / "repository.sh"
    run = [script, _SIGNER, *packages]
    done = subprocess.run(run, env=signer, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def apt(repository: Path, tmp_path: Path) -> Apt:
    """Run apt-get or apt-cache as a server of that release does, and return what it says."""

    def run(suite: str, *words: str, program: str = "apt-get") -> str:
        state = tmp_path / f"state-{suite}"
        for each in ("lists/partial", "archives/partial", "none"):
            (state / each).mkdir(parents=True, exist_ok=True)
        (state / "status").touch()
        key = f"signed-by={repository}/hotline137.gpg"
        (state / "sources.list").write_text(f"deb [{key}] copy:{repository} {suite} main\n")
        options = {
            "Dir::State::status": state / "status",
            "Dir::State::lists": state / "lists",
            "Dir::Etc::sourcelist": state / "sources.list",
            "Dir::Etc::sourceparts": state / "none",
            "Dir::Cache": state,
            "APT::Sandbox::User": "root",
            "Debug::NoLocking": "1",
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        run = [program, *given, *words]
        done = subprocess.run(run, check=False, cwd=state, capture_output=True, text=True)
        return done.stdout + done.stderr

    return run


def test_each_release_gets_its_own_signed_package(apt: Apt, tmp_path: Path) -> None:
    for suite, label in (("bookworm", "deb12"), ("trixie", "deb13")):
        said = apt(suite, "update")
        assert "W:" not in said and "E:" not in said, said
        apt(suite, *_FETCH)
        fetched = [each.name for each in (tmp_path / f"state-{suite}" / "archives").glob("*.deb")]
        assert fetched == [f"hotline137_1.0.0+{label}_all.deb"]


def test_changed_package_is_refused(apt: Apt, repository: Path, tmp_path: Path) -> None:
    apt("trixie", "update")
    package = repository / "pool" / "hotline137_1.0.0+deb13_all.deb"
    bytes_ = bytearray(package.read_bytes())
    bytes_[-1] ^= 1
    package.write_bytes(bytes_)
    assert "E: Failed to fetch" in apt("trixie", *_FETCH)
    assert not list((tmp_path / "state-trixie" / "archives").glob("*.deb"))


def test_changed_list_is_refused(apt: Apt, repository: Path) -> None:
    signed = repository / "dists" / "trixie" / "InRelease"
    signed.write_text(signed.read_text().replace("Origin: Hotline 137", "Origin: Hotline 138"))
    assert "E: The repository" in apt("trixie", "update")


def test_next_version_is_added_beside_the_one_before(
    apt: Apt, signer: dict[str, str], tmp_path: Path
) -> None:
    _publish(signer, _package(tmp_path, "1.0.1+deb13"))
    apt("trixie", "update")
    known = apt("trixie", "madison", "hotline137", program="apt-cache")
    assert "1.0.1+deb13" in known and "1.0.0+deb13" in known and "deb12" not in known
