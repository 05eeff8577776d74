"""The firewall and fail2ban of ops/ in a network namespace of their own, and the world behind a cable.

They need root. The carrier's calls pass while a scanner floods; who guesses is shut out by the true fail2ban.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kit.process import Program, need, until

OPS = Path(__file__).parents[2] / "ops"
RULES = OPS / "firewall" / "nftables.conf"
CITY, TRUNK, PHONE, SCANNER = "192.0.2.10", "198.51.100.7", "192.0.2.55", "203.0.113.9"
FLOOD = 20_000

# Counts by its sender each packet that reaches SIP's port; prints the counts after the last one.
_LISTEN = """
import collections, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
s.bind(("0.0.0.0", 5060))
print("listening", flush=True)
seen = collections.Counter()
while True:
    data, (address, _) = s.recvfrom(2048)
    seen[address] += 1
    if data == b"last":
        print(dict(seen), flush=True)
"""
# A scanner's flood, with a telephone's and the carrier's packets in between.
_SEND = f"""
import socket
def sender(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 0))
    s.connect(("{CITY}", 5060))
    return s
trunk, phone, scanner = map(sender, ("{TRUNK}", "{PHONE}", "{SCANNER}"))
for n in range({FLOOD}):
    scanner.send(b"OPTIONS sip:100@{CITY} SIP/2.0\\r\\n\\r\\n")
    if n % 4 == 0:
        phone.send(b"REGISTER sip:{CITY} SIP/2.0\\r\\n\\r\\n")
    if n % 20 == 0:
        trunk.send(b"INVITE sip:137@{CITY} SIP/2.0\\r\\n\\r\\n")
trunk.send(b"last")
"""


def run(*words: str | Path, namespace: str = "") -> str:
    argv = [str(word) for word in words]
    if namespace:
        argv = ["ip", "netns", "exec", namespace, *argv]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two namespaces, joined by a cable: the city's machine with its firewall, and everybody else."""
    city, outside = f"city-{os.getpid()}", f"world-{os.getpid()}"
    try:
        for name in (city, outside):
            run("ip", "netns", "add", name)
            run("ip", "link", "set", "lo", "up", namespace=name)
        run("ip", "link", "add", "c0", "netns", city, "type", "veth", "peer", "name", "w0", "netns", outside)
        for name, port, addresses in ((city, "c0", [CITY]), (outside, "w0", [TRUNK, PHONE, SCANNER])):
            run("ip", "link", "set", port, "up", namespace=name)
            for address in addresses:
                run("ip", "address", "add", f"{address}/32", "dev", port, namespace=name)
            run("ip", "route", "add", "default", "dev", port, namespace=name)
        run(need("nft", "nftables"), "-c", "-f", RULES, namespace=city)
        run("nft", "-f", RULES, namespace=city)
        yield city, outside
    finally:
        for name in (city, outside):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _counters(city: str) -> dict[str, int]:
    listed = run("nft", "list", "counters", "table", "inet", "hotline137", namespace=city)
    return {
        name: int(packets)
        for name, packets in re.findall(r"counter (\w+) \{(?:\s+comment [^\n]+)?\s+packets (\d+)", listed)
    }


def _inside(city: str, argv: Sequence[str | Path], log: Path) -> Program:
    return Program(["ip", "netns", "exec", city, *argv], folder=log.parent, log=log)


def _listening(city: str, port: int, folder: Path) -> Program:
    code = f"import socket; s = socket.create_server(('{CITY}', {port}))\nwhile True: s.accept()"
    return _inside(city, [sys.executable, "-c", code], folder / f"{port}.log")


def _answers(outside: str, address: str, port: int) -> bool:
    code = f"import socket; socket.create_connection(('{CITY}', {port}), 1, ('{address}', 0))"
    done = subprocess.run(
        ["ip", "netns", "exec", outside, sys.executable, "-c", code], capture_output=True, check=False
    )
    return done.returncode == 0


def test_flooding_scanner_is_dropped_and_the_trunk_passes(world: tuple[str, str], tmp_path: Path) -> None:
    city, outside = world
    heard = tmp_path / "heard"
    with _inside(city, [sys.executable, "-c", _LISTEN], heard) as listener:
        listener.ready(lambda: "listening" in heard.read_text())
        run(sys.executable, "-c", _SEND, namespace=outside)
        until(lambda: "{" in heard.read_text(), "the last packet came")
    seen = ast.literal_eval(heard.read_text().splitlines()[-1])

    calls = FLOOD // 20 + 1
    assert seen[TRUNK] == calls, "each packet of the carrier"
    assert SCANNER not in seen
    assert 50 <= seen[PHONE] < FLOOD // 4, "a telephone gone mad is limited"
    counted = _counters(city)
    assert (counted["from_trunk"], counted["scanners"]) == (calls, FLOOD)
    assert counted["too_many"] == FLOOD // 4 - seen[PHONE]


