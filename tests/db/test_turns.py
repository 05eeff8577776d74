"""Turns to write: so many at one time, in the order in which they were asked for."""

import threading

import pytest
from sqlalchemy.exc import TimeoutError

from db.turns import Turns
from tests.kit.process import until


class Asking:
    """Threads that ask for a turn one after the other, and what becomes of them."""

    def __init__(self, turns: Turns, within_s: float = 30.0) -> None:
        self._turns, self._within_s = turns, within_s
        self.had: list[int] = []
        self.gave_up: list[int] = []
        self._threads: list[threading.Thread] = []

    def ask(self, name: int, hold: threading.Event) -> None:
        """Let one more ask, and hold its turn until `hold`; wait until it stands in the line."""
        before = len(self._turns._waiting)
        thread = threading.Thread(target=self._take, args=(name, hold))
        thread.start()
        self._threads.append(thread)
        until(
            lambda: len(self._turns._waiting) > before or name in self.had or name in self.gave_up,
            "it has asked",
        )

    def _take(self, name: int, hold: threading.Event) -> None:
        try:
            with self._turns.take(self._within_s):
                self.had.append(name)
                hold.wait(30)
        except TimeoutError:
            self.gave_up.append(name)

    def all_done(self) -> None:
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


def test_two_turns_are_shared_by_all_in_order() -> None:
    asking, hold = Asking(Turns(2)), threading.Event()
    for name in range(20):
        asking.ask(name, hold)
    assert asking.had == [0, 1]
    hold.set()
    asking.all_done()
    assert sorted(asking.had) == list(range(20))


def test_freed_turn_goes_to_whoever_waited_longest() -> None:
    turns = Turns(1)
    holds = [threading.Event() for _ in range(5)]
    asking = Asking(turns)
    for name, hold in enumerate(holds):
        asking.ask(name, hold)
    for name, hold in enumerate(holds):
        until(lambda name=name: asking.had == list(range(name + 1)), "it is the next")
        hold.set()
    asking.all_done()


def test_wait_for_a_turn_times_out_without_blocking_others() -> None:
    turns, hold = Turns(1), threading.Event()
    patient, hasty = Asking(turns), Asking(turns, within_s=0.05)
    patient.ask(0, hold)
    hasty.ask(1, hold)
    patient.ask(2, hold)
    until(lambda: hasty.gave_up == [1], "one has given up")
    hold.set()
    patient.all_done()
    assert patient.had == [0, 2]


def test_failure_within_a_turn_frees_it() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="it"), turns.take(1):
        raise ValueError("it fails")
    with turns.take(0.01):
        pass
