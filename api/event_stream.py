"""Live events: the event log as server-sent events, resumed by Last-Event-ID.

A department hears that something of its own is different, and nothing else: neither what, nor by an id or a
heartbeat how much happens elsewhere. Its page asks for its inbox then, and whenever a stream begins.

Their number is bounded, each person's and all together; a stream ends with its session.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import Engine

from api import schemas
from api.access import InSession, OfDepartment, idle, signed_in
from db import events
from db.engine import glance, reading
from db.news import Watch
from hotline.errors import Refused
from hotline.people import sign_ins
from settings import Settings

router = APIRouter(tags=["events"])

HEARTBEAT_S = 10.0
CHECK_SESSIONS_S = 1.0
_AGAIN_S = 1.0
_KEPT = 2_000
"""So many events are read once for all pages; a page that is further behind reads by itself."""
_REFUSAL = {
    "description": "A problem (RFC 9457)",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
"""A refusal is JSON here, too; by itself FastAPI would say that it is a stream."""


@dataclass(eq=False)
class Stream:
    """One open page's line."""

    user_id: int
    session: str
    seen: int
    """The last event that it was sent, or that was none of its."""
    department_id: int | None
    over: Literal["", "signed-out", "crowded"] = ""


class News(NamedTuple):
    """An event: what the office is sent, and which departments see that request, or did until then."""

    id: int
    data: str
    departments: tuple[int | None, ...]


class Tail:
    """The one reader of the event log in this process; every open page waits on it."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._news = asyncio.Condition()
        self._streams: list[Stream] = []
        self._recent: deque[News] = deque(maxlen=_KEPT)
        self._newest = 0
        """As the database has it."""
        self.last_id = 0
        """The last one that pages were told of."""

    async def run(self) -> None:
        """Watch the log, and the sessions, for ever. A database that is away is asked again."""
        loop, told, stop = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
        ring = partial(loop.call_soon_threadsafe, told.set)
        threading.Thread(target=self._listen, args=(ring, stop), daemon=True).start()
        try:
            await self._keep_telling(told)
        finally:
            stop.set()

    def _listen(self, ring: Callable[[], object], stop: threading.Event) -> None:
        """Ring whenever something is appended; a thread of its own, which waits for the database."""
        watch = Watch(self._engine)
        while not stop.is_set():
            try:
                if watch.wait():
                    self._newest = watch.newest or 0
                    ring()
            except Exception:  # the database is away, or this loop is closed
                stop.wait(_AGAIN_S)
        watch.close()

    async def _keep_telling(self, told: asyncio.Event) -> None:
        checked = 0.0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), CHECK_SESSIONS_S)
            told.clear()
            found: Sequence[News] = ()
            newest = self._newest
            try:
                if self.last_id and newest > self.last_id and self._streams:
                    found = await run_in_threadpool(self._read, self.last_id)
                if self._streams and time.monotonic() - checked > CHECK_SESSIONS_S:
                    asked = [*self._streams]  # who comes meanwhile is not asked about
                    lasting = await run_in_threadpool(self._lasting, {s.session for s in asked})
                    still = lasting.items()
                    gone = [s for s in asked if (s.session, s.department_id) not in still]
                    await self._end(gone, "signed-out")
                    checked = time.monotonic()
            except Exception:
                await asyncio.sleep(_AGAIN_S)
                told.set()
                continue
            if newest < self.last_id:  # a database that is older: a backup, a standby that lacked something
                for stream in self._streams:
                    stream.seen = min(stream.seen, newest)
            if newest != self.last_id:
                async with self._news:
                    if found:
                        self._recent.extend(found)
                    else:
                        self._recent.clear()
                    self.last_id = found[-1].id if found else newest
                    if self.last_id < newest:  # there were too many to be read at once
                        told.set()
                    self._news.notify_all()

    async def make_room(self, user_id: int) -> None:
        """Before one more stream of this person: who has too many loses the oldest.

        Raises Refused("too-many-pages") if all together are too many and this person has none to lose.
        """
        mine = [s for s in self._streams if s.user_id == user_id]
        full = len(self._streams) >= self._settings.event_streams
        if full and not mine:
            raise Refused("too-many-pages", "too many pages are open (HOTLINE_EVENT_STREAMS)")
        if full or len(mine) >= self._settings.event_streams_per_person:
            await self._end(mine[:1], "crowded")

    def join(self, user_id: int, session: str, seen: int, department_id: int | None) -> Stream:
        """A page listens for what is after `seen`, until it is told that its stream is over, or leaves."""
        stream = Stream(user_id, session, seen, department_id)
        self._streams.append(stream)
        return stream

    def leave(self, stream: Stream) -> None:
        """The page has gone."""
        if stream in self._streams:
            self._streams.remove(stream)

    async def wait(self, stream: Stream, timeout_s: float) -> None:
        """Until there is an event that it was not sent, the stream is over, or the time is."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: self.last_id > stream.seen or bool(stream.over))
        except TimeoutError:
            return

    async def _end(self, streams: list[Stream], why: Literal["signed-out", "crowded"]) -> None:
        for stream in streams:
            stream.over = why
            self.leave(stream)
        if streams:
            async with self._news:
                self._news.notify_all()

    def _lasting(self, sessions: set[str]) -> dict[str, int | None]:
        with reading(self._engine) as session:
            return sign_ins.lasting(session, sessions, idle(self._settings))

    def newest(self) -> int:
        """The id of the newest event."""
        with glance(self._engine) as connection:
            return events.last_id(connection)

    async def after(self, seen: int) -> Sequence[News]:
        """The events after `seen`, or the first of very many."""
        if seen >= (self._recent[0].id - 1 if self._recent else self.last_id):
            return [*takewhile(lambda each: each.id > seen, reversed(self._recent))][::-1]
        return await run_in_threadpool(self._read, seen)

    async def concerns(self, stream: Stream) -> bool:
        """Whether anything that it has not seen is its department's; it has seen it now."""
        news = await self.after(stream.seen)
        stream.seen = news[-1].id if news else stream.seen
        return any(stream.department_id in each.departments for each in news)

    def _read(self, seen: int) -> Sequence[News]:
        with reading(self._engine) as session:
            return [
                News(
                    e.id,
                    schemas.Change.model_validate(e, from_attributes=True).model_dump_json(),
                    (e.department_id, e.left_id),
                )
                for e in events.since(session, seen)
            ]


