"""The clerk's process: what happens by itself, over and over, with nobody asking.

Every job looks in the database for what is due, does it in short transactions, and may be killed at any
moment: what it did not commit is due again. Several clerks do no harm to each other.
The main thread only looks whether every job goes on (clerk.progress); while one is stuck it says nothing to
whoever keeps this process, which is then killed and started again.
"""

import logging
import threading
import time
from collections.abc import Sequence

from sqlalchemy import Engine

from clerk import waits
from clerk.jobs import JOBS, Every
from clerk.progress import Progress
from db.engine import connect, is_away, writing
from db.peeks import peek
from db.trusted_time import Watch
from hotline import heartbeats, watchdog
from settings import Settings

log = logging.getLogger("clerk")

_AGAIN_S = 5.0
"""A job that failed is tried again no later than this: a database that was away for a moment must not make
a job look stuck for minutes."""


_LOOK_S = 1.0
_JOBS_S = 10.0
"""So often it is written down when each job was done; it is late when that is missing for so long more."""
_JUMP_S = 1.0
"""A clock that differs by so much from what has gone by was set: all is written down anew at once."""


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
            watchdog.worked()
        time.sleep(_LOOK_S)  # a rhythm; there is no event to await


def _stuck(progresses: Sequence[Progress]) -> bool:
    stuck = [(progress.name, seconds) for progress in progresses if (seconds := progress.stuck_s())]
    for name, seconds in stuck:
        log.error("stuck in %s for %.0f s", name, seconds)
    return bool(stuck)


class _Beats:
    """Says that the clerk works, and every ten seconds when each of its jobs was last done, and that the
    clock is trusted. Shortens waits once the clock was set back.
    """

    def __init__(self, progresses: Sequence[Progress]) -> None:
        self._progresses = progresses
        self._next_jobs = 0.0
        self._clock = 0.0
        self._watch = Watch()
        self._set_back = False
        self._written_at = time.monotonic()
        self._gap = 0.0, 0.0
        """Between these two, the last time, the database took nothing."""

    def run(self, engine: Engine, settings: Settings) -> None:
        """As a job; of the others each time that this machine's clock jumps, too."""
        clock = time.time() - time.monotonic()
        jumped, self._clock = abs(clock - self._clock) > _JUMP_S, clock
        at = time.monotonic()
        if waited := at - self._written_at > _JOBS_S:
            self._gap = self._written_at, at
        if at < self._next_jobs and not jumped and not waited:
            heartbeats.poke(engine, heartbeats.CLERK)
        else:
            _beat(engine, self._progresses, self._gap)
            with writing(engine) as session:
                self._set_back |= self._watch.look(session)
            if self._set_back:
                waits.shorten(engine, settings)
                self._set_back = False
            self._next_jobs = time.monotonic() + _JOBS_S
        self._written_at = time.monotonic()


def _beat(engine: Engine, progresses: Sequence[Progress], gap: tuple[float, float] = (0.0, 0.0)) -> None:
    """Write down that the clerk works, and when each job was last done; anew, for clocks may jump.

    The time of a `gap` does not count: while the database took nothing no job could be done.
    """
    fresh = {job.name: job.seconds + _AGAIN_S + job.limit_s + _JOBS_S for job in JOBS}
    done = {each.name: ago for each in progresses if (ago := each.done_s_ago(but=gap)) is not None}
    with writing(engine) as session:
        heartbeats.beat(session, heartbeats.CLERK)
        heartbeats.jobs_done(session, done, fresh)


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
            if is_away(error):  # each job fails so, over and over: a line is enough
                said = str(getattr(error, "orig", None) or error).partition("\n")[0]
                log.error("%s: not done: %s: %s", job.name, type(error).__name__, said)
            else:
                log.exception("%s: not done", job.name)
            wait = min(wait, _AGAIN_S)
        progress.step(rest_s=wait)
        time.sleep(wait)  # a rhythm; there is no event to await


def _has_work(job: Every, engine: Engine, settings: Settings) -> bool:
    question = job.question(settings)
    return question if isinstance(question, bool) else bool(peek(engine, question))
