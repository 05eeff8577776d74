"""The sender: takes due messages out of the outbox and sends them, outside of any transaction."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import httpx
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from clerk import code_wording, push, wording
from clerk.progress import step
from clerk.providers import Provider, RefusedForGood, TryAgain, Webhook, messenger, sms
from db.engine import reading, writing
from db.models import TO_WEBHOOKS, TOPICS, NoticeWay, OutboxKind, OutboxMessage
from hotline import delivery
from hotline.citizens import push as browsers
from hotline.citizens import vapid
from settings import Settings

log = logging.getLogger("clerk")

_AT_ONCE = 20
_TIMEOUT_S = 10.0
"""For all of one message, however slowly an answer drips; with the rest, far less than the LEASE."""

_PUSH = "push"
"""What stands in the place of a provider's name where browsers were told."""

Record = Callable[[Session], None]
"""Writes down what became of a message."""
TakeUp = Callable[[Engine, Settings], Sequence[OutboxMessage]]


class Unwanted(Exception):
    """It is not true any more, or its citizen has switched it off."""


class Ways(NamedTuple):
    """Who brings which message."""

    texts: Provider | None
    codes: Provider | None
    notices: Provider
    requests: Provider

    def of(self, letter: wording.Text, message: OutboxMessage) -> Provider | None:
        """The one for this message."""
        if message.kind is OutboxKind.NOTICE:
            return self.notices
        if message.kind is OutboxKind.REQUEST_STEP:
            return self.requests
        return self.codes if letter.by_messenger else self.texts


def run(engine: Engine, settings: Settings) -> None:
    """Send what is due, until nothing is."""
    _run(engine, settings, _take_up)


def run_codes(engine: Engine, settings: Settings) -> None:
    """Send the codes for signing in, beside all that others wait for."""
    _run(engine, settings, _take_up_codes)


def _run(engine: Engine, settings: Settings, take_up: TakeUp) -> None:
    batch = take_up(engine, settings)
    if batch:
        asyncio.run(_send(engine, settings, batch, take_up))


def _take_up(engine: Engine, settings: Settings) -> Sequence[OutboxMessage]:
    texts = bool(settings.sms_provider)
    with writing(engine) as session:
        return delivery.take_up(
            session,
            quiet=settings.quiet_hours,
            texts=texts,
            limit=_AT_ONCE,
            push=vapid.public_key(settings),
        )


def _take_up_codes(engine: Engine, _settings: Settings) -> Sequence[OutboxMessage]:
    with writing(engine) as session:
        return delivery.take_up_codes(session, limit=_AT_ONCE)


async def _send(engine: Engine, settings: Settings, batch: Sequence[OutboxMessage], take_up: TakeUp) -> None:
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, headers={"Accept-Encoding": "identity"}) as client:
        notices = Webhook(client, settings.notice_webhook_secret)
        requests = Webhook(client, settings.request_webhook_secret)
        ways = Ways(sms(settings, client), messenger(settings, client), notices, requests)
        while batch:
            sending = [_send_one(engine, settings, ways, message) for message in batch]
            failed = [e for e in await asyncio.gather(*sending, return_exceptions=True) if e]
            if failed:  # what was not recorded is sent again under the same name, when its lease is over
                raise failed[0]
            step()
            batch = await asyncio.to_thread(take_up, engine, settings)


async def _send_one(engine: Engine, settings: Settings, ways: Ways, message: OutboxMessage) -> None:
    record = await _outcome(engine, settings, ways, message)
    await asyncio.to_thread(_write, engine, record)


async def _outcome(engine: Engine, settings: Settings, ways: Ways, message: OutboxMessage) -> Record:
    taken = delivery.Taken(message.id, message.attempts)
    try:
        provider_id = await _out(engine, settings, ways, message)
        return partial(delivery.sent, taken=taken, provider_id=provider_id)
    except Unwanted as unwanted:
        return partial(delivery.drop, taken=taken, error=str(unwanted))
    except RefusedForGood as refused:
        log.warning("message %d: refused for good: %s", message.id, refused)
        return partial(delivery.give_up, taken=taken, error=str(refused))
    except TryAgain as failed:
        log.warning("message %d: not sent: %s", message.id, failed)
        return partial(delivery.put_off, taken=taken, error=str(failed), after_s=failed.after_s)
    except TimeoutError:
        log.warning("message %d: no answer in %d s", message.id, _TIMEOUT_S)
        return partial(delivery.put_off, taken=taken, error="no answer in time")
    except Exception as bug:
        log.exception("message %d: not sent", message.id)
        return partial(delivery.put_off, taken=taken, error=type(bug).__name__)


async def _out(engine: Engine, settings: Settings, ways: Ways, message: OutboxMessage) -> str:
    """Send it; returns the provider's name for it. Raises Unwanted, RefusedForGood and TryAgain."""
    letter = await asyncio.to_thread(_letter, engine, settings, message)
    if letter is None:
        raise Unwanted("not true any more")
    if message.kind in TOPICS and await _by_push(engine, settings, message):
        return _PUSH
    way = ways.of(letter, message)
    if way is None:  # of a code alone: take_up leaves alone what nobody sends
        raise RefusedForGood("nobody sends it")
    async with asyncio.timeout(_TIMEOUT_S):
        return await way.send(letter.to, letter.text, delivery.name_outside(message))


async def _by_push(engine: Engine, settings: Settings, message: OutboxMessage) -> bool:
    """Tell of a request as its citizen chose: whether a push service has it, or a text message is due.

    Raises Unwanted, and TryAgain where no text message is to say it.
    """
    plan = await asyncio.to_thread(_plan, engine, settings, message)
    by_text = NoticeWay.TEXT in plan.ways
    if not plan.browsers and not by_text:
        raise Unwanted("switched off")
    if not plan.browsers and not settings.sms_provider:
        raise TryAgain("nobody sends text messages")
    if not plan.browsers:
        return False
    pushed = await push.send(plan, delivery.name_outside(message), settings)
    if pushed.gone:
        await asyncio.to_thread(_write, engine, partial(browsers.drop, subscriptions=pushed.gone))
    if not pushed.taken and not (by_text and settings.sms_provider):
        raise TryAgain("no push service took it", pushed.after_s)
    return pushed.taken


def _plan(engine: Engine, settings: Settings, message: OutboxMessage) -> push.Plan:
    with reading(engine) as session:
        return push.plan(session, message, settings)


def _letter(engine: Engine, settings: Settings, message: OutboxMessage) -> wording.Text | None:
    if message.kind in TO_WEBHOOKS:
        return wording.Text(message.to, message.body)
    with reading(engine) as session:
        if message.kind is OutboxKind.SIGN_IN_CODE:
            return code_wording.words(session, message, settings)
        return wording.words(session, message)


def _write(engine: Engine, record: Record) -> None:
    with writing(engine) as session:
        record(session)
