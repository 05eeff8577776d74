"""Two machines with Kamailio, one address between them, by ops/keepalived: network namespaces at one switch.

They need root. Each has its own interface `eth0` and its own /run, so that the sample runs as it is.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count, pairwise
from pathlib import Path
from typing import Self

import psutil

from dialplan import kamailio
from settings import Settings
from tests.kit.process import Program, folder_in_memory, need
from tests.kit.sip_peer import Peer

SAMPLE = Path(__file__).parents[2] / "ops" / "keepalived"
SHARED, OWN = "192.0.2.20", {"one": "192.0.2.21", "two": "192.0.2.22"}
_MAC = {"one": "02:00:00:00:00:21", "two": "02:00:00:00:00:22"}
NODE, CARRIER = "192.0.2.11", "192.0.2.99"
_NEWNET = 0x40000000
_ASK_S = 0.05


class Space:
    """A network of its own, as long as the `with` lasts."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        command = [need("unshare", "util-linux"), "--net", "--mount", "sleep", "infinity"]
        self._holder = Program(command, folder=folder, log=folder / f"{name}.log")
        self.pid = self._holder.pid
        own = os.readlink("/proc/self/ns/net")
        self._holder.ready(lambda: os.readlink(f"/proc/{self.pid}/ns/net") != own)
        self("ip link set lo up; mount -t tmpfs none /run; mkdir /run/kamailio")

    def __call__(self, command: str) -> str:
        """Return the output of a shell in it."""
        return subprocess.run(
            self.inside("sh", "-ec", command), check=True, capture_output=True, text=True
        ).stdout

    def inside(self, *command: str | Path) -> list[str | Path]:
        """The command, to be run in it."""
        return [need("nsenter", "util-linux"), "--target", str(self.pid), "--net", "--mount", "--", *command]

    @contextmanager
    def sockets(self) -> Iterator[None]:
        """Open this thread's sockets in that network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as own, open(f"/proc/{self.pid}/ns/net") as there:
            assert libc.setns(there.fileno(), _NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert libc.setns(own.fileno(), _NEWNET) == 0

    def close(self) -> None:
        """Its power goes: with it all that runs in it, and its end of the cable."""
        mine = self._network()
        for process in psutil.process_iter():
            with suppress(OSError, psutil.Error):
                if os.readlink(f"/proc/{process.pid}/ns/net") == mine:
                    process.kill()
        self._holder.stop(signal.SIGKILL)

    def _network(self) -> str:
        return os.readlink(f"/proc/{self.pid}/ns/net")


class Proxy(Space):
    """A machine with Kamailio and keepalived."""

    def __init__(self, name: str, folder: Path, settings: Settings) -> None:
        super().__init__(name, folder)
        self("sysctl -qw net.ipv4.ip_nonlocal_bind=1")  # as the page says
        etc = folder / name
        etc.mkdir(exist_ok=True)
        for file, text in kamailio.render_files(settings, etc, run=Path("/run/kamailio")).items():
            (etc / file).write_text(text)
        text = (SAMPLE / "keepalived.conf").read_text()
        if name == "two":
            for old, new in (
                (f"unicast_src_ip {OWN['one']}", f"unicast_src_ip {OWN['two']}"),
                (f"        {OWN['two']}\n", f"        {OWN['one']}\n"),
            ):
                assert old in text, old
                text = text.replace(old, new)
        (etc / "keepalived.conf").write_text(text)
        self._etc = etc

    def start(self) -> None:
        """Kamailio, then keepalived."""
        self.start_kamailio()
        self.start_keepalived()

    def start_kamailio(self) -> None:
        """Until it can be asked how it is."""
        self.kamailio = self._run(
            *(
                need("kamailio", "kamailio"),
                "-f",
                self._etc / "kamailio.cfg",
                "-m",
                "32",
                "-M",
                "4",
                "-DD",
                "-E",
            )
        )
        self.kamailio.ready(lambda: "kamailio_ctl" in self("ls /run/kamailio"))

    def start_keepalived(self) -> None:
        """It finds out by itself whether the address is here or there."""
        file = self._etc / "keepalived.conf"
        self.keepalived = self._run(need("keepalived", "keepalived"), "-n", "-l", "-D", "-f", file)

    def _run(self, *command: str | Path) -> Program:
        log = self.folder / f"{self.name}.{Path(command[0]).name}.log"
        return Program(self.inside(*command), folder=self.folder, log=log)

    def has_it(self) -> bool:
        """Whether the address is on its interface."""
        return f"{SHARED}/" in self("ip -4 -o address show dev eth0")

    def hang(self, how: signal.Signals = signal.SIGSTOP) -> None:
        """Kamailio is there, and says nothing; or, by SIGCONT, goes on."""
        os.killpg(self.kamailio.pid, how)

    def crash(self) -> None:
        """keepalived is gone, and has cleared nothing up."""
        self.keepalived.stop(signal.SIGKILL)

    def log(self) -> str:
        """Return keepalived's output so far."""
        return (self.folder / f"{self.name}.keepalived.log").read_text(errors="replace")


