"""Chain of providers in the city's order: if one has surely not taken a message, the next one gets it.

A message in doubt goes to no other provider before it is due again. Another provider gets it then only if it
may arrive twice (`HURTS_TWICE`).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import httpx

from db.models import DeliveryFailure, OutboxKind, OutboxMessage
from hotline.messages import delivery
from hotline.messages.delivery import Sent
from hotline.messages.delivery_reports import ASKED_AFTER
from scheduler.provider_responses import RefusedForGood, TemplateRefused, TryAgain
from scheduler.sms.ghasedak import Ghasedak
from scheduler.sms.ippanel import IpPanel
from scheduler.sms.kavenegar import Kavenegar
from scheduler.sms.melipayamak import Melipayamak
from scheduler.sms.others import AnyHttp, Console
from scheduler.sms.provider import Letter, SmsProvider
from scheduler.sms.smsir import SmsIr
from scheduler.sms.templates import find_template
from scheduler.sms_message import Text, count_parts
from settings import Settings

log = logging.getLogger("scheduler")

TIMEOUT_S = 10.0
"""Seconds for one message at one provider, however slow the answer; all together stay below the LEASE."""
MOST_DOUBTS = 2
"""Limit of repeated sends of a message in doubt."""
HURTS_TWICE = (OutboxKind.SIGN_IN_CODE,)
"""Kinds that must not arrive twice: a second code alarms its owner. Anything else is better twice than never.
"""
_ALL_S = 60.0
"""Seconds after which no further provider is tried: another sender would claim the message (LEASE)."""
_REST_S = 60.0
_KNOWN: Sequence[Callable[[httpx.AsyncClient, Settings], SmsProvider]] = (
    Kavenegar,
    SmsIr,
    Melipayamak,
    Ghasedak,
    IpPanel,
    AnyHttp,
    Console,
)

HandOver = Callable[[str], Awaitable[None]]
"""Function that records a message's provider before it is sent."""

_resting: dict[str, float] = {}
"""Time until which a provider comes last, by name; for this process."""


class Doubt(TryAgain):
    """The message may have been sent by `provider`."""

    def __init__(self, provider: str, failed: TryAgain) -> None:
        super().__init__(str(failed), failed.after_s, why=DeliveryFailure.NO_ANSWER, in_doubt=True)
        self.provider = provider


class Order(NamedTuple):
    """Message to send."""

    said: Text
    message: OutboxMessage
    hand_over: HandOver


class Chain:
    """Chain of the providers of text messages."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._settings = settings
        self.providers = make_chain(client, settings)

    async def send(self, order: Order) -> Sent:
        """Send it by the first provider that takes it. Raises TryAgain, RefusedForGood."""
        having = order.message.provider or self.providers[0].name
        last: TryAgain | None = None
        refusal = RefusedForGood("in doubt", DeliveryFailure.DOUBT)
        until = time.monotonic() + _ALL_S
        for provider in self._in_order(order, having):
            if last and time.monotonic() > until:
                break
            if provider.name != having:
                await order.hand_over(provider.name)
            having = provider.name
            try:
                return await self._by(provider, order)
            except TryAgain as failed:
                failed.said_by = having
                if failed.why is not DeliveryFailure.TEMPLATE:  # a template concerns this message alone
                    _resting[having] = time.monotonic() + max(failed.after_s or 0.0, _REST_S)
                if failed.in_doubt:
                    raise Doubt(having, failed) from None
                log.warning("message %d: not taken by %s: %s", order.message.id, having, failed)
                last = failed
            except RefusedForGood as refused:
                # A wrong number or text is wrong for every provider.
                if refused.why is not DeliveryFailure.REFUSED:
                    raise
                log.warning("message %d: refused by %s: %s", order.message.id, having, refused)
                refusal = refused
        raise last or refusal

    def _in_order(self, order: Order, having: str) -> Sequence[SmsProvider]:
        at = time.monotonic()
        everybody = sorted(self.providers, key=lambda each: _resting.get(each.name, 0.0) > at)
        doubts = order.message.doubts
        if not doubts:
            return everybody
        may_come_twice = order.message.kind not in HURTS_TWICE and doubts <= MOST_DOUBTS
        asked = [each for each in everybody if each.name == having and self._knows(each, order)]
        return asked + [each for each in everybody if each not in asked] if may_come_twice else asked

    def _knows(self, provider: SmsProvider, order: Order) -> bool:
        template = find_template(provider.name, order.said, self._settings.sms_templates)
        return provider.knows_names and template is None

    async def _by(self, provider: SmsProvider, order: Order) -> Sent:
        said, name = order.said, delivery.make_provider_name(order.message)
        template = find_template(provider.name, said, self._settings.sms_templates)
        letter = Letter(said.to, said.text, name, template)
        try:
            if not template:
                return await self._plain(provider, letter)
            return _sent(provider, await _within(provider.send(letter)), None)
        except TemplateRefused as refused:
            if not template or not self._settings.sms_plain:
                raise
            log.error("%s does not take template %s: %s", provider.name, template.name, refused)
            return await self._plain(provider, letter._replace(template=None))

    async def _plain(self, provider: SmsProvider, letter: Letter) -> Sent:
        if not self._settings.sms_plain:
            raise TemplateRefused(f"{provider.name}: no template")
        return _sent(provider, await _within(provider.send(letter)), count_parts(letter.text))


def make_chain(client: httpx.AsyncClient, settings: Settings) -> Sequence[SmsProvider]:
    """Return the providers of the settings, in order."""
    known = {each.name: each for each in _KNOWN}  # type: ignore[attr-defined]
    names = dict.fromkeys((settings.sms_provider, *settings.sms_next))
    return [known[name](client, settings) for name in names]


async def _within(sending: Awaitable[str]) -> str:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await sending
    except TimeoutError:
        raise TryAgain("no answer in time", in_doubt=True) from None


def _sent(provider: SmsProvider, id_: str, in_parts: int | None) -> Sent:
    return Sent(id_, provider.name, in_parts, ASKED_AFTER[0] if id_ and provider.at_once else None)
