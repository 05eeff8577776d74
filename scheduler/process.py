"""The scheduler's process: work that happens by itself, repeatedly.

Every job looks in the database for due work, and does it in short transactions. A job may be killed at any
moment: uncommitted work is due again. Several schedulers do each other no harm. The main thread only watches
whether every job makes progress (scheduler.progress). While one is stuck it does not report to the keeper of
this process, which then kills and restarts it.
"""

import logging
import threading
import time
from collections.abc import Sequence

from sqlalchemy import Engine

from db.engine import connect, is_away, writing
from db.raw import fetch_value
from db.trusted_time import Watch
from hotline import heartbeats, watchdog
from scheduler import clock_corrections
from scheduler.jobs import JOBS, Every
from scheduler.progress import Progress
from settings import Settings

log = logging.getLogger("scheduler")

_AGAIN_S = 5.0
"""Longest wait before a failed job's retry: after a short outage of the database it must not look stuck."""


_LOOK_S = 1.0
_JOBS_S = 10.0
"""Interval of recording when each job last ended, and the further delay after which a job is late."""
_JUMP_S = 1.0
"""Difference to the monotonic clock from which the clock was set; then everything is recorded anew at once.
"""


def serve(settings: Settings) -> None:
    """Work until the process is told to stop: each job in a thread of its own."""
    engine = connect(settings.database)
    followed = [(job, Progress(job.name, job.limit_s)) for job in JOBS]
    progresses = [progress for _, progress in followed]
    beat = Every("heartbeat", heartbeats.BEAT_SECONDS, _Beats(progresses).run)
    followed.append((beat, Progress(beat.name, beat.limit_s)))
    for job, progress in followed:
        arguments = job, progress, engine, settings
        threading.Thread(target=_repeat, args=arguments, name=job.name, daemon=True).start()
    while True:
        if not _stuck([progress for _, progress in followed]):
            watchdog.record_work()
        time.sleep(_LOOK_S)  # a fixed interval; there is no event to await


def _stuck(progresses: Sequence[Progress]) -> bool:
    stuck = [(progress.name, seconds) for progress in progresses if (seconds := progress.stuck_s())]
    for name, seconds in stuck:
        log.error("stuck in %s for %.0f s", name, seconds)
    return bool(stuck)


class _Beats:
    """Heartbeat of the scheduler: every ten seconds with the jobs' last ends and the check of the clock.

    After the clock was set back it shortens waits.
    """

    def __init__(self, progresses: Sequence[Progress]) -> None:
        self._progresses = progresses
        self._next_jobs = 0.0
        self._clock = 0.0
        self._watch = Watch()
        self._set_back = False
        self._written_at = time.monotonic()
        self._gap = 0.0, 0.0
        """Last interval in which the database took no heartbeat."""

    def run(self, engine: Engine, settings: Settings) -> None:
        """Send the heartbeat as a job; with the other parts at once if this machine's clock jumps."""
        clock = time.time() - time.monotonic()
        jumped, self._clock = abs(clock - self._clock) > _JUMP_S, clock
        at = time.monotonic()
        if waited := at - self._written_at > _JOBS_S:
            self._gap = self._written_at, at
        if at < self._next_jobs and not jumped and not waited:
            with writing(engine) as session:
                heartbeats.beat(session, heartbeats.SCHEDULER)
        else:
            _beat(engine, self._progresses, self._gap)
            with writing(engine) as session:
                self._set_back |= self._watch.look(session)
            if self._set_back:
                clock_corrections.shorten(engine, settings)
                self._set_back = False
            self._next_jobs = time.monotonic() + _JOBS_S
        self._written_at = time.monotonic()


def _beat(engine: Engine, progresses: Sequence[Progress], gap: tuple[float, float] = (0.0, 0.0)) -> None:
    """Record that the scheduler works, and when each job last ended; both anew, because clocks may jump.

    The time of a `gap` does not count: while the database took nothing no job could end.
    """
    fresh = {job.name: job.seconds + _AGAIN_S + job.limit_s + _JOBS_S for job in JOBS}
    done = {each.name: ago for each in progresses if (ago := each.done_s_ago(but=gap)) is not None}
    with writing(engine) as session:
        heartbeats.beat(session, heartbeats.SCHEDULER)
        heartbeats.record_jobs(session, done, fresh)


def _repeat(job: Every, progress: Progress, engine: Engine, settings: Settings) -> None:
    progress.begin()
    while True:
        wait = job.seconds
        progress.step()
        try:
            if _has_work(job, engine, settings):
                job.run(engine, settings)
            progress.done()
        except Exception as error:
            if is_away(error):  # each job fails repeatedly: log one line, not a trace
                said = str(getattr(error, "orig", None) or error).partition("\n")[0]
                log.error("%s: not done: %s: %s", job.name, type(error).__name__, said)
            else:
                log.exception("%s: not done", job.name)
            wait = min(wait, _AGAIN_S)
        progress.step(rest_s=wait)
        time.sleep(wait)  # a fixed interval; there is no event to await


def _has_work(job: Every, engine: Engine, settings: Settings) -> bool:
    question = job.question(settings)
    return question if isinstance(question, bool) else bool(fetch_value(engine, question))
