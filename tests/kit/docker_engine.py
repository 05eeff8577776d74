"""A Docker engine of the tests' own, which shares nothing with another engine of the machine.

It has its own data, socket, bridge, addresses, control groups, and packet filter rules for these addresses
alone. Its base images are made by mmdebstrap. Its parent process removes all of it when the tests end, even
if they are killed. If the parent is killed, too, the engine and its containers end with it, by namespaces of
processes and mounts. The next engine removes all other remains.

As a program it prints in one line why no container can work here, and nothing if one does.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ops import asterisk
from tests.kit.process import ProgramError, folder_in_memory, until

PROGRAMS = {
    "dockerd": "docker.io",
    "docker": "docker-cli",
    "iptables": "iptables",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "unshare": "util-linux",
    "docker-init": "docker.io",
}
"""Each program of the engine, with its Debian package; ops/setup.sh installs them."""
PLUGINS = {"compose": "docker-compose", "buildx": "docker-buildx"}
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
"""Variables that name a proxy's certificate authority for builds. The base images get the same files."""
REGISTRIES = (
    *("PIP_INDEX_URL", "PIP_TRUSTED_HOST", "npm_config_registry"),
    *("http_proxy", "https_proxy", "no_proxy"),
)
"""Variables that name the registries of a machine with few. The base images get the same values."""
SUITES = ("trixie", "sid")
"""The Debian releases of the Dockerfile's base images."""

_IMAGES_BYTES = 8 << 30
"""Twice what the engine holds. From a disk that alone took a minute and a half to delete."""
_WEEK_S = 7 * 24 * 3600
"""A base image is made anew after this time."""
_ENGINES = range(20)
"""How many engines may run at once; each has a bridge and a /16 network by its number."""
_STOP_S = 60.0
_LOCK = "lock"
"""A file in the engine's folder, locked while its parent lives."""
_PROJECT = Path(__file__).parents[2]
_TREES = _PROJECT / "var" / "tests" / "images"
"""The folder that keeps mmdebstrap's results for the next run."""
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_V1 = ("memory", "pids", "devices", "cpu")
"""The hierarchies that the engine needs where there is not one for all."""
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Engine:
    """A running engine."""

    environment: dict[str, str]
    """The variables by which `docker` finds the engine."""
    network: str
    """The first two numbers of all its addresses."""


def list_missing() -> list[str]:
    """Return what this machine lacks to run an engine; empty if one can run here."""
    missing = [
        f"{name} (package {package})"
        for name, package in PROGRAMS.items()
        if not shutil.which(name, path=_PATH)
    ]
    if shutil.which("docker"):
        missing += [
            f"docker {name} (package {package})"
            for name, package in PLUGINS.items()
            if _run("docker", name, "version").returncode
        ]
    if os.geteuid() != 0:
        return ["root", *missing]
    if not missing:
        missing += [what for what, command in _RIGHTS.items() if _run(*command).returncode]
    return missing or _list_missing_of_storage()


_RIGHTS = {
    "the right to make a bridge": (
        *("unshare", "--net", "sh", "-c"),
        "ip link add hotline-probe type bridge",
    ),
    "the right to change the packet filter": ("iptables", "-w", "-t", "nat", "-S", "POSTROUTING"),
    "the right to let packets through": (
        *("unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c"),
        "grep -q 1 /proc/sys/net/ipv4/ip_forward || test -w /proc/sys/net/ipv4/ip_forward",
    ),
    "control groups that may be written": (
        *("sh", "-c"),
        f"cd {_CONTROL_GROUPS} && test -e cgroup.controllers && set . || set {' '.join(_V1)}"
        " && for each; do d=$(mktemp -d -p $each) && test -e $d/cgroup.procs && rmdir $d || exit 1; done",
    ),
}
"""Rights that a container on another machine often lacks, each with a command that tries it."""


