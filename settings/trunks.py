"""The carriers' lines, each a table of a TOML file (docs/operate/trunk.md)."""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from settings import toml_files
from settings.addresses import HostAndPort, check_networks, has_overlap, is_address

PROFILES = Path(__file__).parents[1] / "dialplan" / "carriers"
ONLY = "trunk"
"""The name of the sample's trunk, and of the one that the old HOTLINE_TRUNK_… names describe."""
OF_ONE = ("trunk_host", "trunk_user", "trunk_secret", "trunk_allowed")
OLD = (*OF_ONE, "trunk_codecs", "trunk_national", "trunk_asked_seconds", "trunk_channels")
"""The old names. With a file OF_ONE are not looked at, and the others count where a table says nothing."""
CODECS = ("alaw", "ulaw", "g722", "opus")

_NAME = re.compile(r"[a-z](-?[a-z0-9])*")
_LONGEST_NAME = 16
_TAKEN = "alive"
"""A reserved name: its account would be the probe of the trunk ONLY (dialplan.accounts)."""
_MOST = 8
_WORD = r"^[A-Za-z0-9._+-]*$"


def _codecs(value: tuple[str, ...]) -> tuple[str, ...]:
    if not set(value) - {"opus"} or set(value) - set(CODECS):  # Opus is not everywhere: never alone
        raise ValueError(f"must be some of {', '.join(sorted(CODECS))}")
    return value


def _secret(value: SecretStr) -> SecretStr:
    if re.search(r"[\s;\\]", value.get_secret_value()):
        raise ValueError(r"must have no space, ; or \ ")
    return value


def _file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("there is no such file")
    return value


class Trunk(BaseModel):
    """One carrier's line. No value in it can add a line to Asterisk's configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    source: Path | None = None  # the file that describes it
    host: HostAndPort
    user: str = Field("", pattern=_WORD)
    secret: Annotated[SecretStr, AfterValidator(_secret)] = SecretStr("")
    registers: bool = False
    expires: int = Field(3600, ge=60, le=86_400)
    transport: Literal["udp", "tcp", "tls"] = "udp"
    srtp: bool = False
    authority: Annotated[Path, AfterValidator(_file)] | None = None
    proxy: HostAndPort | None = None
    from_user: str = Field("", pattern=_WORD)
    from_domain: str = Field("", pattern=r"^[A-Za-z0-9.-]*$")
    shows: Literal["from", "pai", "rpid"] = "from"
    caller_id: str = Field("137", pattern=r"^\+?[0-9]{2,15}$")
    caller: Literal["asserted", "pai", "rpid", "from"] = "asserted"
    numbers: Literal["national", "e164", "digits", "double-zero"] = "national"
    did: str = Field("", pattern=r"^(\+?[0-9]{3,15})?$")
    prefix: str = Field("", pattern=r"^[0-9*]{0,6}$")
    allowed: Annotated[tuple[str, ...], AfterValidator(check_networks)] = ()
    channels: int = Field(0, ge=0, le=10_000)
    qualify_seconds: int = Field(5, ge=0, le=60)
    dtmf: Literal["auto", "rfc4733", "info", "inband", "auto_info"] = "auto"
    codecs: Annotated[tuple[str, ...], AfterValidator(_codecs)] = CODECS

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        if not _NAME.fullmatch(value) or len(value) > _LONGEST_NAME:
            raise ValueError(f"must be small letters, digits and -, at most {_LONGEST_NAME}")
        if value == _TAKEN:
            raise ValueError(f"{_TAKEN} is a name of our own")
        return value

    @model_validator(mode="after")
    def _fits(self) -> "Trunk":
        if self.secret.get_secret_value() and not self.user:
            raise ValueError("secret: needs user")
        if self.registers and not self.user:
            raise ValueError("registers: needs user, the account that is registered")
        if self.srtp and self.transport != "tls":
            raise ValueError('srtp: needs transport = "tls": its keys go with the signalling')
        if self.authority and self.transport != "tls":
            raise ValueError('authority: needs transport = "tls"')
        return self

    @property
    def by_line(self) -> bool:
        """Return whether its calls are recognised by the contact that we registered, not by address."""
        return self.registers and not self.allowed


def read(path: Path, defaults: Mapping[str, Any]) -> tuple[Trunk, ...]:
    """Read trunks from a file, the preferred one first. Raises ValueError, which names each wrong key but no
    value.
    """
    tables = toml_files.read(path)
    if not 0 < len(tables) <= _MOST:
        raise ValueError(f"must have one to {_MOST} tables, each a trunk: [name]")
    found: list[Trunk] = []
    wrong: list[str] = []
    for name, table in tables.items():
        try:
            found.append(_one(name, table, {**defaults, "source": path}))
        except ValueError as error:
            wrong += [f"[{name}] {line}" for line in str(error).splitlines()]
    wrong = wrong or list(_unlike(found))
    if wrong:
        raise ValueError("; ".join(wrong))
    return tuple(found)


def find_old_defaults(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the old names among the settings say of every trunk whose table says nothing."""
    return {
        "codecs": said["trunk_codecs"] or CODECS,
        "numbers": "national" if said["trunk_national"] else "e164",
        "qualify_seconds": said["trunk_asked_seconds"],
    }


