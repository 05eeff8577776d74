"""Another process holds SQLite's lock for long: nobody is held in silence, and what they want is kept."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import make_url

from tests.kit.caller import Caller
from tests.kit.process import slowness, until
from tests.kit.system import System

SILENCE_S = 8.0
"""No caller waits longer to hear anything, on a machine with nothing else to do."""


@contextmanager
def locked(system: System) -> Iterator[None]:
    """Nobody else writes."""
    file = make_url(system.settings.database).database
    assert file
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _greeted(system: System) -> Iterator[tuple[int, Caller]]:
    """A citizen who has called while a round, which is given, takes registrations."""
    with system.only_round() as round_id, Caller(system, system.number()) as caller:
        caller.call()
        caller.at("greeting")
        yield round_id, caller


def test_locked_database_is_announced_and_the_ticket_given(
    system: System,
) -> None:
    with _greeted(system) as (round_id, caller):
        with locked(system):
            caller.press("11")
            for _ in range(2):
                caller.at("one-moment", timeout=SILENCE_S * slowness())
        caller.at("registered-brief")
        caller.at("ticket-is")
        told = caller.said({"registered-brief"}).digits("registered-brief.2")
        assert [place.ticket for place in system.registrations(round_id)] == [told]
        caller.hangup()


def test_hang_up_during_a_lock_keeps_the_yes(
    system: System,
) -> None:
    with _greeted(system) as (round_id, caller):
        with locked(system):
            caller.press("11")
            caller.at("one-moment", timeout=SILENCE_S * slowness())
            caller.hangup()
        until(lambda: system.registrations(round_id), "the place is kept")


def test_locked_database_delays_no_goodbye_and_loses_nothing(
    system: System,
) -> None:
    with _greeted(system) as (round_id, caller):
        caller.press("11")
        caller.at("ask-subject")
        with locked(system):
            caller.press("1#")
            caller.at("goodbye")
            caller.wait_for("closed", timeout=SILENCE_S * slowness())
            assert [place.subject for place in system.registrations(round_id)] == [None]
        until(lambda: system.registrations(round_id)[0].subject == 1, "it is kept")
