"""A carrier by TLS and SRTP: a second, plain Asterisk with an account for us; calls with sound both ways."""

import datetime
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from db.engine import reading
from hotline.trunk import selection
from ops import asterisk
from tests.install.test_pbx import OURS, PBX, Plain
from tests.kit.carried import there_and_back
from tests.kit.operator import Operator
from tests.kit.ports import free_port, free_range
from tests.kit.process import until
from tests.kit.system import System
from tests.kit.websocket import WebSocketSip

pytestmark = pytest.mark.timeout(300)

_DAY = datetime.timedelta(days=1)
_PJSIP = """[tls]
type = transport
protocol = tls
bind = {address}
method = tlsv1_2
cert_file = {folder}/carrier.pem
priv_key_file = {folder}/carrier.key

[hotline]
type = endpoint
transport = tls
context = from-hotline
disallow = all
allow = alaw
aors = hotline
auth = hotline
media_encryption = sdes
rtp_symmetric = yes
rewrite_contact = yes
trust_id_outbound = yes
send_pai = yes

[hotline]
type = auth
auth_type = userpass
username = hotline
password = a-word-of-both

[hotline]
type = aor
max_contacts = 1
"""
_EXTENSIONS = """[hotline137]
exten => 137,1,Dial(PJSIP/hotline)

[from-hotline]
exten => _+98XXXXXXXXXX,1,NoOp(shown: ${PJSIP_HEADER(read,P-Asserted-Identity)})
 same => n,Dial(PJSIP/0${EXTEN:3}@carrier)
"""
_TRUNK = """[{name}]
profile = "tls"
host = "{address}"
user = "hotline"
secret = "a-word-of-both"
authority = "{folder}/authority.pem"
caller_id = "03132137"
caller = "pai"
qualify_seconds = 1
"""

_PLAIN = """[plain]
profile = "address"
host = "127.0.0.1:9"
qualify_seconds = 0
"""

_SDP = "\r\n".join(
    [
        *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"),
        *("m=audio 40000 RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", ""),
    ]
)


@dataclass(frozen=True)
class Places:
    """The two names of the carrier: its certificate holds the first, and not the second."""

    folder: Path
    right: str
    wrong: str
    sip: str
    citizens: int


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("carrier")
    port = free_port()
    _certify(folder, PBX)
    address = f"{PBX}:{port}"
    (folder / "pjsip_custom.conf").write_text(_PJSIP.format(address=f"0.0.0.0:{port}", folder=folder))
    (folder / "extensions_custom.conf").write_text(_EXTENSIONS)
    return Places(folder, address, f"127.0.0.4:{port}", f"{PBX}:{free_port()}", free_port())


def _certify(folder: Path, host: str) -> None:
    """An authority, and what it vouches for."""
    now = datetime.datetime.now(datetime.UTC)

    Key = ec.EllipticCurvePrivateKey

    def signed(name: str, issuer: str, key: Key, by: Key, more: x509.ExtensionType) -> None:
        names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer)]
        made = (
            x509.CertificateBuilder(issuer_name=names[1], subject_name=names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(more, critical=False)
            .sign(by, hashes.SHA256())
        )
        (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))

    authority, carrier = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    signed("authority", "authority", authority, authority, x509.BasicConstraints(ca=True, path_length=0))
    name = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    signed("carrier", "authority", carrier, authority, name)
    (folder / "carrier.key").write_bytes(
        carrier.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@pytest.fixture(scope="module")
def carrier(places: Places, tmp_path_factory: pytest.TempPathFactory, system: System) -> Iterator[Plain]:
    made = Plain(tmp_path_factory.mktemp("asterisk"), places.citizens, free_port(), places.folder)
    found = asterisk.find(system.settings)
    assert found
    try:
        made.start(found, places.sip, str(free_range(100)))
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def system(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Ours: the first trunk is where nobody's certificate is for, the second is right."""
    path: Path = tmp_path_factory.mktemp("trunks") / "trunks.toml"
    tables = {"strange": places.wrong, "right": places.right}
    made = [_TRUNK.format(name=name, address=each, folder=places.folder) for name, each in tables.items()]
    path.write_text("\n".join([*made, _PLAIN]))
    ours = {"HOTLINE_SIP": f"{OURS}:{free_port()}", "HOTLINE_SIP_TLS": f"{OURS}:{free_port()}"}
    with System(HOTLINE_TRUNKS=str(path), **ours) as running:
        yield running


def test_carrier_by_tls_uses_srtp_and_its_own_name(
    system: System, carrier: Plain, places: Places, desk: Operator
) -> None:
    def state(name: str) -> object:
        with reading(system.engine) as session:
            row = selection.find_states(session, [name]).get(name)
            return row and (row.answers, row.registered)

    until(lambda: state("right") == (True, True), "it answers, and has our registration", 90)

    there_and_back(system, desk, citizen_port=places.citizens, dials=places.sip, log=carrier.log)
    assert 'shown: "137" <sip:03132137@' in carrier.log()
    strange = state("strange")
    assert strange is None or (strange[0] is not True and strange[1] is not True)


def test_browser_at_a_trunks_address_gets_no_call(
    system: System,
) -> None:
    assert system.settings.trunks[-1].allowed == ("127.0.0.1",)
    with WebSocketSip(system.settings.asterisk_http) as browser:
        for caller in ("09131234567", "trunk-plain"):
            assert browser.request("INVITE", user="137", caller=caller, body=_SDP) == 403