def make_single(said: Mapping[str, Any]) -> Trunk:
    """Return the trunk of the old names, or the sample's. Raises ValueError like `read`."""
    host, *whence = said["sample_trunk"]
    user = said["trunk_user"]
    try:
        return _make(
            ONLY,
            find_old_defaults(said)
            | {"host": said["trunk_host"] or host, "allowed": said["trunk_allowed"] or whence}
            | {"user": user, "secret": said["trunk_secret"] if user else "", "registers": bool(user)}
            | {"channels": said["trunk_channels"]},
        )
    except ValueError as error:
        raise ValueError("; ".join(f"[{ONLY}] {line}" for line in str(error).splitlines())) from None


def count_channels(found: tuple[Trunk, ...]) -> int:
    """Return the channels of all trunks together; 0 if one of them names none."""
    each = [trunk.channels for trunk in found]
    return sum(each) if all(each) else 0


@cache
def load_profiles() -> dict[str, dict[str, Any]]:
    """Return the carrier profiles by name: a description, the keys they need, and their defaults."""
    return {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(PROFILES.glob("*.toml"))
    }


def _one(name: str, table: Any, defaults: Mapping[str, Any]) -> Trunk:
    if not isinstance(table, dict):
        raise ValueError("is no table: every key belongs under a [name]")
    given = {key: value for key, value in table.items() if key != "profile"}
    if not given.keys().isdisjoint(("name", "source")):
        raise ValueError("name, source: no such keys")
    kind = table.get("profile", "")
    profile = load_profiles().get(kind) if isinstance(kind, str) else None
    if profile is None:
        raise ValueError(f"profile: must be one of {', '.join(load_profiles())}")
    lacking = [key for key in profile["needs"] if not given.get(key)]
    if lacking:
        raise ValueError("\n".join(f"{key}: must be given" for key in lacking))
    trunk = _make(name, {**defaults, **profile["trunk"], **given})
    if trunk.allowed or trunk.registers:
        return trunk
    if not is_address(trunk.host.host):
        raise ValueError("allowed: must be given, since host is a name: the addresses whence its calls come")
    return trunk.model_copy(update={"allowed": (trunk.host.host.strip("[]"),)})


def _make(name: str, values: Mapping[str, Any]) -> Trunk:
    try:
        return Trunk(name=name, **values)
    except ValidationError as error:
        raise ValueError("\n".join(map(_explained, error.errors()))) from None


def _explained(error: Any) -> str:
    key = ".".join(map(str, error["loc"][:1]))
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, Trunk.model_fields, 1)
        return f"{key}: no such key" + "".join(f"; is {each} meant?" for each in near)
    said = error["msg"].removeprefix("Value error, ")
    return f"{key}: {said}" if key else str(said)


def _unlike(found: list[Trunk]) -> Iterator[str]:
    """Yield an error for two trunks with a common address and unlike rules: a call could belong to either."""
    for one, other in combinations(found, 2):
        same = (one.caller, one.numbers, one.transport) == (other.caller, other.numbers, other.transport)
        if not same and any(has_overlap(a, b) for a in one.allowed for b in other.allowed):
            yield (
                f"[{one.name}] and [{other.name}] take calls from the same address, and must have the same "
                "caller, numbers and transport"
            )
