"""What a process said of itself, and what it could not say while the database was silent."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Heartbeat, Node
from hotline import heartbeats
from hotline.callbacks import breaker
from hotline.nodes import leases, nodes
from settings import Settings


class Hours:
    """The time of this process, and the database's with it: what was written is so much older."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self._engine, self._at = engine, 1000.0
        monkeypatch.setattr(heartbeats, "monotonic", lambda: self._at)

    def pass_(self, seconds: float, *, answers: bool = True) -> None:
        """`answers`: the database has done so each second."""
        self._at += seconds
        with writing(self._engine) as session:
            for beat in session.query(Heartbeat):
                beat.at -= timedelta(seconds=seconds)
            for node in session.query(Node):
                node.lease_until -= timedelta(seconds=seconds)
        if answers:
            for ago in range(int(seconds), -1, -1):
                self._answered(ago)

    def _answered(self, ago: float) -> None:
        self._at -= ago
        heartbeats.answered(self._engine)
        self._at += ago


@pytest.fixture
def hours(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Hours:
    heartbeats.poke(engine, "ivr")
    made = Hours(engine, monkeypatch)
    made.pass_(1)
    return made


def down(engine: Engine) -> str:
    with reading(engine) as session:
        told = breaker.down(session)
        assert heartbeats.alive(session, "ivr") is (told is None)
        return told.why if told else ""


def test_given_a_database_that_always_answers_when_ivr_falls_silent_then_it_is_told_as_ever(
    hours: Hours, engine: Engine
) -> None:
    hours.pass_(4)
    assert down(engine) == ""
    hours.pass_(2)
    assert down(engine) == "ivr"


@pytest.mark.parametrize("noticed", [True, False])
def test_given_a_gap_in_the_database_when_it_is_over_then_ivr_has_the_time_to_say_it_again_and_no_more(
    hours: Hours, engine: Engine, noticed: bool
) -> None:
    hours.pass_(20, answers=False)
    if noticed:  # else who asks is faster than who watches
        hours.pass_(0)
    assert down(engine) == ""
    hours.pass_(0)
    hours.pass_(5)
    assert down(engine) == ""
    hours.pass_(1)
    assert down(engine) == "ivr"


def test_given_ivr_that_was_silent_before_a_gap_when_it_is_over_then_that_is_told_at_once(
    hours: Hours, engine: Engine
) -> None:
    hours.pass_(10)
    hours.pass_(20, answers=False)
    hours.pass_(0)
    assert down(engine) == "ivr"


def test_given_nobody_who_watches_any_more_when_ivr_is_silent_then_it_is_told(
    hours: Hours, engine: Engine
) -> None:
    hours.pass_(700, answers=False)
    assert down(engine) == "ivr"


def test_given_two_nodes_when_a_gap_is_over_then_neither_is_called_gone_until_it_had_time(
    hours: Hours, engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        leases.take_only(session, settings)
        leases.take(session, settings.model_copy(update={"node": "two"}))

    def words() -> set[str]:
        with reading(engine) as session:
            return set(nodes.words(session).values())

    hours.pass_(20, answers=False)
    assert words() == {"live"}
    hours.pass_(0)
    assert words() == {"live"}
    hours.pass_(7)
    assert words() == {"gone"}
