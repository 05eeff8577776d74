"""Certificates of our own addresses, as browsers see them, and Asterisk's own for trunks by TLS."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hotline import certificates
from ops.doctor.findings import Finding, Known, State, fail, report_ok, warn
from settings import Settings

_SOON, _VERY_SOON = timedelta(days=21), timedelta(days=5)
_RENEW = "systemctl reload hotline137-prepare, then systemctl restart hotline137-asterisk"
"""Remedy for an old certificate: Asterisk reads a copy, which `prepare` makes and a restart alone does not.
"""


def check_certificates(known: Known) -> Iterator[Finding]:
    """Check the certificates of our HTTPS and wss addresses, as browsers see them."""
    for name, (host, port) in certificates.list_addresses(known.settings).items():
        yield _certificate(name, host, port)


def _certificate(name: str, host: str, port: int) -> Finding:
    try:
        until = certificates.find_end(host, port)
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
        return fail("certificate", f"{host} ({name}): {why}", "renew it at the proxy, with its whole chain")
    except OSError as error:
        return warn("certificate", f"{host}:{port} ({name}) does not answer from here: {error}", "the proxy?")
    return _lasts(f"{host} ({name})", until)


def check_trunk_certificate(known: Known) -> Iterator[Finding]:
    """Check the certificate that Asterisk shows to carriers by TLS: its key, its age, and its copy."""
    yield from check_asterisk_certificate(known.settings)
    path, copy = known.settings.sip_tls_certificate, known.settings.state_dir / "asterisk/etc/sip-tls.crt"
    try:
        is_old = path is not None and path.read_bytes() != copy.read_bytes()
    except OSError:
        return  # reported above, or never prepared
    if is_old:
        yield fail("SIP certificate", f"Asterisk still shows the one before {path}", _RENEW)


def check_asterisk_certificate(settings: Settings) -> Iterator[Finding]:
    """Check the certificate for trunks at a start: with a wrong key only these trunks fail."""
    name, path, key = "SIP certificate", settings.sip_tls_certificate, settings.sip_tls_key
    if path is None or key is None:
        return
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        yield fail(name, f"HOTLINE_SIP_TLS_CERTIFICATE={path}: {_why(error)}", "PEM, the whole chain")
        return
    try:
        ours = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        do = "PEM without a password, which the user of hotline137 can read"
        yield fail(name, f"HOTLINE_SIP_TLS_KEY={key}: {_why(error)}", do)
        return
    if ours.public_key() != certificate.public_key():
        do = f"give the key that the certificate was made for; then {_RENEW}"
        yield fail(name, f"HOTLINE_SIP_TLS_KEY={key} does not belong to {path}", do)
    yield _lasts(f"{path}", certificate.not_valid_after_utc, name)


def list_faults(settings: Settings) -> list[str]:
    """Return the faults of the certificate, in lines for a log."""
    return [
        f"{each.said}: {each.do}"
        for each in check_asterisk_certificate(settings)
        if each.state is not State.OK
    ]


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it has a password" if isinstance(error, TypeError) else "it cannot be read as PEM"


def _lasts(what: str, until: datetime, name: str = "certificate") -> Finding:
    left = until - datetime.now(UTC)
    if left <= timedelta(0):
        return fail(name, f"{what}: it has expired", "renew it, and restart what shows it")
    said = f"{what}: {left.days} days left"
    if left < _SOON:
        say = fail if left < _VERY_SOON else warn
        return say(name, said, "why was it not renewed? The log of certbot, or of Caddy")
    return report_ok(name, said)
