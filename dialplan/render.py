"""Writes Asterisk's configuration from the settings."""

import ipaddress
import ssl
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import certifi
from jinja2 import Environment, PackageLoader, StrictUndefined

from dialplan import accounts
from dialplan.kamailio import adapt_trunk, get_route_secret, make_proxy_text
from dialplan.variables import (
    ADMITTED_S,
    ASIDES,
    CALLBACK_PREFIX,
    CALLERS_ADMITTED,
    CAPPED_CAUSE,
    DESK_KEYS,
    DESK_PASSWORDS,
    HUNG_S,
    KEY_EVENT,
    LINES_FULL,
    LINES_FULL_OFFER,
    OUTBOUND,
    PATIENCE_S,
    PROXY_NEXT,
    PROXY_TRUNK,
    SAID_BY_PHONES,
    SAID_EVENT,
    STAGE_EVENT,
    SUPERVISE_EVENT,
    TOLD_AT_ONCE,
    TRUNK_EVENT,
    Context,
    Key,
    Script,
    Stage,
    Variable,
)
from settings import Settings, asterisk_files
from settings.trunks import Trunk

_TEMPLATES = Environment(
    loader=PackageLoader("dialplan"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701  (not HTML; settings/ lets no special character in)
    keep_trailing_newline=True,
)

_DEFAULTS = ("acl", "ccss", "features", "udptl")
"""Files whose defaults are right, but whose absence Asterisk reports as an error."""


def render(settings: Settings, *, modules: Path, data: Path) -> Path:
    """Write every configuration file for an Asterisk with its own files in `modules` and `data`.

    Returns the path of asterisk.conf. The files hold passwords: only our user and Asterisk's own user may
    read them.
    """
    run = settings.state_dir / "asterisk"
    opus = _has_opus(modules)
    etc = run / "etc"
    for folder in (etc, *(run / name for name in asterisk_files.ASTERISKS_OWN)):
        folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # Asterisk's user may have put a link there, which harms only Asterisk
        (run / "lib" / "keys").mkdir()
    _move_console(run)
    for folder in (settings.messages_dir, settings.recordings_dir, settings.hung_up_dir):
        folder.mkdir(mode=0o700, exist_ok=True)
    etc.chmod(0o700)
    trunks, known = settings.trunks, ""
    if settings.sip_proxy:
        trunks = tuple(adapt_trunk(trunk, settings.sip_proxy) for trunk in trunks)
        known = get_route_secret(settings).replace(";", r"\;")
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
            opus=opus,
            trunks=trunks,
            trunk_account=accounts.get_trunk_account,
            options_account=accounts.get_options_account,
            sip_uri=_uri,
            proxy_uri=partial(_proxy, known=known),
            trunk_word=partial(make_proxy_text, settings=settings),
            transports={trunk.transport for trunk in trunks} - {"udp"},
            proxy_next=PROXY_NEXT,
            proxy_trunk=PROXY_TRUNK,
            dialled=_DIALLED,
            headers=_HEADERS,
            answers_s=_ANSWERS_S,
            ami_user=accounts.AMI_USER,
            desk=accounts.get_desk_account,
            desk_extension=accounts.DESK_EXTENSION,
            browser_phones=accounts.BROWSER_PHONES,
            contexts=Context,
            scripts=Script,
            stages=Stage,
            stage_event=STAGE_EVENT,
            said_event=SAID_EVENT,
            trunk_event=TRUNK_EVENT,
            said_by_phones=SAID_BY_PHONES,
            keys=Key,
            key_event=KEY_EVENT,
            supervise_event=SUPERVISE_EVENT,
            desk_keys=DESK_KEYS,
            desk_passwords=DESK_PASSWORDS,
            lines_full=LINES_FULL,
            lines_full_offer=LINES_FULL_OFFER,
            may_be_called=_may_be_called(settings.allowed_prefixes),
            admitted_s=ADMITTED_S,
            hung_s=HUNG_S,
            callers_admitted=settings.state_dir / CALLERS_ADMITTED,
            told_at_once=TOLD_AT_ONCE,
            callback_prefix=CALLBACK_PREFIX,
            capped_cause=CAPPED_CAUSE,
            asides=ASIDES,
            outbound=OUTBOUND,
            patience_s=PATIENCE_S,
            agi_secret=settings.secret_for(accounts.AGI),
            asks=settings.secret_for(accounts.ASKS),
            variables=Variable,
        )
        (etc / name).write_text(text)
    if settings.sip_tls_certificate and settings.sip_tls_key:
        # Copied, so that the key's owner need not let Asterisk's own user read it.
        (etc / "sip-tls.crt").write_bytes(settings.sip_tls_certificate.read_bytes())
        (etc / "sip-tls.key").write_bytes(settings.sip_tls_key.read_bytes())
    if "tls" in {trunk.transport for trunk in trunks}:
        (etc / "trunk-authorities.pem").write_text(_authorities(trunks))
    for name in _DEFAULTS:
        (etc / f"{name}.conf").write_text("")
    for name in ("cdr", "cel"):
        (etc / f"{name}.conf").write_text("[general]\nenable = no\n")
    asterisk_files.share_folders(settings.state_dir)
    return etc / "asterisk.conf"


