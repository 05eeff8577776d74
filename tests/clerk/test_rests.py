"""Jobs that have nothing to do are asked for together, and sleep on."""

import threading
import time

import pytest
from sqlalchemy import Engine, literal, select

from clerk import rests
from clerk.progress import Progress
from clerk.rests import Question, Rest, look
from db.engine import connect
from tests.kit.databases import on_both

__all__ = ["on_both"]

YES, NO = select(literal(1) == 1), select(literal(1) == 2)
PATIENCE_S = 10.0


class Sleeper:
    """A job that rests in a thread of its own."""

    def __init__(self, question: Question, seconds: float = 0.0) -> None:
        self.progress = Progress("job", 30.0)
        self.rest = Rest(5.0, lambda: question, self.progress)
        self._thread = threading.Thread(target=self.rest, args=(seconds,), daemon=True)
        self._thread.start()
        until = time.monotonic() + PATIENCE_S
        while self.rest.is_due() is (seconds > 1) and time.monotonic() < until:
            pass  # until its rest has begun

    def is_awake(self, within_s: float = PATIENCE_S) -> bool:
        self._thread.join(within_s)
        return not self._thread.is_alive()


def test_given_jobs_that_are_due_when_looked_then_those_with_work_wake_up_and_the_others_are_done(
    engine: Engine,
) -> None:
    busy, idle, unwanted, wanted = Sleeper(YES), Sleeper(NO), Sleeper(False), Sleeper(True)

    look(engine, [each.rest for each in (busy, idle, unwanted, wanted)])

    assert busy.is_awake() and wanted.is_awake()
    assert not (idle.is_awake(0.05) or unwanted.is_awake(0))
    assert idle.progress.done_s_ago() is not None and unwanted.progress.done_s_ago() is not None
    assert not (idle.rest.is_due() or busy.rest.is_due()), "it rests on, or is at work"


def test_given_many_jobs_when_looked_then_one_question_is_asked_of_those_that_are_due(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ask = [], rests.peek_row
    monkeypatch.setattr(rests, "peek_row", lambda *given: asked.append(given[1]) or ask(*given))
    due, later = [Sleeper(NO) for _ in range(3)], Sleeper(YES, seconds=60)

    look(engine, [each.rest for each in (*due, later)])
    look(engine, [each.rest for each in (*due, later)])

    (question,) = asked
    assert len(question.selected_columns) == len(due)
    assert not later.is_awake(0)


def test_given_a_database_that_is_away_when_looked_then_each_job_finds_out_by_itself() -> None:
    away = connect("postgresql+psycopg://nobody@127.0.0.1:1/none")
    jobs = [Sleeper(YES), Sleeper(NO)]

    look(away, [each.rest for each in jobs])

    assert all(each.is_awake() for each in jobs)
    assert not any(each.progress.done_s_ago() for each in jobs)


def test_given_a_job_that_looks_never_come_to_when_time_goes_by_then_it_is_stuck(
    monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    job = Sleeper(NO)
    look(engine, [job.rest])
    at = time.monotonic()
    monkeypatch.setattr("clerk.progress.time.monotonic", lambda: at + 34)
    assert not job.progress.stuck_s()
    monkeypatch.setattr("clerk.progress.time.monotonic", lambda: at + 40)
    assert job.progress.stuck_s() > 0
