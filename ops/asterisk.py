"""Search for an Asterisk: the machine's own from version 20, else the package's, else Debian's.

Debian's is unpacked without root.
"""

import contextlib
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from settings import Settings

OLDEST = 20
_MENDED = {20: 21, 22: 11, 23: 5}
"""First release of each line without asterisk#1946, in which channels that lock each other lock out all
others. Debian sid has 22.10.1. Its parent ends such a hang (ops.console), so only the doctor names it.
"""
_NEVER = 999
_CARRIED = Path(__file__).parents[1] / "asterisk-root"
"""Folder of the package's Asterisk (ops/deb/build.sh)."""
_APT = Path(__file__).with_name("apt.conf")


class NoAsterisk(Exception):
    """No Asterisk was found or could be unpacked; the text says what to do."""


_ROOT = Path("/")
_LIBRARIES = ("usr/lib/*-linux-gnu", "usr/lib64", "usr/lib", "usr/local/lib")
"""Library folders of Debian, of Rocky and Alma, and of an Asterisk built by hand."""
_DATA = ("usr/share/asterisk", "var/lib/asterisk")
_RPM = "dnf install epel-release, then asterisk asterisk-pjsip; or in containers (docs/operate/docker.md)"


@dataclass(frozen=True)
class Asterisk:
    """Asterisk: its command line, and the folders of its modules and data."""

    command: tuple[str, ...]
    modules: Path
    data: Path

    def describe_known_fault(self) -> str:
        """Return the known fault of this version and what happens then; empty if there is none."""
        version = _version(self.command)
        if not version or version[1] >= _MENDED.get(version[0], _NEVER) or version[0] > max(_MENDED):
            return ""
        return "when it hangs (asterisk#1946), its parent starts it again and cut citizens are called back"

    @property
    def version(self) -> str:
        """Version, such as 22.10.1; empty if unknown."""
        return ".".join(map(str, _version(self.command)))

    def argv(self, config: Path) -> list[str]:
        """Return the command line that runs it in the foreground."""
        return [*self.command, "-C", str(config), "-f"]


def get(settings: Settings, progress: Callable[[str], None]) -> Asterisk:
    """Return an Asterisk that runs here; unpack one if needed. Raises NoAsterisk."""
    own = _of_machine()
    if own:
        return own
    if (_CARRIED / "complete").exists():
        return _unpacked(_CARRIED)
    root = settings.state_dir / "asterisk-root"
    if not (root / "complete").exists():
        progress("unpacking Asterisk from Debian (about 270 MB on disk)")
        _unpack(root)
    return _unpacked(root)


def find(settings: Settings) -> Asterisk | None:
    """Return the Asterisk that is here already, if any. Raises NoAsterisk if it is incomplete."""
    roots = (_CARRIED, settings.state_dir / "asterisk-root")
    return _of_machine() or next((_unpacked(root) for root in roots if (root / "complete").exists()), None)


def unpack(root: Path, wanted: str) -> None:
    """Unpack Debian's Asterisk of exactly this version into the folder. Raises NoAsterisk."""
    if not (root / "complete").exists():
        _unpack(root)
    if (found := _unpacked(root).version) != wanted:
        raise NoAsterisk(f"{root} has Asterisk {found or 'of no known version'}, not {wanted}")


def _of_machine() -> Asterisk | None:
    program = shutil.which("asterisk") or shutil.which("/usr/sbin/asterisk")
    if not program:
        return None
    modules = next((found for each in _LIBRARIES for found in _ROOT.glob(f"{each}/asterisk/modules")), None)
    data = next((_ROOT / each for each in _DATA if (_ROOT / each / "documentation").is_dir()), None)
    if modules is None or data is None or _version([program]) < (OLDEST,):
        return None
    return Asterisk((program,), modules, data)


def _version(command: Sequence[str]) -> tuple[int, ...]:
    """Return line, release and patch; empty if unknown."""
    told = subprocess.run([*command, "-V"], check=False, capture_output=True, text=True).stdout
    found = re.search(r"Asterisk (\d+)\.(\d+)\.(\d+)", told)
    return tuple(map(int, found.groups())) if found else ()


def _unpack(root: Path, release: str = "sid") -> None:
    if not shutil.which("mmdebstrap"):
        how = _RPM if shutil.which("dnf") else "install the package mmdebstrap (or asterisk)"
        raise NoAsterisk(
            f"no Asterisk {OLDEST} or newer here, and no mmdebstrap to unpack Debian's with: {how}"
        )
    shutil.rmtree(root, ignore_errors=True)
    fresh = root.with_name(f"{root.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    command = [
        "mmdebstrap",
        "--quiet",
        "--mode=chrootless",
        "--variant=extract",
        "--skip=check/chrootless",  # extract runs no package scripts, so root is safe here
        "--include=asterisk",
        "--components=main",
        *list_apt_options(),
        release,
        str(fresh),
        *find_mirror(),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoAsterisk(f"Asterisk could not be unpacked from Debian:\n{done.stderr.strip()}")
    (fresh / "complete").touch()
    fresh.rename(root)


def _unpacked(root: Path) -> Asterisk:
    libraries = f"{root}/usr/lib/{platform.machine()}-linux-gnu"
    with contextlib.suppress(StopIteration):
        loader = next((root / "usr").glob("lib*/ld-linux*.so.*"))
        return Asterisk(
            (str(loader), "--library-path", libraries, f"{root}/usr/sbin/asterisk"),
            Path(libraries) / "asterisk" / "modules",
            root / "usr" / "share" / "asterisk",
        )
    raise NoAsterisk(f"{root} is incomplete: delete it and start again")


def list_apt_options() -> list[str]:
    """Return mmdebstrap's options for apt: ours, and the machine's own on release files past their date."""
    dump = subprocess.run(["apt-config", "dump"], check=False, capture_output=True, text=True).stdout
    found = re.findall(r"^(Acquire::Check-(?:Valid-Until|Date) .*);$", dump, re.MULTILINE)
    return [f"--aptopt={option}" for option in (_APT, *found)]


def find_mirror() -> list[str]:
    """Return the mirror from which this machine installs Debian, if it is a Debian."""
    if "\nID=debian" not in f"\n{Path('/etc/os-release').read_text()}":
        return []
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    told = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.split()
    return [uri for uri in told if re.match(r"https?://.*/debian/?$", uri)][:1]
