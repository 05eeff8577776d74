"""The FastAGI server: a thread a call, one call script each. A broken call ends alone."""

import logging
import signal
import socketserver
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Engine

from db.engine import connect, writing
from dialplan.variables import Script, Variable
from hotline import incoming, rounds, status
from ivr.call import AGIError, AGIHangup, Call, Gone
from ivr.lines_full import LinesFull
from ivr.reception import Reception
from ivr.scripts import callback, confirm, full, menu, near, official, wait
from ivr.tally import Tally
from settings import Settings

log = logging.getLogger("ivr")


def scripts(reception: Reception) -> dict[str, Callable[[Call, Engine, Settings], None]]:
    """The call scripts by their names in the dialplan."""
    return {
        Script.MENU: partial(menu.run, reception=reception),
        Script.LINES_FULL: full.run,
        Script.CALLBACK: callback.run,
        Script.CONFIRM: confirm.run,
        Script.NEAR: near.run,
        Script.WAIT: wait.run,
        Script.OFFICIAL: official.run,
    }


_SILENCE_S = 60
"""No prompt is longer: an Asterisk that says nothing for so long has gone."""


_SWITCH_S = 0.0005
"""The one thread that writes waits for Python's lock after each statement, and all other writers for it: with
the usual 5 ms for each turn a rush of calls would be registered four times slower."""


class Server(socketserver.ThreadingTCPServer):
    """Listens where the dialplan's agi:// addresses point."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, settings: Settings, engine: Engine, reception: Reception | None = None) -> None:
        self.settings = settings
        self.engine = engine
        self.scripts = scripts(reception or Reception(engine))
        self.tally = Tally()
        super().__init__(settings.agi, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what a handler let through; the server goes on."""
        log.exception("a call's connection failed")


class _Handler(socketserver.StreamRequestHandler):
    server: Server
    timeout = _SILENCE_S
    disable_nagle_algorithm = True

    def handle(self) -> None:
        settings = self.server.settings
        try:
            call = Call(
                self.rfile, self.wfile, settings.prompts_dir, settings.answer_seconds, self._wait_longer
            )
        except AGIHangup:
            return  # a health check, or a caller gone before the first word
        except (AGIError, OSError) as error:
            log.warning("not a call: %s", error)
            return
        try:
            self._converse(call)
        except (AGIHangup, ConnectionError, TimeoutError):
            log.info("%s: the caller hung up", call.channel_id)
        except AGIError as error:
            log.warning("%s: %s", call.channel_id, error)
        except Exception:  # the dialplan apologises; no other call notices
            log.exception("%s: %s failed", call.channel_id, call.script)

    def _wait_longer(self, seconds: float) -> None:
        self.connection.settimeout(self.timeout + seconds)

    def _converse(self, call: Call) -> None:
        script = self.server.scripts.get(call.script)
        if script is None:
            raise AGIError(f"no call script {call.script!r}")
        self.server.tally.count(call.script)
        log.info("%s: %s begins", call.channel_id, call.script)
        try:
            script(call, self.server.engine, self.server.settings)
        except Gone:
            call.say("goodbye-how")
        call.set(Variable.FINISHED, "1")
        log.info("%s: %s ends", call.channel_id, call.script)


def _every_beat(settings: Settings, engine: Engine, tally: Tally, stop: threading.Event) -> None:
    full = LinesFull(settings)
    while not stop.wait(status.BEAT_SECONDS):
        try:
            with tally.taken() as counts, writing(engine) as session:
                status.beat(session, "ivr")
                incoming.add(session, counts)
                open_until = rounds.open_until(session)
        except Exception as error:
            log.warning("no heartbeat: %s", type(error).__name__)
            continue
        try:
            full.say_until(open_until)
        except OSError as error:
            log.error("the announcement of full lines cannot be written: %s", error)


def serve(settings: Settings) -> None:
    """Answer calls until the process is told to stop."""
    sys.setswitchinterval(_SWITCH_S)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = connect(settings.database)
    stop = threading.Event()
    with Server(settings, engine) as server:
        threading.Thread(target=_every_beat, args=(settings, engine, server.tally, stop), daemon=True).start()
        log.info("listening on %s", settings.agi)
        try:
            server.serve_forever()
        finally:
            stop.set()
            with server.tally.taken() as counts, writing(engine) as session:
                incoming.add(session, counts)
