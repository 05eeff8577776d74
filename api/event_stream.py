"""Live events: the event log as server-sent events, resumed by Last-Event-ID.

Their number is bounded, each person's and all together; a stream ends with its session.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import Engine

from api import schemas
from api.access import InSession, idle, signed_in
from db import events
from db.engine import glance, reading
from hotline.errors import Refused
from hotline.people import sign_ins
from settings import Settings

router = APIRouter(tags=["events"])

POLL_S = 0.1
HEARTBEAT_S = 10.0
CHECK_SESSIONS_S = 1.0
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
    """The last event that it was sent."""
    over: Literal["", "signed-out", "crowded"] = ""


class Tail:
    """The one reader of the event log in this process; every open page waits on it."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._news = asyncio.Condition()
        self._streams: list[Stream] = []
        self.last_id = 0

    async def run(self) -> None:
        """Watch the log, and the sessions, for ever. A database that is away is asked again."""
        checked = 0.0
        while True:
            try:
                newest = await run_in_threadpool(self.newest)
                if self._streams and time.monotonic() - checked > CHECK_SESSIONS_S:
                    lasting = await run_in_threadpool(self._lasting, {s.session for s in self._streams})
                    gone = [s for s in self._streams if s.session not in lasting]
                    await self._end(gone, "signed-out")
                    checked = time.monotonic()
            except Exception:
                await asyncio.sleep(1)
                continue
            if newest != self.last_id:
                async with self._news:
                    self.last_id = newest
                    self._news.notify_all()
            await asyncio.sleep(POLL_S)

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

    def join(self, user_id: int, session: str, seen: int) -> Stream:
        """A page listens for what is after `seen`, until it is told that its stream is over, or leaves."""
        stream = Stream(user_id, session, seen)
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

    def _lasting(self, sessions: set[str]) -> set[str]:
        with reading(self._engine) as session:
            return sign_ins.lasting(session, sessions, idle(self._settings))

    def newest(self) -> int:
        """The id of the newest event."""
        with glance(self._engine) as connection:
            return events.last_id(connection)

    def after(self, seen: int) -> list[tuple[int, str]]:
        """PathId and JSON of the events after `seen`."""
        with reading(self._engine) as session:
            return [
                (e.id, schemas.Change.model_validate(e, from_attributes=True).model_dump_json())
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
    await tail.make_room(sign_in.user_id)
    stream = tail.join(
        sign_in.user_id, sign_in.token_hash, min(int(last_event_id), newest) if known else newest
    )
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
        found = await run_in_threadpool(tail.after, stream.seen)
        if not found:
            yield ServerSentEvent(comment="still here")
        for stream.seen, data in found:
            yield ServerSentEvent(raw_data=data, event="change", id=str(stream.seen))
