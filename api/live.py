"""Live events: the event log as server-sent events, resumed by Last-Event-ID."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from api import schemas
from api.access import COOKIE, Database, signed_in
from db import events
from db.engine import reading
from hotline import users

router = APIRouter(tags=["events"])

POLL_S = 0.1
HEARTBEAT_S = 10.0
_CHECK_SESSION_S = 30.0


class Tail:
    """The one reader of the event log in this process; every open page waits on it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._news = asyncio.Condition()
        self.last_id = 0

    async def run(self) -> None:
        """Watch the log for ever. A database that is away is asked again."""
        while True:
            try:
                newest = await run_in_threadpool(self.newest)
            except Exception:
                await asyncio.sleep(1)
                continue
            if newest != self.last_id:
                async with self._news:
                    self.last_id = newest
                    self._news.notify_all()
            await asyncio.sleep(POLL_S)

    async def wait(self, seen: int, timeout_s: float) -> None:
        """Until there is an event after `seen`, or the time is over."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: self.last_id > seen)
        except TimeoutError:
            return

    def newest(self) -> int:
        """The id of the newest event."""
        with reading(self._engine) as session:
            return events.last_id(session)

    def after(self, seen: int) -> list[tuple[int, str]]:
        """Id and JSON of the events after `seen`."""
        with reading(self._engine) as session:
            return [
                (e.id, schemas.Change.model_validate(e, from_attributes=True).model_dump_json())
                for e in events.since(session, seen)
            ]


@router.get("/events", dependencies=[Depends(signed_in)], response_class=StreamingResponse)
async def live(
    request: Request,
    engine: Database,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> StreamingResponse:
    """Every change from now on, or from the Last-Event-ID on."""
    tail: Tail = request.app.state.tail
    newest = await run_in_threadpool(tail.newest)
    known = last_event_id.isascii() and last_event_id.isdecimal()
    start = min(int(last_event_id), newest) if known else newest
    stream = _stream(tail, engine, request.cookies.get(COOKIE, ""), start)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(tail: Tail, engine: Engine, cookie: str, seen: int) -> AsyncIterator[str]:
    yield f"retry: 1000\nid: {seen}\nevent: hello\ndata: {{}}\n\n"
    clock = asyncio.get_running_loop().time
    checked = clock()
    while True:
        await tail.wait(seen, HEARTBEAT_S)
        if clock() - checked > _CHECK_SESSION_S:
            if not await run_in_threadpool(_still_signed_in, engine, cookie):
                return
            checked = clock()
        found = await run_in_threadpool(tail.after, seen)
        if not found:
            yield ": still here\n\n"
        for seen, data in found:  # noqa: PLR1704  (the last one sent is the last one seen)
            yield f"id: {seen}\nevent: change\ndata: {data}\n\n"


def _still_signed_in(engine: Engine, cookie: str) -> bool:
    with reading(engine) as session:
        return users.signed_in(session, cookie) is not None
