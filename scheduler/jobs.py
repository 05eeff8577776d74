"""Jobs of the scheduler and their intervals: each job finds what is due, and does it."""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Engine, Select
from sqlalchemy.orm import Session

from db import events
from db.engine import reading, writing
from hotline import limits
from hotline.callbacks import forgotten_claims
from hotline.citizens import round_alerts
from hotline.directory import oidc, sync
from hotline.errors import Refused
from hotline.ledger import seals
from hotline.line import blocked, confirmations, silent_callers, urgent_calls
from hotline.line import carry_over as carry
from hotline.messages import delivery
from hotline.outbound import heads_up, overflow, solved
from hotline.requests import closing, reminders, spoken_replies, urgent, webhooks
from hotline.requests.public import figures
from hotline.rounds import notices
from hotline.timetable import round_making
from hotline.trunk import call_caps
from scheduler import backups, delivery_polls, erasing, inspections, pictures, recordings, replies, sender
from scheduler.progress import step
from settings import Settings

log = logging.getLogger("scheduler")

_BATCH, _BREATH_S = 20, 0.05


Question = Select[bool] | bool
"""Query that shows whether there is work, or whether the settings enable the job."""


class Every(NamedTuple):
    """Job that runs every `seconds` if its question finds work."""

    name: str
    seconds: float
    run: Callable[[Engine, Settings], object]
    limit_s: float = 30.0
    """Seconds without progress after which the job is stuck."""
    question: Callable[[Settings], Question] = lambda _: True


def _in_batches(engine: Engine, some: Callable[[Session], object]) -> None:
    """Run `some` in transactions until it finds nothing."""
    while True:
        with writing(engine) as session:
            if not some(session):
                return
        step()
        time.sleep(_BREATH_S)  # lets calls and desks write in between


def carry_over(engine: Engine, _settings: Settings) -> None:
    """Carry over citizens whom finished rounds did not reach, and tell those who must wait for a next one."""
    _in_batches(engine, lambda session: carry.carry_over(session, _BATCH))
    _in_batches(engine, lambda session: carry.tell_left(session, _BATCH))


def announce(engine: Engine, settings: Settings) -> None:
    """Queue due notices in the outbox."""
    with writing(engine) as session:
        notices.queue_due(session, settings)


def tell_wishes(engine: Engine, _settings: Settings) -> None:
    """Queue the messages to citizens who wish to know about the next round."""
    _in_batches(engine, lambda session: round_alerts.tell(session, _BATCH))


def tell_of_requests(engine: Engine, settings: Settings) -> None:
    """Queue the events for the webhook of requests."""
    more = True
    while more:
        with writing(engine) as session:
            more = webhooks.queue_due(session, settings) > 0
        step()


def tell_turn_near(engine: Engine, settings: Settings) -> None:
    """Tell citizens whose turn is near."""
    with writing(engine) as session:
        beyond = settings.call_ahead_most if settings.turn_near_call else None
        heads_up.tell(session, settings.turn_near_places, call_beyond=beyond)


def make_rounds(engine: Engine, settings: Settings) -> None:
    """Create the rounds that the timetable lacks; a refused one is retried at the next run."""
    with reading(engine) as session:
        lacking = round_making.list_lacking(session, settings.timetable_days)
    for rule_id, day in lacking:
        try:
            while True:
                with writing(engine) as session:
                    if round_making.make_round(session, rule_id, day) is None:
                        break
                step()
        except Refused as refused:
            log.warning("timetable: rule %d makes no round on %s: %s", rule_id, day, refused)
        except Exception:  # other rules must still run
            log.exception("timetable: rule %d makes no round on %s", rule_id, day)


def seal(engine: Engine, _settings: Settings) -> None:
    """Seal the new entries of the ledger."""
    with reading(engine) as session:
        seals.warm(session)
    with writing(engine) as session:
        seals.seal(session)


def close_requests(engine: Engine, settings: Settings) -> None:
    """Close the requests whose citizens have not answered whether they are solved."""
    _in_batches(
        engine, lambda session: closing.close_unanswered(session, settings.request_answer_days, _BATCH)
    )


def count_requests(engine: Engine, _settings: Settings) -> None:
    """Compute the public figures about requests."""
    with reading(engine) as session:
        rows = figures.count(session)
    with writing(engine) as session:
        figures.keep(session, rows)


def tell_of_late_requests(engine: Engine, settings: Settings) -> None:
    """Remind departments of due requests, and escalate late ones."""
    _in_batches(engine, lambda session: reminders.tell(session, settings.working_week, _BATCH))


