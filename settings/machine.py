"""This machine: its state folder, its database, and the addresses where its parts listen."""

import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, ValidationInfo, field_validator

from settings.addresses import Address, check_networks
from settings.part import PROJECT, Part
from settings.values import PATH, PORT, HostPort, PortRange, Ports, Words


def _names_servers(url: str) -> bool:
    """Return whether several database servers in the URL are listed in `host` with well-formed ports."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    ports = [port for port in query.get("port", "").split(",") if port]
    hosts = query.get("host", "").split(",")
    decimal = all(PORT.fullmatch(port) for port in ports)
    return "," not in parts.netloc.rpartition("@")[2] and decimal and len(ports) in (0, len(hosts))


_TURN = re.compile(r"turns?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(\?transport=(udp|tcp))?")


class Machine(Part):
    """This machine: its state folder, its database, and the addresses where its parts listen."""

    state_dir: Path = Path("var")
    """The folder of everything that has to be kept: the database, recordings, secrets, logs."""
    database_url: str = ""
    """postgresql+psycopg://user:password@host/name, or several servers of which one takes writes:
    postgresql+psycopg://user:password@/name?host=a,b&port=5432,5432 (docs/operate/postgresql.md). Empty: a
    SQLite file in HOTLINE_STATE_DIR."""
    node: str = Field("main", pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")
    """This machine's unique name among the nodes that share one PostgreSQL (docs/operate/nodes.md)."""
    log: Literal["console", "json"] = "console"
    """The log's format: text for people, or one JSON object for each event. The object has time, level,
    process, the call's id, and the event."""
    http: HostPort = Address("127.0.0.1", 8137)
    """The address where the pages and the API listen."""
    trusted_proxies: Words = ("127.0.0.1", "::1")
    """Addresses or networks of the proxies before HOTLINE_HTTP. Only their X-Forwarded-For and
    X-Forwarded-Proto are believed. Asterisk takes browsers' phones from them alone."""
    insiders: Words = ("127.0.0.1", "::1")
    """Addresses or networks that see /metrics and the details of /healthz, if they come without a proxy.
    Empty: nobody by address."""
    metrics_token: str = Field("", pattern=r"^([!-~]{16,200})?$")
    """A token of at least 16 characters that opens /metrics and the details of /healthz from anywhere.
    Prometheus sends it as `Authorization: Bearer …`. Empty: there is none."""
    sip: HostPort = Address("127.0.0.1", 5060)
    """The address where Asterisk listens for the trunk and for SIP phones (UDP)."""
    asterisk_http: HostPort = Field(Address("127.0.0.1", 8088), validate_default=True)
    """The address where Asterisk listens for browsers' phones (WebSocket)."""
    websocket_url: str = ""
    """The URL at which browsers reach Asterisk, such as a TLS proxy's wss://…. Empty:
    ws://HOTLINE_ASTERISK_HTTP/ws."""
    turn_urls: Words = ()
    """TURN servers for desks' browsers that cannot reach Asterisk's RTP ports (NAT, a container):
    turn:137.city.example:3478?transport=udp. Empty: none."""
    turn_secret: str = Field("", pattern=r"^([!-~]{16,200})?$")
    """The secret shared with the TURN server (coturn's static-auth-secret). Desks get passwords derived from
    it, valid for half a day. Empty: derived from the state folder's secret (`hotline137 turn-secret` prints
    it)."""
    agi: HostPort = Address("127.0.0.1", 4573)
    """The address where the call scripts listen for Asterisk. Open it to nobody else."""
    ami: HostPort = Address("127.0.0.1", 5038)
    """The address where Asterisk listens for the dialer. Open it to nobody else."""
    rtp_ports: Ports = PortRange(10000, 10999)
    """The UDP ports for RTP: two for each caller, outgoing call and desk at one time (HOTLINE_MAX_CALLS,
    HOTLINE_CALLS_AT_ONCE, HOTLINE_DESKS). A range that is too small is refused."""

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
        return check_networks(value)

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
        of_project = dict(cls.model_config).get("env_file") == PROJECT / "hotline.env"
        given = "HOTLINE_STATE_DIR" in os.environ  # set by somebody who means the current folder
        absolute = (PROJECT / value if of_project and not given else value).absolute()
        if not PATH.fullmatch(str(absolute)):
            raise ValueError('must be a path without control characters and any of ; , $ & [ ] { } " \\')
        return absolute
