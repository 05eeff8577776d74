"""Writes Asterisk's configuration from the settings."""

import ipaddress
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from dialplan import accounts
from dialplan.variables import (
    ASIDES,
    CALLBACK_PREFIX,
    CAPPED_CAUSE,
    DESK_KEYS,
    KEY_EVENT,
    LINES_FULL,
    PATIENCE_S,
    SAID_EVENT,
    STAGE_EVENT,
    SUPERVISE_EVENT,
    Context,
    Key,
    Script,
    Stage,
    Variable,
)
from settings import Settings

_TEMPLATES = Environment(
    loader=PackageLoader("dialplan"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701  (not HTML; settings.py lets no special character in)
    keep_trailing_newline=True,
)

_DEFAULTS = ("acl", "ccss", "features", "stasis", "udptl")
"""Files whose defaults are right; Asterisk complains when they are missing."""


def render(settings: Settings, *, modules: Path, data: Path) -> Path:
    """Write every configuration file for an Asterisk whose own files lie in `modules` and `data`.

    Returns the path of asterisk.conf. The files hold passwords: only the owner may read them.
    """
    run = settings.state_dir / "asterisk"
    opus = _has_opus(modules)
    etc = run / "etc"
    for folder in (etc, run / "lib" / "keys", run / "spool", run / "log"):
        folder.mkdir(parents=True, exist_ok=True)
    for folder in (settings.messages_dir, settings.recordings_dir):
        folder.mkdir(mode=0o700, exist_ok=True)
    etc.chmod(0o700)
    for name in _TEMPLATES.list_templates():
        text = _TEMPLATES.get_template(name).render(
            settings=settings,
            etc=etc,
            run=run,
            modules=modules,
            data=data,
            prompts=settings.prompts_dir,
            recordings=settings.recordings_dir,
            media_address=_media_address(settings),
            codecs=[codec for codec in settings.trunk_codecs if codec != "opus" or opus],
            opus=opus,
            trunk=accounts.TRUNK,
            trunk_alive=accounts.TRUNK_ALIVE,
            ami_user=accounts.AMI_USER,
            desk=accounts.desk,
            desk_extension=accounts.DESK_EXTENSION,
            browser_phones=accounts.BROWSER_PHONES,
            contexts=Context,
            scripts=Script,
            stages=Stage,
            stage_event=STAGE_EVENT,
            said_event=SAID_EVENT,
            keys=Key,
            key_event=KEY_EVENT,
            supervise_event=SUPERVISE_EVENT,
            desk_keys=DESK_KEYS,
            lines_full=LINES_FULL,
            callback_prefix=CALLBACK_PREFIX,
            capped_cause=CAPPED_CAUSE,
            asides=ASIDES,
            patience_s=PATIENCE_S,
            agi_secret=settings.secret_for(accounts.AGI),
            variables=Variable,
        )
        (etc / name).write_text(text)
    for name in _DEFAULTS:
        (etc / f"{name}.conf").write_text("")
    for name in ("cdr", "cel"):
        (etc / f"{name}.conf").write_text("[general]\nenable = no\n")
    return etc / "asterisk.conf"


def _media_address(settings: Settings) -> str:
    """The one address that sound is bound to; empty where Asterisk chooses among several."""
    try:
        address = ipaddress.ip_address(settings.sip.host)
    except ValueError:
        return ""
    return "" if address.is_unspecified else str(address)


def _has_opus(modules: Path) -> bool:
    """Whether Asterisk can speak Opus; else it would agree to it, and be silent. Debian's image can."""
    return not modules.exists() or (modules / "codec_opus_open_source.so").exists()
