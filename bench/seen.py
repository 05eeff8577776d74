"""Time from a commit until 200 open desks hear of it, each by its own stream of live events.

The API is a process of its own on PostgreSQL, as `make run` starts it. Desks are sockets that read, each of
its own person. The page's queries after an event are not included. The anchor is NOTIFY alone: one listening
connection in the committing process.
"""

import os
import re
import selectors
import socket
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import Engine

from api.cookies import COOKIE
from db import events
from db.engine import connect, writing
from db.migrate import upgrade
from db.news import CHANNEL
from hotline.people import sign_ins
from settings.addresses import Address
from tests.factories import a_desk, a_user
from tests.kit import brief
from tests.kit.brief import must_hold, sized
from tests.kit.performance import measured
from tests.kit.ports import free_port
from tests.kit.postgres import Postgres
from tests.kit.process import Program

DESKS, COMMITS = sized((200, 100), (3, 2))
EVERY_S, PATIENCE_S = 0.3, 10.0
GOAL_MS = (50, 200)
PROJECT = Path(__file__).parent.parent
_ID = re.compile(rb"\bid: (\d+)")


class Desk:
    """An open page's stream, with the last event it heard."""

    def __init__(self, address: Address, cookie: str) -> None:
        self.wire = socket.create_connection(address, timeout=PATIENCE_S)
        head = f"GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\nCookie: {COOKIE}={cookie}\r\n\r\n"
        self.wire.sendall(head.encode())
        self.heard = 0
        self._rest = b""
        while not self.heard:  # the hello has an id once anything has ever happened
            self.read()
        self.wire.setblocking(False)

    def read(self) -> None:
        """Read what has arrived."""
        came = self.wire.recv(1 << 16)
        if not came:
            raise ConnectionError(f"a desk's line has ended: {self._rest!r}")
        self._rest = (self._rest + came)[-4096:]
        self.heard = max(self.heard, *(int(each) for each in _ID.findall(self._rest)), 0)


def _append(engine: Engine) -> int:
    with writing(engine) as session:
        events.append_timetable(session, "rule")
        session.flush()
        newest = events.find_last_id(session)
    return newest


def _seen_ms(
    engine: Engine, desks: list[Desk], listening: psycopg.Connection
) -> tuple[list[float], list[float]]:
    """Return the times of each commit and desk, and of each commit by NOTIFY alone."""
    seen, told = [], []
    with selectors.DefaultSelector() as selector:
        for desk in desks:
            selector.register(desk.wire, selectors.EVENT_READ, desk)
        for _ in range(COMMITS):
            newest, committed = _append(engine), time.monotonic()
            list(listening.notifies(timeout=PATIENCE_S, stop_after=1))
            told.append((time.monotonic() - committed) * 1e3)
            waiting = set(desks)
            while waiting and time.monotonic() - committed < PATIENCE_S:
                for key, _events in selector.select(1.0):
                    key.data.read()
                    if key.data in waiting and key.data.heard >= newest:
                        waiting.discard(key.data)
                        seen.append((time.monotonic() - committed) * 1e3)
            must_hold(not waiting, "each desk hears of each commit")
            time.sleep(EVERY_S)  # a commit must not meet the one before
    return seen, told


def main() -> None:
    """Print the table."""
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    address = Address("127.0.0.1", free_port())
    with ExitStack() as stack:
        server = stack.enter_context(Postgres())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = server.create_database("seen")
        engine = connect(url)
        upgrade(engine)
        with writing(engine) as session:
            cookies = [sign_ins.sign_in(session, a_user(session, a_desk(session))) for _ in range(DESKS)]
        _append(engine)
        environment = {
            "HOTLINE_STATE_DIR": folder,
            "HOTLINE_HTTP": str(address),
            "HOTLINE_DATABASE_URL": url,
        }
        command = [sys.executable, "-m", "ops.process", "api"]
        api = Program(command, folder=PROJECT, log=Path(folder) / "api.log", env=environment)
        stack.enter_context(api)
        api.ready(lambda: _answers(address), timeout=60)
        listening = stack.enter_context(
            psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)
        )
        listening.execute(f"LISTEN {CHANNEL}")
        desks = [Desk(address, cookie) for cookie in cookies]
        seen, told = _seen_ms(engine, desks, listening)
        for desk in desks:
            desk.wire.close()
        engine.dispose()
    cuts = statistics.quantiles(seen, n=100)
    alone = f"{statistics.median(told):.1f} ms"
    measured("seen-median", cuts[49], anchor=alone)
    measured("seen-99", cuts[98], anchor=alone)
    print(f"{COMMITS} commits, {DESKS} desks: median {cuts[49]:.1f} ms, 99 of 100 within {cuts[98]:.1f}")
    print(f"NOTIFY alone: {alone}   goal: {GOAL_MS[0]} and {GOAL_MS[1]} ms")


def _answers(address: Address) -> bool:
    try:
        return httpx.get(f"http://{address}/livez").is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    brief.play(main)
