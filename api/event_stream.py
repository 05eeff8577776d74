"""Live events: the event log as server-sent events, resumed by Last-Event-ID.

A department learns only that one of its requests has changed. It gets no content, and no id or heartbeat that
shows how much happens elsewhere. Its page asks for the inbox then, and whenever a stream begins.
"""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from api.access import InSession, OfDepartment, signed_in
from api.event_tail import Stream, Tail

router = APIRouter(tags=["events"])

HEARTBEAT_S = 10.0
_REFUSAL = {
    "description": "A problem (RFC 9457)",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
"""A refusal is JSON here, too; without this, FastAPI would document it as a stream."""
_FIELDS = {"data": {}, "event": {}, "id": {}, "retry": {"minimum": 0}}
_EVENT = {
    "type": "object",
    "properties": {name: {"type": "integer" if more else "string", **more} for name, more in _FIELDS.items()},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"itemSchema": _EVENT}}},
    "default": _REFUSAL,
}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_STILL_HERE = format_sse_event(comment="still here")
_CROWDED = format_sse_event(data_str="{}", event="crowded")
_CHANGE = format_sse_event(data_str="{}", event="change")
_AWAY = format_sse_event(data_str="{}", event="away")
_BACK = format_sse_event(data_str="{}", event="back")


async def _joined(
    request: Request, sign_in: InSession, last_event_id: Annotated[str, Header(max_length=20)] = ""
) -> AsyncIterator[Stream]:
    """Open this page's stream from the Last-Event-ID on. A refusal comes before anything is sent."""
    tail: Tail = request.app.state.tail
    newest = await run_in_threadpool(tail.newest)
    known = last_event_id.isascii() and last_event_id.isdecimal()
    seen = min(int(last_event_id), newest) if known else newest
    tail.make_room(sign_in.user_id)
    stream = tail.join(sign_in.user_id, sign_in.token_hash, seen, sign_in.user.department_id)
    try:
        yield stream
    finally:
        tail.leave(stream)


Joined = Annotated[Stream, Depends(_joined)]


class _Lines(StreamingResponse):
    """Server-sent events as ready bytes.

    FastAPI's own generator encodes each event for each page, and hands it from task to task three times.
    """

    media_type = "text/event-stream"


@router.get("/events", dependencies=[Depends(signed_in)], response_class=Response, responses=_ANSWERS)
async def live(request: Request, stream: Joined) -> Response:
    """Every change from now on, or from the Last-Event-ID on."""
    return _Lines(_live(request.app.state.tail, stream), headers=_HEADERS)


async def _live(tail: Tail, stream: Stream) -> AsyncIterator[bytes]:
    yield format_sse_event(data_str="{}", event="hello", id=str(stream.seen), retry=1000)
    while True:
        await tail.wait(stream, HEARTBEAT_S)
        if stream.over == "crowded":  # tells the page not to come back at once
            yield _CROWDED
        if stream.over:
            return
        if said := _of_database(tail, stream):
            yield said
            continue
        found = await tail.after(stream.seen)
        stream.seen = found[-1].id if found else stream.seen
        yield b"".join(each.sent for each in found) or _STILL_HERE


def _of_database(tail: Tail, stream: Stream) -> bytes:
    """Return the message that the database is away or back; empty if the page knows.

    While it is away, the page may show old data.
    """
    if tail.is_away is stream.knows_away:
        return b""
    stream.knows_away = tail.is_away
    return _AWAY if tail.is_away else _BACK


@router.get("/events/inbox", response_class=Response, responses=_ANSWERS)
async def inbox(request: Request, _user: OfDepartment, stream: Joined) -> Response:
    """A signal that my department's inbox has changed: ask for it again, as when the stream begins."""
    return _Lines(_inbox(request.app.state.tail, stream), headers=_HEADERS)


async def _inbox(tail: Tail, stream: Stream) -> AsyncIterator[bytes]:
    stream.seen = max(stream.seen, tail.last_id)  # the page asks for everything older now
    yield format_sse_event(data_str="{}", event="hello", retry=1000)
    beat = time.monotonic() + HEARTBEAT_S
    while True:
        await tail.wait(stream, max(0.0, beat - time.monotonic()))
        if stream.over == "crowded":
            yield _CROWDED
        if stream.over:
            return
        if said := _of_database(tail, stream):
            yield said
        elif await tail.concerns(stream):
            yield _CHANGE
        elif time.monotonic() < beat:
            continue  # only others' events: nothing is sent
        else:
            yield _STILL_HERE
        beat = time.monotonic() + HEARTBEAT_S
