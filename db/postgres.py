"""Connections to PostgreSQL that follow a failover, with a limit on every wait."""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import OperationalError

from db.engine import is_read_only

_LOOK_S = 0.1
_SURE_S = 1.5
"""Seconds after an answer during which a connection needs no ping."""
_SLOW_S, _SILENT_S = 1.0, 3.0
"""A server whose refusal takes the first is off, and is left alone for the second."""
T = TypeVar("T")


class _Impatient(psycopg.Connection[Any]):
    """A connection with a time limit on each answer.

    A hung server answers nothing while its kernel still acknowledges packets. So neither its own limits nor
    TCP's notice.
    """

    answer_s: float | None = None
    answered_at = float("-inf")
    """When the server last answered, by time.monotonic()."""

    def wait(self, gen: PQGen[T], interval: float = _LOOK_S, timeout: float | None = None) -> T:
        """Wait as psycopg does; close the connection if no answer comes in time."""
        try:
            answer = super().wait(gen, interval, self.answer_s if timeout is None else timeout)
        except psycopg.Error as error:
            hung = isinstance(error, psycopg.OperationalError)
            if hung and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            _hide_details(error)
            raise
        self.answered_at = time.monotonic()
        return answer


def _hide_details(error: psycopg.Error) -> None:
    """Keep only the first line of a server's error: errors are logged, and DETAIL quotes the row.

    A row has numbers and words of citizens. The log's formatter could not remove them. PostgreSQL writes
    DETAIL in its machine's language, and a quoted value may have several lines.
    """
    if error.diag.message_primary:
        error.args = (error.diag.message_primary,)


class _Servers:
    """The servers of a URL, tried one by one, the last successful one first.

    libpq would spend its whole timeout on a server that is off, at each new connection. Here such a server is
    tried last. A server that refuses may be about to become the primary, so the slow one is not tried at
    once.
    """

    def __init__(self, named: Mapping[str, Any]) -> None:
        lists = [
            [(key, each) for each in str(named[key]).split(",")]
            for key in ("host", "hostaddr", "port")
            if key in named
        ]
        many = max(map(len, lists), default=1)
        each_has = [each * many if len(each) == 1 else each for each in lists]
        self._order: Sequence[Mapping[str, str]] = [{}]  # as they are named
        if {many} == set(map(len, each_has)):  # else libpq reports the error
            self._order = [dict(server) for server in zip(*each_has, strict=True)]
        self._let_in_at: dict[int, float] = {}
        self._asked_again_at: dict[int, float] = {}
        """The time from which a slow server is tried again, by its id."""

    def connect(self, named: Mapping[str, Any]) -> _Impatient:
        """Connect to the first server that accepts. Raises OperationalError if none does."""
        order, at = self._order, time.monotonic()
        quick = [each for each in order if self._asked_again_at.get(id(each), at) <= at]
        failed = list[psycopg.OperationalError]()
        for server in quick or order:
            began = time.monotonic()
            try:
                made = _Impatient.connect(**{**named, **server})
            except psycopg.OperationalError as error:
                failed.append(error)
                self._failed(server, began)
            else:
                self._lets_in(server)
                return made
        if len(failed) == 1:
            raise failed[0]
        raise type(failed[-1])("; ".join(map(str, failed)))

    def _lets_in(self, server: Mapping[str, str]) -> None:
        self._let_in_at[id(server)] = time.monotonic()
        self._asked_again_at.pop(id(server), None)
        if server is not self._order[0]:
            self._order = [server, *(each for each in self._order if each is not server)]

    def _failed(self, server: Mapping[str, str], began: float) -> None:
        at = time.monotonic()
        is_off = at - began >= _SLOW_S and self._let_in_at.get(id(server), 0.0) < began
        if is_off:  # for other threads, too: a lost packet affects only one
            self._asked_again_at[id(server)] = at + _SILENT_S
            self._order = [*(each for each in self._order if each is not server), server]


@lru_cache(8)
def _servers(url: str) -> _Servers:
    """Return the servers of a URL; all engines of the process share what they learn."""
    return _Servers(parse_url(url))


def create(
    url: str, *, client: Mapping[str, Any], server: Mapping[str, Any], answer_s: float, **options: Any
) -> Engine:
    """Make an engine whose connections go to the one server of the URL that takes writes.

    `client` holds our settings for libpq, `server` those of the session.
    """
    ours = {**client, "options": " ".join(f"-c {name}={value}" for name, value in server.items())}
    engine = create_engine(url, **options)

    servers = _servers(url)

    def connect(_dialect: Any, _record: Any, _given: Any, named: Any) -> _Impatient:
        made = servers.connect({**named, **parse_url(url), **ours})
        made.answer_s = answer_s
        return made

    ask = engine.dialect.do_ping

    def is_there(connection: Any) -> bool:
        lately = time.monotonic() - connection.answered_at < _SURE_S
        return (lately and not connection.closed) or ask(connection)

    engine.dialect.do_ping = is_there  # type: ignore[assignment]
    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", _away_if_it_only_reads)
    return engine


def parse_url(url: str) -> dict[str, Any]:
    """Return libpq's parameters: user, password, dbname, each server's host and port, and options of the URL.

    With several servers libpq looks for the one that takes writes.
    """
    parts = make_url(url)
    named: dict[str, Any] = parts.translate_connect_args(username="user", database="dbname")
    named |= parts.query
    if isinstance(hosts := named.get("host"), tuple):  # host=a:1&host=b:2
        pairs = [each.partition(":") for each in hosts]
        named["host"] = ",".join(host for host, _, _ in pairs)
        named["port"] = ",".join(port for _, _, port in pairs)
    if "," in named.get("host", ""):
        named.setdefault("target_session_attrs", "read-write")
    return named


def remove_time_limit(connection: Connection) -> None:
    """Remove the time limit on this connection's answers."""
    driver = connection.connection.driver_connection
    if isinstance(driver, _Impatient):
        driver.answer_s = None


def _away_if_it_only_reads(context: ExceptionContext) -> OperationalError | None:
    error = context.original_exception
    if not is_read_only(error):
        return None
    context.is_disconnect = True  # every connection of the pool
    return OperationalError(context.statement, None, error, hide_parameters=True)
