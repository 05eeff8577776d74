"""The ends of our certificates: of the HTTPS and wss addresses as browsers see them, and Asterisk's own."""

import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509

from settings import Settings

_ASKED_S = 3.0


def list_addresses(settings: Settings) -> dict[str, tuple[str, int]]:
    """Return the host and port of each address that browsers reach by TLS, by the name of its setting."""
    urls = {"HOTLINE_PUBLIC_URL": settings.public_url, "HOTLINE_WEBSOCKET_URL": settings.websocket_url}
    parts = {name: urlsplit(url) for name, url in urls.items()}
    return {
        name: (each.hostname, each.port or 443)
        for name, each in parts.items()
        if each.scheme in ("https", "wss") and each.hostname
    }


def find_end(host: str, port: int) -> datetime:
    """Return the end of the certificate that this address shows.

    Raises ssl.SSLCertVerificationError if a browser would not believe it; OSError if nothing answers.
    """
    with (
        socket.create_connection((host, port), timeout=_ASKED_S) as plain,
        ssl.create_default_context().wrap_socket(plain, server_hostname=host) as wire,
    ):
        shown = wire.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


def list_ends(settings: Settings) -> dict[str, datetime | None]:
    """Return the end of each certificate by its setting's name.

    None: browsers or carriers do not believe it. An address that does not answer is left out.
    """
    ends: dict[str, datetime | None] = {}
    for name, (host, port) in list_addresses(settings).items():
        try:
            ends[name] = find_end(host, port)
        except ssl.SSLCertVerificationError:
            ends[name] = None
        except OSError:
            continue
    if path := settings.sip_tls_certificate:
        try:
            ends["HOTLINE_SIP_TLS_CERTIFICATE"] = x509.load_pem_x509_certificate(
                path.read_bytes()
            ).not_valid_after_utc
        except (OSError, ValueError):
            ends["HOTLINE_SIP_TLS_CERTIFICATE"] = None
    return ends
