"""Sender: claims due messages of the outbox and sends them, outside any transaction."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import httpx
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import TO_WEBHOOKS, TOPICS, DeliveryFailure, NoticeWay, OutboxKind, OutboxMessage
from hotline.citizens import subscriptions, vapid
from hotline.messages import delivery, delivery_reports
from hotline.messages.delivery import NotSent, Sent, Taken
from scheduler import code_wording, push, wording
from scheduler.progress import step
from scheduler.provider_responses import RefusedForGood, TryAgain
from scheduler.providers import Provider, Webhook, make_messenger
from scheduler.sms.chain import Chain, Doubt, Order
from scheduler.sms_message import Text
from settings import Settings

log = logging.getLogger("scheduler")

_AT_ONCE = 20
_TIMEOUT_S = 10.0
"""Seconds for one message in all, however slow the answer; with overhead far below the LEASE."""
_CONNECT_S = 5.0
"""Seconds for a connection; a server without one has certainly taken nothing."""

_PUSH = "push"
"""Provider's name for messages that browsers got."""

Record = Callable[[Session], None]
"""Function that records the result of a message."""
TakeUp = Callable[[Engine, Settings], Sequence[OutboxMessage]]


class Unwanted(Exception):
    """The message is not true any more, or its citizen has switched it off."""

    def __init__(self, reason: str, why: DeliveryFailure) -> None:
        super().__init__(reason)
        self.why = why


class Ways(NamedTuple):
    """Channels by kind of message."""

    texts: Chain | None
    codes: Provider | None
    notices: Provider
    requests: Provider

    def of(self, letter: Text, message: OutboxMessage) -> Provider | None:
        """Return the channel for this message if it is no text message."""
        if message.kind is OutboxKind.NOTICE:
            return self.notices
        if message.kind is OutboxKind.REQUEST_STEP:
            return self.requests
        return self.codes if letter.by_messenger else None


def run(engine: Engine, settings: Settings) -> None:
    """Send all due messages."""
    _run(engine, settings, _take_up)


def run_codes(engine: Engine, settings: Settings) -> None:
    """Send the due sign-in codes, apart from all other messages."""
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
            push=vapid.find_public_key(settings),
        )


def _take_up_codes(engine: Engine, _settings: Settings) -> Sequence[OutboxMessage]:
    with writing(engine) as session:
        return delivery.take_up_codes(session, limit=_AT_ONCE)


async def _send(engine: Engine, settings: Settings, batch: Sequence[OutboxMessage], take_up: TakeUp) -> None:
    timeout = httpx.Timeout(_TIMEOUT_S, connect=_CONNECT_S)
    async with httpx.AsyncClient(timeout=timeout, headers={"Accept-Encoding": "identity"}) as client:
        notices = Webhook(client, settings.notice_webhook_secret)
        requests = Webhook(client, settings.request_webhook_secret)
        texts = Chain(client, settings) if settings.sms_provider else None
        ways = Ways(texts, make_messenger(settings, client), notices, requests)
        while batch:
            sending = [_send_one(engine, settings, ways, message) for message in batch]
            failed = [e for e in await asyncio.gather(*sending, return_exceptions=True) if e]
            if failed:  # an unrecorded message is sent again, with the same name, after its lease
                raise failed[0]
            step()
            batch = await asyncio.to_thread(take_up, engine, settings)


async def _send_one(engine: Engine, settings: Settings, ways: Ways, message: OutboxMessage) -> None:
    record = await _outcome(engine, settings, ways, message)
    await asyncio.to_thread(_write, engine, record)