async def _joined(
    request: Request,
    response: Response,
    sign_in: InSession,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> AsyncIterator[Stream]:
    """This page's line, from the Last-Event-ID on; a refusal comes before anything is sent."""
    tail: Tail = request.app.state.tail
    newest = await run_in_threadpool(tail.newest)
    known = last_event_id.isascii() and last_event_id.isdecimal()
    seen = min(int(last_event_id), newest) if known else newest
    await tail.make_room(sign_in.user_id)
    stream = tail.join(sign_in.user_id, sign_in.token_hash, seen, sign_in.user.department_id)
    response.headers["Cache-Control"] = "no-store"
    try:
        yield stream
    finally:
        tail.leave(stream)


@router.get(
    "/events",
    dependencies=[Depends(signed_in)],
    response_class=EventSourceResponse,
    responses={"default": _REFUSAL},
)
async def live(
    request: Request, stream: Annotated[Stream, Depends(_joined)]
) -> AsyncIterator[ServerSentEvent]:
    """Every change from now on, or from the Last-Event-ID on."""
    tail: Tail = request.app.state.tail
    yield ServerSentEvent(raw_data="{}", event="hello", id=str(stream.seen), retry=1000)
    while True:
        await tail.wait(stream, HEARTBEAT_S)
        if stream.over == "crowded":  # the page had better not come back at once
            yield ServerSentEvent(raw_data="{}", event="crowded")
        if stream.over:
            return
        found = await tail.after(stream.seen)
        if not found:
            yield ServerSentEvent(comment="still here")
        for stream.seen, data, _ in found:
            yield ServerSentEvent(raw_data=data, event="change", id=str(stream.seen))


@router.get("/events/inbox", response_class=EventSourceResponse, responses={"default": _REFUSAL})
async def inbox(
    request: Request, _user: OfDepartment, stream: Annotated[Stream, Depends(_joined)]
) -> AsyncIterator[ServerSentEvent]:
    """That something of the department's inbox is different: ask for it again, as when the stream begins."""
    tail: Tail = request.app.state.tail
    stream.seen = max(stream.seen, tail.last_id)  # all that was before is asked for now
    yield ServerSentEvent(raw_data="{}", event="hello", retry=1000)
    beat = time.monotonic() + HEARTBEAT_S
    while True:
        await tail.wait(stream, max(0.0, beat - time.monotonic()))
        if stream.over == "crowded":
            yield ServerSentEvent(raw_data="{}", event="crowded")
        if stream.over:
            return
        if await tail.concerns(stream):
            yield ServerSentEvent(raw_data="{}", event="change")
        elif time.monotonic() < beat:
            continue  # it is others': nothing is sent
        else:
            yield ServerSentEvent(comment="still here")
        beat = time.monotonic() + HEARTBEAT_S
