"""Given jobs of the scheduler, each with a question that the scheduler asks before it runs the job."""

from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, literal, select

from db.engine import connect
from scheduler import process
from scheduler.jobs import JOBS, Every, Question
from scheduler.progress import Progress
from settings import Settings
from tests.kit.databases import in_both

WORK, NO_WORK = select(literal(1) == 1), select(literal(1) == 2)


class Job:
    """A job that plays a number of turns, each ended by its rest."""

    def __init__(self, question: Question, turns: int = 1) -> None:
        self.runs, self.rests = 0, list[float]()
        self.progress = Progress("job", 30.0)
        self._every = Every("job", 60.0, self._run, question=lambda _: question)
        self._turns = turns

    def play(self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "time", SimpleNamespace(sleep=self._rest))
        with pytest.raises(SystemExit):
            process._repeat(self._every, self.progress, engine, settings)

    def _run(self, _engine: Engine, _settings: Settings) -> None:
        self.runs += 1

    def _rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        if len(self.rests) == self._turns:
            raise SystemExit


@in_both
@pytest.mark.parametrize(
    ("question", "runs"),
    [(WORK, 2), (NO_WORK, 0), (True, 2), (False, 0)],
    ids=["work", "no-work", "wanted", "unwanted"],
)
def test_question_that_finds_work_runs_the_job_each_turn(
    engine: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    question: Question,
    runs: int,
) -> None:
    job = Job(question, turns=2)

    job.play(engine, settings, monkeypatch)

    assert (job.runs, job.rests) == (runs, [60.0, 60.0])
    assert job.progress.done_s_ago() is not None, "a turn without work is as good as one with it"


def test_question_that_fails_is_asked_again_soon_and_runs_no_job(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = connect("postgresql+psycopg://nobody@127.0.0.1:1/none")
    job = Job(NO_WORK)

    job.play(away, settings, monkeypatch)

    assert (job.runs, job.rests) == (0, [process._AGAIN_S])
    assert job.progress.done_s_ago() is None
    assert "job: not done: " in caplog.text


@in_both
def test_questions_of_all_jobs_are_answered_by_both_databases(engine: Engine, settings: Settings) -> None:
    for job in JOBS:
        assert process._has_work(job, engine, settings) in (True, False), job.name
