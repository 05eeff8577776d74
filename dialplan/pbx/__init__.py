"""Configuration to paste into an Asterisk-based PBX (FreePBX, Issabel, or plain) before Hotline 137."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from settings import Settings
from settings.addresses import Address

_TEMPLATES = Environment(
    loader=PackageLoader("dialplan", "pbx"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701  (not HTML; an Address holds no special character)
    keep_trailing_newline=True,
)
FILES = ("settings.env", "trunks.toml", "pjsip_custom.conf", "extensions_custom.conf")
_MOBILE = 13
"""Characters of an Iranian mobile number with its +98."""


def render_files(settings: Settings, *, pbx: Address, here: Address) -> dict[str, str]:
    """Return each file's text by its name. `pbx` and `here` are the SIP addresses (UDP) of both."""
    values = {"pbx": pbx, "here": here, "patterns": _patterns(settings)}
    return {name: _TEMPLATES.get_template(name).render(values) for name in FILES}


def list_steps(*, pbx: Address, here: Address) -> list[str]:
    """Return the steps that a person takes in FreePBX's or Issabel's pages."""
    return [
        "trunks.toml: to city/ in this installation's state folder, or where HOTLINE_TRUNKS says;"
        " only this system may read it",
        f"settings.env: into this installation's hotline.env, then start it anew; it listens on {here},"
        f" the PBX on {pbx}",
        "pjsip_custom.conf, extensions_custom.conf: to /etc/asterisk of the PBX, then `fwconsole reload`"
        " (FreePBX), Apply (Issabel), or `asterisk -rx 'core reload'`",
        "Admin, Custom Destinations: target hotline137,137,1, description «137»",
        "Connectivity, Inbound Routes: the carrier's number (DID) of 137 to that destination",
        "Connectivity, Outbound Routes: citizens' numbers (0XXXXXXXXXX) by the carrier's trunk, as 137",
        "Settings, Asterisk SIP Settings: port of chan_pjsip is the one of this PBX above",
        "`asterisk -rx 'pjsip show contacts'` then says Avail beside hotline137, `hotline137 doctor` ok",
    ]


def _patterns(settings: Settings) -> Sequence[str]:
    """Return the PBX's dialplan patterns of numbers that 137 may dial, in national form or as E.164."""
    found = []
    for prefix in settings.allowed_prefixes:
        rest = "X" * (_MOBILE - len(prefix)) if prefix.startswith("+989") else "X!"
        found.append(f"0{prefix[3:]}{rest}" if prefix.startswith("+98") else f"{prefix}{rest}")
    return [*found, *settings.extensions]