async def _outcome(engine: Engine, settings: Settings, ways: Ways, message: OutboxMessage) -> Record:
    taken = Taken(message.id, message.attempts)
    try:
        out = await _out(engine, settings, ways, message)
        return partial(_sent, taken=taken, out=out)
    except Unwanted as unwanted:
        return partial(delivery.drop, taken=taken, failed=NotSent(str(unwanted), unwanted.why))
    except RefusedForGood as refused:
        log.warning("message %d: refused for good: %s", message.id, refused)
        return partial(delivery.give_up, taken=taken, failed=NotSent(str(refused), refused.why))
    except TryAgain as failed:
        log.warning("message %d: not sent: %s", message.id, failed)
        having = failed.provider if isinstance(failed, Doubt) else None
        told = NotSent(str(failed), failed.why, having, in_doubt=having is not None)
        closed = failed.said_by if failed.why is DeliveryFailure.ACCOUNT else None
        off = partial(delivery.record_failure, taken=taken, failed=told, after_s=failed.after_s)
        return partial(_not_let_in, off=off, provider=closed, error=str(failed)) if closed else off
    except TimeoutError:
        log.warning("message %d: no answer in %d s", message.id, _TIMEOUT_S)
        told = NotSent("no answer in time", DeliveryFailure.NO_ANSWER)
        return partial(delivery.record_failure, taken=taken, failed=told)
    except Exception as bug:
        log.exception("message %d: not sent", message.id)
        return partial(
            delivery.record_failure, taken=taken, failed=NotSent(type(bug).__name__, DeliveryFailure.OURS)
        )


def _sent(session: Session, *, taken: Taken, out: Sent) -> None:
    delivery.record_sent(session, taken, out)
    delivery_reports.clear_refusal(session, out.provider)


def _not_let_in(session: Session, *, off: Record, provider: str, error: str) -> None:
    off(session)
    delivery_reports.keep_account(session, provider, None, error)


async def _out(engine: Engine, settings: Settings, ways: Ways, message: OutboxMessage) -> Sent:
    """Send the message. Return its provider. Raises Unwanted, RefusedForGood and TryAgain."""
    letter = await asyncio.to_thread(_letter, engine, settings, message)
    if letter is None:
        raise Unwanted("not true any more", DeliveryFailure.UNTRUE)
    if message.kind in TOPICS and await _by_push(engine, settings, message):
        return Sent(_PUSH)
    if way := ways.of(letter, message):
        async with asyncio.timeout(_TIMEOUT_S):
            return Sent(await way.send(letter.to, letter.text, delivery.make_provider_name(message)))
    if ways.texts is None or letter.by_messenger:  # only a code: others are not claimed
        raise RefusedForGood("nobody sends it", DeliveryFailure.NOBODY)

    async def hand_over(provider: str) -> None:
        taken = Taken(message.id, message.attempts)
        await asyncio.to_thread(
            _write, engine, partial(delivery.record_provider, taken=taken, provider=provider)
        )

    return await ways.texts.send(Order(letter, message, hand_over))


async def _by_push(engine: Engine, settings: Settings, message: OutboxMessage) -> bool:
    """Tell of a request as its citizen chose. Return whether a push service took it; else a text is due.

    Raises Unwanted, and TryAgain if no text message may replace it.
    """
    plan = await asyncio.to_thread(_plan, engine, settings, message)
    by_text = NoticeWay.TEXT in plan.ways
    if not plan.browsers and not by_text:
        raise Unwanted("switched off", DeliveryFailure.SWITCHED_OFF)
    if not plan.browsers and not settings.sms_provider:
        raise TryAgain("nobody sends text messages", why=DeliveryFailure.NOBODY)
    if not plan.browsers:
        return False
    pushed = await push.send(plan, delivery.make_provider_name(message), settings)
    if pushed.gone:
        await asyncio.to_thread(_write, engine, partial(subscriptions.drop, subscriptions=pushed.gone))
    if not pushed.taken and not (by_text and settings.sms_provider):
        raise TryAgain("no push service took it", pushed.after_s)
    return pushed.taken


def _plan(engine: Engine, settings: Settings, message: OutboxMessage) -> push.Plan:
    with reading(engine) as session:
        return push.plan(session, message, settings)


def _letter(engine: Engine, settings: Settings, message: OutboxMessage) -> Text | None:
    if message.kind in TO_WEBHOOKS:
        return Text(message.to, message.body)
    with reading(engine) as session:
        if message.kind is OutboxKind.SIGN_IN_CODE:
            return code_wording.find_words(session, message, settings)
        return wording.find_words(session, message)


def _write(engine: Engine, record: Record) -> None:
    with writing(engine) as session:
        record(session)
