"""This machine: where it keeps what it has, and where its parts listen."""

import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, ValidationInfo, field_validator

from settings.addresses import Address, networks
from settings.part import PROJECT, Part
from settings.values import PATH, PORT, HostPort, PortRange, Ports, Words


def _names_servers(url: str) -> bool:
    """Whether each server of several, if there are several, can be told."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    ports = [port for port in query.get("port", "").split(",") if port]
    hosts = query.get("host", "").split(",")
    decimal = all(PORT.fullmatch(port) for port in ports)
    return "," not in parts.netloc.rpartition("@")[2] and decimal and len(ports) in (0, len(hosts))


_TURN = re.compile(r"turns?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(\?transport=(udp|tcp))?")


class Machine(Part):
    """This machine: where it keeps what it has, and where its parts listen."""

    state_dir: Path = Path("var")
    """Where everything lies that has to be kept: the database, recordings, secrets, logs."""
    database_url: str = ""
    """postgresql+psycopg://user:password@host/name, or of several servers, of which one takes writes,
    postgresql+psycopg://user:password@/name?host=a,b&port=5432,5432 (docs/operate/postgresql.md); a SQLite
    file in HOTLINE_STATE_DIR if empty."""
    node: str = Field("main", pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")
    """This machine's name among several that share one PostgreSQL (docs/operate/nodes.md); each its own."""
    log: Literal["console", "json"] = "console"
    """How the log is written: for people, or a JSON object for each event, with time, level, process, the
    call's id, and the event."""
    http: HostPort = Address("127.0.0.1", 8137)
    """Where the pages and the API listen."""
    trusted_proxies: Words = ("127.0.0.1", "::1")
    """Addresses or networks of the proxies before HOTLINE_HTTP: they alone are believed about a browser's
    address and whether it came by HTTPS (X-Forwarded-For, X-Forwarded-Proto). Asterisk takes browsers'
    phones from them alone."""
    insiders: Words = ("127.0.0.1", "::1")
    """Addresses or networks that see the details of /healthz, and /metrics, if they come without a proxy.
    Empty: nobody by address."""
    metrics_token: str = Field("", pattern=r"^([!-~]{16,200})?$")
    """Who shows it (Authorization: Bearer …, as Prometheus does) is an insider wherever they are; at least 16
    signs. Empty: there is none."""
    sip: HostPort = Address("127.0.0.1", 5060)
    """Where Asterisk listens for the trunk and for SIP phones (UDP)."""
    asterisk_http: HostPort = Field(Address("127.0.0.1", 8088), validate_default=True)
    """Where Asterisk listens for browsers' phones (WebSocket)."""
    websocket_url: str = ""
    """Where browsers reach Asterisk, if not ws://HOTLINE_ASTERISK_HTTP/ws (a TLS proxy: wss://…)."""
    turn_urls: Words = ()
    """TURN servers for desks' phones in browsers that cannot reach Asterisk's sound ports (NAT, a container):
    turn:137.city.example:3478?transport=udp. Empty: none."""
    turn_secret: str = Field("", pattern=r"^([!-~]{16,200})?$")
    """What that server shares with us (coturn's static-auth-secret): desks get passwords made of it, for half
    a day each. Empty: one made from the state folder's secret (`hotline137 turn-secret` prints it)."""
    agi: HostPort = Address("127.0.0.1", 4573)
    """Where the call scripts listen for Asterisk. Never for anybody else."""
    ami: HostPort = Address("127.0.0.1", 5038)
    """Where Asterisk listens for the dialer. Never for anybody else."""
    rtp_ports: Ports = PortRange(10000, 10999)
    """The UDP ports of the sound: two for each caller, outgoing call and desk there may be at one time
    (HOTLINE_MAX_CALLS, HOTLINE_CALLS_AT_ONCE, HOTLINE_DESKS). A range that is too small is refused."""

    @field_validator("asterisk_http")
    @classmethod
    def _ports_apart(cls, value: Address, others: ValidationInfo) -> Address:
        sip = others.data.get("sip")
        if sip and sip.port == value.port:
            raise ValueError(
                f"must have another port than HOTLINE_SIP={sip}: it tells browsers from the trunk"
            )
        return value

    @field_validator("trusted_proxies", "insiders")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return networks(value)

    @field_validator("turn_urls")
    @classmethod
    def _turn(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_TURN.fullmatch(each) for each in value):
            raise ValueError("must be addresses such as turn:137.city.example:3478?transport=udp")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        if value.startswith("postgresql") and not _names_servers(value):
            raise ValueError("must name several servers as postgresql+psycopg://user@/name?host=a,b&port=1,2")
        return value

    @field_validator("state_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        of_project = cls.model_config["env_file"] == PROJECT / "hotline.env"
        given = "HOTLINE_STATE_DIR" in os.environ  # by who stands in the current folder
        absolute = (PROJECT / value if of_project and not given else value).absolute()
        if not PATH.fullmatch(str(absolute)):
            raise ValueError('must be a path without control characters and any of ; , $ & [ ] { } " \\')
        return absolute
