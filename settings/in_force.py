"""Every setting of Hotline 137, read and checked."""

import difflib
import hashlib
import hmac
import os
from collections.abc import Collection
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from dotenv import dotenv_values
from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from settings import city_file, secret_file, toml_files
from settings.calls import Calls
from settings.city import OfCity, find_city_file
from settings.city_keys import CityKeys
from settings.machine import Machine
from settings.messages import Messages
from settings.part import find_env_file
from settings.staff import Directory, Staff
from settings.storage import Storage
from settings.telephony import Telephony
from settings.toml_files import OLD_NAMES, SECRETS, explain_old, place
from settings.trunks import OF_ONE, count_channels
from settings.values import WEEK, Bounds, SettingsError, WorkingWeek

_OTHERS = {
    *("env_file", "http_port", "websocket_port", "sip_port", "subnet", "domain", "tls", "certificates"),
    *("tls_http_port", "tls_port", "turn_port", "front_address", "last_good"),
}
"""Names in the environment that are no settings of ours: the file's path, and those of units and
Compose."""


class Settings(
    Directory, Staff, Messages, Storage, Calls, Telephony, CityKeys, OfCity, Machine, BaseSettings
):
    """The settings in force. Build them once with `load()` and pass them down: nothing reads the environment
    later.

    Pydantic checks the parts from the last base class to the first. A check sees only settings that stand
    before its own.
    """

    model_config = SettingsConfigDict(
        env_prefix="HOTLINE_", env_file=find_env_file(), extra="ignore", ignored_types=(cached_property,)
    )

    @cached_property
    def given(self) -> dict[str, Any]:
        """The values as they were written, by name, before they were checked; no part of a comparison."""
        return {}

    @model_validator(mode="wrap")
    @classmethod
    def _keep_given(cls, given: dict[str, Any], check: ModelWrapValidatorHandler[Self]) -> Self:
        with_files = cls._with_files(given)
        settings = check(with_files)
        settings.__dict__["given"] = with_files
        return settings

    @classmethod
    def _with_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Add the values of the TOML files. A value that the environment has by an old name stays."""
        found: dict[str, Any] = {}
        wrong: list[str] = []
        try:
            chosen = cls._absolute(Path(given.get("state_dir", "var"))) / "city"
        except ValueError:
            return given  # the state folder is wrong itself and named in its own error
        with suppress(city_file.CityError):  # HOTLINE_CITY is wrong itself and named in its own error
            named = Path(given["city"]) if given.get("city") else None
            found = dict(city_file.read(find_city_file(named, chosen.parent)).settings)
        if (trunks := (chosen / "trunks.toml").absolute()).is_file():
            found["trunks"] = trunks
        for file in ("messages", "directory"):
            path = Path(given.get(file) or chosen / f"{file}.toml").absolute()
            if not (given.get(file) or path.is_file()):
                continue
            found[file] = path
            try:
                found |= toml_files.read_values(file, toml_files.read(path), path.parent)
            except ValueError as error:
                wrong += [f"{path}: {line}" for line in str(error).splitlines()]
        if wrong:
            raise ValueError("\n".join(wrong))
        return found | {name: value for name, value in given.items() if value or name not in found}

    @property
    def city_path(self) -> Path:
        """The file that describes the city."""
        return find_city_file(self.city, self.state_dir)

    @property
    def of_city(self) -> city_file.City:
        """The city's description; each process reads the file again when it has changed."""
        return city_file.load_valid_city(self.city_path)

    @property
    def bounds(self) -> Bounds:
        """The city's bounds in degrees."""
        return self.city_bounds or Bounds(*self.of_city.city.bounds)

    @property
    def accent(self) -> str:
        """The city's own colour; empty: the pages' turquoise."""
        return self.city_accent or self.of_city.look.accent

    @property
    def emblem(self) -> Path | None:
        """The city's emblem: the one that is set, else one beside the city's file."""
        names = (self.of_city.look.emblem, *city_file.EMBLEM)
        beside = (self.city_path.parent / name for name in names if name)
        return self.city_emblem or next((path for path in beside if path.is_file()), None)

    @property
    def channels(self) -> int:
        """Calls of both directions that all trunks together carry at one time."""
        reserves = self.channels_for_callers + self.channels_for_callbacks
        of_all = self.trunk_channels or count_channels(self.trunks)
        return of_all or self.max_calls + self.calls_at_once + reserves

    @property
    def has_sample_trunk(self) -> bool:
        """Whether no carrier is named: calls go to the sample's trunk."""
        return [str(trunk.host) for trunk in self.trunks] == [self.sample_trunk[0]]

    @property
    def outgoing_at_once(self) -> int:
        """Outgoing calls at one time, at most; the trunk's other channels are for callers."""
        return min(self.calls_at_once, self.channels - self.channels_for_callers)

    @property
    def callers_at_once(self) -> int:
        """Callers on 137 at one time, at most; the trunk's other channels are for callbacks."""
        return min(self.max_calls, self.channels - self.channels_for_callbacks)

    @property
    def sound_ports_needed(self) -> int:
        """UDP ports needed when every caller, outgoing call and desk speaks at one time."""
        return 2 * (self.callers_at_once + self.outgoing_at_once + self.desks)  # RTP and RTCP

    @property
    def database(self) -> str:
        """The database's URL; SQLite in the state folder unless one is set."""
        return self.database_url or f"sqlite:///{self.state_dir / 'hotline.db'}"

    @property
    def working_week(self) -> WorkingWeek:
        """The days and hours in which the city's offices work."""
        return WorkingWeek(frozenset(map(WEEK.index, self.working_days)), self.working_hours)

    @property
    def websocket(self) -> str:
        """The URL at which a browser's phone reaches Asterisk."""
        return self.websocket_url or f"ws://{self.asterisk_http}/ws"

    @property
    def public(self) -> str:
        """The address before /public/…, for links in messages."""
        return (self.public_url or f"http://{self.http}").rstrip("/")

    @property
    def text_answers_per_day(self) -> int:
        """Most answers to citizens' text messages in 24 hours, all numbers together."""
        return max(1, self.codes_per_day // 4)

    @property
    def tiles_file(self) -> Path | None:
        """The ground map's PMTiles file, if it is one."""
        return Path(self.map_tiles) if self.map_tiles.endswith(".pmtiles") and not self.tile_server else None

    @property
    def tile_server(self) -> str:
        """The address of an external tile server; empty: none."""
        return self.map_tiles if "://" in self.map_tiles else ""

    @property
    def tile_server_origin(self) -> str:
        """The tile server's origin, as a content security policy names it."""
        return "/".join(self.tile_server.split("/", 3)[:3])

    @property
    def prompts_dir(self) -> Path:
        """The folder of rendered prompts: one folder for each language, one file for each clip and codec."""
        return self.state_dir / "prompts"

    def voice_file(self, language: str) -> Path:
        """Return where `hotline137 prompts voice` puts a language's voice (docs/voices.md)."""
        return self.state_dir / "voices" / f"{language}.onnx"

    @property
    def messages_dir(self) -> Path:
        """The folder in which Asterisk records callers' messages."""
        return self.state_dir / "messages"

    @property
    def hung_up_dir(self) -> Path:
        """The folder in which the dialplan marks a call, by channel id, that ended after its script had
        crashed.
        """
        return self.state_dir / "hung-up"

    @property
    def replies_dir(self) -> Path:
        """The folder of the office's spoken replies, each named by its request's number."""
        return self.state_dir / "replies"

    @property
    def pictures_dir(self) -> Path:
        """The folder of requests' pictures, each under a random name."""
        return self.state_dir / "pictures"

    @property
    def uploads_dir(self) -> Path:
        """The folder of citizens' uploads that are not complete yet."""
        return self.state_dir / "uploads"

    @property
    def recordings_dir(self) -> Path:
        """The folder of recorded rounds' conversations, each under its callback's token."""
        return self.state_dir / "recordings"

    @cached_property
    def _master_secret(self) -> bytes:
        try:
            return secret_file.read(self.state_dir / "secret")
        except ValueError as error:
            raise SettingsError(str(error)) from None

    def check_secret(self) -> None:
        """Raises SettingsError if the state folder's secret is broken; makes none."""
        if (self.state_dir / "secret").exists():
            self.secret_for("")

    def secret_for(self, name: str) -> str:
        """Derive the password of an account (a phone, the AMI user) from the state folder's secret.

        The process that writes Asterisk's configuration and the process that signs in derive the same
        password. So no password is stored.
        """
        return hmac.new(self._master_secret, name.encode(), hashlib.sha256).hexdigest()[:32]


def load(**overrides: Any) -> Settings:
    """Read and check the settings. Raises SettingsError, which names every wrong setting."""
    given = _given(overrides.get("_env_file", Settings.model_config["env_file"]))
    wrong = _unknown(given)
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        wrong = [*(_explained(each, given) for each in error.errors()), *wrong]
    else:
        wrong += _too_few_ports(settings)
    if wrong:
        raise SettingsError("\n".join(wrong))
    settings.check_secret()
    return settings


def list_old_names(settings: Settings) -> list[str]:
    """Return a line for each old name that has a value: what to write instead, and where."""
    given = _given(Settings.model_config["env_file"])
    source = next((trunk.source for trunk in settings.trunks if trunk.source), None)
    return [
        f"HOTLINE_{name.upper()}: not looked at, {source} names the trunks; take it out"
        if source and name in OF_ONE
        else explain_old(name)
        for name in OLD_NAMES
        if given.get(name)
    ]


def describe_origin(settings: Settings | None) -> str:
    """Name the settings' file and the state folder, for the first line of a start."""
    file = Path(str(Settings.model_config["env_file"])).absolute()
    said = f"{file}" if file.is_file() else f"there is no {file}"
    return f"{said}; HOTLINE_STATE_DIR={settings.state_dir}" if settings else said


def explain_bad_links(settings: Settings) -> str:
    """Explain why links in messages and on pages lead nowhere; empty: links work."""
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


def _given(file: Any) -> dict[str, str | None]:
    """Return the HOTLINE_ names in the file and the environment, small and without the prefix."""
    named = {**(dotenv_values(file) if file else {}), **os.environ}
    prefix = "hotline_"
    return {
        name.lower().removeprefix(prefix): value
        for name, value in named.items()
        if name.lower().startswith(prefix)
    }


def _unknown(given: Collection[str]) -> list[str]:
    """Return an error for each name in the environment or the file that looks like a setting and is none."""
    known = Settings.model_fields.keys() | OLD_NAMES.keys() | _OTHERS
    wrong = {name: difflib.get_close_matches(name, known, 1) for name in sorted({*given} - known)}
    return [
        f"HOTLINE_{name.upper()}: no such setting" + "".join(f"; is {place(near)} meant?" for near in nearest)
        for name, nearest in wrong.items()
    ]


def _explained(error: Any, given: Collection[str]) -> str:
    said = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return str(said)
    name = "_".join(map(str, error["loc"]))
    value = "…" if name in SECRETS else repr(error["input"])
    written = "" if error["input"] in (None, ()) else f"={value}"
    where = f"HOTLINE_{name.upper()}" if name in given else place(name)
    return f"{where}{written}: {said}"