class Asking:
    """A carrier that asks the shared address over and over whether it takes calls; yes: a node is there."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((CARRIER, 5062))
        self._socket.settimeout(_ASK_S)
        self.yes: list[float] = []
        """When each came."""
        self._open = True
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._ask, self._listen)]
        for each in self._threads:
            each.start()

    def close(self) -> None:
        """No more."""
        self._open = False
        for each in self._threads:
            each.join()
        self._socket.close()

    def _ask(self) -> None:
        for number in count():
            if not self._open:
                return
            lines = (
                f"OPTIONS sip:{SHARED} SIP/2.0",
                f"Via: SIP/2.0/UDP {CARRIER}:5062;rport;branch=z9hG4bK{number}",
                *(f"From: <sip:carrier@{CARRIER}>;tag=1", f"To: <sip:{SHARED}>", f"Call-ID: {number}"),
                *(f"CSeq: {number} OPTIONS", "Max-Forwards: 70", "Content-Length: 0", "", ""),
            )
            with suppress(OSError):
                self._socket.sendto("\r\n".join(lines).encode(), (SHARED, 5060))
            time.sleep(_ASK_S)

    def _listen(self) -> None:
        while self._open:
            with suppress(OSError):
                if self._socket.recv(65536).startswith(b"SIP/2.0 200"):
                    self.yes.append(time.monotonic())

    def pause(self, since: float) -> float:
        """The longest time without a yes, until now."""
        moments = [since, *(each for each in list(self.yes) if each > since), time.monotonic()]
        return max(after - before for before, after in pairwise(moments))


class TwoProxies:
    """Both machines at a switch, with a node and a carrier."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self.machines: dict[str, Proxy] = {}

    def __enter__(self) -> Self:
        self.folder = folder_in_memory("two-proxies-", 1 << 28)
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self.world = Space("world", self.folder)
            self._stack.callback(self.world.close)
            self._stack.callback(lambda: [each.close() for each in self.machines.values()])
            self.world("ip link add switch type bridge; ip link set switch up")
            for address in (NODE, CARRIER):
                self.world(f"ip address add {address}/24 dev switch")
            for name in OWN:
                self.boot(name)
            with self.world.sockets():
                self.node = self._stack.enter_context(Peer(NODE, 5060))
                self.carrier = self._stack.enter_context(Peer(CARRIER, 5060))
                self.asking = Asking()
            self._stack.callback(self.asking.close)
            self.node.answers_calls = True
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def boot(self, name: str) -> None:
        """The machine starts."""
        machine = self.machines[name] = Proxy(name, self.folder, self._settings)
        self.world(
            f"ip link add port-{name} type veth peer name eth0 address {_MAC[name]} netns {machine.pid}; "
            f"ip link set port-{name} master switch up"
        )
        machine(f"ip address add {OWN[name]}/24 dev eth0; ip link set eth0 up")
        machine.start()

    def power_off(self, name: str) -> None:
        """Nothing of it is there any more."""
        self.world(f"ip link del port-{name}")
        self.machines.pop(name).close()

    def apart(self, yes: bool) -> None:
        """Whether no packet of one reaches the other; all others reach both."""
        for name in OWN:
            self.world(f"ip link set port-{name} type bridge_slave isolated {'on' if yes else 'off'}")

    def holder(self) -> str:
        """The one on which the address is."""
        [only] = self.holders()
        return only

    def holders(self) -> list[str]:
        """On which machines the address is."""
        return [name for name, machine in self.machines.items() if machine.has_it()]
