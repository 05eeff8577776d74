"""One reader of the event log for all open pages of this process.

The number of streams is limited for each person and all together. A stream ends with its session.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal, NamedTuple

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import format_sse_event
from sqlalchemy import Engine

from api import schemas
from api.access import read_idle_time
from db import events
from db.engine import reading
from db.models import Event
from db.news import Watch
from hotline import heartbeats
from hotline.errors import Refused
from hotline.people import sign_ins
from settings import Settings

log = logging.getLogger("api")

CHECK_SESSIONS_S = 1.0
LISTEN_S = 0.5
_AGAIN_S = 1.0
MOST_STREAMS = 500
"""Open pages that get live updates in this process, at most."""
MOST_OF_ONE = 20
"""Open pages of one person that get live updates, at most. One more ends the oldest page's stream."""
_KEPT = 2_000
"""Events kept in memory for all pages; a page that is further behind reads the database."""


@dataclass(eq=False)
class Stream:
    """One open page's stream."""

    user_id: int
    session: str
    seen: int
    """The last event that the page got or did not need."""
    department_id: int | None
    over: Literal["", "signed-out", "crowded", "stopping"] = ""
    told: asyncio.Event = field(default_factory=asyncio.Event)
    knows_away: bool = False
    """Whether the page was told that the database is away, and not yet that it is back."""


class News(NamedTuple):
    """An event as the office gets it, and the departments that see its request or did until then."""

    id: int
    sent: bytes
    """Encoded once, for all pages."""
    departments: tuple[int | None, ...]


