"""Polls of the providers of text messages: delivery reports and credit."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import httpx
from sqlalchemy import Engine

from db.engine import writing
from hotline.messages import delivery_reports
from scheduler.progress import step
from scheduler.provider_responses import RefusedForGood, TryAgain
from scheduler.sms.chain import TIMEOUT_S, make_chain
from scheduler.sms.provider import SmsProvider
from settings import Settings

log = logging.getLogger("scheduler")

_BATCHES = 5
"""Batches for each provider before the next provider's turn."""


def ask_what_became(engine: Engine, settings: Settings) -> None:
    """Ask each provider about the messages that are due."""
    _each(settings, partial(_ask_what_became, engine))


def ask_credit(engine: Engine, settings: Settings) -> None:
    """Ask each provider for our account's credit."""
    _each(settings, partial(_ask_credit, engine))


def _each(settings: Settings, ask: Callable[[SmsProvider], Awaitable[None]]) -> None:
    async def run() -> None:
        async with _client() as client:
            for provider in make_chain(client, settings):
                await ask(provider)
                step()

    if settings.sms_provider:
        asyncio.run(run())


@asynccontextmanager
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=TIMEOUT_S, headers={"Accept-Encoding": "identity"}) as client:
        yield client


async def _ask_what_became(engine: Engine, provider: SmsProvider) -> None:
    for _ in range(_BATCHES if provider.at_once else 0):
        with writing(engine) as session:
            ours = delivery_reports.take_up(session, provider.name, provider.at_once)
        if not ours:
            return
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await provider.arrivals(list(ours))
        except (TryAgain, RefusedForGood, TimeoutError) as failed:
            log.warning("%s: no delivery reports: %s", provider.name, _said(failed))
            return
        known = {ours[id_]: (id_, arrival) for id_, arrival in found.items() if id_ in ours}
        with writing(engine) as session:
            delivery_reports.record(session, provider.name, known)
        step()
        if len(ours) < provider.at_once:
            return


async def _ask_credit(engine: Engine, provider: SmsProvider) -> None:
    credit, error = None, ""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            credit = await provider.credit()
    except (TryAgain, RefusedForGood, TimeoutError) as failed:
        error = _said(failed)
        log.warning("%s: no credit reported: %s", provider.name, error)
    if credit is not None or error:
        with writing(engine) as session:
            delivery_reports.keep_account(session, provider.name, credit, error)


def _said(failed: Exception) -> str:
    return str(failed) or "no answer in time"
