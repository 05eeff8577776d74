"""A fair semaphore and threads that ask for it one after the other."""

import threading

import pytest
from sqlalchemy.exc import TimeoutError

from db.fair_semaphore import FairSemaphore
from tests.kit.process import until


class Asking:
    """Threads that ask for a slot one after the other, and the result of each."""

    def __init__(self, semaphore: FairSemaphore, within_s: float = 30.0) -> None:
        self._semaphore, self._within_s = semaphore, within_s
        self.had: list[int] = []
        self.gave_up: list[int] = []
        self._threads: list[threading.Thread] = []

    def ask(self, name: int, hold: threading.Event) -> None:
        """Start one more thread, which keeps its slot until `hold`; return when it has one or waits."""
        before = len(self._semaphore._waiting)
        thread = threading.Thread(target=self._hold, args=(name, hold))
        thread.start()
        self._threads.append(thread)
        until(
            lambda: len(self._semaphore._waiting) > before or name in self.had or name in self.gave_up,
            "it has asked",
        )

    def _hold(self, name: int, hold: threading.Event) -> None:
        try:
            with self._semaphore.hold(self._within_s):
                self.had.append(name)
                hold.wait(30)
        except TimeoutError:
            self.gave_up.append(name)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


def test_twenty_threads_share_two_slots() -> None:
    asking, hold = Asking(FairSemaphore(2)), threading.Event()
    for name in range(20):
        asking.ask(name, hold)
    assert asking.had == [0, 1]
    hold.set()
    asking.join()
    assert sorted(asking.had) == list(range(20))


def test_freed_slot_goes_to_the_longest_waiting_thread() -> None:
    asking = Asking(FairSemaphore(1))
    holds = [threading.Event() for _ in range(5)]
    for name, hold in enumerate(holds):
        asking.ask(name, hold)
    for name, hold in enumerate(holds):
        until(lambda name=name: asking.had == list(range(name + 1)), "it is the next")
        hold.set()
    asking.join()


def test_thread_that_times_out_holds_up_nobody() -> None:
    semaphore, hold = FairSemaphore(1), threading.Event()
    patient, hasty = Asking(semaphore), Asking(semaphore, within_s=0.05)
    patient.ask(0, hold)
    hasty.ask(1, hold)
    patient.ask(2, hold)
    until(lambda: hasty.gave_up == [1], "one has given up")
    hold.set()
    patient.join()
    assert patient.had == [0, 2]


def test_failed_block_frees_its_slot() -> None:
    semaphore = FairSemaphore(1)
    with pytest.raises(ValueError, match="it"), semaphore.hold(1):
        raise ValueError("it fails")
    with semaphore.hold(0.01):
        pass


def test_thread_beyond_the_waiting_ones_is_refused_at_once() -> None:
    semaphore = FairSemaphore(1, most_waiting=1, refusal=lambda: ValueError("too many wait"))
    asking, hold = Asking(semaphore), threading.Event()
    asking.ask(0, hold)
    asking.ask(1, hold)
    with pytest.raises(ValueError, match="too many wait"), semaphore.hold(30):
        pass
    hold.set()
    asking.join()
    assert asking.had == [0, 1]
