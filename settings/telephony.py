"""The telephone network: carriers, the SIP proxy, channels, allowed numbers."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from settings import city_file
from settings import trunks as carriers
from settings.addresses import Address, has_overlap, is_address, parse_address
from settings.city import find_city_file
from settings.part import Part
from settings.trunks import Trunk
from settings.values import PATH, HostPort, Nodes, OptionalPath, Words


def refuse_overlap(allowed: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
    """Refuse carriers' networks that include a TLS proxy's address, from which browsers come. Raises
    ValueError.
    """
    if not others.data.get("websocket_url", "").startswith("wss:"):
        return allowed  # a trial on one machine, where the dialplan alone tells them apart
    for each in allowed:
        for proxy in ("127.0.0.1", "::1", *others.data.get("trusted_proxies", ())):
            if has_overlap(each, proxy):
                raise ValueError(
                    f"{each} includes {proxy}, whence browsers come (HOTLINE_WEBSOCKET_URL is a TLS "
                    "proxy's); must be the carrier's addresses alone, for example 198.51.100.0/24"
                )
    return allowed


class Telephony(Part):
    """The telephone network: carriers, the SIP proxy, channels, allowed numbers."""

    trunk_host: str = ""
    """Old name of `host` of a single trunk; each is checked as the key that it becomes."""
    trunk_user: str = ""
    """Old name of `user`."""
    trunk_secret: str = ""
    """Old name of `secret`."""
    trunk_allowed: Words = ()
    """Old name of `allowed`."""
    trunk_codecs: Words = ()
    """Old name of `codecs`, also of tables without their own."""
    trunk_national: bool = True
    """Old name of `numbers`, also of tables without their own: national, or e164."""
    trunk_asked_seconds: int = 5
    """Old name of `qualify_seconds`, also of tables without their own."""
    trunk_channels: int = Field(0, ge=0, le=10_000)
    """Old name of `channels`; with several tables: of all together."""
    sip_tls: HostPort = Address("127.0.0.1", 5061)
    """The address where Asterisk listens for trunks with TLS."""
    sip_tls_certificate: OptionalPath = None
    """Asterisk's TLS certificate with its chain (PEM); needed only if a carrier connects to us."""
    sip_tls_key: OptionalPath = None
    """The key of HOTLINE_SIP_TLS_CERTIFICATE."""
    sip_proxy: Annotated[
        Address | None, NoDecode, BeforeValidator(lambda value: parse_address(value) if value else None)
    ] = None
    """Kamailio's address:port for carriers and nodes (docs/operate/sip-proxy.md). A node takes callers from
    it alone and sends calls through it. Empty: carriers speak with Asterisk directly."""
    sip_nodes: Nodes = ()
    """The nodes behind the proxy, each name=HOTLINE_SIP: one=192.0.2.11:5060 two=192.0.2.12:5060."""
    sip_proxy_calls_per_second: int = Field(100, ge=1, le=10_000)
    """New calls in a second that the proxy takes from each carrier, and from the nodes. It answers 503 to
    more."""
    sip_proxy_metrics: Annotated[
        Address | None, NoDecode, BeforeValidator(lambda value: parse_address(value) if value else None)
    ] = None
    """The proxy machine's address:port where Prometheus reads the number of rejected callers. It is HTTP
    without a password: use 127.0.0.1:9137 or an inner network. Empty: none."""
    allowed_prefixes: Words = Field((), validate_default=True)
    """Prefixes of numbers that are registered and dialled: +989,+9831. Empty: Iranian mobiles and the city's
    own landlines."""
    channels_for_callers: int = Field(2, ge=1, le=1000)
    """Channels of the trunk that outgoing calls never take, kept free for callers."""
    channels_for_callbacks: int = Field(2, ge=1, le=1000)
    """Channels of the trunk that callers never take, kept free for callbacks."""
    sample_trunk: Words = Field(("127.0.0.1:5070", "127.0.0.1"), min_length=2)
    """The trunk of a trial, while no file names one: where its calls go, then whence they come."""
    trunks: Annotated[tuple[Trunk, ...], NoDecode] = Field((), validate_default=True)
    """The TOML file of the carriers' lines, the first preferred (docs/operate/trunk.md). Empty:
    `city/trunks.toml` in the state folder, if it is there; else HOTLINE_SAMPLE_TRUNK."""
    extensions: Words = ()
    """Patterns of the PBX's short numbers that may be a desk's telephone: 2XX for 200 to 299. None begins
    with 0 or 1, which are services."""
    browser_phone: bool = False
    """Offer /phone, a citizen's phone in the browser. For trials, never for a real city."""
    public_address: str = Field("", pattern=r"^[A-Za-z0-9.:-]*$")
    """The address at which phones reach Asterisk's SIP and RTP, if it differs (NAT, a container)."""

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
        kept = ("channels_for_callers", "channels_for_callbacks")
        if not {*carriers.OLD, "sample_trunk", *kept} <= said.keys():
            return ()  # these settings are wrong themselves and named in their own error
        if value:
            defaults = carriers.find_old_defaults(said)
            found = carriers.read(Path(value), defaults) if isinstance(value, str | Path) else value
        else:
            found = (carriers.make_single(said),)
        for each in found:
            refuse_overlap(each.allowed, others)
            if 0 < each.channels <= said["channels_for_callers"]:
                raise ValueError(f"[{each.name}] channels: must be more than HOTLINE_CHANNELS_FOR_CALLERS")
        if 0 < (said["trunk_channels"] or carriers.count_channels(found)) <= said["channels_for_callbacks"]:
            raise ValueError("channels: must be more than HOTLINE_CHANNELS_FOR_CALLBACKS")
        return found

    @field_validator("allowed_prefixes")
    @classmethod
    def _prefixes(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if not value:
            if "city" not in others.data:
                return ()  # this setting is wrong itself and named in its own error
            path = find_city_file(others.data["city"], others.data.get("state_dir"))
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