def _list_missing_of_storage() -> list[str]:
    """Return what is missing where the images would lie: room, or overlays on that file system."""
    folder = folder_in_memory("hotline-probe-", needs=_IMAGES_BYTES)
    try:
        free = shutil.disk_usage(folder).free
        if free < _IMAGES_BYTES:
            return [
                f"{_IMAGES_BYTES >> 30} GB for images in {folder.parent} ({free / (1 << 30):.1f} are free)"
            ]
        mounts = "mkdir low up work all && mount -t overlay none -o lowerdir=low,upperdir=up,workdir=work all"
        tried = _run("unshare", "--mount", "sh", "-c", f"cd {folder} && {mounts}")
        return [f"overlay file systems (in {folder.parent})"] if tried.returncode else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_READS_PACKAGES = (
    *("timeout", "120", "apt-get", "-qq", "-o", "APT::Update::Error-Mode=any"),
    *("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "update"),
)


def find_lack() -> str:
    """Return in one line why no container can work here; empty if one has worked.

    The container reads the mirror that this machine reads, under limits of memory and processes.
    """
    try:
        with docker_engine(SUITES[:1]) as engine:
            limits = ("--memory=256m", "--pids-limit=64")
            command = ("docker", "run", "--rm", *limits, f"debian:{SUITES[0]}-slim", *_READS_PACKAGES)
            tried = _run(*command, env=os.environ | engine.environment)
    except ProgramError as error:
        return " ".join(str(error).split())
    said = (tried.stderr.strip() or "it said nothing").splitlines()[-1]
    return f"a container here reads no packages: {said}" if tried.returncode else ""


@contextmanager
def docker_engine(suites: Sequence[str] = SUITES) -> Iterator[Engine]:
    """Run an engine with base images of these releases. Raises ProgramError: it cannot run here."""
    if missing := list_missing():
        raise ProgramError(f"no Docker engine can run here; this machine lacks: {', '.join(missing)}")
    folder = folder_in_memory("hotline-docker-", needs=_IMAGES_BYTES)
    # The parent reads its input, which ends with this process, however that ends.
    with subprocess.Popen(
        [sys.executable, "-m", "tests.kit.docker_engine", folder, *suites],
        cwd=_PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PATH": _PATH},
    ) as parent:
        assert parent.stdout
        network = parent.stdout.readline().strip()
        if not network:
            parent.wait()
            raise ProgramError("the Docker engine did not start; its reason is on standard error")
        yield Engine(_environment(folder), network)


def _environment(folder: Path) -> dict[str, str]:
    return {"DOCKER_HOST": f"unix://{folder}/socket"}


def _keep(folder: Path, suites: Sequence[str]) -> None:
    """Run the engine until standard input ends, then remove everything of it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    engine = _environment(folder)
    with (folder / _LOCK).open("w") as lock, ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        bridge, network = _make_bridge(stack, folder)
        for rule in _rules(network, "-I"):
            _must(*rule)
        stack.callback(_stop, _start(folder, bridge, network))
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda suite: make_image(engine, suite, f"debian:{suite}-slim"), suites))
        print(network, flush=True)  # noqa: T201
        sys.stdin.read()


def _make_bridge(stack: ExitStack, folder: Path) -> tuple[str, str]:
    """Make the first bridge whose name is free. Its name is the lock of its network, its alias the folder."""
    for number in _ENGINES:
        name, network = f"hotline137-{number}", f"10.{230 + number}"
        _remove_dead(name, network)
        if _run("ip", "link", "add", name, "type", "bridge").returncode == 0:
            stack.callback(_remove_network, name, network)
            _must("ip", "address", "add", f"{network}.0.1/24", "dev", name)
            _must("ip", "link", "set", name, "up", "alias", str(folder))
            return name, network
    raise SystemExit(f"{len(_ENGINES)} engines run here already, or no bridge can be made")


def _remove_dead(bridge: str, network: str) -> None:
    """Remove what an engine has left whose parent was killed: it no longer holds the lock in its folder."""
    with suppress(OSError):  # there is no such bridge; or its engine lives
        folder = Path(f"/sys/class/net/{bridge}/ifalias").read_text().strip()
        with ExitStack() as held, suppress(FileNotFoundError):  # removed by folder_in_memory
            lock = held.enter_context(Path(folder, _LOCK).open())
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if folder:  # else it is just being made
            _remove_network(bridge, network)
            shutil.rmtree(folder, ignore_errors=True)


def _remove_network(bridge: str, network: str) -> None:
    """Delete control groups, packet filter rules and bridges, also of projects that were not taken down."""
    for top in (*_CONTROL_GROUPS.glob(bridge), *_CONTROL_GROUPS.glob(f"*/{bridge}")):
        for group, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):  # a process is still ending: the next engine removes it
                Path(group).rmdir()
    _run("ip", "link", "delete", bridge)
    for rule in _rules(network, "-D"):
        _run(*rule)
    for line in _run("ip", "-o", "-4", "address").stdout.splitlines():
        _, name, _, address, *_ = line.split()
        if address.startswith(f"{network}."):
            _run("ip", "link", "delete", name)


def _rules(network: str, change: str) -> Iterator[tuple[str, ...]]:
    """Yield what lets the network's packets out, where another engine's rules would drop them.

    The engine itself sets no rules: two engines would each remove the chains of the other.
    """
    all_of_it = f"{network}.0.0/16"
    for table, chain, *words in (
        ("nat", "POSTROUTING", "-s", all_of_it, "!", "-d", all_of_it, "-j", "MASQUERADE"),
        ("filter", "FORWARD", "-s", all_of_it, "-j", "ACCEPT"),
        ("filter", "FORWARD", "-d", all_of_it, "-j", "ACCEPT"),
    ):
        yield ("iptables", "-w", "-t", table, change, chain, *words)


def _start(folder: Path, bridge: str, network: str) -> subprocess.Popen[bytes]:
    options = {
        "host": f"unix://{folder}/socket",
        "data-root": folder / "data",
        "exec-root": folder / "exec",
        "pidfile": folder / "pid",
        "config-file": folder / "no-settings-of-the-machine",
        "bridge": bridge,
        "default-address-pool": f"base={network}.128.0/17,size=28",
        "iptables": "false",
        "ip6tables": "false",
        "cgroup-parent": f"/{bridge}",
        "exec-opt": "native.cgroupdriver=cgroupfs",  # systemd knows nothing of this namespace's processes
    }
    (folder / "no-settings-of-the-machine").write_text("{}")
    log = folder / "log"
    with log.open("wb") as output:
        dockerd = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig=KILL", "--", "unshare", "--mount", "--pid", "--mount-proc"),
                *("--fork", "--kill-child", "--", "docker-init", "--", "dockerd"),
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def answers() -> bool:
        if dockerd.poll() is not None:
            raise SystemExit(f"dockerd ended at its start:\n{log.read_text(errors='replace')[-2000:]}")
        return _run("docker", "version", env=os.environ | _environment(folder)).returncode == 0

    until(answers, "dockerd answers", 60)
    return dockerd


def _stop(engine: subprocess.Popen[bytes]) -> None:
    """End the engine, and with its namespaces whatever of its containers it leaves behind."""
    with suppress(psutil.NoSuchProcess, subprocess.TimeoutExpired):
        for init in psutil.Process(engine.pid).children():
            init.terminate()
        engine.wait(_STOP_S)
    engine.kill()
    engine.wait()


def make_image(engine: dict[str, str], suite: str, name: str, *, include: str = "") -> None:
    """Make a Docker image of this Debian release by mmdebstrap, unless the engine has it already.

    It trusts whom this machine's builds trust, and so is for tests alone.
    """
    environment = os.environ | engine
    if _run("docker", "image", "inspect", name, env=environment).returncode == 0:
        return
    trusted = {each: f"/etc/hotline137-{each}" for each in CERTIFICATES if os.environ.get(each)}
    given = trusted | {each: os.environ[each] for each in REGISTRIES if os.environ.get(each)}
    options = ["--variant=minbase", *asterisk.list_apt_options()]
    options += [f"--include={include}"] if include else []
    options += [f"--customize-hook=upload {os.environ[each]} {inside}" for each, inside in trusted.items()]
    changes = [*(f"ENV {each}={value}" for each, value in given.items()), 'CMD ["bash"]']
    image = ["docker", "import", *(word for each in changes for word in ("--change", each))]
    done = _run(*image, str(_tree(suite, options, [*trusted])), name, env=environment)
    assert done.returncode == 0, f"no {name}: {done.stderr}"


def _tree(suite: str, options: Sequence[str], certificates: Sequence[str]) -> Path:
    """Return mmdebstrap's archive of this release; one made of the same things lately is taken again."""
    words = [*options, suite, *asterisk.find_mirror(), str(int(time.time() / _WEEK_S))]
    words += [Path(os.environ[each]).read_text(errors="replace") for each in certificates]
    key = hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
    _TREES.mkdir(parents=True, exist_ok=True)
    with (_TREES / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = _TREES / f"{suite}-{key}.tar"
        if not kept.exists():
            fresh = kept.with_suffix(".new.tar")
            made = _run("mmdebstrap", "--quiet", *options, suite, str(fresh), *asterisk.find_mirror())
            assert made.returncode == 0, f"no {suite}: {made.stderr}"
            for old in _TREES.glob(f"{suite}-*.tar"):
                if old.stat().st_mtime < time.time() - _WEEK_S:
                    old.unlink()
            fresh.rename(kept)
        return kept


def _run(*command: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    env = {**(os.environ if env is None else env), "PATH": _PATH}
    return subprocess.run(command, check=False, env=env, capture_output=True, text=True)


def _must(*command: str) -> None:
    done = _run(*command)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _keep(Path(sys.argv[1]), sys.argv[2:])
    elif lack := find_lack():
        print(lack)  # noqa: T201