def tell_of_urgent(engine: Engine, settings: Settings) -> None:
    """Queue messages to supervisors about urgent matters that nobody has taken."""
    with writing(engine) as session:
        urgent_calls.queue_texts(session, settings)


def give_up_blocked(engine: Engine, _settings: Settings) -> None:
    """Give up places of blocked numbers that were being called when they were blocked."""
    with writing(engine) as session:
        blocked.give_up_places(session)


def return_left(engine: Engine, settings: Settings) -> None:
    """Settle forgotten citizens at desks, and tell supervisors about conversations without an outcome."""
    with reading(engine) as session:
        tokens, owed = forgotten_claims.list_due(session), forgotten_claims.is_any_owed(session)
    for token in tokens:
        with writing(engine) as session:
            forgotten_claims.settle(session, token, settings)
        step()
    if owed:
        with writing(engine) as session:
            forgotten_claims.tell(session)


def forget_calls(engine: Engine, _settings: Settings) -> None:
    """Delete expired records: calls, confirmations, urgent matters, silent numbers and spent guesses."""
    with writing(engine) as session:
        call_caps.delete_old(session)
        confirmations.forget(session)
        solved.forget(session)
        heads_up.forget(session)
        urgent.forget(session)
        silent_callers.forget(session)
        overflow.forget(session)
        round_alerts.forget(session)
    more = True
    while more:
        step()
        with writing(engine) as session:
            more = limits.forget(session)


def forget_events(engine: Engine, settings: Settings) -> None:
    """Delete events beyond their retention, in pieces."""
    more = True
    while more:
        step()
        with writing(engine) as session:
            more = events.forget(session, settings.events_days)


JOBS = [
    Every("carry-over", 1.0, carry_over, question=lambda _: carry.IS_ANY_LEFT),
    Every("notices", 5.0, announce, question=lambda s: bool(s.notice_webhook)),
    Every("round-wishes", 5.0, tell_wishes, question=lambda _: round_alerts.ARE_THERE),
    Every("request-steps", 5.0, tell_of_requests, question=lambda s: bool(s.request_webhook)),
    Every("turn-near", 5.0, tell_turn_near, question=lambda _: heads_up.IS_ANY_LIVE),
    # finding an address may take a minute
    Every("outbox", 1.0, sender.run, 120.0, question=lambda _: delivery.OTHERS_WAIT),
    Every(
        "sms-arrivals", 20.0, delivery_polls.ask_what_became, 120.0, question=lambda s: bool(s.sms_provider)
    ),
    Every("sms-credit", 600.0, delivery_polls.ask_credit, 120.0, question=lambda s: bool(s.sms_provider)),
    Every("sign-in-codes", 1.0, sender.run_codes, 120.0, question=lambda _: delivery.CODES_WAIT),
    Every("timetable", 60.0, make_rounds),
    Every("seal", 60.0, seal, limit_s=300.0),
    Every("requests", 600.0, close_requests),
    Every("figures", 600.0, count_requests, limit_s=120.0),
    Every("late-requests", 300.0, tell_of_late_requests),
    Every("urgent", 5.0, tell_of_urgent, question=lambda s: bool(s.supervisor_numbers)),
    Every("blocked", 5.0, give_up_blocked, question=lambda _: blocked.HAVE_PLACES),
    Every("left-in-hand", 5.0, return_left, question=lambda _: forgotten_claims.IS_ANY),
    Every("calls", 600.0, forget_calls),
    Every("recordings", 2.0, recordings.register),
    Every("old-recordings", 600.0, recordings.delete_old),
    Every("pictures", 600.0, pictures.delete_old),
    Every("uploads", 600.0, pictures.delete_uploads),
    Every("store-pictures", 5.0, pictures.bring_to_store, 60.0, question=lambda s: bool(s.pictures_store)),
    Every("old-messages", 600.0, recordings.delete_old_messages),
    Every("old-events", 600.0, forget_events),
    Every("citizens", 60.0, erasing.run),
    Every("retention", 3600.0, erasing.forget_old, limit_s=120.0),
    Every("replies", 2.0, replies.speak, limit_s=300.0, question=lambda _: spoken_replies.IS_ANY_LACKING),
    Every("old-replies", 3600.0, replies.delete_old),
    Every("city-sign-in", 20.0, oidc.take, 120.0, question=lambda s: bool(s.oidc_issuer)),
    Every("directory", 20.0, sync.take, 120.0, question=lambda s: bool(s.ldap_url)),
    Every("backup", 60.0, backups.nightly),
    Every("certificates", 3600.0, inspections.inspect_certificates, 120.0),
    Every("ledger", 600.0, inspections.inspect_ledger, 1800.0),
]
