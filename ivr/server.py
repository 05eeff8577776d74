"""FastAGI server: one thread and one script for each call. A broken call ends alone."""

import logging
import os
import signal
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import Engine

from db.engine import connect, is_away, now, reading, writing
from dialplan import accounts
from dialplan.variables import CALLERS_ADMITTED, Script, Variable
from hotline import heartbeats, watchdog
from hotline.callbacks import waiting_callers
from hotline.nodes import draining
from hotline.outbound import overflow
from hotline.reports import call_counts
from hotline.rounds import phases
from ivr import abandoned_calls, sip_latency
from ivr.admission import LEAST, Admission, adapt_limit
from ivr.call import AGIError, AGIHangup, Call, NoInput
from ivr.call_counter import CallCounter
from ivr.caller_cache import CallerCache
from ivr.callers import Callers
from ivr.final_writes import FINAL_WRITES, GONE
from ivr.lines_full import LinesFull
from ivr.scripts import (
    callback,
    confirm,
    desk,
    full,
    guest,
    heads_up,
    leave_number,
    menu,
    official,
    overflow_callback,
    rescue,
    sign_in_code,
    solved,
    trial,
    urgent_call,
    wait,
)
from ivr.scripts import on_the_line as on_the_line_script
from settings import Settings

log = logging.getLogger("ivr")


def list_scripts(cache: CallerCache) -> dict[str, Callable[[Call, Engine, Settings], None]]:
    """Return the call scripts by their names in the dialplan."""
    return {
        Script.MENU: partial(menu.run, cache=cache),
        Script.LINES_FULL: full.run,
        Script.LEAVE_NUMBER: leave_number.run,
        Script.OVERFLOW: overflow_callback.run,
        Script.ON_THE_LINE: on_the_line_script.run,
        Script.CALLBACK: callback.run,
        Script.CONFIRM: confirm.run,
        Script.HEADS_UP: heads_up.run,
        Script.SIGN_IN_CODE: sign_in_code.run,
        Script.SOLVED: solved.run,
        Script.TRIAL: trial.run,
        Script.URGENT: urgent_call.run,
        Script.RESCUE: rescue.run,
        Script.WAIT: wait.run,
        Script.OFFICIAL: official.run,
        Script.GUEST: guest.run,
        Script.DESK: desk.run,
    }


_SILENCE_S = 60
"""Seconds of silence after which Asterisk has gone: no prompt is longer."""


_WELL = "well"
"""Script name of a self-check, which is answered and is no call."""
_ASK_S, _ANSWER_S = 1.0, 4.0
_BEATEN_S = 2 * heartbeats.BEAT_SECONDS
"""Age of a heartbeat after which this node wants no callers; one may be late. The proxy's callers then get
another node within 5 s.
"""


_SQLITE_S = 20
"""Patience with a locked SQLite file, in seconds: a late commit beats asking the caller again."""

_FIRST = -10
"""Priority of this process (nice): all callers wait for it, and hundreds of threads of Asterisk compete."""


class Server(socketserver.ThreadingTCPServer):
    """FastAGI server at the address in the dialplan's agi:// addresses."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, settings: Settings, engine: Engine, cache: CallerCache | None = None) -> None:
        self.settings = settings
        self.engine = engine
        self.cache = cache or CallerCache(engine)
        self.scripts = list_scripts(self.cache)
        self.call_counter = CallCounter()
        self.callers = Callers(settings.allowed_prefixes, settings.node)
        self.admission = Admission(settings.state_dir / CALLERS_ADMITTED, settings.callers_at_once)
        self.answered_at = float("-inf")
        """Time of the last answered request (time.monotonic())."""
        self.beaten_at = float("-inf")
        """Time at which the database last took our heartbeat while this node was not being drained."""
        self.clock = time.monotonic
        """Clock that decides which keys were pressed without a pause."""
        super().__init__(settings.agi, _Handler)

    def wants_callers(self) -> bool:
        """Return whether callers should come who could use another node: ivr and database work, no drain."""
        at = time.monotonic()
        return at - self.answered_at < _ASK_S + _ANSWER_S and at - self.beaten_at < _BEATEN_S

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log an exception of a handler; the server goes on."""
        log.exception("a call's connection failed")


