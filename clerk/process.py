"""The clerk's process: what happens by itself, over and over, with nobody asking.

Every job looks in the database for what is due, does it in short transactions, and may be killed at any
moment: what it did not commit is due again. Several clerks do no harm to each other.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Engine

from clerk import recordings, sender
from db.engine import connect, reading, writing
from hotline import blocked, carry, near, notices, request_work, seals, status, timetable, toll
from hotline.errors import Refused
from settings import Settings

log = logging.getLogger("clerk")

_AGAIN_S = 5.0
"""After a job failed, so long until it is tried again."""


_BATCH, _BREATH_S = 20, 0.05


class Job(NamedTuple):
    """Something to do every `every_s` seconds."""

    name: str
    every_s: float
    run: Callable[[Engine, Settings], None]


def serve(settings: Settings) -> None:
    """Work until the process is told to stop: each job in a thread of its own, the heartbeat in this one."""
    engine = connect(settings.database)
    for job in JOBS:
        threading.Thread(target=_repeat, args=(job, engine, settings), name=job.name, daemon=True).start()
    while True:
        try:
            with writing(engine) as session:
                status.beat(session, "clerk")
        except Exception:
            log.exception("the clerk cannot work now")
        time.sleep(status.BEAT_SECONDS)  # the rhythm of heartbeats; there is no event to await


def _repeat(job: Job, engine: Engine, settings: Settings) -> None:
    while True:
        wait = job.every_s
        try:
            job.run(engine, settings)
        except Exception:
            log.exception("%s: not done", job.name)
            wait = max(wait, _AGAIN_S)
        time.sleep(wait)  # what is due is found by looking: the clock and the database tell nobody


def carry_over(engine: Engine, _settings: Settings) -> None:
    """Carry over whoever a round that is over did not reach, and tell those who must wait for a next one."""
    for step in (carry.run, carry.tell_left):
        while True:
            with writing(engine) as session:
                if not step(session, _BATCH):
                    break
            time.sleep(_BREATH_S)  # calls and desks write in between


def announce(engine: Engine, settings: Settings) -> None:
    """Put due notices into the outbox."""
    with writing(engine) as session:
        notices.queue_due(session, settings)


def tell_near(engine: Engine, settings: Settings) -> None:
    """Tell those whose turn is near."""
    with writing(engine) as session:
        near.tell(session, settings.near_places, call=settings.near_call)


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
            if not request_work.close_unanswered(session, settings.request_answer_days, _BATCH):
                break
        time.sleep(_BREATH_S)  # calls and desks write in between


def give_up_blocked(engine: Engine, _settings: Settings) -> None:
    """Give up the places of blocked numbers that were being called when they were blocked."""
    with writing(engine) as session:
        blocked.give_up_places(session)


def forget_calls(engine: Engine, _settings: Settings) -> None:
    """Delete the calls that no cap counts any more."""
    with writing(engine) as session:
        toll.forget(session)


JOBS = [
    Job("carry-over", 1.0, carry_over),
    Job("notices", 5.0, announce),
    Job("near", 5.0, tell_near),
    Job("messages", 1.0, sender.run),
    Job("timetable", 60.0, make_rounds),
    Job("seal", 60.0, seal),
    Job("requests", 600.0, close_requests),
    Job("blocked", 5.0, give_up_blocked),
    Job("calls", 600.0, forget_calls),
    Job("recordings", 2.0, recordings.register),
    Job("old-recordings", 600.0, recordings.delete_old),
]