def test_flood_is_not_forwarded_to_a_container(world: tuple[str, str], tmp_path: Path) -> None:
    city, outside = world
    inner = f"inner-{os.getpid()}"
    heard = tmp_path / "heard"
    try:
        run("ip", "netns", "add", inner)
        run("ip", "link", "add", "c1", "netns", city, "type", "veth", "peer", "name", "i0", "netns", inner)
        for name, port, address in ((city, "c1", "172.18.0.1/24"), (inner, "i0", "172.18.0.2/24")):
            run("ip", "address", "add", address, "dev", port, namespace=name)
            run("ip", "link", "set", port, "up", namespace=name)
        run("ip", "route", "add", "default", "via", "172.18.0.1", namespace=inner)
        run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", namespace=city)
        rule = "type nat hook prerouting priority dstnat; udp dport 5060 dnat to 172.18.0.2;"
        run("nft", f"table ip docker {{ chain front {{ {rule} }}; }}", namespace=city)
        with _inside(inner, [sys.executable, "-c", _LISTEN], heard) as listener:
            listener.ready(lambda: "listening" in heard.read_text())
            run(sys.executable, "-c", _SEND, namespace=outside)
            until(lambda: "{" in heard.read_text(), "the last packet came")
    finally:
        subprocess.run(["ip", "netns", "del", inner], check=False, capture_output=True)
    seen = ast.literal_eval(heard.read_text().splitlines()[-1])
    assert seen[TRUNK] == FLOOD // 20 + 1 and SCANNER not in seen


def test_strangers_reach_the_pages_and_nothing_else(world: tuple[str, str], tmp_path: Path) -> None:
    city, outside = world
    with ExitStack() as running:
        for port in (443, 22, 5038, 8137):
            running.enter_context(_listening(city, port, tmp_path))
        until(lambda: _answers(outside, SCANNER, 443), "the pages answer")
        until(lambda: _answers(outside, PHONE, 22), "the caretakers' SSH answers")
        open_ = [port for port in (22, 5038, 8137) if _answers(outside, SCANNER, port)]
        assert open_ == []
        assert not _answers(outside, TRUNK, 5038)


def _etc(folder: Path, log: Path) -> Path:
    """/etc/fail2ban as Debian has it, with ours in it, which here reads a file."""
    etc = folder / "fail2ban"
    shutil.copytree("/etc/fail2ban", etc)
    for path in (etc / "jail.d").iterdir():
        path.unlink()
    for path in (OPS / "fail2ban").rglob("*.conf"):
        shutil.copy(path, etc / path.parent.name)
    jails = etc / "jail.d" / "hotline137.conf"
    jails.write_text(jails.read_text().replace("backend = systemd", f"backend = polling\nlogpath = {log}"))
    return etc


def test_fail2ban_drops_guessers_and_spares_the_city(world: tuple[str, str], tmp_path: Path) -> None:
    city, outside = world
    log = tmp_path / "hotline.log"
    log.write_text("")
    etc = _etc(tmp_path, log)
    here = ["-c", etc, "-s", tmp_path / "socket", "-p", tmp_path / "pid"]
    server = [need("fail2ban-server", "fail2ban"), "-f", "-x", *here, "--logtarget", tmp_path / "said"]
    client = [need("fail2ban-client", "fail2ban"), *here]
    run(*client, "-t")
    with _inside(city, server, tmp_path / "server.log") as running, _listening(city, 443, tmp_path):
        running.ready(lambda: "Jail 'hotline137-sip' started" in _read(tmp_path / "said"))
        until(lambda: _answers(outside, SCANNER, 443), "the pages answer")
        with log.open("a") as lines:
            for address in (SCANNER, PHONE):
                for _ in range(12):
                    lines.write(f"{_now()} api      | WARNING sign-in refused (wrong-code) from {address}\n")
            for _ in range(6):
                lines.write(
                    f"{_now()} asterisk | WARNING sign-in refused (unknown-phone) from 203.0.113.77\n"
                )
        banned = [*client, "get", "hotline137-pages", "banip"]
        until(lambda: SCANNER in run(*banned), "they are shut out")
        until(lambda: "203.0.113.77" in run(*client, "get", "hotline137-sip", "banip"), "so is the scanner")
        assert PHONE not in run(*banned), "the office is never shut out"
        assert not _answers(outside, SCANNER, 443)
        assert _answers(outside, PHONE, 443)
        run(*client, "set", "hotline137-pages", "unbanip", SCANNER)
        until(lambda: _answers(outside, SCANNER, 443), "let in again")


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _now() -> str:
    return time.strftime("%H:%M:%S")
