"""Callers on the line of 137 now, written to the database by another thread, at no call's cost."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from db.engine import writing
from dialplan.variables import Script
from hotline.line import busy_numbers
from hotline.outbound import overflow
from ivr.call import Call

log = logging.getLogger("ivr")

_AT_MOST_EVERY_S = 1.0
_OF_CALLERS = (Script.MENU, Script.ON_THE_LINE)


class Callers:
    """Numbers of callers by channel. The database lags by a second at most."""

    def __init__(self, allowed_prefixes: tuple[str, ...], node: str) -> None:
        self._allowed = allowed_prefixes
        self._node = node
        self._here: dict[str, str] = {}
        self._asking: set[str] = set()
        self._written: dict[str, str] | None = None
        self._changed = threading.Event()
        self._lock = threading.Lock()

    @contextmanager
    def on_the_line(self, call: Call) -> Iterator[None]:
        """Count the caller as on the line during this block, unless we placed the call."""
        if call.script not in _OF_CALLERS:
            yield
            return
        # A caller without a callable number occupies a channel of the trunk, too.
        self._set(call.channel_id, call.number(self._allowed) or "")
        if call.script == Script.MENU:
            self._asking.add(call.channel_id)
        try:
            yield
        finally:
            self._asking.discard(call.channel_id)
            self._set(call.channel_id, None)

    def asking(self) -> int:
        """Return how many callers need our answers now; callers with music do not."""
        return len(self._asking)

    def _set(self, channel: str, number: str | None) -> None:
        with self._lock:
            if number is None:
                self._here.pop(channel, None)
            else:
                self._here[channel] = number
        self._changed.set()

    def keep_written(self, engine: Engine, stop: threading.Event) -> None:
        """Write each change until `stop`: at once, but at most one transaction a second."""
        while not stop.is_set():
            if self._changed.wait(_AT_MOST_EVERY_S) or self._written is None:
                self.write(engine)
                stop.wait(_AT_MOST_EVERY_S)

    def write(self, engine: Engine) -> None:
        """Write the changes; an earlier process's rows are deleted."""
        self._changed.clear()
        with self._lock:
            here = dict(self._here)
        before = self._written or {}
        came = {channel: number for channel, number in here.items() if channel not in before}
        try:
            with writing(engine) as session:
                if self._written is None:
                    busy_numbers.forget_callers(session, self._node)
                busy_numbers.record_callers(session, came, before.keys() - here.keys(), self._node)
                if came:
                    overflow.end_calls_of(session, came.values())
        except Exception as error:
            log.warning("who is on the line is not written down: %s", type(error).__name__)
            self._written = None  # write everything next time
        else:
            self._written = here
