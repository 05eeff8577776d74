"""The clerk's process: what happens by itself, over and over, with nobody asking.

Every job looks in the database for what is due, does it in short transactions, and may be killed at any
moment: what it did not commit is due again. Several clerks do no harm to each other.
The main thread only looks whether every job goes on (clerk.progress); while one is stuck it says nothing to
whoever keeps this process, which is then killed and started again.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import Engine

from clerk import backups, erasing, pictures, recordings, replies, seldom
from clerk.progress import Progress, step
from db import events
from db.engine import connect, is_away, reading, writing
from hotline import heartbeats, limits, watchdog
from hotline.callbacks import left_in_hand, toll
from hotline.citizens import wishes
from hotline.errors import Refused
from hotline.ledger import seals
from hotline.line import blocked, confirmations, left_numbers, silences, solved_calls, turn_near, urgent_calls
from hotline.line import carry_over as carry
from hotline.requests import closing, figures, reminders, urgent, webhooks
from hotline.rounds import notices
from hotline.timetable import timetable
from settings import Settings

log = logging.getLogger("clerk")

_AGAIN_S = 5.0
"""A job that failed is tried again no later than this: a database that was away for a moment must not make
a job look stuck for minutes."""


_LOOK_S = 1.0
_BATCH, _BREATH_S = 20, 0.05


class Job(NamedTuple):
    """Something to do every `every_s` seconds."""

    name: str
    every_s: float
    run: Callable[[Engine, Settings], None]
    limit_s: float = 30.0
    """It is stuck when it has not come a step further for so long."""


def serve(settings: Settings) -> None:
    """Work until the process is told to stop: each job in a thread of its own."""
    engine = connect(settings.database)
    followed = [(job, Progress(job.name, job.limit_s)) for job in JOBS]
    progresses = [progress for _, progress in followed]
    beat = Job("heartbeat", heartbeats.BEAT_SECONDS, lambda engine, _settings: _beat(engine, progresses))
    followed.append((beat, Progress(beat.name, beat.limit_s)))
    for job, progress in followed:
        work = partial(_repeat, job, progress, engine, settings)
        threading.Thread(target=work, name=job.name, daemon=True).start()
    while True:
        if not _stuck([progress for _, progress in followed]):
            watchdog.worked()
        time.sleep(_LOOK_S)  # a rhythm; there is no event to await


def _stuck(progresses: Sequence[Progress]) -> bool:
    stuck = [(progress.name, seconds) for progress in progresses if (seconds := progress.stuck_s())]
    for name, seconds in stuck:
        log.error("stuck in %s for %.0f s", name, seconds)
    return bool(stuck)


def _beat(engine: Engine, progresses: Sequence[Progress]) -> None:
    """Write down that the clerk works, and when each job was last done; anew, for clocks may jump."""
    fresh = {job.name: job.every_s + _AGAIN_S + job.limit_s for job in JOBS}
    done = {each.name: ago for each in progresses if (ago := each.done_s_ago()) is not None}
    with writing(engine) as session:
        heartbeats.beat(session, heartbeats.CLERK)
        heartbeats.jobs_done(session, done, fresh)


def _repeat(job: Job, progress: Progress, engine: Engine, settings: Settings) -> None:
    progress.begin()
    while True:
        wait = job.every_s
        progress.step()
        try:
            job.run(engine, settings)
            progress.done()
        except Exception as error:
            if is_away(error):  # each job fails so, over and over: a line is enough
                said = str(getattr(error, "orig", None) or error).partition("\n")[0]
                log.error("%s: not done: %s: %s", job.name, type(error).__name__, said)
            else:
                log.exception("%s: not done", job.name)
            wait = min(wait, _AGAIN_S)
        progress.step(rest_s=wait)
        time.sleep(wait)  # what is due is found by looking: the clock and the database tell nobody


def carry_over(engine: Engine, _settings: Settings) -> None:
    """Carry over whoever a round that is over did not reach, and tell those who must wait for a next one."""
    with reading(engine) as session:
        if not carry.is_left(session):
            return
    for some in (carry.run, carry.tell_left):
        while True:
            with writing(engine) as session:
                if not some(session, _BATCH):
                    break
            step()
            time.sleep(_BREATH_S)  # calls and desks write in between


def announce(engine: Engine, settings: Settings) -> None:
    """Put due notices into the outbox, and the messages to those who wished to know of the next round."""
    with writing(engine) as session:
        notices.queue_due(session, settings)
    while True:
        with writing(engine) as session:
            if not wishes.tell(session, _BATCH):
                break
        step()
        time.sleep(_BREATH_S)  # calls and desks write in between


def tell_of_requests(engine: Engine, settings: Settings) -> None:
    """Put into the outbox what the webhook for requests is to be told."""
    more = True
    while more:
        with writing(engine) as session:
            more = webhooks.queue_due(session, settings) > 0
        step()


def tell_turn_near(engine: Engine, settings: Settings) -> None:
    """Tell those whose turn is near."""
    with writing(engine) as session:
        beyond = settings.call_ahead_most if settings.turn_near_call else None
        turn_near.tell(session, settings.turn_near_places, call_beyond=beyond)


def make_rounds(engine: Engine, settings: Settings) -> None:
    """Make the rounds that the timetable lacks; one that is refused is tried again next time."""
    with reading(engine) as session:
        lacking = timetable.lacking(session, settings.timetable_days)
    for rule_id, day in lacking:
        try:
            while True:
                with writing(engine) as session:
                    if timetable.make_round(session, rule_id, day) is None:
                        break
                step()
        except Refused as refused:
            log.warning("timetable: rule %d makes no round on %s: %s", rule_id, day, refused)
        except Exception:  # the other rules go on
            log.exception("timetable: rule %d makes no round on %s", rule_id, day)


def seal(engine: Engine, _settings: Settings) -> None:
    """Seal what is new in the ledger."""
    with reading(engine) as session:
        seals.warm(session)
    with writing(engine) as session:
        seals.seal(session)


def close_requests(engine: Engine, settings: Settings) -> None:
    """Close the requests whose citizens were asked whether they are solved, and have said nothing."""
    while True:
        with writing(engine) as session:
            if not closing.close_unanswered(session, settings.request_answer_days, _BATCH):
                break
        step()
        time.sleep(_BREATH_S)  # calls and desks write in between


def count_requests(engine: Engine, _settings: Settings) -> None:
    """Count what everybody may know of citizens' requests."""
    with reading(engine) as session:
        rows = figures.count(session)
    with writing(engine) as session:
        figures.keep(session, rows)


