"""Every setting of Hotline 137, read and checked."""

import difflib
import hashlib
import hmac
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from settings import city_file, secret_file
from settings.calls import Calls
from settings.city import OfCity, city_in_force
from settings.keeping import Keeping
from settings.machine import Machine
from settings.messages import Messages
from settings.requests import Requests
from settings.staff import Staff
from settings.telephony import Telephony
from settings.values import WEEK, Bounds, SettingsError, WorkingWeek

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


class Settings(Staff, Messages, Keeping, Requests, Calls, Telephony, OfCity, Machine):
    """The settings in force. Build one with `load()`, pass it down; nothing reads the environment later.

    Those of the last part named are read first: a check looks back only.
    """

    @property
    def city_path(self) -> Path:
        """The file that describes the city."""
        return city_in_force(self.city, self.state_dir)

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
        return WorkingWeek(frozenset(map(WEEK.index, self.working_days)), self.working_hours)

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
    def hung_up_dir(self) -> Path:
        """Where the dialplan says whose call ended once its script had broken off, by the channel's id."""
        return self.state_dir / "hung-up"

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


def links_astray(settings: Settings) -> str:
    """Why links in messages and on pages lead nowhere; empty: they do not."""
    if settings.public_url or settings.http.host not in ("0.0.0.0", "[::]"):  # noqa: S104
        return ""
    return (
        f"HOTLINE_PUBLIC_URL is not set: links in messages lead to http://{settings.http}, "
        "which nobody can open"
    )


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
