"""Insiders, who see how the system is: this machine, and addresses and tokens that the city names."""

import hmac
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api.access import Database, InForce, find_person, find_session
from api.cookies import PEER, read_cookie
from db.models import Role
from hotline.errors import Refused
from settings import Settings

_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "via")


def is_insider_by_address_or_token(request: Request, settings: InForce) -> bool:
    """Return whether the request comes directly from HOTLINE_INSIDERS or shows HOTLINE_METRICS_TOKEN."""
    return _is_near(request, settings) or _shows_token(request, settings)


def is_insider(request: Request, engine: Database, settings: InForce) -> bool:
    """Return the same, or whether a signed-in administrator asks. While the database is away, only the first
    counts.
    """
    if is_insider_by_address_or_token(request, settings):
        return True
    if not read_cookie(request):
        return False
    try:
        return find_person(find_session(request, engine, settings), settings).role is Role.ADMINISTRATOR
    except (Refused, DatabaseError, PoolTimeoutError):
        return False


IsInsider = Annotated[bool, Depends(is_insider)]
IsNear = Annotated[bool, Depends(is_insider_by_address_or_token)]


def _is_near(request: Request, settings: Settings) -> bool:
    """Return whether the peer is in HOTLINE_INSIDERS and no proxy is between.

    A proxied request never counts: its peer may be the gateway of a container's network.
    """
    client = request.scope.get("client")
    by_proxy = request.scope.get(PEER, client) != client or any(
        name in request.headers for name in _PASSED_ON
    )
    if not client or by_proxy:
        return False
    try:
        asks = ip_address(client[0])
    except ValueError:
        return False
    if isinstance(asks, IPv6Address):
        asks = asks.ipv4_mapped or asks
    return any(asks in ip_network(each, strict=False) for each in settings.insiders)


def _shows_token(request: Request, settings: Settings) -> bool:
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    right = hmac.compare_digest(shown.strip().encode(), settings.metrics_token.encode())
    return bool(settings.metrics_token) and kind.lower() == "bearer" and right