class Tail:
    """The one reader of the event log in this process; every open page waits on it."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._streams: list[Stream] = []
        self._stops = False
        self._recent: deque[News] = deque(maxlen=_KEPT)
        self.last_id = 0
        """The last event that pages were told of."""
        self._passed_on = 0
        """The same, in the listening thread."""
        self.is_away = False
        """Whether the database is silent: pages may show old data."""
        self._listened_to = asyncio.Event()

    async def run(self) -> None:
        """Watch the log and the sessions for ever; retry while the database is away."""
        loop, stop = asyncio.get_running_loop(), threading.Event()
        for work in (self._listen, self._keep_ending):
            threading.Thread(target=work, args=(loop, stop), daemon=True).start()
        try:
            while True:
                await self._listened_to.wait()
                await asyncio.sleep(LISTEN_S)
                self._tell_silence()
        finally:
            stop.set()

    def _listen(self, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> None:
        """Read new events and pass them on, in a thread that waits for the database."""
        watch = Watch(self._engine)
        while not stop.is_set():
            try:
                news = watch.wait()
                heartbeats.record_answer(self._engine)
                if news:
                    self._pass_on(loop, watch.newest or 0)
            except Exception:  # the database is away, or this loop is closed
                watch.close()  # the next watch reports again what was not passed on
                stop.wait(_AGAIN_S)
        watch.close()

    def _pass_on(self, loop: asyncio.AbstractEventLoop, newest: int) -> None:
        while self._passed_on and newest > self._passed_on and self._streams:
            found = self._read(self._passed_on)  # the first ones, if there are very many
            if not found:
                break
            loop.call_soon_threadsafe(self._tell, found, found[-1].id)
            self._passed_on = found[-1].id
            newest = max(newest, self._passed_on)  # more may have come since
        if newest != self._passed_on:
            loop.call_soon_threadsafe(self._tell, (), newest)
            self._passed_on = newest

    def _tell(self, found: Sequence[News], newest: int) -> None:
        """Wake all pages. With nothing found, each page reads what it lacks."""
        # the database went back: a restored backup, or a standby that lacked events
        if newest < self.last_id:
            for stream in self._streams:
                stream.seen = min(stream.seen, newest)
        if not found:
            self._recent.clear()
        self._recent.extend(found)
        self.last_id = newest
        for stream in self._streams:
            stream.told.set()

    def _tell_silence(self) -> None:
        """Wake all pages when the database falls silent (dead or hung), and when it answers again."""
        if not self._streams:
            self._listened_to.clear()
        away = bool(self._streams) and heartbeats.is_silent(self._engine)
        if away is not self.is_away:
            self.is_away = away
            for stream in self._streams:
                stream.told.set()

    def _keep_ending(self, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> None:
        """End the streams of ended sessions, in a thread of its own, so that no event waits for it."""
        while not stop.wait(CHECK_SESSIONS_S):
            asked = [*self._streams]  # a stream that joins meanwhile is checked next time
            if not asked:
                continue
            try:
                still = self._lasting({s.session for s in asked}).items()
                over = [s for s in asked if (s.session, s.department_id) not in still]
                if over:
                    loop.call_soon_threadsafe(self._end, over, "signed-out")
            except Exception as error:  # the database is away, or this loop is closed
                log.warning("streams of ended sessions go on: %s", type(error).__name__)
                stop.wait(_AGAIN_S)

    def make_room(self, user_id: int) -> None:
        """Make room for one more stream of this person: a person with too many loses the oldest.

        Raises Refused("too-many-pages") if all together are too many and this person has none to lose.
        """
        mine = [s for s in self._streams if s.user_id == user_id]
        full = len(self._streams) >= MOST_STREAMS
        if full and not mine:
            raise Refused("too-many-pages", "too many pages are open")
        if full or len(mine) >= MOST_OF_ONE:
            self._end(mine[:1], "crowded")

    def join(self, user_id: int, session: str, seen: int, department_id: int | None) -> Stream:
        """Open a page's stream for events after `seen`. It lasts until it is ended or the page leaves."""
        stream = Stream(user_id, session, seen, department_id)
        self._streams.append(stream)
        self._listened_to.set()
        if self._stops:
            self._end([stream], "stopping")
        return stream

    def leave(self, stream: Stream) -> None:
        """Remove a page's stream."""
        if stream in self._streams:
            self._streams.remove(stream)

    def stop(self) -> None:
        """End every stream with a complete answer when the process stops; pages reconnect by themselves."""
        self._stops = True
        self._end([*self._streams], "stopping")

    async def wait(self, stream: Stream, timeout_s: float) -> None:
        """Wait until there is news for the stream, the stream is over, or `timeout_s` has passed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._is_all_sent(stream) and not stream.over:
                    stream.told.clear()
                    await stream.told.wait()

    def _is_all_sent(self, stream: Stream) -> bool:
        return self.last_id <= stream.seen and self.is_away is stream.knows_away

    def _end(self, streams: list[Stream], why: Literal["signed-out", "crowded", "stopping"]) -> None:
        for stream in streams:
            stream.over = why
            self.leave(stream)
            stream.told.set()

    def _lasting(self, sessions: set[str]) -> dict[str, int | None]:
        asked = sign_ins.select_lasting(frozenset(sessions), read_idle_time(self._settings))
        with reading(self._engine) as session:
            return {token: department_id for token, department_id in session.execute(asked)}

    def newest(self) -> int:
        """Return the id of the newest event."""
        with reading(self._engine) as session:
            return events.find_last_id(session)

    async def after(self, seen: int) -> Sequence[News]:
        """Return the events after `seen`, or the first ones of very many."""
        if seen >= (self._recent[0].id - 1 if self._recent else self.last_id):
            return [*takewhile(lambda each: each.id > seen, reversed(self._recent))][::-1]
        return await run_in_threadpool(self._read, seen)

    async def concerns(self, stream: Stream) -> bool:
        """Return whether an unseen event concerns the stream's department; marks these events as seen."""
        news = await self.after(stream.seen)
        stream.seen = news[-1].id if news else stream.seen
        return any(stream.department_id in each.departments for each in news)

    def _read(self, seen: int) -> Sequence[News]:
        with reading(self._engine) as session:
            return [
                News(e.id, _encoded(e), (e.department_id, e.left_id))
                for e in events.list_since(session, seen)
            ]


def _encoded(event: Event) -> bytes:
    change = schemas.Change.model_validate(event, from_attributes=True)
    return format_sse_event(data_str=change.model_dump_json(), event="change", id=str(event.id))
