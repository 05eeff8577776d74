"""The sender: takes due messages out of the outbox and sends them, outside of any transaction."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import httpx
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from clerk import code_wording, wording
from clerk.progress import step
from clerk.providers import Provider, RefusedForGood, TryAgain, Webhook, messenger, sms
from db.engine import reading, writing
from db.models import TO_WEBHOOKS, OutboxKind, OutboxMessage
from hotline import delivery
from settings import Settings

log = logging.getLogger("clerk")

_AT_ONCE = 20
_TIMEOUT_S = 10.0
"""For all of one message, however slowly an answer drips; with the rest, far less than the LEASE."""

Record = Callable[[Session], None]
"""Writes down what became of a message."""
TakeUp = Callable[[Engine, Settings], Sequence[OutboxMessage]]


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
        return delivery.take_up(session, quiet=settings.quiet_hours, texts=texts, limit=_AT_ONCE)


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
        letter = await asyncio.to_thread(_letter, engine, settings, message)
        if letter is None:
            return partial(delivery.drop, taken=taken, error="not true any more")
        way = ways.of(letter, message)
        if way is None:  # of a code alone: take_up leaves alone what nobody sends
            raise RefusedForGood("nobody sends it")
        async with asyncio.timeout(_TIMEOUT_S):
            provider_id = await way.send(letter.to, letter.text, delivery.name_outside(message))
        return partial(delivery.sent, taken=taken, provider_id=provider_id)
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
