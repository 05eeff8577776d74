"""Open311's two formats, JSON and XML, for the same values and errors."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args
from xml.etree import ElementTree

from fastapi import HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api import problems
from hotline.errors import Refused

Format = Literal["json", "xml"]
AsFormat = Annotated[Format, Path(alias="format", description="What the answer is written in")]

_UNFIT = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold. XML would turn a carriage return into a line feed."""
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
"""XML names of list items; JSON needs none."""
_ITS_OWN = frozenset({403, 404, 413, 429, 503})
"""Statuses sent as they are; every other error is a 400, as the specification says."""
_DATABASE = (OperationalError, InterfaceError, PoolTimeoutError)


def answer(
    format_: Format, root: str, content: BaseModel | Sequence[BaseModel], status: int = 200
) -> Response:
    """Write the content in the format; list items are named after the `root`."""
    parts = content if isinstance(content, BaseModel) else list(content)
    plain = _fit(
        parts.model_dump(mode="json")
        if isinstance(parts, BaseModel)
        else [part.model_dump(mode="json") for part in parts]
    )
    headers = {"Cache-Control": "no-store"}  # an answer may depend on the key
    if format_ == "json":
        return JSONResponse(plain, status, headers)
    return Response(write_xml(root, plain), status, headers, media_type="text/xml")


def write_xml(root: str, content: Any) -> bytes:
    """Write JSON content as XML by the specification's mapping: an element for each name and each
    list item.
    """
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
    """Remove characters that XML cannot hold, so that both formats have the same content."""
    if isinstance(content, Mapping):
        return {name: _fit(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_fit(part) for part in content]
    return _UNFIT.sub("", content) if isinstance(content, str) else content


class Error(BaseModel):
    """An error: the HTTP status, and a description for engineers that begins with our own stable code."""

    code: int
    description: str


def format_error(
    format_: Format, code: str, detail: str, status: int, *, after_s: int | None = None
) -> Response:
    """Return one error as an array, in either format."""
    status = status if status in _ITS_OWN else 400
    response = answer(format_, "errors", [Error(code=status, description=f"{code}: {detail}")], status)
    if after_s is not None:
        response.headers["Retry-After"] = str(after_s)
    return response


def format_of(request: Request) -> Format:
    """Return the format of the URL's ending; JSON for any other ending."""
    ending = request.url.path.rpartition(".")[2]
    return "xml" if ending == "xml" else "json"


class Route(APIRoute):
    """A route that answers refusals as Open311's specification says."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return the route's handler, with its errors converted."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            told = format_of(request)
            try:
                return await handle(request)
            except Refused as refused:
                status = problems.STATUS.get(refused.code, 400)
                return format_error(told, refused.code, refused.detail, status, after_s=refused.after_s)
            except RequestValidationError as invalid:
                first = invalid.errors()[0]
                where = ".".join(str(part) for part in first["loc"][1:])
                return format_error(told, "invalid-input", f"{where}: {first['msg']}", 400)
            except HTTPException as failed:
                return format_error(told, "refused", str(failed.detail), failed.status_code)
            except _DATABASE:
                return format_error(
                    told, "database-unavailable", "the database does not answer, try again", 503
                )

        return handled


def describe_formats(model: Any) -> dict[int | str, dict[str, Any]]:
    """Document both formats of an answer, and of errors."""
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
