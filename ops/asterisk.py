"""Finding an Asterisk: the machine's own if it is 20 or newer, else Debian's, unpacked without root."""

import contextlib
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from settings import Settings

OLDEST = 20


class NoAsterisk(Exception):
    """There is none and none could be had; the text says what to do."""


@dataclass(frozen=True)
class Asterisk:
    """How to start it, and where its own modules and data lie."""

    command: tuple[str, ...]
    modules: Path
    data: Path

    def argv(self, config: Path) -> list[str]:
        """The command line that runs it in the foreground."""
        return [*self.command, "-C", str(config), "-f"]


def get(settings: Settings, progress: Callable[[str], None]) -> Asterisk:
    """An Asterisk that runs here. Raises NoAsterisk."""
    own = _of_machine()
    if own:
        return own
    root = settings.state_dir / "asterisk-root"
    if not (root / "complete").exists():
        progress("unpacking Asterisk from Debian (about 270 MB on disk)")
        _unpack(root)
    return _unpacked(root)


def _of_machine() -> Asterisk | None:
    program = shutil.which("asterisk") or shutil.which("/usr/sbin/asterisk")
    if not program:
        return None
    told = subprocess.run([program, "-V"], check=False, capture_output=True, text=True).stdout
    version = re.search(r"Asterisk (\d+)\.", told)
    modules = next(Path("/usr/lib").glob("**/asterisk/modules"), None)
    if not version or int(version[1]) < OLDEST or modules is None:
        return None
    return Asterisk((program,), modules, Path("/usr/share/asterisk"))


def _unpack(root: Path) -> None:
    if not shutil.which("mmdebstrap"):
        raise NoAsterisk(
            f"no Asterisk {OLDEST} or newer here, and no mmdebstrap to unpack Debian's with: "
            "install the package mmdebstrap (or asterisk)"
        )
    shutil.rmtree(root, ignore_errors=True)
    fresh = root.with_name("asterisk-root.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    command = [
        "mmdebstrap",
        "--quiet",
        "--mode=chrootless",
        "--variant=extract",
        "--skip=check/chrootless",  # extract runs no package's scripts, so root is no danger here
        "--include=asterisk",
        "--components=main",
        *_apt_options(),
        "sid",
        str(fresh),
        *_mirror(),
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


def _apt_options() -> list[str]:
    """The machine's own word on release files past their date, passed on; never our default."""
    dump = subprocess.run(["apt-config", "dump"], check=False, capture_output=True, text=True).stdout
    found = re.findall(r"^(Acquire::Check-(?:Valid-Until|Date) .*);$", dump, re.MULTILINE)
    return [f"--aptopt={option}" for option in found]


def _mirror() -> list[str]:
    """The mirror this machine installs Debian from, if it is a Debian."""
    if "\nID=debian" not in f"\n{Path('/etc/os-release').read_text()}":
        return []
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    told = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.split()
    return [uri for uri in told if re.match(r"https?://.*/debian/?$", uri)][:1]
