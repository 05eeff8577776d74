"""A form with a file, as a page without scripts sends it: texts in memory, the file on the disk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.pictures import Incoming
from hotline.errors import Refused

_LONGEST_TEXT = 16 << 10
"""Bytes of all texts together; more than any field takes."""
_MOST_PARTS = 10


class Form:
    """A form as far as it has been parsed."""

    def __init__(self, boundary: bytes, picture: Incoming) -> None:
        from python_multipart.multipart import MultipartParser  # noqa: PLC0415  (needed only here)

        self._picture = picture
        self._texts: dict[str, bytes] = {}
        self._room, self._parts = _LONGEST_TEXT, 0
        self._header = self._value = b""
        self._name, self._is_file = "", False
        self.has_file = self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_begin": self._begin_header,
                "on_header_field": self._add_field,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_part_data": self._add,
                "on_end": self._end,
            },
        )

    def take(self, chunk: bytes) -> None:
        """Parse the next bytes. Raises Refused("form-broken")."""
        from python_multipart.exceptions import FormParserError  # noqa: PLC0415

        try:
            self._parser.write(chunk)
        except FormParserError:
            raise _broken() from None

    def texts(self) -> dict[str, str]:
        """Return the texts by name. Raises Refused("form-broken") if the form is not complete."""
        if not self._ended:
            raise _broken()
        return {name: text.decode(errors="replace") for name, text in self._texts.items()}

    def _begin(self) -> None:
        self._parts += 1
        self._name, self._is_file = "", False
        if self._parts > _MOST_PARTS:
            raise _broken()

    def _begin_header(self) -> None:
        self._header = self._value = b""

    def _add_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        from python_multipart.multipart import parse_options_header  # noqa: PLC0415

        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"").decode(errors="replace")
            # A browser also sends a file field without a chosen file; its file name is empty.
            self._is_file = b"filename" in options
            self.has_file = self.has_file or bool(options.get(b"filename"))

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._picture.take(data[start:end])
            return
        self._room -= end - start
        if self._room < 0:
            raise Refused("text-long", "a field is too long", "text")
        self._texts[self._name] = self._texts.get(self._name, b"") + data[start:end]

    def _end(self) -> None:
        self._ended = True


@asynccontextmanager
async def received(request: Request, folder: Path) -> AsyncIterator[tuple[dict[str, str], Incoming | None]]:
    """Yield the texts, and the picture if one was chosen. Reads the whole body, even if it refuses the form
    then.

    Raises Refused("form-broken" | "text-long" | "picture-broken" | "disk-full").
    """
    kind, options = _options(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not 0 < len(options.get(b"boundary", b"")) <= 70:
        raise _broken()
    with await run_in_threadpool(Incoming, folder) as picture:
        form, wrong = Form(options[b"boundary"], picture), None
        try:
            async for chunk in request.stream():
                if wrong is None:
                    try:
                        await run_in_threadpool(form.take, chunk)
                    except Refused as refused:
                        wrong = refused
        except ClientDisconnect:
            raise Refused("picture-broken", "it was not sent to its end") from None
        if wrong:
            raise wrong
        texts = form.texts()
        yield texts, picture if form.has_file else None


def _options(header: str) -> tuple[bytes, dict[bytes, Any]]:
    from python_multipart.multipart import parse_options_header  # noqa: PLC0415

    return parse_options_header(header)


def _broken() -> Refused:
    return Refused("form-broken", "this form was not sent as a browser sends it")
