"""Behind a PBX: a plain Asterisk, old or new, with what `hotline137 pbx` prints; calls come and go by it."""

import os
import platform
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import writing
from hotline.people import accounts
from ops import asterisk
from ops.asterisk import Asterisk
from tests.kit.caller import Caller
from tests.kit.carried import there_and_back
from tests.kit.operator import Operator
from tests.kit.ports import free_port, free_range
from tests.kit.process import Program, until
from tests.kit.sip import SDP, Response, parse
from tests.kit.system import PROJECT, System

PIN = "24680"
OURS, PBX = "127.0.0.2", "127.0.0.3"
"""Both are known by their addresses, as on two machines; the carrier and its citizens are 127.0.0.1."""

pytestmark = pytest.mark.timeout(300)

_ASTERISK = """[directories]
astetcdir => {etc}
astmoddir => {modules}
astvarlibdir => {run}
astdbdir => {run}
astkeydir => {run}
astdatadir => {data}
astagidir => {run}
astspooldir => {run}
astrundir => {run}
astlogdir => {run}
"""
_MODULES = """[modules]
autoload = yes
noload = chan_unistim.so
noload = res_prometheus.so
noload = cdr_pgsql.so
noload = res_phoneprov.so
"""
_PJSIP = """[0.0.0.0-udp]
type = transport
protocol = udp
bind = {sip}

[carrier]
type = endpoint
context = from-pstn
disallow = all
allow = alaw,ulaw
aors = carrier
trust_id_inbound = yes

[carrier]
type = aor
contact = sip:127.0.0.1:{carrier}

[carrier]
type = identify
endpoint = carrier
match = 127.0.0.1

[201]
type = endpoint
context = from-internal
disallow = all
allow = alaw,ulaw
aors = 201

[201]
type = aor
contact = sip:201@127.0.0.1:{extension}

#include pjsip_custom.conf
"""
_EXTENSIONS = """[from-pstn]
exten => 137,1,Goto(hotline137,137,1)

[from-internal]
include => from-internal-custom
exten => 201,1,Dial(PJSIP/201)
exten => _0XXXXXXXXXX,1,Set(CALLERID(num)=0313137)
 same => n,Dial(PJSIP/${EXTEN}@carrier)

#include extensions_custom.conf
"""


class Plain:
    """An Asterisk with a configuration as its samples are, and the includes."""

    def __init__(self, folder: Path, carrier: int, extension: int, printed: Path) -> None:
        self._etc, self._run = folder / "etc", folder / "run"
        self._carrier, self._extension, self._printed = carrier, extension, printed

    def start(self, found: Asterisk, sip: str, rtp: str) -> None:
        """Run it until `stop`."""
        self._etc.mkdir(parents=True)
        self._run.mkdir()
        first, _, last = rtp.partition("-")
        names = {"etc": self._etc, "run": self._run, "modules": found.modules, "data": found.data}
        for name, text in {
            "asterisk.conf": _ASTERISK.format(**names),
            "modules.conf": _MODULES,
            "pjsip.conf": _PJSIP.format(sip=sip, carrier=self._carrier, extension=self._extension),
            "extensions.conf": _EXTENSIONS,
            "rtp.conf": f"[general]\nrtpstart={first}\nrtpend={last}\n",
            "logger.conf": "[logfiles]\nconsole => verbose,notice,warning,error\n",
        }.items():
            (self._etc / name).write_text(text)
        for name in ("pjsip_custom.conf", "extensions_custom.conf"):
            (self._etc / name).write_text((self._printed / name).read_text())
        self._log = self._run / "log"
        argv = [*found.argv(self._etc / "asterisk.conf"), "-nvvv"]
        self._program = Program(argv, folder=self._run, log=self._log)
        self._program.ready(lambda: "Asterisk Ready" in self.log(), timeout=90)

    def log(self) -> str:
        """Return the output so far."""
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        """End it."""
        if hasattr(self, "_program"):
            self._program.stop(patience=5)


@pytest.fixture(scope="module")
def carrier() -> int:
    return free_port()


@pytest.fixture(scope="module")
def extension() -> int:
    """Return the port of the telephone of extension 201."""
    return free_port()


@pytest.fixture(scope="module")
def addresses() -> tuple[str, str]:
    return f"{PBX}:{free_port()}", f"{OURS}:{free_port()}"