def tell_of_late_requests(engine: Engine, settings: Settings) -> None:
    """Remind departments of what is due, and tell further up of what is late."""
    while True:
        with writing(engine) as session:
            if not reminders.tell(session, settings.working_week, _BATCH):
                break
        step()
        time.sleep(_BREATH_S)  # calls and desks write in between


def tell_of_urgent(engine: Engine, settings: Settings) -> None:
    """Have supervisors told of what nobody has taken."""
    with writing(engine) as session:
        urgent_calls.text_due(session, settings)


def give_up_blocked(engine: Engine, _settings: Settings) -> None:
    """Give up the places of blocked numbers that were being called when they were blocked."""
    with writing(engine) as session:
        blocked.give_up_places(session)


def return_left(engine: Engine, settings: Settings) -> None:
    """Settle what desks have left in their hands, and tell of the conversations whose outcome they owe."""
    with reading(engine) as session:
        tokens = left_in_hand.due(session)
    for token in tokens:
        with writing(engine) as session:
            left_in_hand.settle(session, token, settings)
        step()
    with writing(engine) as session:
        left_in_hand.tell(session)


def forget_calls(engine: Engine, _settings: Settings) -> None:
    """Delete the calls that no cap counts any more, who asked for what long ago, and what guesses cost."""
    with writing(engine) as session:
        toll.forget(session)
        confirmations.forget(session)
        solved_calls.forget(session)
        urgent.forget(session)
        silences.forget(session)
        left_numbers.forget(session)
        wishes.forget(session)
    more = True
    while more:
        step()
        with writing(engine) as session:
            more = limits.forget(session)


def forget_events(engine: Engine, settings: Settings) -> None:
    """Delete what happened longer ago than the city keeps it, a piece at a time."""
    more = True
    while more:
        step()
        with writing(engine) as session:
            more = events.forget(session, settings.events_days)


JOBS = [
    Job("carry-over", 1.0, carry_over),
    Job("notices", 5.0, announce),
    Job("request-steps", 5.0, tell_of_requests),
    Job("turn-near", 5.0, tell_turn_near),
    Job("outbox", 1.0, seldom.send, limit_s=120.0),  # finding an address may take a minute
    Job("sms-arrivals", 20.0, seldom.ask_what_became, limit_s=120.0),
    Job("sms-credit", 600.0, seldom.ask_credit, limit_s=120.0),
    Job("sign-in-codes", 0.5, seldom.send_codes, limit_s=120.0),
    Job("timetable", 60.0, make_rounds),
    Job("seal", 60.0, seal, limit_s=300.0),
    Job("requests", 600.0, close_requests),
    Job("figures", 600.0, count_requests, limit_s=120.0),
    Job("late-requests", 300.0, tell_of_late_requests),
    Job("urgent", 5.0, tell_of_urgent),
    Job("blocked", 5.0, give_up_blocked),
    Job("left-in-hand", 5.0, return_left),
    Job("calls", 600.0, forget_calls),
    Job("recordings", 2.0, recordings.register),
    Job("old-recordings", 600.0, recordings.delete_old),
    Job("pictures", 600.0, pictures.delete_old),
    Job("uploads", 600.0, pictures.delete_uploads),
    Job("store-pictures", 5.0, pictures.bring_to_store, limit_s=60.0),
    Job("old-messages", 600.0, recordings.delete_old_messages),
    Job("old-events", 600.0, forget_events),
    Job("citizens", 60.0, erasing.run),
    Job("retention", 3600.0, erasing.forget_old, limit_s=120.0),
    Job("replies", 2.0, replies.speak, limit_s=300.0),
    Job("old-replies", 3600.0, replies.delete_old),
    Job("city-sign-in", 20.0, seldom.ask_city, limit_s=120.0),
    Job("directory", 20.0, seldom.ask_directory, limit_s=120.0),  # finding an address may take a minute
    Job("backup", 60.0, backups.nightly),
]