class _Handler(socketserver.StreamRequestHandler):
    server: Server
    timeout = _SILENCE_S
    disable_nagle_algorithm = True

    def handle(self) -> None:
        settings = self.server.settings
        try:
            call = Call(
                *(self.rfile, self.wfile, settings.prompts_dir, settings.answer_seconds),
                self._wait_longer,
                clock=self.server.clock,
                waited=self.server.admission.waited,
            )
        except AGIHangup:
            return  # a health check, or a caller who hung up before the first word
        except (AGIError, OSError) as error:
            log.warning("not a call: %s", error)
            return
        if not call.is_ours(settings.secret_for(accounts.AGI)):
            log.warning("not a call of our Asterisk, from %s", self.client_address[0])
            return
        try:
            self._converse(call)
        except GONE:
            log.info("%s: the caller hung up", call.channel_id)
            # In a resumed call the caller may go before their answers are looked up.
            if call.script == Script.MENU and call.is_connected and not call.again:
                _end(call, "gone")
        except AGIError as error:
            log.warning("%s: %s", call.channel_id, error)
            _end(call, "no")
        except Exception as error:  # the dialplan retries once, then apologises; no other call notices
            # Without a database each call of a rush would log a trace of 60 lines.
            say = log.error if is_away(error) else log.exception
            say("%s: %s failed: %s", call.channel_id, call.script, type(error).__name__)
            _end(call, "no")

    def _wait_longer(self, seconds: float) -> None:
        self.connection.settimeout(self.timeout + seconds)

    def _converse(self, call: Call) -> None:
        if call.script == _WELL:
            call.set(Variable.FINISHED, "1")
            return
        script = self.server.scripts.get(call.script)
        if script is None:
            raise AGIError(f"no call script {call.script!r}")
        if not (call.again or overflow.is_token(call.channel_id)):  # a call that we placed does not count
            self.server.call_counter.count(call.script)
        log.info("%s: %s %s", call.channel_id, call.script, "goes on" if call.again else "begins")
        with self.server.callers.on_the_line(call):
            try:
                script(call, self.server.engine, self.server.settings)
            except NoInput:
                call.say("goodbye-how")
        call.set(Variable.FINISHED, "1")
        log.info("%s: %s ends", call.channel_id, call.script)


def _ask_itself(server: Server, stop: threading.Event) -> None:
    """Request a script as Asterisk does, repeatedly, to check that calls are accepted and answered."""
    secret = server.settings.secret_for(accounts.AGI)
    while not stop.wait(_ASK_S):
        FINAL_WRITES.let_go()
        try:
            with socket.create_connection(server.settings.agi, _ANSWER_S) as wire:
                wire.settimeout(_ANSWER_S)
                wire.sendall(f"agi_network_script: {_WELL}\nagi_arg_1: {secret}\n\n".encode())
                if not wire.recv(1):
                    raise OSError("no answer")
                wire.sendall(b"200 result=1\n")
        except OSError as error:
            log.warning("no call is answered: %s", error)
        else:
            server.answered_at = time.monotonic()
            watchdog.record_work()


def _end(call: Call, how: str) -> None:
    """Tell the dialplan that we answered: a failed command looks to it like no answer."""
    with suppress(AGIError, OSError):
        call.set(Variable.FINISHED, how)


def _every_beat(server: Server, stop: threading.Event) -> None:
    full = LinesFull(server.settings)
    while not stop.wait(heartbeats.BEAT_SECONDS):
        try:
            is_well = time.monotonic() - server.answered_at < _ASK_S + _ANSWER_S
            if is_well:
                _beat(server)
            with reading(server.engine) as session:
                drained = draining.is_drained(session, server.settings.node)
                is_any_stale = bool(session.scalar(waiting_callers.IS_ANY_STALE))
                open_until = session.scalar(phases.OPEN_UNTIL)
                waiting = session.scalar(overflow.WAITING) or 0
                offer = overflow.may_leave_number(now(session), waiting, server.settings)
            _write(server, is_any_stale=is_any_stale)
        except Exception as error:
            log.warning("no heartbeat: %s", type(error).__name__)
            continue
        server.beaten_at = float("-inf") if drained or not is_well else time.monotonic()
        try:
            full.say_until(open_until, offer=offer)
        except OSError as error:
            log.error("the announcement of full lines cannot be written: %s", error)


def _beat(server: Server) -> None:
    """Record a heartbeat and, on PostgreSQL, that this node's ivr works."""
    with writing(server.engine) as session:
        heartbeats.beat(session, "ivr")
        if server.engine.dialect.name == "postgresql":
            draining.record_ivr(session, server.settings.node)


def _write(server: Server, *, is_any_stale: bool) -> None:
    with server.call_counter.taken() as counts:
        if not (counts or is_any_stale):
            return
        with writing(server.engine) as session:
            call_counts.add(session, counts)
            waiting_callers.leave_stale(session)


def _admit(server: Server, stop: threading.Event) -> None:
    adapt_limit(server.admission, server.callers.asking, server.wants_callers, stop)


def _ask_asterisk(server: Server, stop: threading.Event) -> None:
    def is_rush() -> bool:
        return server.callers.asking() > LEAST or server.admission.is_low

    sip_latency.keep_asking(server.settings, is_rush, server.admission.answered, stop)


def _take_up_who_hung_up(server: Server, stop: threading.Event) -> None:
    abandoned_calls.keep_taking_up(server.settings, server.engine, server.cache, stop)


def _write_callers(server: Server, stop: threading.Event) -> None:
    server.callers.keep_written(server.engine, stop)


def serve(settings: Settings) -> None:
    """Answer calls until the process is told to stop."""
    with suppress(PermissionError):  # systemd and containers use CPU shares instead
        os.setpriority(os.PRIO_PROCESS, 0, _FIRST)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = connect(settings.database, sqlite_s=_SQLITE_S)
    stop = threading.Event()
    with Server(settings, engine) as server:
        for work in (_ask_itself, _every_beat, _take_up_who_hung_up, _write_callers, _admit, _ask_asterisk):
            threading.Thread(target=work, args=(server, stop), daemon=True).start()
        log.info("listening on %s", settings.agi)
        try:
            server.serve_forever(poll_interval=60)  # a signal ends it, not a poll
        finally:
            stop.set()
            with server.call_counter.taken() as counts, writing(engine) as session:
                call_counts.add(session, counts)