@pytest.fixture(scope="module")
def printed(addresses: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command's output, as a person runs it."""
    folder = tmp_path_factory.mktemp("printed")
    pbx, here = addresses
    command = [
        sys.executable,
        "-m",
        "ops.cli",
        "pbx",
        "--pbx",
        pbx,
        "--here",
        here,
        "--out",
        folder / "files",
    ]
    environment = os.environ | {"HOTLINE_EXTENSIONS": "2XX"}
    done = subprocess.run(command, check=False, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "files"


@pytest.fixture(scope="module")
def system(printed: Path) -> Iterator[System]:
    """Ours, with the settings that were printed."""
    given = dict(re.findall(r"(?m)^(HOTLINE_\w+)=(.*)$", (printed / "settings.env").read_text()))
    trunks = str(printed / "trunks.toml")
    with System(HOTLINE_EXTENSIONS="2XX", HOTLINE_TRUNKS=trunks, **given) as running:
        yield running


def _of_bullseye(folder: Path) -> Asterisk:
    """Asterisk 16, as what runs in the field is often of: Debian's last one before ours."""
    asterisk._unpack(folder, "bullseye")
    triplet = f"{platform.machine()}-linux-gnu"
    libraries = f"{folder}/lib/{triplet}:{folder}/usr/lib/{triplet}:{folder}/usr/lib"
    (loader,) = (folder / "lib").glob("*/ld-linux*")
    command = (str(loader), "--library-path", libraries, f"{folder}/usr/sbin/asterisk")
    return Asterisk(command, folder / "usr/lib/asterisk/modules", folder / "usr/share/asterisk")


@pytest.fixture(scope="module", params=("of today", "of bullseye"))
def pbx(
    request: pytest.FixtureRequest,
    system: System,
    addresses: tuple[str, str],
    carrier: int,
    extension: int,
    printed: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Plain]:
    made = Plain(tmp_path_factory.mktemp("pbx"), carrier, extension, printed)
    if request.param == "of today":
        found = asterisk.find(system.settings)
    else:
        found = _of_bullseye(tmp_path_factory.mktemp("bullseye") / "root")
        assert found.version.startswith("16.")
    assert found
    try:
        made.start(found, addresses[0], str(free_range(100)))
        yield made
    finally:
        made.stop()


def test_call_from_the_pbx_arrives_and_a_callback_returns(
    system: System, pbx: Plain, addresses: tuple[str, str], carrier: int, desk: Operator
) -> None:
    peer = there_and_back(system, desk, citizen_port=carrier, dials=addresses[0], log=pbx.log)
    assert peer.startswith("sip:0313137@")


def test_extension_of_a_desk_rings_and_enters_by_its_pin(system: System, pbx: Plain, extension: int) -> None:
    official = system.operator()
    with writing(system.engine) as session:
        accounts.set_pin(session, official.username, PIN)
    chosen = official.http.put("/desk/phone/choice", json={"use": "number", "number": "۲۰۱"})
    assert chosen.json()["number"] == "201"

    with Caller(system, system.number(), port=extension) as phone:
        assert official.http.post("/desk/phone/call").status_code == 202
        phone.wait_for_call(30)
        phone.answer()
        phone.at("official-pin", f"{PIN}#")
        until(official.phone_connected, "the telephone is in the desk's room")
        phone.hangup()
        until(lambda: not official.phone_connected(), "it has left")


_INVITE = """INVITE sip:{number}@{pbx} SIP/2.0
Via: SIP/2.0/UDP {here};branch=z9hG4bK137;rport
Max-Forwards: 70
From: <sip:137@{here}>;tag=1
To: <sip:{number}@{pbx}>
Call-ID: another-number
CSeq: 1 INVITE
Contact: <sip:137@{here}>
Content-Type: application/sdp
Content-Length: {length}

{sdp}"""


def test_pbx_dials_no_number_but_a_citizens(pbx: Plain, addresses: tuple[str, str]) -> None:
    host, _, port = addresses[0].partition(":")
    sdp = SDP.format(port=free_port()).replace("\n", "\r\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind((OURS, 0))
        here = f"{OURS}:{ours.getsockname()[1]}"
        values = {"number": "0098123456", "pbx": addresses[0], "here": here, "length": len(sdp), "sdp": sdp}
        ours.sendto(
            _INVITE.format(**values).replace("\n", "\r\n").replace("\r\r", "\r").encode(), (host, int(port))
        )
        ours.settimeout(20)
        while not isinstance(answer := parse(ours.recv(4096)), Response):
            pass

    assert answer.text.startswith("SIP/2.0 4") or answer.text.startswith("SIP/2.0 6"), answer.text
    until(lambda: "0098123456@from-hotline137:1" in pbx.log(), "it came to its own context")
    assert "Dial" not in pbx.log().partition("0098123456@from-hotline137:1")[2]