def _move_console(run: Path) -> None:
    """Move the console of an Asterisk that an upgrade left running to its new place.

    Its parent process goes on using the old place, even after it has restarted Asterisk.
    """
    old = run / "asterisk.ctl"
    if old.is_socket() and not old.is_symlink():
        old.replace(run / "run" / old.name)
        old.symlink_to(f"run/{old.name}")


_ANSWERS_S = 15
"""Seconds without a provisional answer (ringing) after which a call goes on to the next trunk."""
_PLUS = '$["${number:0:1}" = "+"]'
_DIALLED = {
    "national": '${IF($["${number:0:3}" = "+98"]?0${number:3}:${number})}',
    "e164": "${number}",
    "digits": f"${{IF({_PLUS}?${{number:1}}:${{number}})}}",
    "double-zero": f"${{IF({_PLUS}?00${{number:1}}:${{number}})}}",
}
"""Each trunk's form of a number, which is +98… here, or the emergency service's."""
_HEADERS = {"pai": "P-Asserted-Identity", "rpid": "Remote-Party-ID"}


def _uri(trunk: Trunk, user: str = "") -> str:
    """Return the trunk's SIP address. The ; is escaped, since it would begin a comment."""
    over = "" if trunk.transport == "udp" else rf"\;transport={trunk.transport}"
    return f"sip:{f'{user}@' if user else ''}{trunk.host}{over}"


def _proxy(trunk: Trunk, known: str) -> str:
    over = "" if trunk.transport == "udp" else rf"\;transport={trunk.transport}"
    return rf"sip:{trunk.proxy}\;lr{over}{known}"


def _may_be_called(prefixes: Sequence[str]) -> str:
    """Return a pattern of callers' numbers with one of these prefixes, in any form.

    The pattern may match too much, never too little; the call script checks each number exactly
    (hotline.numbers).
    """
    ways = []
    for prefix in prefixes:
        if prefix.startswith("+98"):
            ways.append(f"(([+]|00)?98|0)?{prefix[3:]}")
        else:
            ways.append(f"([+]|00){prefix[1:]}")
    whole = [f"({'|'.join(ways)})[0-9]{{5,}}"]
    if any(p.startswith("+98") and not p.startswith("+989") for p in prefixes):
        whole.append("[2-9][0-9]{7}")  # the city's own landlines, without the area code
    return f"^({'|'.join(whole)})$"


def _authorities(trunks: Sequence[Trunk]) -> str:
    """Return the authorities that may sign a trunk's certificate: the named ones, else this machine's."""
    paths = [trunk.authority or _of_machine() for trunk in trunks if trunk.transport == "tls"]
    return "".join(path.read_text() for path in dict.fromkeys(paths))


def _of_machine() -> Path:
    named = Path(ssl.get_default_verify_paths().openssl_cafile)
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    return next((path for path in (bundle, named) if path.is_file()), Path(certifi.where()))


def _media_address(settings: Settings) -> str:
    """Return the one address to which RTP is bound; empty if Asterisk chooses."""
    try:
        address = ipaddress.ip_address(settings.sip.host)
    except ValueError:
        return ""
    return "" if address.is_unspecified else str(address)


def _has_opus(modules: Path) -> bool:
    """Return whether Asterisk has an Opus codec (Debian's image has one).

    Without the codec Asterisk would accept Opus and stay silent.
    """
    return not modules.exists() or (modules / "codec_opus_open_source.so").exists()
