"""The doctor's output, and its findings on this machine."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime

from sqlalchemy import Engine
from typer.testing import CliRunner

from db.engine import writing
from db.models import Heartbeat
from hotline import heartbeats
from ops.cli import app
from settings import Settings

NOW = datetime.now(UTC).isoformat()
PASSWORD = "a-password-of-the-database"


class Told:
    """The doctor's report: the worst by name, everything, and how it ended."""

    def __init__(self, *words: str) -> None:
        result = CliRunner().invoke(app, ["doctor", *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        self.code, self.text = result.exit_code, result.output
        self.findings: list[dict[str, str]] = (
            json.loads(result.output)["findings"] if "--json" in words else []
        )

    def bad(self) -> dict[str, tuple[str, str]]:
        found = {}
        for each in self.findings:
            if each["state"] != "ok":
                assert each["do"], each
                found.setdefault(each["name"], (each["state"], each["said"]))
        return found


@contextmanager
def answering(address: tuple[str, int], said: bytes | None) -> Iterator[None]:
    """Send this to every connection; None sends nothing, for ever."""
    with closing(socket.create_server(address)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                held.append(client)
                if said is not None:
                    with suppress(OSError):
                        client.sendall(said)
                        client.shutdown(socket.SHUT_WR)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for client in held:
                client.close()


SUCCESS = b"Asterisk Call Manager/9.0\r\nResponse: Success\r\n\r\n"
REFUSED = b"Asterisk Call Manager/9.0\r\nResponse: Error\r\nMessage: Authentication failed\r\n\r\n"


@contextmanager
def running(settings: Settings, engine: Engine, manager: bytes | None = SUCCESS) -> Iterator[None]:
    """Everybody beats, and each port has a listener."""
    with writing(engine) as session:
        for process in ("ivr", "dialer", "scheduler", "asterisk"):
            heartbeats.beat(session, process)
            session.get_one(
                Heartbeat, heartbeats.find_row(process)
            ).fresh_s = 600  # however slow this machine is
    with ExitStack() as stack:
        for address, said in (
            (settings.http, b"HTTP/1.1 204 No Content\r\n\r\n"),
            (settings.agi, b""),
            (settings.asterisk_http, b""),
            (settings.ami, manager),
        ):
            stack.enter_context(answering(address, said))
        sip = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
        sip.bind(settings.sip)
        yield
