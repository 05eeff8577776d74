"""`docker compose --profile tls up`: a browser comes by Caddy, and its sound goes by the relay alone."""

import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import httpx
import pytest
from playwright.sync_api import Error, Page

from hotline.version import VERSION
from tests.kit.browser import browser, person
from tests.kit.compose import Compose
from tests.kit.docker_engine import Engine
from tests.kit.pages import in_state
from tests.kit.ports import free_port
from tests.kit.process import until

pytestmark = pytest.mark.timeout(1500)

RELAY_ONLY = """
const Usual = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Usual {
  constructor(given) { super({ ...given, iceTransportPolicy: "relay" }); window.__way = this; }
};
"""
WAY = """async () => {
  const all = [...(await window.__way.getStats()).values()];
  const pair = all.find((one) => one.type === "candidate-pair" && one.nominated && one.state === "succeeded");
  if (!pair) return null;
  const of = (id) => all.find((one) => one.id === id);
  return {
    by: of(pair.localCandidateId).candidateType,
    to: of(pair.remoteCandidateId).address,
    sent: all.find((one) => one.type === "outbound-rtp").packetsSent,
    heard: all.find((one) => one.type === "inbound-rtp").packetsReceived,
  };
}"""


ASTERISK = (
    "asterisk",
    "-C",
    "/var/lib/hotline137/asterisk/etc/asterisk.conf",
    "-rx",
    "core show channels concise",
)


class Front(Compose):
    """The project with its front, whose certificate is of Caddy's own authority."""

    def __init__(self, docker: Engine) -> None:
        self.http, self.https, self.turn = free_port(), free_port(), free_port()
        super().__init__(
            docker,
            COMPOSE_PROFILES="tls",
            HOTLINE_DOMAIN="localhost",
            HOTLINE_TLS="internal",
            HOTLINE_FRONT_ADDRESS="127.0.0.1",
            HOTLINE_TLS_HTTP_PORT=str(self.http),
            HOTLINE_TLS_PORT=str(self.https),
            HOTLINE_TURN_PORT=str(self.turn),
            HOTLINE_WEBSOCKET_URL=f"wss://localhost:{self.https}/ws",
            HOTLINE_TURN_URLS=f"turn:127.0.0.1:{self.turn}?transport=udp",
            HOTLINE_SAMPLE_TRUNK="192.0.2.1:5070,192.0.2.0/24",
            HOTLINE_SECOND_FACTOR_ROLES="",
        )
        self.url = f"https://localhost:{self.https}"

    def relayed(self, account: dict[str, str], peer: str) -> str:
        """Return the output of coturn's own client for a relay to that address."""
        client = f"turnutils_uclient -n 1 -m 1 -u {account['username']} -w {account['credential']} -e {peer}"
        return self("exec", "-T", "turn", "sh", "-c", f"timeout 10 {client} $(hostname -i) 2>&1 || true")


@pytest.fixture(scope="module")
def front(docker: Engine) -> Iterator[Front]:
    """The running project, gone without a trace afterwards."""
    front = Front(docker)
    try:
        front.build()
        front.up()
        yield front
    finally:
        front("down", "--volumes", "--rmi", "all")


@pytest.fixture
def page(front: Front) -> Iterator[Page]:
    """The first operator's desk, in a browser whose sound may go by a relay alone."""
    with browser() as chromium, person(chromium, ignore_https_errors=True) as context:
        context.add_init_script(RELAY_ONLY)
        page = context.new_page()
        who = {"username": "operator1", "password": front.password_of("operator1")}
        signed_in = page.context.request.post(f"{front.url}/api/v1/session", data=who)
        assert signed_in.ok, signed_in.text()
        open_desk(page, front)
        yield page


def open_desk(page: Page, front: Front) -> None:
    """Open the desk. Chromium drops what it loads when an interface of the machine comes or goes."""
    for _ in range(5):
        try:
            page.goto(f"{front.url}/desk")
            page.get_by_test_id("phone-connect").wait_for(timeout=10_000)
            return
        except Error as error:
            dropped = str(error)
    pytest.fail(dropped)


def way_of_sound(page: Page, least_sent: int) -> dict[str, Any]:
    """Return the way that the sound takes, once so many packets went by it. A check may unset it a moment."""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        way = page.evaluate(WAY)
        if way and way["sent"] >= least_sent:
            found.append(way)
        return bool(found)

    until(is_there, f"a way by which {least_sent} packets went", 30)
    return found[0]


def test_browser_with_relay_only_has_sound_both_ways(page: Page, front: Front) -> None:
    page.get_by_test_id("phone-connect").click()
    in_state(page, "phone-state", "connected")
    before = way_of_sound(page, least_sent=0)
    now = way_of_sound(page, least_sent=before["sent"] + 101)

    assert now["by"] == "relay" and now["heard"] > before["heard"] + 50
    assert ip_address(now["to"]) in ip_network(front.subnet)
    assert page.evaluate("location.protocol") == "https:"
    channels = front("exec", "-T", "asterisk", *ASTERISK)
    assert channels.count("PJSIP/desk-") == 1


def test_relay_account_reaches_only_asterisk(page: Page, front: Front) -> None:
    account = page.context.request.get(f"{front.url}/api/v1/desk/phone").json()["ice_servers"][0]
    peers = {
        name: front("exec", "-T", "turn", "getent", "ahostsv4", name).split()[0]
        for name in ("asterisk", "api", "database")
    }

    said = {name: front.relayed(account, peer) for name, peer in peers.items()}

    assert "403" not in said["asterisk"]
    assert "403" in said["api"] and "403" in said["database"]


def test_plain_http_redirects_to_https_with_hsts(front: Front) -> None:
    plain = httpx.get(f"http://localhost:{front.http}/public")
    with httpx.Client(verify=False, base_url=front.url) as client:
        page = client.get("/public", headers={"Accept-Encoding": "gzip"})
        health = client.get("/healthz", headers={"X-Forwarded-For": "127.0.0.1"})
        origins = (front.url, "https://evil.example", "https://localhost.evil.example")
        phones = [client.get("/ws", headers={"Origin": origin}).status_code for origin in origins]

    assert plain.status_code == 308 and plain.headers["location"].startswith("https://localhost")
    assert page.status_code == 200
    assert [status == httpx.codes.NOT_FOUND for status in phones] == [False, True, True], phones
    assert page.headers.get_list("strict-transport-security") == ["max-age=31536000; includeSubDomains"]
    assert page.headers["content-encoding"] == "gzip" and "server" not in page.headers
    assert "database" not in health.text  # an insider's answer names the parts


def test_endless_or_oversized_request_head_is_dropped(
    front: Front,
) -> None:
    large = httpx.get(f"{front.url}/public", verify=False, headers={"X-Long": "x" * 40_000})
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("localhost", front.https)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as slow,
    ):
        slow.settimeout(20)
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        assert slow.recv(1) == b""

    assert large.status_code == 431


def test_each_container_has_its_limits_and_version_label(
    front: Front,
) -> None:
    containers = front.containers()

    assert {each["Config"]["User"] for each in containers} == {"hotline", "hotline137-asterisk"}
    for each in containers:
        host = each["HostConfig"]
        assert 0 < host["Memory"] <= 2 << 30 and 0 < host["PidsLimit"] <= 8192, each["Name"]
        assert [(one["Name"], one["Hard"]) for one in host["Ulimits"]] == [("nofile", 16384)], each["Name"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], each["Name"]
        assert each["Config"]["Labels"]["org.opencontainers.image.version"] == VERSION, each["Name"]
