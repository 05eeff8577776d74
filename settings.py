"""Every setting of Hotline 137: from the environment (HOTLINE_*) or the file hotline.env."""

import base64
import difflib
import hashlib
import hmac
import json
import os
import re
from datetime import time
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

import city_file
import secret_file
import trunks as carriers
from addresses import Address, Node, address, is_address, networks, nodes, overlap
from city_file import PAGE
from colours import READABLE, contrast, readable
from trunks import ONLY, Trunk


class SettingsError(Exception):
    """A setting is wrong; the text names each one and says what is right."""


CITY = ZoneInfo("Asia/Tehran")
"""The city's own time."""


class PortRange(NamedTuple):
    """An inclusive range of UDP ports, written first-last."""

    first: int
    last: int


class WorkingHours(NamedTuple):
    """When the city's offices work, on each working day."""

    begin: time
    end: time


class WorkingWeek(NamedTuple):
    """When the city's offices work: on which days (Monday is 0), in which hours."""

    days: frozenset[int]
    hours: WorkingHours


class QuietHours(NamedTuple):
    """From when until when nobody is disturbed, in the city's own time; written 22:00-08:00."""

    begin: time
    end: time


class Bounds(NamedTuple):
    """Between which degrees the city lies, written south,west,north,east."""

    south: float
    west: float
    north: float
    east: float

    def __str__(self) -> str:
        return ",".join(f"{each:g}" for each in self)


_LARGEST_EMBLEM = 1 << 16

