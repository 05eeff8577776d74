"""Two real Asterisks behind the real Kamailio, with two carriers: the dialplan's part of it."""

import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from dialplan.accounts import AMI_USER
from dialplan.kamailio import make_proxy_text
from dialplan.variables import CALLERS_ADMITTED, LINES_FULL
from dialplan.variables import PROXY_TRUNK as TRUNK
from ivr.admission import Admission, adapt_limit
from ivr.lines_full import LinesFull
from ops import console
from tests.kit.kamailio import Kamailio
from tests.kit.lone_asterisk import LoneAsterisk
from tests.kit.ports import free_port
from tests.kit.process import in_time, until
from tests.kit.sip import Request
from tests.kit.sip_peer import Call, Peer

pytestmark = pytest.mark.timeout(180)

MAIN, SPARE = "127.0.0.31", "127.0.0.32"
LINES = 2
"""Callers at once, on each node."""


class Node(LoneAsterisk):
    """A node whose scripts only play music."""

    def __enter__(self) -> "Node":
        super().__enter__()
        LinesFull(self.settings).say_until(None)
        self.scripts: list[tuple[str, str]] = []
        """Each script that was asked for, and the caller's number."""
        self.on_the_phone = 0
        self.wanted, self._over = True, threading.Event()
        self.admitted = self.settings.state_dir / CALLERS_ADMITTED
        admission = Admission(self.admitted, LINES)
        admission.turn(0)
        let_in = (admission, lambda: 0, lambda: self.wanted, self._over)
        threading.Thread(target=adapt_limit, args=let_in, daemon=True).start()
        self._server = socket.create_server(self.settings.agi)
        threading.Thread(target=self._answer, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()
        super().__exit__()

    def calls_out(self, number: str, seconds: int = 30) -> None:
        """Call a citizen, as the dialer does, and hang up after so long."""
        call = ["Action: Originate", f"Channel: Local/{number}@dial", "Application: Wait", f"Data: {seconds}"]
        self._asks([*call, "Async: true"], b"successfully queued")

    def lines(self) -> int:
        """How many calls its Asterisk has: one is over a moment after its script."""
        beside = self.settings.state_dir / "asterisk" / "run" / "asterisk.ctl"
        said = console._ask(beside, ["core show calls"])
        return int(said.split(b" active call")[0].rpartition(b"\0")[2].split()[-1])

    def wants(self, wanted: bool) -> None:
        """Whether it wants callers who have another node, as its call scripts say."""
        self.wanted = wanted
        until(lambda: (self.admitted.stat().st_mtime > 0) is wanted, "the file says so")

    def _asks(self, action: list[str], yes: bytes) -> None:
        login = ["Action: Login", f"Username: {AMI_USER}", f"Secret: {self.settings.secret_for(AMI_USER)}"]
        with socket.create_connection(self.settings.ami) as ami:
            for each in (login, action):
                ami.sendall("\r\n".join([*each, "", ""]).encode())
            said = b""
            while yes not in said:
                said += ami.recv(4096)

    def kill(self) -> None:
        """Kill it as a power cut does."""
        self._program.stop(patience=0)

    def _answer(self) -> None:
        with suppress(OSError):
            while True:
                script, _ = self._server.accept()
                threading.Thread(target=self._play, args=(script,), daemon=True).start()

    def _play(self, script: socket.socket) -> None:
        with script, script.makefile("rw") as said:
            told = dict(
                line.rstrip("\n").split(": ", 1) for line in iter(said.readline, "\n") if ": " in line
            )
            self.scripts.append((told["agi_network_script"], told["agi_callerid"]))
            if told["agi_network_script"] == "menu":
                self.on_the_phone += 1
                with suppress(OSError):
                    for command in ("SET VARIABLE HOTLINE_FINISHED 1", "EXEC MusicOnHold"):
                        said.write(f"{command}\n")
                        said.flush()
                        if command.startswith("SET"):
                            said.readline()
                    while (line := said.readline()) and not line.startswith(("HANGUP", "200 result=-1")):
                        pass
                self.on_the_phone -= 1


class Carrier(Peer):
    """Answers what it is asked to carry with `says`, and hears the sound of its calls."""

    def __init__(self, host: str) -> None:
        super().__init__(host, free_port())
        self.says = "200 OK"
        self.sound: dict[int, bytes] = {}
        """The heard sound, by the port from which it came."""

    def __enter__(self) -> "Carrier":
        super().__enter__()
        self._ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ear.bind(("127.0.0.1", self.port + 1))
        threading.Thread(target=self._hear, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._ear.close()

    def _hear(self) -> None:
        with suppress(OSError):
            while True:
                packet, (_, port) = self._ear.recvfrom(2048)
                self.sound[port] = self.sound.get(port, b"") + packet[12:]

    def asked(self, request: Request, sender: tuple[str, int]) -> None:
        if request.method == "INVITE" and not self.says.startswith("200"):
            self.answer(request, self.says, sender)
        elif request.method != "ACK":
            self.take(request, sender)


class Place:
    """All of them."""

    def __init__(self, folder: Path) -> None:
        self.main, self.spare = Carrier(MAIN), Carrier(SPARE)
        trunks = folder / "trunks.toml"
        trunks.write_text(
            f'[main]\nprofile = "address"\nhost = "{MAIN}:{self.main.port}"\n'
            f'[spare]\nprofile = "e164"\nhost = "{SPARE}:{self.spare.port}"\ndid = "02191001234"\n'
        )
        self.proxy = f"127.0.0.1:{free_port()}"
        sip = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        common = {
            "HOTLINE_TRUNKS": str(trunks),
            "HOTLINE_SIP_PROXY": self.proxy,
            "HOTLINE_SIP_NODES": f"one={sip[0]} two={sip[1]}",
            "HOTLINE_MAX_CALLS": str(LINES),
            "HOTLINE_CALLERS_PER_NUMBER": "20",
        }
        self.one, self.two = (Node(HOTLINE_SIP=each, **common) for each in sip)
        self.one.settings.secret_for("")
        shutil.copy(self.one.folder / "secret", self.two.folder)  # as docs/operate/nodes.md wants it
        self.kamailio = Kamailio(self.one.settings)
        self.calls: list[Call] = []

    def call(self, number: str = "09131234567", to: str = "137", *, by: Carrier | None = None) -> Call:
        """A citizen calls by a carrier."""
        carrier = by or self.main
        more = [f"P-Asserted-Identity: <sip:{number}@{carrier.host}>"]
        call = Call(carrier, self.kamailio.address, f"sip:{to}@{self.proxy}", more=more, number=number)
        self.calls.append(call)
        call.ask("INVITE")
        return call

    def asked_for(self) -> list[str]:
        """The scripts that both nodes have asked for."""
        return [script for node in (self.one, self.two) for script, _ in node.scripts]

    def taken(self) -> tuple[int, int]:
        """How many callers are on the phone on each node."""
        return self.one.on_the_phone, self.two.on_the_phone


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("trunks"))
    with ExitStack() as stack:
        for part in (place.main, place.spare, place.one, place.two, place.kamailio):
            stack.enter_context(part)
        yield place


@pytest.fixture
def place(running: Place) -> Iterator[Place]:
    """The same with nobody on the phone, and both nodes there."""
    until(lambda: running.kamailio.nodes().count("FLAGS: A") == 2, "both nodes are there")
    for node in (running.one, running.two):
        node.scripts.clear()
    running.main.sound.clear()
    yield running
    for call in running.calls:
        if call.status == "200" and not call.over:
            call.ask("BYE")
    running.calls.clear()
    until(lambda: running.taken() == (0, 0), "nobody is on the phone")


def test_each_carrier_is_known_by_its_rule_on_both_nodes(
    place: Place,
):
    place.call("09131234567")
    place.call("+989121234567", to="02191001234", by=place.spare)

    until(lambda: place.taken() == (1, 1), "each node has one")
    heard = {number for node in (place.one, place.two) for _, number in node.scripts}
    assert heard == {"09131234567", "+989121234567"}


def test_free_line_is_found_before_callers_hear_lines_are_full(
    place: Place,
):
    calls = [place.call() for _ in range(2 * LINES)]
    until(lambda: place.taken() == (LINES, LINES), "all lines are taken")
    told = place.call()
    words = (place.one.settings.prompts_dir / "fa" / f"{LINES_FULL}.alaw").read_bytes()[800:2400]
    until(lambda: any(words in heard for heard in place.main.sound.values()), "they hear the words")
    assert told.status == "200" and place.taken() == (LINES, LINES)
    told.ask("BYE")
    until(lambda: place.asked_for().count("lines-full") == 1, "one node has counted them")

    calls[0].ask("BYE")
    until(lambda: place.one.lines() + place.two.lines() == 2 * LINES - 1, "a line is free")
    place.call()
    until(lambda: place.taken() == (LINES, LINES), "it is found, on whichever node it is")


def test_callers_of_a_drained_or_sick_node_reach_the_other(place: Place):
    place.kamailio.ask("htable.flush", "full")
    place.one.wants(False)
    try:
        for _ in range(LINES):
            place.call()
        until(lambda: place.taken() == (0, LINES), "they are on the other one")
    finally:
        place.one.wants(True)
    assert not place.kamailio.ask("htable.dump", "full").strip("{}\n\t "), (
        "and it says so by another word than full"
    )


def test_calls_survive_a_killed_proxy_and_end_through_the_next(
    place: Place,
):
    calls = [place.call(), place.call()]
    until(lambda: place.taken() == (1, 1), "each node has one")
    place.main.sound.clear()
    until(lambda: len(place.main.sound) == 2, "both are heard")
    place.kamailio.kill()
    place.main.sound.clear()
    until(lambda: [len(heard) > 3200 for heard in place.main.sound.values()] == [True] * 2, "it goes on")

    place.kamailio.start()
    assert calls[0].ask("BYE").text.startswith("SIP/2.0 200")
    until(lambda: sum(place.taken()) == 1, "the node has seen it")


def test_outgoing_call_falls_back_to_the_next_carrier(
    place: Place,
):
    place.main.says = "503 Service Unavailable"
    for carrier in (place.main, place.spare):
        carrier.requests.clear()
    place.two.calls_out("+989131234567")

    until(lambda: place.spare.of("ACK"), "the second carrier has it")
    assert [invite.user for invite in place.main.of("INVITE")] == ["09131234567"]
    (invite,) = place.spare.of("INVITE")
    assert invite.user == "+989131234567"
    said = invite.text.partition("\n\n")[0]
    assert f":{place.two.settings.sip.port}" not in said and "X-Hotline" not in said
    assert invite.header("P-Asserted-Identity").startswith("<sip:137@127.0.0.1")
    assert place.spare.hang_up(invite.call_id).text.startswith("SIP/2.0 200")
    place.main.says = "200 OK"
    place.one.calls_out("+989131234567", seconds=1)
    until(lambda: place.main.of("BYE"), "it hangs up by the proxy")


def test_forged_proxy_header_makes_no_trunk_call(
    place: Place,
):
    forged = ["X-Hotline-Trunk: main"]
    call = Call(place.main, tuple(place.one.settings.sip), f"sip:137@{place.one.settings.sip}", more=forged)
    call.ask("INVITE")
    assert call.status == "401"
    with Peer("127.0.0.1", free_port()) as forger:  # who writes the proxy's address on a packet, too
        for says in ("main", f"main/{'0' * 32}"):
            call = Call(
                forger, tuple(place.one.settings.sip), f"sip:137@{place.proxy}", more=[f"{TRUNK}: {says}"]
            )
            call.ask("INVITE")
            assert call.status in ("401", "404"), call.first
    hidden = [f"Subject: x\r{TRUNK}: {make_proxy_text('spare', place.one.settings)}"]  # whose number this is
    call = Call(place.main, place.kamailio.address, f"sip:02191001234@{place.proxy}", more=hidden)
    call.ask("INVITE")
    assert call.status == "404"
    assert not place.one.scripts


def test_callers_of_a_killed_asterisk_reach_the_other_within_5_s(
    place: Place,
):
    kept = place.call()
    until(lambda: sum(place.taken()) == 1, "it is taken")
    gone, other = (place.two, place.one) if place.taken() == (1, 0) else (place.one, place.two)
    gone.kill()
    killed = time.monotonic()
    call = place.call()

    assert call.status == "200" and in_time(call.took, 5)
    until(lambda: other.on_the_phone == 2, "the other node has both")
    until(lambda: re.search(r"FLAGS: I", place.kamailio.nodes()), "it is noticed", every=0.02)
    assert in_time(time.monotonic() - killed, 3)
    assert kept.ask("BYE").text.startswith("SIP/2.0 200")
