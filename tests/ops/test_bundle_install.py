"""A bundle's install.sh: anything changed since signing is refused before apt-get is asked.

The commands that would change this machine are replaced by ones that record their calls. All of it runs on a
machine of its own in tests/install/test_bundle.py.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.process import need

SCRIPT = Path(__file__).parents[2] / "ops" / "bundle" / "install.sh"
PACKAGES = "Package: espeak-ng\nVersion: 9\n\nPackage: hotline137\nVersion: 0.4.0+deb13\n\n"
CALLED = '#!/bin/sh\necho "$(basename "$0") $*" >> "$CALLS"\n'
FAKES = {
    "id": "#!/bin/sh\necho 0\n",
    "apt-get": CALLED,
    "systemctl": CALLED,
    "dpkg-query": '#!/bin/sh\n[ -z "$THERE" ] && exit 1\necho "$THERE"\n',
    "install": CALLED,
    # The part for the voices, in a state folder of this test.
    "setpriv": CALLED + 'while [ "$1" != -- ]; do shift; done\nshift\n'
    'eval "last=\\${$#}"\nexec sh -c "$(echo "$last" | sed "s,/var/lib/hotline137,$STATE,g")"\n',
}


class Bundle:
    """One in a folder, signed; `install` gives what was said, and whether it went on to apt-get."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.there = folder / "b", ""
        self.state = folder / "state"
        self._bin, self._key, self._calls = folder / "bin", folder / "key", folder / "calls"
        self.signers = folder / "signers"
        for each in (self.folder / "packages", self.folder / "voices", self.state, self._bin):
            each.mkdir(parents=True)
        for name, text in FAKES.items():
            (self._bin / name).write_text(text)
            (self._bin / name).chmod(0o755)
        shutil.copy(SCRIPT, self.folder)
        (self.folder / "packages" / "Packages").write_text(PACKAGES)
        (self.folder / "voices" / "fa.onnx").write_text("a voice")
        keygen = need("ssh-keygen", "openssh-client")
        self._run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", self._key)
        kind, key, *_ = (folder / "key.pub").read_text().split()
        self.signers.write_text(f"hotline137 {kind} {key}\n")
        names = sorted(
            str(each.relative_to(self.folder)) for each in self.folder.rglob("*") if each.is_file()
        )
        self.sums = self.folder / "SHA256SUMS"
        self.sums.write_text(self._run("sha256sum", *names))
        self._run(keygen, "-q", "-Y", "sign", "-f", self._key, "-n", "hotline137", self.sums)

    def _run(self, *command: str | Path) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout

    def install(self, signers: str = "") -> tuple[str, list[str]]:
        environment = {
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "CALLS": str(self._calls),
            "THERE": self.there,
            "STATE": str(self.state),
        }
        done = subprocess.run(
            ["./install.sh", signers or self.signers],
            cwd=self.folder,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        calls = self._calls.read_text().splitlines() if self._calls.exists() else []
        assert (done.returncode == 0) == any("apt-get" in each and "install" in each for each in calls)
        return done.stdout + done.stderr, calls


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path)


def test_signed_bundle_is_installed_with_its_voice(
    bundle: Bundle,
) -> None:
    said, calls = bundle.install()
    assert "installed." in said
    assert "systemctl restart hotline137.target" in calls
    voice = bundle.state / "voices" / "fa.onnx"
    assert (voice.read_text(), voice.stat().st_mode & 0o777) == ("a voice", 0o600)
    assert any(each.startswith("setpriv --reuid=hotline137") for each in calls), "root writes nothing there"


def _another_signer(bundle: Bundle) -> None:
    bundle.signers.write_text(bundle.signers.read_text().replace("hotline137", "somebody"))


def _a_link(bundle: Bundle) -> None:
    (bundle.folder / "voices" / "en.onnx").symlink_to("/etc/hostname")


def _a_link_in_a_files_place(bundle: Bundle) -> None:
    voice = bundle.folder / "voices" / "fa.onnx"
    voice.rename(bundle.folder.parent / "elsewhere")
    voice.symlink_to(bundle.folder.parent / "elsewhere")


SPOILT: list[tuple[Callable[[Bundle], object], str]] = [
    (lambda b: (b.folder / "packages" / "Packages").write_text("x"), "damaged or was changed"),
    (lambda b: (b.folder / "voices" / "fa.onnx").unlink(), "damaged or was changed"),
    (lambda b: b.sums.write_text(b.sums.read_text() + "\n"), "not the bundle that was signed"),
    (_another_signer, "not the bundle that was signed"),
    (lambda b: (b.folder / "evil.deb").write_text("x"), "not of this bundle"),
    (lambda b: (b.folder / "voices" / "fa.onn").write_text("x"), "not of this bundle"),
    (lambda b: (b.folder / "voices" / "SHA256SUMS.onnx").write_text("x"), "not of this bundle"),
    (lambda b: (b.folder / "voices" / "fa.onnx\nvoices").write_text("x"), "not of this bundle"),
    (_a_link, "not of this bundle"),
    (_a_link_in_a_files_place, "not of this bundle"),
]


@pytest.mark.parametrize(("spoil", "why"), SPOILT)
def test_bundle_changed_after_signing_installs_nothing(
    bundle: Bundle, spoil: Callable[[Bundle], object], why: str
) -> None:
    spoil(bundle)
    said, calls = bundle.install()
    assert why in said and calls == []


def test_signers_from_the_bundle_itself_prove_nothing(
    bundle: Bundle,
) -> None:
    bundle.signers.rename(bundle.folder / "signers")
    said, calls = bundle.install("signers")
    assert "proves nothing" in said and calls == []


def test_older_bundle_leaves_the_newer_version_installed(
    bundle: Bundle,
) -> None:
    bundle.there = "0.10.0+deb13"
    said, calls = bundle.install()
    assert "0.10.0+deb13, which is newer than 0.4.0+deb13" in said and calls == []
    bundle.there = "0.3.0+deb13"
    assert "installed." in bundle.install()[0]