# What is written into Asterisk's configuration must not be able to write a line of its own.
_PORT = re.compile(r"[0-9]{1,5}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_URL = r"^(https?://[^\s/?#]+[^\s?#]*)?$"
_TURN = re.compile(r"turns?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(\?transport=(udp|tcp))?")
_LDAP_URL = re.compile(r"ldaps?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|ldaps?://\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?")
_TILES = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!#-&(-:=?-\[\]-~]*")
_PUSH_HOST = re.compile(r"(\*\.)?([a-z0-9-]+\.)+[a-z][a-z0-9-]*")
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_PATH = re.compile(r"[^\x00-\x1f;,$&\[\]{}\"\\]+")


def _port_range(value: Any) -> PortRange:
    if isinstance(value, PortRange):
        return value
    first, _, last = str(value).partition("-")
    if not (_PORT.fullmatch(first) and _PORT.fullmatch(last) and 1023 < int(first) < int(last) < 65536):
        raise ValueError("must be first-last, for example 10000-10999")
    return PortRange(int(first), int(last))


def _quiet_hours(value: Any) -> QuietHours:
    if isinstance(value, QuietHours):
        return value
    begin, _, end = str(value).partition("-")
    if not (_TIME.fullmatch(begin) and _TIME.fullmatch(end)):
        raise ValueError("must be from-until, for example 22:00-08:00, or 00:00-00:00 for never")
    return QuietHours(time.fromisoformat(begin), time.fromisoformat(end))


def _working_days(value: Any) -> Any:
    days = _words(value)
    if not days or not set(days) <= set(_WEEK):
        raise ValueError(f"must be days of {', '.join(_WEEK)}")
    return days


def _working_hours(value: Any) -> Any:
    if isinstance(value, WorkingHours):
        return value
    begin, _, end = str(value).partition("-")
    if not (_TIME.fullmatch(begin) and _TIME.fullmatch(end) and begin < end):
        raise ValueError("must be from-until on one day, for example 07:30-14:30")
    return WorkingHours(time.fromisoformat(begin), time.fromisoformat(end))


def _bounds(value: Any) -> Bounds | None:
    if isinstance(value, Bounds) or not value:
        return value or None
    try:
        south, west, north, east = map(float, str(value).split(","))
    except ValueError:
        south = west = north = east = 0.0
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise ValueError("must be south,west,north,east in degrees, for example 32.3,51.2,33.0,52.2")
    return Bounds(south, west, north, east)


_NEEDED_BY = {
    "kavenegar": ("sms_kavenegar_key",),
    "smsir": ("sms_smsir_key",),
    "melipayamak": ("sms_melipayamak_user", "sms_melipayamak_password"),
    "ghasedak": ("sms_ghasedak_key",),
    "ippanel": ("sms_ippanel_key", "sms_ippanel_line"),
    "http": ("sms_http_url",),
}


def _apart(allowed: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
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


def _names_servers(url: str) -> bool:
    """Whether each server of several, if there are several, can be told."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    ports = [port for port in query.get("port", "").split(",") if port]
    hosts = query.get("host", "").split(",")
    decimal = all(_PORT.fullmatch(port) for port in ports)
    return "," not in parts.netloc.rpartition("@")[2] and decimal and len(ports) in (0, len(hosts))


def _check_sms(provider: str, others: ValidationInfo) -> None:
    lacking = [name for name in _NEEDED_BY.get(provider, ()) if not others.data.get(name)]
    if lacking:
        raise ValueError(f"needs {' and '.join(f'HOTLINE_{name.upper()}' for name in lacking)}")


def _amounts(value: Any) -> Any:
    try:
        read = json.loads(value or "{}") if isinstance(value, str) else value
    except ValueError:
        read = None
    amounts = read.values() if isinstance(read, dict) else [None]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in amounts):
        raise ValueError('must be JSON with numbers, like {"name": 500000}')
    return read


def _words(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _texts(value: Any) -> Any:
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    if not isinstance(read, dict) or not all(isinstance(part, str) for part in read.values()):
        raise ValueError('must be a JSON object of texts, for example {"to": "{to}", "text": "{text}"}')
    return read


def _voice_files(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(language.strip() and path.strip() for language, _, path in pairs):
        raise ValueError("must be language=file, for example fa=/srv/voices/fa.onnx,en=/srv/voices/en.onnx")
    return {language.strip(): path.strip() for language, _, path in pairs}


SECRETS = {
    "trunk_secret",
    "turn_secret",
    "database_url",
    "metrics_token",
    "notice_webhook",
    "notice_webhook_secret",
    "request_webhook",
    "request_webhook_secret",
    "sms_inbound_secret",
    "sms_kavenegar_key",
    "sms_smsir_key",
    "sms_melipayamak_password",
    "sms_ghasedak_key",
    "sms_ippanel_key",
    "sms_http_headers",
    "bale_key",
    "push_key",
    "oidc_client_secret",
    "ldap_bind_password",
    "pictures_store_key",
    "pictures_store_secret",
}
"""No message of ours shows the value of one of these."""
_OTHERS = {
    *("ENV_FILE", "HTTP_PORT", "WEBSOCKET_PORT", "SIP_PORT", "SUBNET", "DOMAIN", "TLS", "CERTIFICATES"),
    *("TLS_HTTP_PORT", "TLS_PORT", "TURN_PORT", "FRONT_ADDRESS"),
}
"""Names in the environment that are no settings: where the file lies, and docker-compose.yml's own."""

HostPort = Annotated[Address, NoDecode, BeforeValidator(address)]
Nodes = Annotated[tuple[Node, ...], NoDecode, BeforeValidator(nodes)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Roles = Annotated[
    tuple[
        Literal[
            "operator",
            "official",
            "supervisor",
            "public_relations",
            "administrator",
            "auditor",
            "department",
        ],
        ...,
    ],
    NoDecode,
    BeforeValidator(_words),
]
Texts = Annotated[dict[str, str], NoDecode, BeforeValidator(_texts)]
Amounts = Annotated[dict[str, float], NoDecode, BeforeValidator(_amounts)]
VoiceFiles = Annotated[dict[str, Path], NoDecode, BeforeValidator(_voice_files)]


def _city_in_force(named: Path | None, state_dir: Path | None) -> Path:
    """The one that is named, else the one that was chosen at the first visit, else the sample."""
    chosen = (state_dir or Path("var")) / "city" / "city.toml"
    return named or (chosen if chosen.is_file() else city_file.SAMPLE)


def _signing_secret(value: str) -> str:
    try:
        length = len(base64.b64decode(value.removeprefix("whsec_"), validate=True))
    except ValueError:
        length = 0
    if not 24 <= length <= 64:
        raise ValueError("must be whsec_ and 24 to 64 bytes in base64 (openssl rand -base64 32)")
    return value


_PROJECT = Path(__file__).parent


def _env_file() -> Path:
    """The one that is named, else the one in the current folder, else the project's."""
    here = Path("hotline.env")
    named = os.environ.get("HOTLINE_ENV_FILE")
    return Path(named or here) if named is not None or here.exists() else _PROJECT / here


class Settings(BaseSettings):
    """The settings in force. Build one with `load()`, pass it down; nothing reads the environment later."""

    model_config = SettingsConfigDict(
        env_prefix="HOTLINE_",
        env_file=_env_file(),
        frozen=True,
        extra="ignore",
        ignored_types=(cached_property,),
    )

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
    address and whether it came by HTTPS (X-Forwarded-For, X-Forwarded-Proto)."""
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
    rtp_ports: Annotated[PortRange, NoDecode, BeforeValidator(_port_range)] = PortRange(10000, 10999)
    """The UDP ports of the sound: two for each caller, outgoing call and desk there may be at one time
    (HOTLINE_MAX_CALLS, HOTLINE_CALLS_AT_ONCE, HOTLINE_DESKS). A range that is too small is refused."""

    city: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = Field(
        None, validate_default=True
    )
    """The TOML file that describes the city: its names, look, districts, offices
    (docs/operate/first-visit.md). Empty: the one chosen at the first visit, else Isfahan's, the sample."""

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
    sip_tls_certificate: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None
    """Its certificate, with the chain (PEM); needed only where a carrier opens the connection to us."""
    sip_tls_key: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None
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

    allowed_prefixes: Words = Field((), validate_default=True)
    """Only numbers that begin so are registered and dialled: +989,+9831. Empty: Iranian mobiles and the
    city's own lines."""
    extensions: Words = ()
    """Short numbers of the PBX before us that a desk's telephone may be, as patterns: 2XX for 200 to 299.
    None begins with 0 or 1, which are services."""
    browser_phone: bool = False
    """Offer /phone, a citizen's phone in the browser. For trying out, never for a real city."""
    public_address: str = Field("", pattern=r"^[A-Za-z0-9.:-]*$")
    """Where phones reach Asterisk's SIP and sound, if not where it listens (NAT, a container)."""
    desks: int = Field(60, ge=1, le=500)
    """How many desks the office has; each has a phone account."""
    ring_seconds: int = Field(30, ge=5, le=120)
    """How long a citizen's phone rings. Below 8, a trunk that is slow to answer may ring a phone that was
    given up already: an invitation that nobody answers goes on for 7.5 seconds."""
    answer_seconds: float = Field(7.0, gt=0, le=60)
    """How long a caller has for a key after a question."""
    detect_machines: bool = False
    """Listen for an answering machine when a callback is answered, and where one seems to speak ask only once
    for the 1. A hint that decides nothing; it costs every citizen up to two seconds of silence."""
    max_attempts: int = Field(3, ge=1, le=20)
    """Callbacks to one registration in one round."""
    retry_seconds: int = Field(600, ge=0)
    """Wait before a citizen who did not answer is called again, at the own place; twice as long each time.
    Half of it for a busy phone, double for one that cannot be reached (hotline/callbacks/retries.py)."""
    hold_seconds: int = Field(60, ge=5, le=600)
    """How long a citizen whose desk is lost in mid-conversation hears music until it is back."""
    on_hold_seconds: int = Field(180, ge=5, le=600)
    """How long a desk may have a citizen wait with music; then they come back to it by themselves."""
    call_ahead_most: int = Field(4, ge=1, le=10)
    """Citizens called ahead at once for each desk that serves a round, those who wait for it included. So
    many only where few can be reached."""
    calls_per_number: int = Field(8, ge=1, le=100)
    """Outgoing calls to one number in 24 hours, of whatever kind; then it is left in peace. Calls to
    supervisors about what cannot wait, and to the emergency service, have caps of their own by the hour."""
    calls_per_hour: int = Field(300, ge=1, le=100_000)
    """Outgoing calls in an hour, all together; a bill that runs away stops here."""
    calls_per_day: int = Field(3000, ge=1, le=1_000_000)
    """Outgoing calls in 24 hours, all together."""
    calls_at_once: int = Field(20, ge=1, le=1000)
    """Outgoing calls at one time; beside the callers they also have to find a channel of the trunk."""
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
    registrations_per_day: int = Field(3, ge=1, le=100)
    """So many places a caller may ask for in 24 hours, for the own number and for others together; with those
    given up again, twice as many. The operators' line is counted apart."""
    urgent_number: str = Field("", pattern=r"^(\d{2,15})?$")
    """The emergency service, as it is dialled. Who says with key 3 that somebody is in danger is connected
    with it, where no desk is free, or told to dial it; empty: neither."""
    urgent_minutes: int = Field(5, ge=1, le=60)
    """So long an urgent request, or a caller in danger, may wait for somebody who takes it; then supervisors
    are called."""
    supervisor_numbers: Words = ()
    """Whom to call and text then, one after another: +989131234567. Empty: nobody."""
    quiet_hours: Annotated[QuietHours, NoDecode, BeforeValidator(_quiet_hours)] = QuietHours(
        time(22), time(8)
    )
    """When no text message goes out, nobody is called again, to be confirmed, or to be told that the turn is
    near; in the city's own time, 00:00-00:00 is never."""
    turn_near_places: int = Field(5, ge=1, le=100)
    """Whoever comes within so many places of a live round's line is told by text message that it is near."""
    turn_near_call: bool = False
    """Call them, too, once a round: press 1 if you can be reached in these minutes, 2 for the next round."""
    timetable_days: int = Field(28, ge=1, le=366)
    """The timetable's rounds are made so many days ahead."""
    line_wait_minutes: int = Field(15, ge=1, le=120)
    """Who waits for an operator on the line is told after so long that they will be called back instead."""
    recordings_days: int = Field(90, ge=1, le=3650)
    """Recorded conversations are deleted after so many days."""
    voice_messages_days: int = Field(90, ge=1, le=3650)
    """Citizens' voice messages are deleted after so many days, once their place or request is over."""
    pictures_days: int = Field(400, ge=1, le=3650)
    """Pictures of requests are deleted after so many days, once their request is over."""
    pictures_store_endpoint: str = Field("", pattern=_URL)
    """The S3-compatible store of pictures, as https://s3.example; empty: Amazon's own."""
    pictures_store_region: str = Field("us-east-1", pattern=r"^[A-Za-z0-9-]{1,40}$")
    """Its region; most that are not Amazon's take any."""
    pictures_store_key: str = Field("", pattern=r"^[!-~]{0,200}$")
    """The key's name: it may read, write and delete what is under HOTLINE_PICTURES_STORE."""
    pictures_store_secret: str = Field("", pattern=r"^[!-~]{0,200}$")
    """The key's secret."""
    pictures_store: str = Field("", pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*)?$")
    """Where the clerk brings pictures of requests: s3://bucket/prefix, of this installation alone; empty:
    they stay in the state folder (docs/requests.md)."""
    requests_days: int = Field(730, ge=31, le=3650)
    """A request that has been at its end for so many days loses number, words, point and pictures; its state,
    its dates and the office's replies stay."""
    messages_days: int = Field(180, ge=31, le=3650)
    """Text messages that are out are deleted after so many days."""
    pass_days: int = Field(14, ge=1, le=365)
    """A link by which a request is passed on to a body outside the city works for so many days."""
    reports_per_day: int = Field(10, ge=1, le=1000)
    """So many requests a citizen may report by the app in 24 hours, with one number."""
    events_days: int = Field(400, ge=31, le=3650)
    """Events, from which a person's day is told, are deleted after so many days; the ledger never is."""
    working_days: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_working_days)] = (
        *("sat", "sun", "mon", "tue", "wed"),
    )
    """On which days of the week the city's offices work; the timetable's holidays are none of them."""
    working_hours: Annotated[WorkingHours, NoDecode, BeforeValidator(_working_hours)] = WorkingHours(
        time(7, 30), time(14, 30)
    )
    """When they work on such a day, in the city's own time: due dates of requests are counted in it."""
    request_answer_days: int = Field(7, ge=1, le=365)
    """A request is closed when its citizen, asked whether it is solved, says nothing for so many days."""
    request_alike_days: int = Field(14, ge=1, le=365)
    """Requests of one subject and district within so many days are shown as probable duplicates."""
    near_metres: int = Field(100, ge=10, le=1000)
    """Who reports from the app is shown what is open of the same category within so many metres."""
    districts_file: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None
    """GeoJSON of the districts, each with its number as `district`; without one the map is schematic."""
    map_tiles: str = Field("", max_length=500)
    """The city's own ground map: a PMTiles file, or a tile server's address with {z}, {x} and {y}
    (https://tiles.example/{z}/{x}/{y}.png). Empty: the map is schematic, and nothing comes from elsewhere."""
    map_attribution: str = Field("", max_length=200)
    """Whose map that is, as its licence wants it said; empty: what the PMTiles file says of itself, else
    © OpenStreetMap contributors."""
    city_bounds: Annotated[Bounds | None, NoDecode, BeforeValidator(_bounds)] = Field(
        None, validate_default=True
    )
    """The city's southern, western, northern and eastern bounds in degrees: what citizens report by the app
    lies within. Empty: as the city's file says."""
    max_calls: int = Field(200, ge=1, le=5000)
    """So many callers at once; whoever dials beyond that hears that the lines are full, or is busy where the
    trunk has no channel left to say so."""
    callers_per_number: int = Field(4, ge=1, le=5000)
    """So many of these callers with one and the same number; one more is busy, and takes no line. Callers who
    hide their number are not counted."""
    prompts_piper: VoiceFiles = {}
    """Voice files of Piper, by language: fa=/srv/voices/fa.onnx. Piper itself is installed separately.
    They go before those that `hotline137 prompts voice` has brought."""
    prompts_gtts: bool = False
    """Let gTTS speak the languages it has (Persian is not one): Google is asked to speak the prompts."""
    city_accent: str = Field("", pattern=r"^(#[0-9A-Fa-f]{6})?$")
    """The city's own colour, of buttons and of what is chosen, written #0b6f77; empty: as the city's file
    says, else turquoise. One that cannot be read is refused."""
    city_emblem: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None
    """Its emblem, an SVG or PNG of at most 64 kB, at the sign-in and on the public pages; in containers each
    that has this setting must find the file."""
    figures_least: int = Field(5, ge=1, le=1000)
    """Public figures of fewer requests than this are not shown: they would tell of one person."""
    data_licence: str = Field("CC BY 4.0", max_length=100)
    """Under which licence anybody may use the public figures and the public list; empty: none is stated."""
    data_licence_url: str = Field(
        "https://creativecommons.org/licenses/by/4.0/", pattern=r"^(https?://[!#-;=?-~]+)?$", max_length=300
    )
    """Where that licence is to be read."""
    public_url: str = Field("", pattern=r"^(https?://[^\s/]+(/[^\s?#]*)?)?$")
    """Where citizens find the public pages, for links; http://HOTLINE_HTTP if empty."""
    android_app: str = Field(
        "", pattern=r"^([A-Za-z][\w.]+( ([0-9A-F]{2}:){31}[0-9A-F]{2})+)?$", max_length=1000
    )
    """The citizens' app in a store: its package and the SHA-256 fingerprints of its certificates, with spaces
    between (ir.example.app 0A:1B:…), said at /.well-known/assetlinks.json; empty: there is none."""
    jurisdiction: str = Field("", pattern=r"^[0-9A-Za-z.-]*$", max_length=100)
    """What Open311 calls this city in `jurisdiction_id`, by custom its website: city.example. Another one is
    not found; empty: whatever is asked for is this city."""
    notice_webhook: str = Field("", pattern=r"^(https?://\S+)?$", max_length=500)
    """Where each round's notice is posted (the city's website, a channel's bot); empty: nowhere."""
    notice_webhook_secret: str = Field("", validate_default=True)
    """What its posts are signed with, by standardwebhooks.com: `whsec_` and 24 to 64 bytes in base64."""
    request_webhook: str = Field("", pattern=r"^(https?://\S+)?$", max_length=500)
    """Where each step of a city request is posted, without its words or its number; empty: nowhere."""
    request_webhook_secret: str = Field("", validate_default=True)
    """What those posts are signed with, as HOTLINE_NOTICE_WEBHOOK_SECRET; another one."""
    sms_sender: str = Field("", pattern=r"^[0-9A-Za-z+]*$")
    """The line from which text messages come; empty: the provider's own choice."""
    sms_kavenegar_url: str = Field("https://api.kavenegar.com", pattern=_URL)
    """Where Kavenegar takes text messages."""
    sms_kavenegar_key: str = Field("", pattern=r"^[0-9A-Za-z%=+_-]*$")
    """Our key at Kavenegar."""
    sms_smsir_url: str = Field("https://api.sms.ir", pattern=_URL)
    """Where SMS.ir takes text messages."""
    sms_smsir_key: str = Field("", pattern=r"^[!-~]*$")
    """Our key at SMS.ir."""
    sms_smsir_line: str = Field("", pattern=r"^[0-9]*$")
    """Our line there, for what has no template."""
    sms_melipayamak_url: str = Field("https://rest.payamak-panel.com", pattern=_URL)
    """Where Melipayamak takes text messages."""
    sms_melipayamak_user: str = ""
    """Our name at Melipayamak."""
    sms_melipayamak_password: str = ""
    """And our password, or the API key that stands in its place."""
    sms_melipayamak_line: str = Field("", pattern=r"^[0-9]*$")
    """Our line there, for what has no template."""
    sms_ghasedak_url: str = Field("https://gateway.ghasedak.me", pattern=_URL)
    """Where Ghasedak takes text messages."""
    sms_ghasedak_key: str = Field("", pattern=r"^[!-~]*$")
    """Our key at Ghasedak."""
    sms_ghasedak_line: str = Field("", pattern=r"^[0-9A-Za-z]*$")
    """Our line there, for what has no template; empty: Ghasedak's own choice."""
    sms_ippanel_url: str = Field("https://edge.ippanel.com/v1", pattern=_URL)
    """Where IPPanel takes text messages; many sell it under names of their own."""
    sms_ippanel_key: str = Field("", pattern=r"^[!-~]*$")
    """Our key at IPPanel."""
    sms_ippanel_line: str = Field("", pattern=r"^(\+[0-9]+)?$")
    """Our line there, +983000505."""
    sms_http_url: str = Field("", pattern=_URL)
    """Where any other provider takes a text message, as a POST of JSON."""
    sms_http_headers: Texts = {}
    """JSON: its headers, with whatever signs us in: {"Authorization": "Bearer …"}."""
    sms_http_body: Texts = {"to": "{to}", "text": "{text}"}
    """JSON: its fields, all texts; {to}, {text}, {id} and {sender} are filled in."""
    sms_provider: Literal[
        "", "console", "kavenegar", "smsir", "melipayamak", "ghasedak", "ippanel", "http"
    ] = ""
    """Who sends the text messages; empty: nobody. console only says so in the log."""
    sms_next: Annotated[
        tuple[Literal["console", "kavenegar", "smsir", "melipayamak", "ghasedak", "ippanel", "http"], ...],
        NoDecode,
        BeforeValidator(_words),
    ] = Field((), validate_default=True)
    """Who sends them where that one surely has not, in order."""
    sms_templates: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None
    """A TOML file with the providers' templates; docs/text-messages.md."""
    sms_plain: bool = True
    """Whether what has no template goes out as a plain text: lines for advertising do not reach everyone."""
    sms_least_credit: Amounts = {}
    """JSON: with less than so much credit, in its own unit, a provider is in trouble on /healthz:
    {"kavenegar": 500000}."""
    sms_inbound_secret: str = Field("", validate_default=True)
    """What proves that a citizen's text message comes from the provider: `whsec_` and 24 to 64 bytes in
    base64. Empty: none are taken."""
    bale_url: str = Field("https://safir.bale.ai", pattern=_URL)
    """Where Bale's Safir takes one-time codes."""
    bale_bot: int = Field(0, ge=0, lt=2**63)
    """The number of the bot that sends them."""
    bale_key: str = Field("", pattern=r"^[!-~]*$")
    """Our access key at Bale's Safir, by which citizens may have their sign-in codes in that messenger."""
    push_services: Words = (
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "*.notify.windows.com",
        "*.push.apple.com",
    )
    """Hosts of browsers' push services to which notices may go; `*.` is any name below."""
    push_contact: str = Field("", pattern=r"^((mailto:[^\s@]+@[^\s@]+|https://[^\s]+))?$", max_length=200)
    """Whom a push service writes to when something is wrong: mailto:… or https://…"""
    push_key: str = Field("", pattern=r"^([A-Za-z0-9_-]{43})?$")
    """The city's own VAPID key, by which browsers take notices from it alone: what
    `hotline137 message push-key` prints. Empty: no push service is ever asked."""
    codes_per_hour: int = Field(1000, ge=1, le=1_000_000)
    """Codes for signing in that citizens are given in an hour, all together; a bill that runs away stops
    here."""
    second_factor_roles: Roles = ("administrator",)
    """Whose sign-in takes an authenticator's code as well; anybody may have one. Empty: nobody must."""
    session_hours: int = Field(12, ge=1, le=168)
    """After so long everybody signs in anew."""
    session_idle_minutes: int = Field(120, ge=5, le=10_080)
    """A session that is not used for so long is over. An open page that asks for news uses it."""
    event_streams_per_person: int = Field(20, ge=1, le=100)
    """So many pages of one person hear what changes; one more, and the oldest hears it later."""
    event_streams: int = Field(500, ge=1, le=800)
    """So many pages, all together."""
    oidc_client_id: str = ""
    """Who we are at the city's own sign-in; empty: people sign in with a password of ours."""
    oidc_client_secret: str = ""
    """The password that belongs to it."""
    oidc_claim: str = Field("preferred_username", min_length=1)
    """What of the city's account is the person's user name here: something that nobody else ever gets."""
    oidc_issuer: str = Field("", pattern=_URL)
    """The city's own sign-in (OpenID Connect), as it names itself: https://login.city.example/realms/staff."""
    ldap_base: str = Field("", max_length=500)
    """Below which entry the office's people are found: ou=people,dc=city,dc=example."""
    ldap_bind_dn: str = Field("", max_length=500)
    """Who we are at the directory: an account that may read people and groups, and nothing else."""
    ldap_bind_password_file: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None
    """A file with the password that belongs to it, alone in it; read anew each time."""
    ldap_bind_password: str = ""
    """The password itself, where it is in no file of its own."""
    ldap_ca: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None
    """Certificates (PEM) by which the directory is known; the system's own if empty. Always checked."""
    ldap_start_tls: bool = True
    """Encrypt ldap:// by StartTLS. 0 is taken for a directory on this very machine only."""
    ldap_user_attribute: str = Field("uid", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """What of an entry is the person's user name: uid; sAMAccountName in Active Directory."""
    ldap_name_attribute: str = Field("displayName", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """What of it is the name that others see; cn where it has none."""
    ldap_filter: str = Field("(objectClass=person)", pattern=r"^\(.*\)$", max_length=1000)
    """Which entries are people who may sign in; whoever it does not find any more has left."""
    ldap_tries: int = Field(3, ge=1, le=20)
    """After so many wrong passwords for a name the directory is not asked for HOTLINE_LDAP_WAIT_MINUTES: less
    than half of those after which it locks the account itself."""
    ldap_wait_minutes: int = Field(30, ge=1, le=1440)
    """As long as the directory counts wrong passwords, or longer."""
    directory_roles: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None
    """The file (TOML) that says what the members of a group are here (docs/operate/directory.md); read anew
    each time."""
    ldap_url: Words = ()
    """The office's directory, LDAP or Active Directory: ldaps://dc1.city.example, or ldap:// with StartTLS;
    the next ones are asked when the first does not answer. Empty: none."""
    oidc_scopes: Words = ("openid", "profile")
    """What is asked for there; with offline_access where it gives a refresh token by nothing else."""
    oidc_groups_claim: str = "groups"
    """What of the city's account are its groups, where HOTLINE_DIRECTORY_ROLES says what they are here."""
    oidc_second_factor: Words = ()
    """Values of `acr` by which the city's sign-in says that it has asked for a second factor; `mfa` in `amr`
    always says so."""
    backup_dir: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None
    """Where the clerk makes a backup each night: a folder of its own on another disk, which must be there
    (docs/operate/backup.md). Empty: none is made."""
    backup_hour: int = Field(3, ge=0, le=23)
    """At this hour, in the city's own time."""
    backup_keep: int = Field(14, ge=0, le=3650)
    """Backups older than so many days are deleted after a new one is whole; 0: none is."""
    backup_recipient: str = Field("", pattern=r"^(age1[0-9a-z]{20,})?$", max_length=200)
    """The public key of age for which backups are encrypted (`age-keygen` prints one); its secret key is kept
    elsewhere. Empty: they are not."""
    sample: bool = False
    """Fill an empty database with sample data."""

    @field_validator("asterisk_http")
    @classmethod
    def _ports_apart(cls, value: Address, others: ValidationInfo) -> Address:
        sip = others.data.get("sip")
        if sip and sip.port == value.port:
            raise ValueError(
                f"must have another port than HOTLINE_SIP={sip}: it tells browsers from the trunk"
            )
        return value

    @field_validator("trunk_allowed", "trusted_proxies", "insiders")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return networks(value)

    @field_validator("trunk_allowed")
    @classmethod
    def _no_proxies(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        """Browsers elsewhere come from a TLS proxy's address: it must not be the carrier's as well."""
        return _apart(value, others)

    @field_validator("sip_tls_key")
    @classmethod
    def _tls(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        certificate = others.data.get("sip_tls_certificate")
        if (value is None) != (certificate is None):
            raise ValueError("HOTLINE_SIP_TLS_CERTIFICATE and HOTLINE_SIP_TLS_KEY belong together")
        for each in (certificate, value):
            if each and not (each.is_file() and _PATH.fullmatch(str(each))):
                raise ValueError(f"there is no file {each}")
        return value

    @field_validator("sip_proxy")
    @classmethod
    def _proxy(cls, value: Address | None) -> Address | None:
        if value and (not is_address(value.host) or value.host in ("0.0.0.0", "[::]")):  # noqa: S104
            raise ValueError("must be address:port, the one that carriers and nodes reach")
        return value

    @field_validator("turn_urls")
    @classmethod
    def _turn(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_TURN.fullmatch(each) for each in value):
            raise ValueError("must be addresses such as turn:137.city.example:3478?transport=udp")
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
            _apart(each.allowed, others)
            if 0 < each.channels <= said.get("channels_for_callers", 0):
                raise ValueError(f"[{each.name}] channels: must be more than HOTLINE_CHANNELS_FOR_CALLERS")
        return found

    @field_validator("city_accent")
    @classmethod
    def _accent(cls, value: str) -> str:
        if value and (found := contrast(value, PAGE)) < READABLE:
            raise ValueError(
                f"cannot be read on the pages: its contrast with them is {found:.1f}, and {READABLE} is the "
                f"least; the same, darker: {readable(value, PAGE, '#000000')}"
            )
        return value.lower()

    @field_validator("city_emblem")
    @classmethod
    def _emblem(cls, value: Path | None) -> Path | None:
        if value and value.suffix not in (".svg", ".png"):
            raise ValueError("must be a file that ends with .svg or .png")
        if value and not (value.is_file() and value.stat().st_size <= _LARGEST_EMBLEM):
            raise ValueError(f"must be a file of at most {_LARGEST_EMBLEM} bytes")
        return value

    @field_validator("map_tiles")
    @classmethod
    def _tiles(cls, value: str) -> str:
        of_server = _TILES.fullmatch(value) and all(value.count(part) == 1 for part in ("{z}", "{x}", "{y}"))
        if value and not (of_server or ("://" not in value and value.endswith(".pmtiles"))):
            raise ValueError(
                "must be a file that ends with .pmtiles, or an address such as "
                "https://tiles.example/{z}/{x}/{y}.png"
            )
        return value

    @field_validator("trunk_codecs")
    @classmethod
    def _codecs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return carriers.known_codecs(value)

    @field_validator("city")
    @classmethod
    def _city(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        path = _city_in_force(value, others.data.get("state_dir"))
        try:
            city_file.read(path)
        except city_file.CityError as error:
            raise ValueError(f"{path}: {'; '.join(str(error).splitlines())}") from None
        return value.absolute() if value else None

    @field_validator("allowed_prefixes")
    @classmethod
    def _prefixes(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if not value:
            if "city" not in others.data:
                return ()  # wrong itself, and named so
            path = _city_in_force(others.data["city"], others.data.get("state_dir"))
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

    @field_validator("supervisor_numbers")
    @classmethod
    def _supervisors(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        prefixes = others.data.get("allowed_prefixes") or "+"  # wrong themselves, and named so
        if not all(n[1:].isdecimal() and 9 <= len(n) <= 16 and n.startswith(prefixes) for n in value):
            raise ValueError("must be numbers such as +989131234567, of the allowed prefixes")
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

    @field_validator("notice_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: str, others: ValidationInfo) -> str:
        return _signing_secret(value) if value or others.data.get("notice_webhook") else value

    @field_validator("request_webhook_secret")
    @classmethod
    def _request_secret(cls, value: str, others: ValidationInfo) -> str:
        return _signing_secret(value) if value or others.data.get("request_webhook") else value

    @field_validator("sms_inbound_secret")
    @classmethod
    def _inbound_secret(cls, value: str, others: ValidationInfo) -> str:
        if value and not others.data.get("sms_provider"):
            raise ValueError("needs HOTLINE_SMS_PROVIDER, which sends the answers")
        return _signing_secret(value) if value else value

    @field_validator("sms_provider")
    @classmethod
    def _sms_provider(cls, value: str, others: ValidationInfo) -> str:
        _check_sms(value, others)
        return value

    @field_validator("sms_next")
    @classmethod
    def _sms_next(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if value and not others.data.get("sms_provider"):
            raise ValueError("needs HOTLINE_SMS_PROVIDER, which sends first")
        for each in value:
            _check_sms(each, others)
        return value

    @field_validator("sms_templates")
    @classmethod
    def _sms_templates(cls, value: Path | None) -> Path | None:
        if value and not value.is_file():
            raise ValueError("there is no such file")
        return value

    @field_validator("bale_key")
    @classmethod
    def _bale(cls, value: str, others: ValidationInfo) -> str:
        if value and not others.data.get("bale_bot"):
            raise ValueError("needs HOTLINE_BALE_BOT")
        return value

    @field_validator("push_services")
    @classmethod
    def _push_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _PUSH_HOST.fullmatch(host):
                raise ValueError(f"{host!r} is no host's name, such as push.example or *.push.example")
        return value

    @field_validator("push_key")
    @classmethod
    def _push(cls, value: str, others: ValidationInfo) -> str:
        if not value:
            return value
        if not 0 < int.from_bytes(base64.urlsafe_b64decode(value + "=")) < _P256_ORDER:
            raise ValueError("is no key: `hotline137 message push-key` prints one")
        if not others.data.get("push_contact"):
            raise ValueError("needs HOTLINE_PUSH_CONTACT")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _oidc(cls, value: str, others: ValidationInfo) -> str:
        if value and not (others.data.get("oidc_client_id") and others.data.get("oidc_client_secret")):
            raise ValueError("needs HOTLINE_OIDC_CLIENT_ID and HOTLINE_OIDC_CLIENT_SECRET")
        if value and not others.data.get("public_url"):
            raise ValueError("needs HOTLINE_PUBLIC_URL, to which it sends people back")
        return value

    @field_validator("ldap_url")
    @classmethod
    def _ldap(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        lacking = [name for name in ("ldap_base", "directory_roles") if not others.data.get(name)]
        if value and lacking:
            raise ValueError(f"needs {' and '.join(f'HOTLINE_{name.upper()}' for name in lacking)}")
        for url in value:
            if not _LDAP_URL.fullmatch(url):
                raise ValueError("must be ldaps://host or ldap://host, with :port where it is another")
            here = urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
            if url.startswith("ldap:") and not others.data.get("ldap_start_tls", True) and not here:
                raise ValueError("sends passwords in the open without HOTLINE_LDAP_START_TLS")
        return value

    @field_validator("pictures_store")
    @classmethod
    def _pictures_store(cls, value: str, others: ValidationInfo) -> str:
        if value and not (others.data.get("pictures_store_key") and others.data.get("pictures_store_secret")):
            raise ValueError("needs HOTLINE_PICTURES_STORE_KEY and HOTLINE_PICTURES_STORE_SECRET")
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
        of_project = cls.model_config["env_file"] == _PROJECT / "hotline.env"
        given = "HOTLINE_STATE_DIR" in os.environ  # by who stands in the current folder
        absolute = (_PROJECT / value if of_project and not given else value).absolute()
        if not _PATH.fullmatch(str(absolute)):
            raise ValueError('must be a path without control characters and any of ; , $ & [ ] { } " \\')
        return absolute

    @property
    def city_path(self) -> Path:
        """The file that describes the city."""
        return _city_in_force(self.city, self.state_dir)

    @property
    def of_city(self) -> city_file.City:
        """What it says now: each process reads it again when it has changed."""
        return city_file.now(self.city_path)

    @property
    def bounds(self) -> Bounds:
        """Within which the city lies."""
        return self.city_bounds or Bounds(*self.of_city.city.bounds)

    @property
    def accent(self) -> str:
        """The city's own colour; empty: ours."""
        return self.city_accent or self.of_city.look.accent

    @property
    def emblem(self) -> Path | None:
        """The city's emblem."""
        beside = (self.city_path.with_name(name) for name in city_file.EMBLEM)
        return self.city_emblem or next((path for path in beside if path.is_file()), None)

    @property
    def channels(self) -> int:
        """How many calls of both kinds the trunk, or all trunks together, carry at one time."""
        reserves = self.channels_for_callers + self.channels_for_callbacks
        each = [trunk.channels for trunk in self.trunks]
        of_all = sum(each) if all(each) else 0
        return self.trunk_channels or of_all or self.max_calls + self.calls_at_once + reserves

    @property
    def outgoing_at_once(self) -> int:
        """Outgoing calls at one time, at most: the rest of the trunk is for callers."""
        return min(self.calls_at_once, self.channels - self.channels_for_callers)

    @property
    def callers_at_once(self) -> int:
        """Callers on 137 at one time, at most: the rest of the trunk is for callbacks."""
        return min(self.max_calls, self.channels - self.channels_for_callbacks)

    @property
    def sound_ports_needed(self) -> int:
        """Ports of the sound when every caller, every outgoing call and every desk speaks."""
        return 2 * (self.callers_at_once + self.outgoing_at_once + self.desks)  # RTP and RTCP

    @property
    def database(self) -> str:
        """The database's URL; SQLite in the state folder unless one is set."""
        return self.database_url or f"sqlite:///{self.state_dir / 'hotline.db'}"

    @property
    def working_week(self) -> WorkingWeek:
        """When the city's offices work."""
        return WorkingWeek(frozenset(map(_WEEK.index, self.working_days)), self.working_hours)

    @property
    def websocket(self) -> str:
        """The URL at which a browser's phone reaches Asterisk."""
        return self.websocket_url or f"ws://{self.asterisk_http}/ws"

    @property
    def public(self) -> str:
        """The address before /public/…, in links that go out."""
        return (self.public_url or f"http://{self.http}").rstrip("/")

    @property
    def tiles_file(self) -> Path | None:
        """The ground map, where it is a file of ours."""
        return Path(self.map_tiles) if self.map_tiles.endswith(".pmtiles") and not self.tile_server else None

    @property
    def tile_server(self) -> str:
        """The address of its tiles, where another server has them;"""
        return self.map_tiles if "://" in self.map_tiles else ""

    @property
    def tile_server_origin(self) -> str:
        """and that server alone, as a content security policy names it."""
        return "/".join(self.tile_server.split("/", 3)[:3])

    @property
    def prompts_dir(self) -> Path:
        """Where rendered prompts live: one folder a language, one file a clip and codec."""
        return self.state_dir / "prompts"

    def voice_file(self, language: str) -> Path:
        """Where `hotline137 prompts voice` puts the voice of a language (docs/voices.md)."""
        return self.state_dir / "voices" / f"{language}.onnx"

    @property
    def messages_dir(self) -> Path:
        """Where Asterisk records what callers say."""
        return self.state_dir / "messages"

    @property
    def replies_dir(self) -> Path:
        """Where the office's replies lie as sound, each by its request's number."""
        return self.state_dir / "replies"

    @property
    def pictures_dir(self) -> Path:
        """Where pictures of requests are kept, each under a random name."""
        return self.state_dir / "pictures"

    @property
    def uploads_dir(self) -> Path:
        """Where what citizens send lies until all of it is there."""
        return self.state_dir / "uploads"

    @property
    def recordings_dir(self) -> Path:
        """Where Asterisk keeps the conversations of recorded rounds, each under its callback's token."""
        return self.state_dir / "recordings"

    @cached_property
    def _master_secret(self) -> bytes:
        try:
            return secret_file.read(self.state_dir / "secret")
        except ValueError as error:
            raise SettingsError(str(error)) from None

    def check_secret(self) -> None:
        """Raises SettingsError if the state folder's secret is broken; none is made."""
        if (self.state_dir / "secret").exists():
            self.secret_for("")

    def secret_for(self, name: str) -> str:
        """The password of the account `name` (a phone, the AMI user), derived from the state folder's secret.

        Whoever writes Asterisk's configuration and whoever signs in compute the same one, so none is stored.
        """
        return hmac.new(self._master_secret, name.encode(), hashlib.sha256).hexdigest()[:32]


def load(**overrides: Any) -> Settings:
    """Read the settings and check them. Raises SettingsError that names every wrong one."""
    wrong = _unknown(overrides.get("_env_file", Settings.model_config["env_file"]))
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        wrong = [*map(_explained, error.errors()), *wrong]
    else:
        wrong += _too_few_ports(settings)
    if wrong:
        raise SettingsError("\n".join(wrong))
    settings.check_secret()
    return settings


def origin(settings: Settings | None) -> str:
    """Which file these are of, and where what is kept lies: for the first line of a start."""
    file = Path(str(Settings.model_config["env_file"])).absolute()
    said = f"{file}" if file.is_file() else f"there is no {file}"
    return f"{said}; HOTLINE_STATE_DIR={settings.state_dir}" if settings else said


def unheeded(settings: Settings) -> str:
    """Which settings of one trunk are written beside HOTLINE_TRUNKS, which takes their place; empty: none."""
    if not any(trunk.source for trunk in settings.trunks):
        return ""
    names = ("trunk_host", "trunk_user", "trunk_secret", "trunk_allowed")
    given = [f"HOTLINE_{name.upper()}" for name in names if name in settings.model_fields_set]
    return f"{', '.join(given)}: not looked at, HOTLINE_TRUNKS names the trunks" if given else ""


def _too_few_ports(settings: Settings) -> list[str]:
    (first, last), need = settings.rtp_ports, settings.sound_ports_needed
    if last - first + 1 >= need:
        return []
    return [
        f"HOTLINE_RTP_PORTS={first}-{last}: must be {need} ports, two for each of {settings.callers_at_once} "
        f"callers, {settings.outgoing_at_once} outgoing calls and {settings.desks} desks; "
        "or allow fewer: HOTLINE_MAX_CALLS, HOTLINE_CALLS_AT_ONCE, HOTLINE_DESKS"
    ]


def _unknown(env_file: Any) -> list[str]:
    """Every name in the environment and the file that is meant as a setting and is none."""
    known = {name.upper() for name in Settings.model_fields}
    given = {name.upper() for name in (*os.environ, *(dotenv_values(env_file) if env_file else ()))}
    meant = {name.removeprefix("HOTLINE_") for name in given if name.startswith("HOTLINE_")}
    wrong = {name: difflib.get_close_matches(name, known, 1) for name in sorted(meant - known - _OTHERS)}
    return [
        f"HOTLINE_{name}: no such setting" + "".join(f"; is HOTLINE_{near} meant?" for near in nearest)
        for name, nearest in wrong.items()
    ]


def _explained(error: Any) -> str:
    name = "_".join(map(str, error["loc"]))
    given = "…" if name in SECRETS else repr(error["input"])
    written = "" if error["input"] is None else f"={given}"
    return f"HOTLINE_{name.upper()}{written}: {error['msg'].removeprefix('Value error, ')}"
