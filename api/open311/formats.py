"""The two formats of Open311: the same values, as JSON and as XML, and errors in both."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args
from xml.etree import ElementTree

from fastapi import HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api import problems, routes
from hotline.errors import Refused

Format = Literal["json", "xml"]
AsFormat = Annotated[Format, Path(alias="format", description="What the answer is written in")]

_UNFIT = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""No XML has these; a carriage return would come back as a line's end."""
_ONE_OF = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "notes": "note",
    "endpoints": "endpoint",
    "formats": "format",
    "errors": "error",
}
"""What a list's parts are called in XML; JSON has no names for them."""
_ITS_OWN = frozenset({403, 404, 413, 429, 503})
"""All else is a 400, as the specification says."""
_DATABASE = (OperationalError, InterfaceError, PoolTimeoutError)


def answer(
    format_: Format, root: str, content: BaseModel | Sequence[BaseModel], status: int = 200
) -> Response:
    """The content in that format; a list's parts are named after the `root`."""
    parts = content if isinstance(content, BaseModel) else list(content)
    plain = _fit(
        parts.model_dump(mode="json")
        if isinstance(parts, BaseModel)
        else [part.model_dump(mode="json") for part in parts]
    )
    headers = {"Cache-Control": "no-store"}  # what a key is told is its own
    if format_ == "json":
        return JSONResponse(plain, status, headers)
    return Response(as_xml(root, plain), status, headers, media_type="text/xml")


def as_xml(root: str, content: Any) -> bytes:
    """What JSON has, as the specification maps it: an element for each name, one for each part of a list."""
    element = ElementTree.Element(root)
    _put(element, content)
    written: bytes = ElementTree.tostring(element, encoding="utf-8", xml_declaration=True)
    return written


def _put(element: ElementTree.Element, content: Any) -> None:
    if isinstance(content, Mapping):
        for name, value in content.items():
            _put(ElementTree.SubElement(element, name), value)
    elif isinstance(content, list):
        for part in content:
            _put(ElementTree.SubElement(element, _ONE_OF[element.tag]), part)
    elif content is not None:
        element.text = str(content).lower() if isinstance(content, bool) else str(content)


def _fit(content: Any) -> Any:
    """Without what XML cannot say, so that both formats say the same."""
    if isinstance(content, Mapping):
        return {name: _fit(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_fit(part) for part in content]
    return _UNFIT.sub("", content) if isinstance(content, str) else content


class Error(BaseModel):
    """What went wrong: the HTTP status, and words for an engineer that begin with our own stable code."""

    code: int
    description: str


def error(format_: Format, code: str, detail: str, status: int, *, after_s: int | None = None) -> Response:
    """One error, as an array in both formats."""
    status = status if status in _ITS_OWN else 400
    response = answer(format_, "errors", [Error(code=status, description=f"{code}: {detail}")], status)
    if after_s is not None:
        response.headers["Retry-After"] = str(after_s)
    return response


def format_of(request: Request) -> Format:
    """What the address ends with; JSON if that is neither."""
    ending = request.url.path.rpartition(".")[2]
    return "xml" if ending == "xml" else "json"


class Route(routes.Route):
    """An endpoint of Open311, whose refusals are told as the specification says."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The endpoint, with its errors."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            told = format_of(request)
            try:
                return await handle(request)
            except Refused as refused:
                status = problems.STATUS.get(refused.code, 400)
                return error(told, refused.code, refused.detail, status, after_s=refused.after_s)
            except RequestValidationError as invalid:
                first = invalid.errors()[0]
                where = ".".join(str(part) for part in first["loc"][1:])
                return error(told, "invalid-input", f"{where}: {first['msg']}", 400)
            except HTTPException as failed:
                return error(told, "refused", str(failed.detail), failed.status_code)
            except _DATABASE:
                return error(told, "database-unavailable", "the database does not answer, try again", 503)

        return handled


def shown(model: Any) -> dict[int | str, dict[str, Any]]:
    """For the API's document: both formats of an answer, and of errors."""
    xml = {"text/xml": {"schema": {"type": "string", "description": "The same content"}}}
    return {
        200: {"model": model, "content": xml, "description": "The same content in both formats"},
        "default": {
            "model": list[Error],
            "content": xml,
            "description": "Errors, in the form of the specification",
        },
    }


FORMATS = get_args(Format)
