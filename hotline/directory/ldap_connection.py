"""A connection to the office's directory by ldap3, which is not maintained any more; only this module uses
it.

Whatever the server does, a connection ends after a few seconds: each answer and the whole have a timeout.
Python's own ssl checks certificates; referrals are not followed.
"""

import logging
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import ldap3
from ldap3.core import exceptions as _errors
from ldap3.protocol.sasl import sasl as _sasl
from ldap3.utils import conv as _filters
from ldap3.utils import dn as _dn
from pyasn1.error import PyAsn1Error

from settings import Settings

log = logging.getLogger("directory")

_ANSWER_S = 4
_ALL_S = 10.0
_WRONG = {49, 53, 19, 50}
"""Invalid credentials, unwilling to perform, constraint violation, insufficient rights: a refused sign-in."""
_NOT_THERE = 32


class Away(Exception):
    """The directory does not answer, or gives an invalid answer; `why` is one word for the reason."""

    def __init__(self, why: str, detail: object = "") -> None:
        super().__init__(f"{why}: {detail}")
        self.why = why


@dataclass(frozen=True)
class Found:
    """One entry, with its attributes by lower-case name."""

    dn: str
    values: dict[str, list[bytes]]

    def texts(self, attribute: str) -> list[str]:
        """Return all values of an attribute as text."""
        return [value.decode(errors="replace") for value in self.values.get(attribute.lower(), [])]

    def text(self, attribute: str) -> str:
        """Return the first value of an attribute; empty if there is none."""
        return next(iter(self.texts(attribute)), "")


def _tls(settings: Settings) -> Any:
    """Return a Tls that checks certificate and host name like every other client of ours."""

    class Tls(ldap3.Tls):  # type: ignore[misc]
        def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
            context = ssl.create_default_context(cafile=settings.ldap_ca)
            host = connection.server.host.strip("[]")
            connection.socket = context.wrap_socket(
                connection.socket, server_hostname=host, do_handshake_on_connect=False
            )
            connection.socket.do_handshake()  # handshake on the socket that `_cut` shuts down

    return Tls(validate=ssl.CERT_REQUIRED)


class LdapConnection:
    """A connection bound as ourselves; `search` and `proves` raise Away."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def search(
        self, base: str, query: str, attributes: Sequence[str], *, only_base: bool = False, limit: int = 0
    ) -> list[Found] | None:
        """Return the entries found, or None if the base does not exist. Raises Away."""
        done = self._connection.search(
            base,
            query,
            search_scope=ldap3.BASE if only_base else ldap3.SUBTREE,
            attributes=list(attributes),
            size_limit=limit,
        )
        code = self._connection.result["result"]
        if code == _NOT_THERE:
            return None
        if code != 0 and not (limit and code == 4):  # 4: there are more entries than `limit`
            raise Away("refused", f"search: {self._connection.result['description']} {done}")
        return [
            Found(entry["dn"], {name.lower(): values for name, values in entry["raw_attributes"].items()})
            for entry in self._connection.response
            if entry["type"] == "searchResEntry"
        ]

    def proves(self, dn: str, password: str) -> bool:
        """Return whether this is the entry's password. Afterwards the connection is bound as that person."""
        if not dn or not password:
            return False  # RFC 4513 5.1.2: a bind without a password succeeds, and proves nothing
        try:
            self._connection.rebind(user=dn, password=_prepared(password), read_server_info=False)
        except UnicodeEncodeError:  # a lone surrogate: no password contains one
            return False
        code = self._connection.result["result"]
        if code == 0:
            return True
        if code in _WRONG:
            return False
        raise Away("refused", f"bind: {self._connection.result['description']}")


@contextmanager
def connect(settings: Settings) -> Iterator[LdapConnection]:
    """Connect to the first server that accepts us. Raises Away."""
    connection, deadline = _first(settings)
    try:
        yield LdapConnection(connection)
    except (_errors.LDAPException, PyAsn1Error, OSError, ValueError, IndexError, KeyError) as error:
        raise Away("away", type(error).__name__) from None
    finally:
        deadline.cancel()
        with suppress(Exception):
            connection.unbind()


def _first(settings: Settings) -> tuple[Any, threading.Timer]:
    worst: Away = Away("away", "no server")
    for url in settings.ldap_url:
        try:
            return _open(url, settings)
        except Away as away:
            log.warning("%s: %s", url, away)
            worst = away
    raise worst


def _open(url: str, settings: Settings) -> tuple[Any, threading.Timer]:
    parts = urlsplit(url)
    secure = parts.scheme == "ldaps"
    server = ldap3.Server(
        parts.hostname or "",
        port=parts.port or (636 if secure else 389),
        use_ssl=secure,
        tls=_tls(settings),
        get_info=ldap3.NONE,
        connect_timeout=_ANSWER_S,
    )
    connection = ldap3.Connection(
        server,
        user=settings.ldap_bind_dn or None,
        password=_password(settings) or None,
        authentication=ldap3.SIMPLE if settings.ldap_bind_dn else ldap3.ANONYMOUS,
        client_strategy=ldap3.SYNC,
        auto_referrals=False,
        check_names=False,
        receive_timeout=_ANSWER_S,
        raise_exceptions=False,
    )
    deadline = threading.Timer(_ALL_S, _cut, [connection])
    deadline.daemon = True
    deadline.start()
    try:
        connection.open(read_server_info=False)
        if not secure and settings.ldap_start_tls:
            _start_tls(connection)
        if not connection.bind(read_server_info=False):
            raise Away("bind", connection.result["description"])
    except (_errors.LDAPException, PyAsn1Error, OSError, ValueError, IndexError, KeyError) as error:
        _close(connection, deadline)
        why = "certificate" if "certificate" in str(error).lower() else "away"
        raise Away(why, type(error).__name__) from None
    except Away:
        _close(connection, deadline)
        raise
    return connection, deadline


def _prepared(password: str) -> str | bytes:
    """Return the password in the form that is sent to the directory.

    ldap3 prepares it (SASLprep) and raises for forbidden text, such as Persian and Latin letters in one
    password. Such a password is sent as typed, and the directory decides.
    """
    try:
        _sasl.sasl_prep(password)
    except _errors.LDAPSASLPrepError:
        return password.encode()
    return password


def _start_tls(connection: Any) -> None:
    try:
        done = connection.start_tls(read_server_info=False)
    except _errors.LDAPStartTLSError as error:
        # the connection broke: ldap3 raises a class made of that error
        if type(error) is not _errors.LDAPStartTLSError:
            raise
        done = False
    if not done:
        raise Away("no-tls", "StartTLS was refused")


def _password(settings: Settings) -> str:
    if settings.ldap_bind_password_file is None:
        return settings.ldap_bind_password
    try:
        return settings.ldap_bind_password_file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise Away("password-file", type(error).__name__) from None


def _close(connection: Any, deadline: threading.Timer) -> None:
    deadline.cancel()
    with suppress(Exception):
        connection.unbind()


def _cut(connection: Any) -> None:
    """Shut the socket down at the whole timeout, so that a waiting read fails."""
    with suppress(Exception):
        connection.socket.shutdown(2)


def escape(value: str) -> str:
    """Return the value escaped for a filter."""
    return str(_filters.escape_filter_chars(value))


def normalize_dn(dn: str) -> str:
    """Return a DN in a form for comparison; empty if it is invalid."""
    try:
        parts = _dn.parse_dn(dn, escape=False, strip=True)
    except _errors.LDAPException:
        return ""
    return ",".join(f"{name.strip()}={value.strip()}".casefold() for name, value, _ in parts)
