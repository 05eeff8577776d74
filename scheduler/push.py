"""Push notices to citizens' browsers, by the push services that the browsers name (RFC 8030).

A browser supplies the address, so anybody may have written it. Only hosts of the settings are asked, at
public addresses, by HTTPS. Only the status of the answer is read. The notice says that something happened to
a request, not what.
"""

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import Collection, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import httpx
from sqlalchemy.orm import Session

from db.models import TOPICS, NoticeWay, OutboxMessage, PushSubscription
from hotline.citizens import notification_preferences, subscriptions, vapid
from hotline.messages import delivery
from scheduler import push_encryption, wording
from scheduler.provider_responses import TryAgain, parse_retry_after
from settings import Settings

log = logging.getLogger("scheduler")

_KEPT_S = 7 * 86_400
"""Seconds that a push service keeps a notice for a telephone that is away."""
_GONE = (404, 410)
_TIMEOUT_S = 8.0


class Plan(NamedTuple):
    """Channels that a citizen chose for a topic, and the notice that a browser shows."""

    ways: Collection[NoticeWay]
    browsers: Sequence[PushSubscription]
    notice: bytes


class Pushed(NamedTuple):
    """Result of a push: whether a service took it, browsers that are gone, and the requested wait."""

    taken: bool
    gone: Sequence[int]
    after_s: float | None


def plan(session: Session, message: OutboxMessage, settings: Settings) -> Plan:
    """Return the plan for `message`, whose kind has a topic."""
    ways = notification_preferences.list_wanted_ways(session, message.to, TOPICS[message.kind])
    ours = vapid.find_public_key(settings)
    by_push = ours and NoticeWay.PUSH in ways
    there = subscriptions.list_by_number(session, message.to) if by_push else []
    browsers = [each for each in there if each.ours == ours]
    notice = {**wording.make_notice(session, message), "tag": delivery.make_provider_name(message)}
    return Plan(ways, browsers, json.dumps(notice, ensure_ascii=False).encode())


async def send(plan: Plan, name: str, settings: Settings) -> Pushed:
    """Send the notice to the services of all its browsers; one success is enough."""
    # Directly to the checked addresses: a proxy would resolve the name again.
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, verify=load_certificates(), trust_env=False) as client:
        sending = [_send_one(client, each, plan.notice, name, settings) for each in plan.browsers]
        outcomes = await asyncio.gather(*sending)
    gone = [each.id for each, outcome in zip(plan.browsers, outcomes, strict=True) if outcome in _GONE]
    waits = [outcome.after_s or 0.0 for outcome in outcomes if isinstance(outcome, TryAgain)]
    return Pushed(201 in outcomes, gone, max(waits) if waits else None)


async def _send_one(
    client: httpx.AsyncClient, browser: PushSubscription, notice: bytes, name: str, settings: Settings
) -> int | TryAgain:
    """Return 201 if the service took it, 404 or 410 if the browser is gone for good, or the failure."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await _post(client, browser, notice, name, settings)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # OSError includes TimeoutError
        return TryAgain(type(error).__name__)
    except Exception as bug:  # one browser must not hold up the others or the text message
        log.exception("browser %d: not told", browser.id)
        return TryAgain(type(bug).__name__)


async def _post(
    client: httpx.AsyncClient, browser: PushSubscription, notice: bytes, name: str, settings: Settings
) -> int | TryAgain:
    if not subscriptions.is_allowed(browser.endpoint, settings):
        return TryAgain("no push service of the settings any more")
    to = urlsplit(browser.endpoint)
    host = to.hostname or ""
    address, port = await asyncio.to_thread(resolve, host)
    sealed = push_encryption.encrypt(notice, vapid.decode(browser.public_key), vapid.decode(browser.secret))
    headers = {
        "Host": host,
        "Authorization": vapid.sign_authorization(browser.endpoint, datetime.now(UTC), settings),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(_KEPT_S),
        "Topic": name,  # a second notice with this topic replaces the first
        "Urgency": "normal",
    }
    shown = f"[{address}]" if ":" in address else address
    url = urlunsplit(("https", f"{shown}:{port}", to.path, to.query, ""))
    named = {"sni_hostname": host}  # the certificate must be this host's
    post = client.build_request("POST", url, content=sealed, headers=headers, extensions=named)
    response = await client.send(post, stream=True, follow_redirects=False)
    async with aclosing(response):
        status = response.status_code
        if 200 <= status < 300:
            return 201
        return status if status in _GONE else TryAgain(f"HTTP {status}", parse_retry_after(response))


def resolve(host: str) -> tuple[str, int]:
    """Return an address of the host, if all of them are public, and the port. Raises OSError."""
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]
    if not found or not all(_is_open(each) for each in found):
        raise OSError("not of the open internet")
    return found[0], 443


def _is_open(address: str) -> bool:
    it = ip_address(address.partition("%")[0])
    inner = getattr(it, "ipv4_mapped", None) or getattr(it, "sixtofour", None) or it
    return it.is_global and inner.is_global and not it.is_multicast


@cache
def load_certificates() -> ssl.SSLContext:
    """Return the trusted certificates."""
    return httpx.create_ssl_context()
