"""How the clerk's jobs rest between two turns.

Those that look every few seconds whether there is anything for them to do are asked for as one question, by
one thread: each by itself would wake up and ask the database, day and night, and mostly in vain.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, Select, select

from clerk.progress import Progress
from db.peeks import peek_row

Question = Select[bool] | bool
"""Whether a job has anything to do. True: it looks by itself; False: not with these settings."""
_LOOK_S = 1.0


class Rest:
    """Of one job, until a look finds something for it to do."""

    def __init__(self, every_s: float, question: Callable[[], Question], progress: Progress) -> None:
        self.question = question
        self._every_s = every_s
        self._progress = progress
        self._due = float("inf")
        self._ended = threading.Event()

    def __call__(self, seconds: float) -> None:
        """Rest for so long at least; the job's own thread."""
        self._ended.clear()
        self._due = time.monotonic() + seconds
        self._ended.wait()

    def is_due(self) -> bool:
        """Whether the next look asks for it."""
        return time.monotonic() >= self._due - _LOOK_S / 2

    def end(self) -> None:
        """There is something to do, or that is not known: the job finds out."""
        self._due = float("inf")
        self._ended.set()

    def go_on(self) -> None:
        """There is nothing: that is as good as a turn of the job."""
        self._progress.done()
        self._progress.step(rest_s=self._every_s)
        self._due = time.monotonic() + self._every_s


def look(engine: Engine, rests: Sequence[Rest]) -> None:
    """End those rests that are due, of jobs with something to do. If nobody can say, all of them."""
    questions = {each: each.question() for each in rests if each.is_due()}
    asked = {each: question for each, question in questions.items() if not isinstance(question, bool)}
    try:
        found = dict(zip(asked, _ask(engine, tuple(asked.values())), strict=True))
    except Exception:  # the jobs find out why, and say it
        found = dict.fromkeys(asked, True)
    for each, question in questions.items():
        if found.get(each, question):
            each.end()
        else:
            each.go_on()


def keep_looking(engine: Engine, rests: Sequence[Rest]) -> None:
    """Every second; meant for a thread of its own. Should it hang, all its jobs come no step further."""
    while True:
        time.sleep(_LOOK_S)  # what is due is found by looking: the clock and the database tell nobody
        look(engine, rests)


def _ask(engine: Engine, questions: tuple[Select[bool], ...]) -> Sequence[Any]:
    return peek_row(engine, _as_one(questions)) if questions else ()


@lru_cache(16)
def _as_one(questions: tuple[Select[bool], ...]) -> Select[Any]:
    return select(*(each.scalar_subquery() for each in questions))
