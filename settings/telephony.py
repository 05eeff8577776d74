"""The way to the telephone network: carriers, the SIP proxy, channels, which numbers may be dialled."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from settings import city_file
from settings import trunks as carriers
from settings.addresses import Address, address, is_address, networks, overlap
from settings.city import city_in_force
from settings.part import Part
from settings.trunks import ONLY, Trunk
from settings.values import PATH, HostPort, Nodes, OptionalPath, Words


def apart(allowed: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
    """That no browser comes from there, if they come by a TLS proxy."""
    if not others.data.get("websocket_url", "").startswith("wss:"):
        return allowed  # a trial on one machine, where the dialplan alone tells them apart
    for each in allowed:
        for proxy in ("127.0.0.1", "::1", *others.data.get("trusted_proxies", ())):
            if overlap(each, proxy):
                raise ValueError(
                    f"{each} includes {proxy}, whence browsers come (HOTLINE_WEBSOCKET_URL is a TLS "
                    "proxy's); must be the carrier's addresses alone, for example 198.51.100.0/24"
                )
    return allowed


class Telephony(Part):
    """The way to the telephone network: carriers, the SIP proxy, channels, which numbers may be dialled."""

    trunk_host: HostPort = Address("127.0.0.1", 5070)
    """Where calls to citizens are sent."""
    trunk_user: str = Field("", pattern=r"^[A-Za-z0-9._+-]*$")
    """Our account at the carrier; empty where it knows us by our address."""
    trunk_secret: str = Field("", pattern=r"^[^\s;\\]*$")
    """Its password."""
    trunk_allowed: Words = Field(("127.0.0.1",), validate_default=True)
    """Addresses or networks whose calls are taken as citizens' calls."""
    trunk_codecs: Words = ("alaw", "ulaw", "g722", "opus")
    """The first that the other side knows, too, is spoken; Opus only where Asterisk has it."""
    trunk_national: bool = True
    """Dial 0913… (what Iranian carriers expect) instead of +98913…."""
    trunk_asked_seconds: int = Field(5, ge=0, le=60)
    """So often the trunk is asked how it is (SIP OPTIONS); one that falls silent is called no more until it
    answers. 0: never, for a carrier that does not want it; then only calls that fail show that it is down."""
    sip_tls: HostPort = Address("127.0.0.1", 5061)
    """Where Asterisk listens for trunks of HOTLINE_TRUNKS that speak TLS, if there is one."""
    sip_tls_certificate: OptionalPath = None
    """Its certificate, with the chain (PEM); needed only where a carrier opens the connection to us."""
    sip_tls_key: OptionalPath = None
    """That certificate's key."""
    sip_proxy: Annotated[
        Address | None, NoDecode, BeforeValidator(lambda value: address(value) if value else None)
    ] = None
    """Where Kamailio listens for carriers and nodes, address:port (docs/operate/sip-proxy.md): a node takes
    callers from there alone, and calls go out by it. Empty: there is none, carriers speak with Asterisk."""
    sip_nodes: Nodes = ()
    """The nodes behind it, a name and its HOTLINE_SIP each: one=192.0.2.11:5060 two=192.0.2.12:5060."""
    sip_proxy_calls_per_second: int = Field(100, ge=1, le=10_000)
    """So many new calls in a second it takes from each carrier, and from the nodes; to more it says 503."""
    sip_proxy_metrics: Annotated[
        Address | None, NoDecode, BeforeValidator(lambda value: address(value) if value else None)
    ] = None
    """An address:port of the proxy's machine where Prometheus asks how many callers it has turned away, by
    HTTP without a password: 127.0.0.1:9137, or one of the inner network. Empty: nowhere."""
    allowed_prefixes: Words = Field((), validate_default=True)
    """Only numbers that begin so are registered and dialled: +989,+9831. Empty: Iranian mobiles and the
    city's own lines."""
    trunk_channels: int = Field(0, ge=0, le=10_000)
    """The trunk's channels: so many calls, callers and outgoing ones together, it carries at one time. 0: as
    many as HOTLINE_MAX_CALLS and HOTLINE_CALLS_AT_ONCE allow."""
    channels_for_callers: int = Field(2, ge=1, le=1000)
    """Of these, so many are never taken by outgoing calls: there is room to dial 137."""
    channels_for_callbacks: int = Field(2, ge=1, le=1000)
    """Of these, so many are never taken by callers: there is room to call citizens back."""
    trunks: Annotated[tuple[Trunk, ...], NoDecode] = Field((), validate_default=True)
    """A file with several trunks, the first preferred (docs/operate/trunk.md); of the settings of the
    one trunk only its codecs, NATIONAL and ASKED_SECONDS count then, where the file says nothing. Empty: that
    one trunk."""
    extensions: Words = ()
    """Short numbers of the PBX before us that a desk's telephone may be, as patterns: 2XX for 200 to 299.
    None begins with 0 or 1, which are services."""
    browser_phone: bool = False
    """Offer /phone, a citizen's phone in the browser. For trying out, never for a real city."""
    public_address: str = Field("", pattern=r"^[A-Za-z0-9.:-]*$")
    """Where phones reach Asterisk's SIP and sound, if not where it listens (NAT, a container)."""

    @field_validator("trunk_allowed")
    @classmethod
    def _carriers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return networks(value)

    @field_validator("trunk_allowed")
    @classmethod
    def _no_proxies(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        """Browsers elsewhere come from a TLS proxy's address: it must not be the carrier's as well."""
        return apart(value, others)

    @field_validator("sip_tls_key")
    @classmethod
    def _tls(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        certificate = others.data.get("sip_tls_certificate")
        if (value is None) != (certificate is None):
            raise ValueError("HOTLINE_SIP_TLS_CERTIFICATE and HOTLINE_SIP_TLS_KEY belong together")
        for each in (certificate, value):
            if each and not (each.is_file() and PATH.fullmatch(str(each))):
                raise ValueError(f"there is no file {each}")
        return value

    @field_validator("sip_proxy", "sip_proxy_metrics")
    @classmethod
    def _proxy(cls, value: Address | None) -> Address | None:
        if value and (not is_address(value.host) or value.host in ("0.0.0.0", "[::]")):  # noqa: S104
            raise ValueError("must be an address and a port, and not every address")
        return value

    @field_validator("trunks", mode="before")
    @classmethod
    def _trunks(cls, value: Any, others: ValidationInfo) -> Any:
        said = others.data
        if not {"trunk_host", "trunk_allowed", "trunk_codecs", "trunk_asked_seconds"} <= said.keys():
            return ()  # wrong themselves, and named so
        defaults = {
            "codecs": said["trunk_codecs"],
            "numbers": "national" if said.get("trunk_national", True) else "e164",
            "qualify_seconds": said["trunk_asked_seconds"],
        }
        if not value:
            user = said.get("trunk_user", "")
            account = {
                "user": user,
                "secret": said.get("trunk_secret", "") if user else "",
                "registers": bool(user),
            }
            where = {"host": said["trunk_host"], "allowed": said["trunk_allowed"]}
            return (Trunk(name=ONLY, **where, **account, **defaults),)
        found = carriers.read(Path(value), defaults) if isinstance(value, str | Path) else value
        for each in found:
            apart(each.allowed, others)
            if 0 < each.channels <= said.get("channels_for_callers", 0):
                raise ValueError(f"[{each.name}] channels: must be more than HOTLINE_CHANNELS_FOR_CALLERS")
        return found

    @field_validator("trunk_codecs")
    @classmethod
    def _codecs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return carriers.known_codecs(value)

    @field_validator("allowed_prefixes")
    @classmethod
    def _prefixes(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if not value:
            if "city" not in others.data:
                return ()  # wrong itself, and named so
            path = city_in_force(others.data["city"], others.data.get("state_dir"))
            return ("+989", f"+98{city_file.read(path).city.area_code[1:]}")
        if not all(p[:1] == "+" and p[1:].isdecimal() for p in value):
            raise ValueError("must be prefixes such as +989, +9831")
        return value

    @field_validator("extensions")
    @classmethod
    def _extensions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[2-9][0-9X]{1,5}", pattern) for pattern in value):
            raise ValueError(
                "must be patterns such as 2XX, of two to six places, none beginning with 0, 1 or X"
            )
        return value

    @field_validator("channels_for_callbacks")
    @classmethod
    def _channels(cls, value: int, others: ValidationInfo) -> int:
        channels, callers = others.data.get("trunk_channels"), others.data.get("channels_for_callers")
        if channels and callers and value + callers > channels:
            raise ValueError(
                f"with HOTLINE_CHANNELS_FOR_CALLERS={callers} is more than HOTLINE_TRUNK_CHANNELS={channels}"
            )
        return value
