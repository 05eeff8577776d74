"""Checks of Asterisk, its manager interface, and the ports."""

import errno
import ipaddress
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from dialplan.accounts import AMI_USER
from ops.doctor.findings import Finding, Known, fail, report_ok, warn
from settings import Settings
from settings.addresses import Address, is_address

_ASKED_S = 2.0
_EVERYWHERE = ("0.0.0.0", "[::]")  # noqa: S104
_HERE = ("127.0.0.1", "localhost", "0.0.0.0")  # noqa: S104


def check_asterisk(known: Known) -> Iterator[Finding]:
    """Check this machine's Asterisk; in containers Asterisk is in its own."""
    from ops import asterisk as ours

    found = ours.find(known.settings)
    if found is None:
        yield report_ok(
            "asterisk",
            f"none of {ours.OLDEST} or newer here: hotline137 run unpacks one, a container has its own",
        )
    else:
        said = (f"version {found.version}", found.describe_known_fault())
        yield report_ok("asterisk", "; ".join(filter(None, said)))


def check_manager(known: Known) -> Iterator[Finding]:
    """Check the sign-in to AMI, as the dialer does it."""
    settings = known.settings
    if not (settings.state_dir / "secret").exists():
        return  # secret_for would create the secret
    try:
        answer = _sign_in(settings.ami, settings.secret_for(AMI_USER))
    except OSError as error:
        if known.runs:
            why = error.strerror or "no answer in time"
            yield fail("AMI", f"{settings.ami}: {why}", "the log for asterisk; HOTLINE_AMI")
        return
    if "Success" in answer:
        yield report_ok("AMI", f"{settings.ami} lets the dialer in")
    else:
        yield fail(
            "AMI",
            f"{settings.ami} does not let the dialer in",
            "its configuration has another secret: restart asterisk",
        )


def _sign_in(address: Address, secret: str) -> str:
    with socket.create_connection(address, timeout=_ASKED_S) as wire:
        wire.settimeout(_ASKED_S)
        hello = f"Action: Login\r\nUsername: {AMI_USER}\r\nSecret: {secret}\r\nEvents: off\r\n\r\n"
        wire.sendall(hello.encode())
        answer = b""
        while b"\r\n\r\n" not in answer and len(answer) < 1 << 16 and (more := wire.recv(4096)):
            answer += more
        wire.sendall(b"Action: Logoff\r\n\r\n")
    return answer.decode(errors="replace")


def check_ports(known: Known) -> Iterator[Finding]:
    """Check the ports: ours while the system runs, free while it does not."""
    settings = known.settings
    tcp = {"HOTLINE_HTTP": settings.http, "HOTLINE_AGI": settings.agi, "HOTLINE_AMI": settings.ami}
    if settings.ami.host in _HERE:  # otherwise Asterisk is in a container of its own
        tcp["HOTLINE_ASTERISK_HTTP"] = settings.asterisk_http
    taken = {f"{name}={address}": _listens(address) for name, address in tcp.items()}
    if settings.ami.host in _HERE:
        taken[f"HOTLINE_SIP={settings.sip} (UDP)"] = _is_bound(settings.sip)
    wrong = [name for name, here in taken.items() if here is not None and here is not known.runs]
    for name in wrong:
        if known.runs:
            yield fail("ports", f"{name}: nobody listens", "another machine's address? docs/operate/night.md")
        else:
            yield fail("ports", f"{name}: another program has it", "end that one (ss -tulpn), or set another")
    if not wrong:
        yield report_ok("ports", "each has its listener" if known.runs else "all are free")


def check_websocket(known: Known) -> Iterator[Finding]:
    """Check that browsers elsewhere are not sent to Asterisk directly, which admits only the proxies."""
    url = urlsplit(known.settings.websocket)
    if url.scheme == "ws" and url.hostname not in ("127.0.0.1", "localhost", "::1"):
        yield warn(
            "websocket",
            f"{known.settings.websocket}: Asterisk refuses browsers that come without a proxy, and they have"
            " no microphone there",
            "a TLS proxy that asks who is signed in (docs/operate/proxy.md), HOTLINE_WEBSOCKET_URL=wss://…",
        )


def check_trial_functions(known: Known) -> Iterator[Finding]:
    """Check trial functions, which no real city may have: a warning at home, a fault for all to reach.

    /phone admits strangers to Asterisk's WebSocket, whose sessions the desks need.
    """
    if not known.settings.browser_phone:
        return
    said, do = "/phone lets anybody call as five citizens", "HOTLINE_BROWSER_PHONE=0 for a real city"
    if outside := _outside(known.settings):
        said += f", and at {outside} strangers can take the desks' WebSocket sessions"
        yield fail("trial", said, do)
    else:
        yield warn("trial", said, do)


def _outside(settings: Settings) -> str:
    """Return a domain or a public address at which others reach this system; empty if there is none."""
    hosts = [
        urlsplit(settings.public_url).hostname,
        urlsplit(settings.websocket).hostname,
        settings.public_address,
        settings.http.host,
        settings.sip.host,
        _own_address() if settings.http.host in _EVERYWHERE else None,
    ]
    return next((host for host in hosts if host and _is_public(host.strip("[]"))), "")


def _is_public(host: str) -> bool:
    if is_address(host):
        return ipaddress.ip_address(host).is_global
    return "." in host and not host.endswith(".localhost")


def _own_address() -> str:
    """Return the IPv4 address from which this machine reaches others; nothing is sent to learn it.

    IPv6 is left out: a machine at home has a public address, too, behind its router's firewall.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:  # no route
            return ""
        return str(probe.getsockname()[0])


def _listens(address: Address) -> bool | None:
    """Return whether somebody listens there; None for another machine's address, or if unknown."""
    host = "127.0.0.1" if address.host == "0.0.0.0" else address.host  # noqa: S104
    try:
        with socket.create_connection((host, address.port), timeout=_ASKED_S):
            return True
    except ConnectionRefusedError:
        return False
    except OSError:
        return None


def _is_bound(address: Address) -> bool | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(address)
        except OSError as error:
            return True if error.errno == errno.EADDRINUSE else None
    return False
