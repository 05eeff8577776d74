"""Open311 clients: anonymous, or a program with a key; and the check of the jurisdiction."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Query, Request

from api.access import Database, InForce
from api.cookies import find_address
from api.limits import Guesses
from api.schemas import Text
from db.engine import reading, writing
from hotline.errors import Refused
from hotline.people import api_keys
from hotline.people.api_keys import Program

FORM = "application/x-www-form-urlencoded"
_FIELDS = 100

Fields = Mapping[str, str]
"""A form's fields; the values of a repeated field are joined with a comma."""


async def form(request: Request) -> Fields:
    """Return the fields of a body. Raises Refused("invalid-input")."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if kind != FORM:
        raise Refused("invalid-input", f"the body is {FORM}")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:  # too many fields, or no UTF-8
        raise Refused("invalid-input", f"the body has at most {_FIELDS} fields, in UTF-8") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise Refused("invalid-input", "a NUL character is no text")
        name = name.removesuffix("[]")  # noqa: PLW2901  (the same name)
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


Form = Annotated[Fields, Depends(form)]


def _shown(request: Request) -> str:
    """Return the key from the specification's parameter or the Authorization header."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return value
        return password or user
    return request.query_params.get("api_key", "")


def _program(request: Request, engine: Database, key: str) -> Program | None:
    if not key:
        return None
    wrong: Guesses = request.app.state.key_guesses
    try:
        wrong.check(find_address(request))
    except Refused:
        with reading(engine) as session:  # nobody guesses a key, and its program does not pay for neighbours
            if not api_keys.is_known(session, key):
                raise
    try:
        with writing(engine) as session:
            return api_keys.use_key(session, key)
    except Refused as refused:
        if refused.code == "key-unknown":
            wrong.wrong(find_address(request))
        raise


def find_asking(
    request: Request,
    engine: Database,
    _api_key: Annotated[str, Query(alias="api_key", max_length=200, description="Or as Authorization")] = "",
) -> Program | None:
    """Return the program whose key was sent, if any. Raises Refused("key-unknown" | "key-too-often")."""
    return _program(request, engine, _shown(request))


def find_reporting(request: Request, engine: Database, fields: Form) -> Program:
    """Return the program that reports. Raises what `find_asking` raises, and Refused("key-missing" |
    "key-may-not").
    """
    program = _program(request, engine, _shown(request) or fields.get("api_key", ""))
    if program is None:
        raise Refused("key-missing", "api_key was not sent")
    if not program.may_report:
        raise Refused("key-may-not", "this key files no requests")
    return program


def check_city(wanted: str, settings: InForce) -> None:
    """Check that a query means the one jurisdiction here. Raises Refused("jurisdiction-unknown")."""
    if wanted and settings.jurisdiction and wanted.strip().lower() != settings.jurisdiction.lower():
        raise Refused("jurisdiction-unknown", "jurisdiction_id was not found")


def _city(settings: InForce, jurisdiction_id: Annotated[Text, Query(max_length=200)] = "") -> None:
    check_city(jurisdiction_id, settings)


Asking = Annotated[Program | None, Depends(find_asking)]
Reporting = Annotated[Program, Depends(find_reporting)]
OFCITY = [Depends(_city)]
